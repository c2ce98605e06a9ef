// The control API of ccbtd, generated from its contract: CCBT_UPDATE=1 wire_test.
// What is marked (+) is not in the API of the Python daemon.

/** Hex, 40 digits (v1) or 64 (v2); either case in, lower case out. */
export type InfoHash = string;

export type EventType =
  | "torrent_added"
  | "torrent_removed"
  | "torrent_completed"
  | "torrent_status_changed"
  | "config_updated"
  | "shutdown"
  | "security_blacklist_updated"
  | "security_whitelist_updated"
  | "torrents_changed"
  | "tracker_announce_success"
  | "tracker_announce_error"
  | "file_selection_changed"
  | "file_priority_changed"
  | "metadata_ready"
  | "storage_offline"
  | "storage_online"
  | "peer_connected"
  | "peer_disconnected"
  | "global_stats_updated"
  | "security_ip_filter_loaded"
  | "nat_mappings_changed"
  | "progress_updated"
  | "resync";

export type TorrentState =
  | "starting"
  | "downloading"
  | "seeding"
  | "paused"
  | "stopped"
  | "error"
  | "checking"
  | "metadata"
  | "queued";

export type TrackerState =
  | "working"
  | "error"
  | "timeout"
  | "not_asked";

export type Transport =
  | "tcp"
  | "udp";

export interface AddToBlacklistResponse {
  /** It is listed, and in force */
  added: boolean;
}

export interface Checkpoint {
  /** "1.0" */
  version: string;
  /** The info-hash, hex */
  info_hash: string;
  /** Its name */
  torrent_name: string;
  /** When the torrent was added, Unix seconds */
  created_at: number;
  /** When this was written, Unix seconds */
  updated_at: number;
  /** How many pieces; 0 without metadata */
  total_pieces: number;
  /** Bytes of a piece but the last */
  piece_length: number;
  /** Bytes in all files */
  total_length: number;
  /** Indices of the pieces that are here */
  verified_pieces: number[];
  /** "verified" by index, for the same pieces */
  piece_states: unknown;
  /** How the download went */
  download_stats: CheckpointStats;
  /** The folder that its files are in */
  output_dir: string;
  /** Its files */
  files: CheckpointFile[];
  /** Its .torrent file, where one is kept */
  torrent_file_path: string | null;
  /** A magnet link to it */
  magnet_uri: string | null;
  /** Its trackers */
  announce_urls: string[];
  /** What to show */
  display_name: string | null;
  /** By file index: {selected, priority, bytes_downloaded}; null: all files are wanted */
  file_selections: unknown;
}

export interface CheckpointFile {
  /** Its path below output_dir */
  path: string;
  /** Bytes */
  size: number;
  /** It is on the disk */
  exists: boolean;
}

export interface CheckpointStats {
  /** Payload bytes of all time */
  bytes_downloaded: number;
  /** Seconds since it was added */
  download_time: number;
  /** Bytes a second over that time */
  average_speed: number;
  /** When it was added, Unix seconds */
  start_time: number;
  /** When this was written, Unix seconds */
  last_update: number;
}

export interface Done {
  /** What was done */
  status: string;
}

export interface Event {
  /** What kind of event */
  type: EventType;
  /** When, Unix seconds */
  timestamp: number;
  /** What it says */
  data: EventData;
  /** Its number; the greater the later, through restarts too (+) */
  seq: number;
}

export interface EventData {
  /** The torrent */
  info_hash?: string;
  /** Its name, where known */
  name?: string;
  /** Its status now */
  status?: string;
  /** The revision at which this holds */
  revision?: string;
  /** The address or range */
  ip?: string;
  /** "added" or "removed" */
  action?: string;
  /** The work that goes on */
  what?: string;
  /** How much of it is done */
  done?: number;
  /** Of how much */
  total?: number;
  /** Valid rules of the IP filter */
  rules?: number;
  /** The storage root */
  path?: string;
  /** The configuration keys that changed */
  keys?: string[];
  /** What happened, for people */
  message?: string;
  /** The tracker, without its passkey */
  url?: string;
}

export interface GetGlobalStatsMore {
  /** All torrents */
  num_torrents: number;
  /** Neither paused nor seeding */
  num_active: number;
  /** Paused */
  num_paused: number;
  /** Seeding */
  num_seeding: number;
  /** Payload, bytes a second */
  download_rate: number;
  /** Payload, bytes a second */
  upload_rate: number;
  /** Mean of the torrents' progress */
  average_progress: number;
  /** Payload bytes since this start (+) */
  session_downloaded: number;
  /** Payload bytes since this start (+) */
  session_uploaded: number;
  /** Connected peers of all torrents (+) */
  num_peers: number;
  /** Nodes in the DHT's routing table (+) */
  dht_nodes: number;
}

export interface GetIpFilterStatsMore {
  /** Valid rules read */
  total_rules: number;
  /** In force, after merging */
  ipv4_ranges: number;
  /** In force, after merging */
  ipv6_ranges: number;
  /** Connections with a listed address: the blocks, or in mode allow the allows */
  matches: number;
  /** Connections refused */
  blocks: number;
  /** Connections let through */
  allows: number;
  /** When what is in force was loaded, Unix seconds; null where nothing is */
  last_update: number | null;
}

export interface ImportStateNotRestored {
  /** The torrent */
  info_hash: string;
  /** Why it could not be added */
  error: string;
}

export interface ImportStateRestored {
  /** Of this form */
  version: string;
  /** The rows of the file's torrents, by info-hash */
  torrents: unknown;
}

export interface ListedAddresses {
  /** What is listed, by address */
  ips: string[];
  /** How many */
  count: number;
  /** The same with reasons and times (+) */
  entries: ListedAddressesEntry[];
}

export interface ListedAddressesEntry {
  /** An address, a CIDR block or a range */
  ip: string;
  /** Why, where it was said */
  reason: string | null;
  /** When it was added, Unix seconds */
  added_at: number;
}

export interface LoadIpFilterMalformed {
  /** As it is configured; a URL without user and query */
  file: string;
  /** Counted from 1 */
  line: number;
}

export interface NatDiscoverResponse {
  /** "discovered" */
  status: string;
  /** Was a gateway found */
  result: boolean;
}

export interface NatGetExternalIpResponse {
  /** The address; null where unknown */
  external_ip: string | null;
  /** "NAT-PMP" or "UPnP"; null where no gateway has been found */
  method: string | null;
}

export interface NatGetExternalPortResponse {
  /** Our port */
  internal_port: number;
  /** The gateway's port; null where it is not mapped */
  external_port: number | null;
  /** tcp or udp */
  protocol: Transport;
}

export interface NatMapRequest {
  /** Our port */
  internal_port: number;
  /** The gateway's port: that one or none; default: the same, or another where that is taken */
  external_port?: number | null;
  /** tcp or udp. Default: "tcp" */
  protocol?: Transport | null;
}

export interface NatMapResponse {
  /** "mapped" */
  status: string;
  /** What the gateway granted */
  result: PortMapping;
}

export interface NatRefreshResponse {
  /** "refreshed" */
  status: string;
  /** What came of it */
  result: RefreshNatOutcome;
}

export interface NatStatusResponse {
  /** Is a protocol for gateways switched on (nat.enable_upnp, …) */
  enabled: boolean;
  /** "NAT-PMP" or "UPnP"; null where no gateway has been found */
  method: string | null;
  /** The gateway's external address, where known */
  external_ip: string | null;
  /** The gateway's port that leads to our listen port */
  mapped_port: number | null;
  /** The mappings of this daemon, and no others */
  mappings: PortMapping[];
}

export interface NatUnmapRequest {
  /** The gateway's port */
  port: number;
  /** tcp or udp. Default: "tcp" */
  protocol?: Transport | null;
}

export interface NatUnmapResponse {
  /** "unmapped" */
  status: string;
  /** false: it was no mapping of ours, and nothing was done */
  result: boolean;
}

export interface Peer {
  /** Its address */
  ip: string;
  /** Its port */
  port: number;
  /** Payload that we get from it, bytes a second */
  download_rate: number;
  /** Payload that it gets from us, bytes a second */
  upload_rate: number;
  /** It chokes us */
  choked: boolean;
  /** The program, as it names itself, or null */
  client: string | null;
  /** The part of the torrent that it has (+) */
  progress: number;
  /** "in" where it connected to us, else "out" (+) */
  direction: string;
  /** "tcp" or "utp" (+) */
  transport: string;
  /** The stream is encrypted (MSE) (+) */
  encrypted: boolean;
  /** Letters: D we download, d we want to, U we upload, u it wants us to, S it snubs us, O optimistic unchoke, H from DHT, X from peer exchange, L local, I incoming, E encrypted, P uTP (+) */
  flags: string;
  /** "none", "handshake" where only that was (MSE), "rc4" where all is, "tls" (+) */
  encryption: string;
  /** It has all of it (+) */
  is_seed: boolean;
  /** Payload bytes that came from it over this connection (+) */
  downloaded: number;
  /** Payload bytes that went to it over this connection (+) */
  uploaded: number;
  /** Blocks that we asked of it and that have not come (+) */
  requests_sent: number;
  /** Blocks that it asked of us and that have not gone (+) */
  requests_waiting: number;
  /** Pieces with a part of it that were damaged (+) */
  hash_failures: number;
  /** How it was found: tracker, dht, pex, lsd, resume, incoming (+) */
  source: string[];
}

export interface PortMapping {
  /** tcp or udp */
  protocol: Transport;
  /** Our port */
  internal_port: number;
  /** The gateway's port */
  external_port: number;
  /** By which protocol: "upnp" or "natpmp" */
  source: string;
  /** When the gateway's lease ends, Unix seconds; it is renewed before. null: it has no end */
  expires_at: number | null;
}

export interface RefreshNatOutcome {
  /** How many are mapped now */
  mapped: number;
  /** How many the gateway refused */
  failed: number;
  /** Those that are */
  mappings: PortMapping[];
}

export interface RemoveFromBlacklistResponse {
  /** It is no longer listed */
  removed: boolean;
}

export interface SecurityAddToBlacklistRequest {
  /** An address, a CIDR block or a first-last range, IPv4 or IPv6 */
  ip: string;
  /** Why, for people */
  reason?: string | null;
}

export interface SecurityAddToBlacklistResponse {
  /** It is listed, and in force */
  added: boolean;
}

export interface SecurityAddToWhitelistRequest {
  /** An address, a CIDR block or a first-last range, IPv4 or IPv6 */
  ip: string;
  /** Why, for people */
  reason?: string | null;
}

export interface SecurityGetIpFilterStatsResponse {
  /** Whether it is switched on; where not, all is zero */
  enabled: boolean;
  /** Valid rules read */
  total_rules: number;
  /** Connections refused since the daemon started, in and out, by filter and blacklist */
  blocked_count: number;
  /** Connections let through since the daemon started, in and out */
  allowed_count: number;
  /** The same and more */
  stats: GetIpFilterStatsMore;
}

export interface SecurityLoadIpFilterResponse {
  /** It is in force; so is none, where the filter is off */
  loaded: boolean;
  /** Valid rules read; 0 where the filter is off (+) */
  rules: number;
  /** Lines that are malformed and were left out (+) */
  error_count: number;
  /** The first 20 of them (+) */
  errors: LoadIpFilterMalformed[];
}

export interface SecurityRemoveFromBlacklistResponse {
  /** It is no longer listed */
  removed: boolean;
}

export interface SessionHealthResponse {
  /** "ok", or "degraded" where no change can be kept */
  status: string;
}

export interface SessionShutdownResponse {
  /** "shutting_down" */
  status: string;
}

export interface SessionStatsResponse {
  /** All torrents */
  num_torrents: number;
  /** Neither paused nor seeding */
  num_active: number;
  /** Paused */
  num_paused: number;
  /** Payload, bytes a second */
  total_download_rate: number;
  /** Payload, bytes a second */
  total_upload_rate: number;
  /** Payload bytes of all time, kept across restarts */
  total_downloaded: number;
  /** Payload bytes of all time, kept across restarts */
  total_uploaded: number;
  /** The same and more */
  stats: GetGlobalStatsMore;
}

export interface SessionStatusResponse {
  /** "running" */
  status: string;
  /** The daemon's process id */
  pid: number;
  /** Seconds since it started */
  uptime: number;
  /** Its version */
  version: string;
  /** How many torrents it has */
  num_torrents: number;
  /** Where this API is */
  ipc_url: string;
  /** The id of its store, made with it (+) */
  lineage: string;
  /** The id of this machine's daemon (+) */
  node_id: string;
}

export interface TorrentStatus {
  /** The info-hash, hex in lower case; of a hybrid torrent the v1 one */
  info_hash: string;
  /** The name; until a magnet's metadata is known its dn, else the hash */
  name: string;
  /** What it is doing */
  status: TorrentState;
  /** The part of the wanted bytes that is here */
  progress: number;
  /** Payload, bytes a second */
  download_rate: number;
  /** Payload, bytes a second */
  upload_rate: number;
  /** Connected peers, seeds included */
  num_peers: number;
  /** Connected peers that have everything */
  num_seeds: number;
  /** Bytes in all files; 0 until the metadata is known */
  total_size: number;
  /** Payload bytes of all time */
  downloaded: number;
  /** Payload bytes of all time */
  uploaded: number;
  /** BEP 27: peers from its trackers only */
  is_private: boolean;
  /** Why it is in status error, else null (+) */
  error: string | null;
  /** The folder that its files are in (+) */
  output_dir: string;
  /** What users call it (+) */
  labels: string[];
  /** When it was added, Unix seconds (+) */
  added_at: number;
  /** Its own limit, KiB/s; 0: none (+) */
  download_limit_kib: number;
  /** Its own limit, KiB/s; 0: none (+) */
  upload_limit_kib: number;
}

export interface TorrentsAddRequest {
  /** A .torrent file that the daemon can read, or a magnet link (BEP 9); empty with torrent_data. Default: "" */
  path_or_magnet?: string | null;
  /** The folder for its files, within disk.allowed_paths; default: disk.download_path */
  output_dir?: string | null;
  /** Use the checkpoint kept when this torrent was last removed without its data. Default: false */
  resume?: boolean | null;
  /** A .torrent file's bytes in base64, instead of path_or_magnet (+) */
  torrent_data?: string | null;
  /** Do not start it (+). Default: false */
  paused?: boolean | null;
  /** What to call it, to find it by (+). Default: [] */
  labels?: string[] | null;
  /** Fetch the pieces in their order (+). Default: false */
  sequential?: boolean | null;
}

export interface TorrentsAddResponse {
  /** Its info-hash */
  info_hash: string;
  /** "added" */
  status: string;
}

export interface TorrentsAnnounceResponse {
  /** true: at least one tracker has answered */
  announced: boolean;
  /** All its trackers, in the order in which they are asked (+) */
  trackers: TrackerAnswer[];
}

export interface TorrentsExportStateRequest {
  /** The file, within daemon.export_dir; default: a new name there */
  path?: string | null;
}

export interface TorrentsExportStateResponse {
  /** true */
  exported: boolean;
  /** The file */
  path: string;
  /** How many torrents are in it (+) */
  torrents: number;
  /** Its size (+) */
  bytes: number;
}

export interface TorrentsImportStateRequest {
  /** The file, within daemon.export_dir or disk.allowed_paths */
  path: string;
}

export interface TorrentsImportStateResponse {
  /** What of the file is here now */
  state: ImportStateRestored;
  /** Torrents added (+) */
  imported: number;
  /** Torrents that were here already (+) */
  skipped: number;
  /** Torrents that could not be added (+) */
  failed: ImportStateNotRestored[];
}

export interface TorrentsListResponse {
  /** The rows, in order of adding where no sort was asked */
  torrents: TorrentStatus[];
  /** With since: the revision of this answer, for the next since (+) */
  revision?: string;
  /** With since: true where these are all rows, since the revision was unknown or too old (+) */
  full?: boolean;
  /** With since: the info-hashes that went (+) */
  removed?: string[];
}

export interface TorrentsPeersResponse {
  /** The torrent */
  info_hash: string;
  /** Its connected peers */
  peers: Peer[];
  /** How many */
  count: number;
}

export interface TorrentsResumeCheckpointRequest {
  /** The torrent that the checkpoint is of */
  info_hash: InfoHash;
  /** The checkpoint, an object */
  checkpoint: unknown;
  /** Its .torrent file; default: the checkpoint's torrent_file_path, else its magnet_uri, else what the daemon has of it */
  torrent_path?: string | null;
}

export interface TorrentsResumeCheckpointResponse {
  /** Its info-hash */
  info_hash: string;
}

export interface TorrentsSetRateLimitsRequest {
  /** Most that it may receive, KiB/s; 0: no limit of its own */
  download_kib: number;
  /** Most that it may send, KiB/s; 0: no limit of its own */
  upload_kib: number;
}

export interface TorrentsSetRateLimitsResponse {
  /** true */
  set: boolean;
  /** The torrent's own limit now, KiB/s; 0: none (+) */
  download_kib: number;
  /** The torrent's own limit now, KiB/s; 0: none (+) */
  upload_kib: number;
  /** What holds: the least of its own limit, or limits.per_torrent_down_kib where it has none, and limits.global_down_kib; 0: nothing limits it (+) */
  effective_download_kib: number;
  /** The same of what it sends (+) */
  effective_upload_kib: number;
  /** It asked for more than the global limits give, so that those hold (+) */
  capped: boolean;
}

export interface TrackerAnswer {
  /** Its announce URL */
  url: string;
  /** Its tier: those of a lower one are asked first (BEP 12) */
  tier: number;
  /** What came of it; not_asked: another tracker of its tier answered */
  status: TrackerState;
  /** Why it failed, or the warning that came with its answer */
  message: string;
  /** Peers with all of it, as it says; null: it does not */
  seeders: number | null;
  /** Peers that lack something; null: it does not say */
  leechers: number | null;
  /** Addresses that came with its answer */
  peers: number | null;
}

/** Events, told apart by `type`. */
export type AnyEvent = { [T in EventType]: Event & { type: T } }[EventType];

export type SocketRequest =
  | { action: "subscribe" | "unsubscribe"; data: { event_types: EventType[] } }
  | { action: "ping" | "pong" };

export type SocketReply =
  | { action: "subscribed" | "unsubscribed"; event_types: EventType[] }
  | { action: "pong" | "ping" }
  | { action: "error"; error: string };

export type ErrorCode =
  | "BAD_REQUEST"
  | "REQUEST_TIMEOUT"
  | "URI_TOO_LONG"
  | "HEADERS_TOO_LARGE"
  | "BODY_TOO_LARGE"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "HOST_NOT_ALLOWED"
  | "ORIGIN_NOT_ALLOWED"
  | "FORBIDDEN_SCOPE"
  | "RATE_LIMITED"
  | "NOT_FOUND"
  | "METHOD_NOT_ALLOWED"
  | "AUTH_REQUIRED"
  | "INVALID_JSON"
  | "VALIDATION_ERROR"
  | "INVALID_INFO_HASH"
  | "IDEMPOTENCY_CONFLICT"
  | "STARTING"
  | "SHUTTING_DOWN"
  | "STATE_IO_ERROR"
  | "TOO_MANY_CONNECTIONS"
  | "STATE_STORAGE_FULL"
  | "INTERNAL_ERROR"
  | "TORRENT_NOT_FOUND"
  | "ADD_TORRENT_ERROR"
  | "ADD_TORRENT_TIMEOUT"
  | "TORRENT_EXISTS"
  | "ANNOUNCE_ERROR"
  | "EXPORT_ERROR"
  | "IMPORT_ERROR"
  | "RESUME_ERROR"
  | "REMOVE_ERROR"
  | "FILE_LIST_FAILED"
  | "FILE_SELECT_FAILED"
  | "FILE_DESELECT_FAILED"
  | "FILE_PRIORITY_FAILED"
  | "FILE_VERIFY_FAILED"
  | "QUEUE_ADD_FAILED"
  | "QUEUE_NOT_FOUND"
  | "QUEUE_MOVE_FAILED"
  | "NAT_DISCOVER_FAILED"
  | "NAT_MAP_FAILED"
  | "NAT_UNMAP_FAILED"
  | "NAT_REFRESH_FAILED"
  | "NAT_ERROR"
  | "INVALID_PORT"
  | "SCRAPE_FAILED"
  | "SCRAPE_NOT_FOUND"
  | "SECURITY_ERROR"
  | "CONFIG_UPDATE_FAILED";

/** The one shape of every error. */
export interface ErrorAnswer {
  /** For people */
  error: string;
  /** For programs */
  code: ErrorCode;
  /** What helps to mend it */
  details: ({ field?: string; problems?: { field: string; message: string }[] } & Record<string, unknown>) | null;
}

export interface Operations {
  /** Is the daemon up, and which one is it */
  "session.status": {
    method: "GET";
    path: "/api/v1/status";
    answer: SessionStatusResponse;
  };
  /** Sums over all torrents, rates and totals */
  "session.stats": {
    method: "GET";
    path: "/api/v1/session/stats";
    answer: SessionStatsResponse;
  };
  /** Stop the daemon, cleanly */
  "session.shutdown": {
    method: "POST";
    path: "/api/v1/shutdown";
    answer: SessionShutdownResponse;
  };
  /** Metrics for Prometheus */
  "session.metrics": {
    method: "GET";
    path: "/metrics";
    answer: string;
  };
  /** For load balancers: ok, or degraded with 503 (+) */
  "session.health": {
    method: "GET";
    path: "/health";
    answer: SessionHealthResponse;
  };
  /** This API as an OpenAPI 3.1 document (+) */
  "session.openapi": {
    method: "GET";
    path: "/openapi.json";
    answer: string;
  };
  /** The WebSocket of events */
  "events.watch": {
    method: "GET";
    path: "/api/v1/events";
    answer: WebSocket;
  };
  /** Add a torrent by file, magnet link or content */
  "torrents.add": {
    method: "POST";
    path: "/api/v1/torrents/add";
    body: TorrentsAddRequest;
    answer: TorrentsAddResponse;
  };
  /** All torrents, or what changed since a revision */
  "torrents.list": {
    method: "GET";
    path: "/api/v1/torrents";
    in_query: { since?: string; fields?: string; status?: string; label?: string; sort?: string; offset?: number; limit?: number };
    in_header: { "If-None-Match"?: string };
    answer: TorrentsListResponse;
  };
  /** One torrent */
  "torrents.get": {
    method: "GET";
    path: "/api/v1/torrents/{info_hash}";
    in_path: { info_hash: InfoHash };
    in_header: { "If-None-Match"?: string };
    answer: TorrentStatus;
  };
  /** Remove a torrent, and its files where asked */
  "torrents.remove": {
    method: "DELETE";
    path: "/api/v1/torrents/{info_hash}";
    in_path: { info_hash: InfoHash };
    in_query: { delete_files?: boolean };
    answer: Done;
  };
  /** Stop a torrent's transfers until it is resumed */
  "torrents.pause": {
    method: "POST";
    path: "/api/v1/torrents/{info_hash}/pause";
    in_path: { info_hash: InfoHash };
    answer: Done;
  };
  /** Let a paused torrent go on */
  "torrents.resume": {
    method: "POST";
    path: "/api/v1/torrents/{info_hash}/resume";
    in_path: { info_hash: InfoHash };
    answer: Done;
  };
  /** A torrent's connected peers */
  "torrents.peers": {
    method: "GET";
    path: "/api/v1/torrents/{info_hash}/peers";
    in_path: { info_hash: InfoHash };
    answer: TorrentsPeersResponse;
  };
  /** Limit a torrent's rates, KiB/s; 0 is no limit of its own */
  "torrents.set_rate_limits": {
    method: "POST";
    path: "/api/v1/torrents/{info_hash}/rate-limits";
    in_path: { info_hash: InfoHash };
    body: TorrentsSetRateLimitsRequest;
    answer: TorrentsSetRateLimitsResponse;
  };
  /** Tell a torrent's trackers of it now, and what they answer */
  "torrents.announce": {
    method: "POST";
    path: "/api/v1/torrents/{info_hash}/announce";
    in_path: { info_hash: InfoHash };
    answer: TorrentsAnnounceResponse;
  };
  /** Write everything that the daemon knows into a file */
  "torrents.export_state": {
    method: "POST";
    path: "/api/v1/torrents/export-state";
    body: TorrentsExportStateRequest;
    answer: TorrentsExportStateResponse;
  };
  /** Take back what an export wrote; torrents that are here already are left alone */
  "torrents.import_state": {
    method: "POST";
    path: "/api/v1/torrents/import-state";
    body: TorrentsImportStateRequest;
    answer: TorrentsImportStateResponse;
  };
  /** Go on with a torrent from a checkpoint; its pieces are hashed before they are believed */
  "torrents.resume_checkpoint": {
    method: "POST";
    path: "/api/v1/torrents/resume-checkpoint";
    body: TorrentsResumeCheckpointRequest;
    answer: TorrentsResumeCheckpointResponse;
  };
  /** A torrent's checkpoint, for another daemon to go on from (+) */
  "torrents.checkpoint": {
    method: "GET";
    path: "/api/v1/torrents/{info_hash}/checkpoint";
    in_path: { info_hash: InfoHash };
    answer: Checkpoint;
  };
  /** The gateway, the external address, and the ports mapped for us */
  "nat.status": {
    method: "GET";
    path: "/api/v1/nat/status";
    answer: NatStatusResponse;
  };
  /** Look for a gateway now */
  "nat.discover": {
    method: "POST";
    path: "/api/v1/nat/discover";
    answer: NatDiscoverResponse;
  };
  /** Have the gateway lead one of its ports to one of ours, until unmapped or the daemon stops */
  "nat.map": {
    method: "POST";
    path: "/api/v1/nat/map";
    body: NatMapRequest;
    answer: NatMapResponse;
  };
  /** Have the gateway drop one of our mappings */
  "nat.unmap": {
    method: "POST";
    path: "/api/v1/nat/unmap";
    body: NatUnmapRequest;
    answer: NatUnmapResponse;
  };
  /** Look for the gateway anew and have all of our ports mapped again */
  "nat.refresh": {
    method: "POST";
    path: "/api/v1/nat/refresh";
    answer: NatRefreshResponse;
  };
  /** The gateway's external address */
  "nat.get_external_ip": {
    method: "GET";
    path: "/api/v1/nat/external-ip";
    answer: NatGetExternalIpResponse;
  };
  /** The gateway's port that leads to one of ours */
  "nat.get_external_port": {
    method: "GET";
    path: "/api/v1/nat/external-port/{internal_port}";
    in_path: { internal_port: string };
    in_query: { protocol?: Transport };
    answer: NatGetExternalPortResponse;
  };
  /** The addresses that are never connected with */
  "security.get_blacklist": {
    method: "GET";
    path: "/api/v1/security/blacklist";
    answer: ListedAddresses;
  };
  /** The addresses that blacklist and filter let through */
  "security.get_whitelist": {
    method: "GET";
    path: "/api/v1/security/whitelist";
    answer: ListedAddresses;
  };
  /** Refuse connections with addresses, and cut those there are */
  "security.add_to_blacklist": {
    method: "POST";
    path: "/api/v1/security/blacklist";
    body: SecurityAddToBlacklistRequest;
    answer: SecurityAddToBlacklistResponse;
  };
  /** Let addresses through the blacklist and the filter */
  "security.add_to_whitelist": {
    method: "POST";
    path: "/api/v1/security/whitelist";
    body: SecurityAddToWhitelistRequest;
    answer: AddToBlacklistResponse;
  };
  /** Take addresses off the blacklist */
  "security.remove_from_blacklist": {
    method: "DELETE";
    path: "/api/v1/security/blacklist/{ip}";
    in_path: { ip: string };
    answer: SecurityRemoveFromBlacklistResponse;
  };
  /** Take addresses off the whitelist */
  "security.remove_from_whitelist": {
    method: "DELETE";
    path: "/api/v1/security/whitelist/{ip}";
    in_path: { ip: string };
    answer: RemoveFromBlacklistResponse;
  };
  /** Read the IP filter's files and URLs again; all of it or nothing */
  "security.load_ip_filter": {
    method: "POST";
    path: "/api/v1/security/ip-filter/load";
    answer: SecurityLoadIpFilterResponse;
  };
  /** What the IP filter holds, and what it refused */
  "security.get_ip_filter_stats": {
    method: "GET";
    path: "/api/v1/security/ip-filter/stats";
    answer: SecurityGetIpFilterStatsResponse;
  };
}
