// The control API of ccbtd, generated from its contract: CCBT_UPDATE=1 wire_test.
// What is marked (+) is not in the API of the Python daemon.

/** Hex, 40 digits (v1) or 64 (v2); either case in, lower case out. */
export type InfoHash = string;

export type EncryptionPolicy =
  | "disabled"
  | "preferred"
  | "required";

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

export type FilePriority =
  | "do_not_download"
  | "low"
  | "normal"
  | "high"
  | "maximum";

export type FilterPolicy =
  | "block"
  | "allow";

export type Grant =
  | "read"
  | "add"
  | "control"
  | "delete"
  | "files"
  | "net"
  | "config"
  | "metrics"
  | "admin";

export type KeyKind =
  | "api_key"
  | "ed25519";

export type PreallocateMode =
  | "none"
  | "sparse"
  | "full";

export type QueuePriority =
  | "paused"
  | "low"
  | "normal"
  | "high"
  | "maximum";

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

export interface BatchAnswer {
  /** One for each that was asked for, in that order */
  results: BatchResult[];
}

export interface BatchResult {
  /** The torrent; null where it could not be read */
  info_hash: string | null;
  /** Was it done */
  success: boolean;
  /** Why not, for people; else null */
  error: string | null;
  /** Why not, for programs: the code that the single route answers; else null */
  code: string | null;
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

export interface ConfigExplainResponse {
  /** In the order of the sections */
  keys: ExplainConfigExplained[];
}

export interface ConfigUpdateRequest {
  /** Keys of that section; null takes a key back to what the file says */
  network?: unknown | null;
  /** The same */
  discovery?: unknown | null;
  /** The same */
  disk?: unknown | null;
  /** The same */
  limits?: unknown | null;
  /** The same */
  queue?: unknown | null;
  /** The same */
  nat?: unknown | null;
  /** The same; ip_filter is a section in it */
  security?: unknown | null;
  /** The same; "***" leaves a secret as it is */
  proxy?: unknown | null;
  /** The same */
  observability?: unknown | null;
  /** The same */
  daemon?: unknown | null;
}

export interface ConfigUpdateResponse {
  /** "updated" */
  status: string;
  /** Something that changed takes effect at the next start */
  restart_required: boolean;
  /** What that is (+) */
  restart_keys: string[];
  /** What was given and is no key (+) */
  ignored: string[];
  /** The configuration now, secrets as "***" */
  config: Settings;
}

export interface DaemonSettings {
  /** The key of this API; default: made at first start, in <state_dir>/api_key */
  api_key: string;
  /** The address of this API */
  ipc_host: string;
  /** Its port; 0 picks a free one */
  ipc_port: number;
  /** Serve GET /events */
  websocket_enabled: boolean;
  /** Seconds between heartbeats to event clients */
  websocket_heartbeat_interval: number;
  /** Seconds between savings of progress, at most */
  auto_save_interval: number;
  /** Where the daemon keeps its state */
  state_dir: string;
  /** Serve over TLS */
  tls_enabled: boolean;
  /** The certificate chain, PEM; default: one of its own, made at first use */
  tls_certificate_path: string;
  /** Its private key, PEM (+) */
  tls_key_path: string;
  /** Ed25519 public keys whose signatures are admin, hex (+) */
  trusted_keys: string[];
  /** Further names that a Host header may have (+) */
  allowed_hosts: string[];
  /** Addresses of reverse proxies whose X-Forwarded-For is believed (+) */
  trusted_proxies: string[];
  /** Serve beyond loopback without TLS (+) */
  allow_insecure_bind: boolean;
  /** Bind writing to the configured folders by Landlock (+) */
  landlock: boolean;
  /** Where exports go; default: <state_dir>/exports (+) */
  export_dir: string;
  /** Serve on this Unix socket too; default: <state_dir>/ccbtd.sock; "none": on none (+) */
  unix_socket: string;
}

export interface DiscoverySettings {
  /** Find peers in the distributed hash table (BEP 5) */
  enable_dht: boolean;
  /** Where to enter the DHT, each host:port */
  dht_bootstrap_nodes: string[];
  /** Exchange peers with peers (BEP 11) */
  enable_pex: boolean;
  /** Find peers on the local network (BEP 14) (+) */
  enable_lsd: boolean;
  /** Announce to HTTP and HTTPS trackers (BEP 3) */
  enable_http_trackers: boolean;
  /** Announce to UDP trackers (BEP 15) */
  enable_udp_trackers: boolean;
  /** Seconds between announces, at the least */
  tracker_announce_interval: number;
  /** A private torrent (BEP 27) gets peers from its trackers alone */
  strict_private_mode: boolean;
}

export interface DiskSettings {
  /** The folder for torrents that name none */
  download_path: string;
  /** The folders that output_dir may name, and what lies below them; default: download_path (+) */
  allowed_paths: string[];
  /** Reserve a file's space before writing: none, sparse or full */
  preallocate: PreallocateMode;
  /** Threads that read and write */
  disk_workers: number;
  /** Threads that hash, at most; no more than there are cores */
  hash_workers: number;
}

export interface Done {
  /** What was done */
  status: string;
}

export interface DoneToATorrentAddToQueue {
  /** What was done */
  status: string;
  /** The torrent */
  info_hash: string;
}

export interface DoneToATorrentPauseInQueue {
  /** What was done */
  status: string;
  /** The torrent */
  info_hash: string;
}

export interface DoneToATorrentRemoveFromQueue {
  /** What was done */
  status: string;
  /** The torrent */
  info_hash: string;
}

export interface DoneToATorrentResumeInQueue {
  /** What was done */
  status: string;
  /** The torrent */
  info_hash: string;
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
  /** "added" or "removed"; of files "selected" or "deselected" */
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
  /** The files; the first 1,000 where there are more: total says how many */
  file_indices?: number[];
  /** Their priority now */
  priority?: string;
  /** The peer's port */
  port?: number;
  /** "in" where the peer connected to us, else "out" */
  direction?: string;
  /** As GET /session/stats answers it, and so the rest */
  num_torrents?: number;
  /** Neither paused nor seeding */
  num_active?: number;
  /** Paused */
  num_paused?: number;
  /** Payload, bytes a second */
  total_download_rate?: number;
  /** Payload, bytes a second */
  total_upload_rate?: number;
  /** Payload bytes of all time */
  total_downloaded?: number;
  /** Payload bytes of all time */
  total_uploaded?: number;
  /** The same and more */
  stats?: GetGlobalStatsMore;
}

export interface EventsLogResponse {
  /** The oldest first */
  events: Event[];
  /** What to send as since the next time */
  next: number;
  /** Events after since are no longer known (or since is of another store): read what you keep anew */
  resync: boolean;
}

export interface ExplainConfigExplained {
  /** Its name */
  key: string;
  /** What it means */
  description: string;
  /** boolean, integer, number, string, choice or list */
  type: string;
  /** Of a choice: what it may be */
  choices: string[];
  /** The least it may be */
  minimum: number | null;
  /** The most it may be */
  maximum: number | null;
  /** Where nobody sets it */
  default: unknown;
  /** Now */
  value: unknown;
  /** "default", "ccbt.toml:12", "environment CCBT_…", "flag --set", or "override": set over the API */
  origin: string;
  /** A value set over the API is kept for it */
  laid_over: boolean;
  /** What it would be without that */
  beneath: unknown;
  /** And where that comes from */
  beneath_origin: string;
  /** A change takes effect at the next start */
  restart: boolean;
  /** There is such a change */
  pending: boolean;
  /** The environment variable that sets it */
  variable: string;
}

export interface FileInfo {
  /** Its index in the torrent, padding files counted */
  index: number;
  /** Its path below output_dir */
  name: string;
  /** Bytes */
  size: number;
  /** It is downloaded */
  selected: boolean;
  /** How much it is wanted beside the others */
  priority: FilePriority;
  /** The part of it that is here; 1.0 of an empty file */
  progress: number;
  /** BEP 47: x executable, h hidden, l symbolic link; null: none */
  attributes: string | null;
}

export interface FilesDeselectRequest {
  /** Which files, by index */
  file_indices: number[];
}

export interface FilesListResponse {
  /** The torrent */
  info_hash: string;
  /** Its files, those that only pad (BEP 47) left out */
  files: FileInfo[];
}

export interface FilesNamed {
  /** What was done */
  status: string;
  /** Which files */
  file_indices: number[];
}

export interface FilesPriorityRequest {
  /** Which file, by index */
  file_index: number;
  /** How much it is wanted; do_not_download deselects it */
  priority: FilePriority;
}

export interface FilesPriorityResponse {
  /** "priority_set" */
  status: string;
  /** Which file */
  file_index: number;
  /** Its priority now */
  priority: FilePriority;
}

export interface FilesSelectRequest {
  /** Which files, by index */
  file_indices: number[];
}

export interface FilesVerifyResponse {
  /** "completed" */
  status: string;
  /** The torrent */
  info_hash: string;
  /** Absolute paths of the files that are whole and right */
  verified_files: string[];
  /** Absolute paths of the others: missing, longer, shorter, not regular, or with a piece whose hash does not fit */
  failed_files: string[];
  /** Selected files */
  total_files: number;
  /** How many are right */
  verified_count: number;
  /** How many are not */
  failed_count: number;
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

export interface GetQueueEntry {
  /** The torrent */
  info_hash: string;
  /** Its place, from 0 */
  queue_position: number;
  /** A higher one goes before any lower one, whatever its place */
  priority: QueuePriority;
  /** As in its row; queued: it waits for its turn */
  status: TorrentState;
  /** The limit in force of what it receives, KiB/s; 0: none */
  allocated_down_kib: number;
  /** The limit in force of what it sends, KiB/s; 0: none */
  allocated_up_kib: number;
}

export interface GetQueueNumbers {
  /** In the queue: the four below, and those that an error stopped */
  total_torrents: number;
  /** That download, look for their metadata or are being checked */
  active_downloading: number;
  /** That seed */
  active_seeding: number;
  /** That wait for their turn */
  queued: number;
  /** That are paused, by a user or by the priority paused */
  paused: number;
  /** How many have which priority */
  by_priority: GetQueuePriorities;
}

export interface GetQueuePriorities {
  /** Torrents of that priority */
  paused: number;
  /** Torrents of that priority */
  low: number;
  /** Torrents of that priority */
  normal: number;
  /** Torrents of that priority */
  high: number;
  /** Torrents of that priority */
  maximum: number;
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

export interface IpFilterSettings {
  /** Enforce the IP filter */
  enable_ip_filter: boolean;
  /** block: what is listed is refused; allow: all else is */
  filter_mode: FilterPolicy;
  /** Filter files: P2P, DAT, ranges, CIDR; plain, gz, bz2 or xz */
  filter_files: string[];
  /** Where filters are fetched from (http, https) */
  filter_urls: string[];
  /** Seconds between fetches */
  filter_update_interval: number;
  /** Where fetched filters are kept */
  filter_cache_dir: string;
  /** Log each refused peer */
  filter_log_blocked: boolean;
}

export interface KeysCreateRequest {
  /** 1 to 64 of A-Z a-z 0-9 . _ - @, beginning with a letter or digit */
  name: string;
  /** What it may do, one or more */
  scopes: Grant[];
  /** Seconds until it ends; default: never */
  expires_in?: number | null;
}

export interface KeysCreateResponse {
  /** Its name */
  name: string;
  /** What is to be sent as X-CCBT-API-Key; only its SHA-256 is kept, so this is the only time */
  secret: string;
  /** What it may do */
  scopes: Grant[];
  /** When it ends, Unix seconds; null: never */
  expires_at: number | null;
}

export interface KeysListResponse {
  /** By name; the configuration's own are not among them */
  keys: NamedKey[];
  /** How many */
  count: number;
}

export interface KeysRevokeResponse {
  /** "revoked" */
  status: string;
  /** Which */
  name: string;
}

export interface KeysTrustRequest {
  /** 32 bytes, 64 hex digits */
  public_key: string;
  /** 1 to 64 of A-Z a-z 0-9 . _ - @, beginning with a letter or digit */
  name: string;
  /** What it may do, one or more */
  scopes: Grant[];
}

export interface KeysTrustResponse {
  /** "trusted" */
  status: string;
  /** Its name */
  name: string;
  /** 64 hex digits, lower case */
  public_key: string;
  /** What it may do */
  scopes: Grant[];
}

export interface LimitSettings {
  /** Download of all torrents, KiB/s; 0 is no limit */
  global_down_kib: number;
  /** Upload of all torrents, KiB/s; 0 is no limit */
  global_up_kib: number;
  /** Download of each torrent that has no limit of its own, KiB/s */
  per_torrent_down_kib: number;
  /** Upload of each torrent that has no limit of its own, KiB/s */
  per_torrent_up_kib: number;
  /** Exports, and imports, that each key may ask for in a minute */
  state_files_per_minute: number;
  /** A request line of this API; longer is 414 (+) */
  request_line_bytes: number;
  /** The header block of a request; larger is 431 (+) */
  header_block_bytes: number;
  /** Header fields of a request; more are 431 (+) */
  header_fields: number;
  /** Until a request's head (and a TLS handshake) is here; later is 408 (+) */
  header_seconds: number;
  /** Until its body is here; later is 408 (+) */
  body_seconds: number;
  /** Without progress in writing an answer, until the connection is closed (+) */
  write_seconds: number;
  /** Between requests, until the connection is closed (+) */
  idle_seconds: number;
  /** The body of a request; larger is 413 (+) */
  json_body_bytes: number;
  /** The body of torrents/add (+) */
  add_body_bytes: number;
  /** The body of torrents/batch/* and torrents/resume-checkpoint (+) */
  batch_body_bytes: number;
  /** How deeply JSON may be nested; deeper is 400 (+) */
  json_depth: number;
  /** Values in a body (+) */
  json_elements: number;
  /** Values in a body of torrents/batch/* and torrents/resume-checkpoint (+) */
  json_batch_elements: number;
  /** A string in a body, but for a torrent's bytes (+) */
  json_string_bytes: number;
  /** Connections to this API in all; more are 503 (+) */
  connections: number;
  /** Of one address beyond loopback (+) */
  connections_per_source: number;
  /** Wrong keys and signatures of a source that get 401; those after are 429 (+) */
  failed_keys: number;
  /** The time in which they are counted (+) */
  failed_keys_seconds: number;
  /** Clients of GET /events; more are 503 (+) */
  websocket_clients: number;
  /** A message of theirs; larger closes with 1009 (+) */
  websocket_message_bytes: number;
  /** What waits for one of them; more closes with 1013 (+) */
  websocket_queue_bytes: number;
  /** Between ping frames (+) */
  websocket_ping_seconds: number;
  /** Until one that answers none is closed (+) */
  websocket_pong_seconds: number;
  /** A magnet link; longer is 400 (+) */
  magnet_bytes: number;
  /** Trackers of a torrent that is added; more are 400 (+) */
  trackers: number;
  /** Web seeds of a torrent that is added; more are 400 (+) */
  web_seeds: number;
  /** A .torrent file; larger is 400 (+) */
  torrent_bytes: number;
  /** Folders in a path of a torrent; deeper is 400 (+) */
  torrent_path_depth: number;
  /** A name in a torrent; longer is 400 (+) */
  torrent_name_bytes: number;
  /** An IP filter file as it lies on the disk; larger is 422 (+) */
  filter_file_bytes: number;
  /** The same, unpacked (+) */
  filter_unpacked_bytes: number;
  /** How much of it unpacking may make (+) */
  filter_ratio: number;
  /** A line of it; a longer one is malformed (+) */
  filter_line_bytes: number;
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

export interface NamedKey {
  /** Its name */
  name: string;
  /** A secret that is sent, or a key pair that signs */
  kind: KeyKind;
  /** What it may do; admin is all */
  scopes: Grant[];
  /** Of an ed25519 key, 64 hex digits */
  public_key: string | null;
  /** When it was made or trusted, Unix seconds */
  created_at: number;
  /** When it ends, Unix seconds; null: never */
  expires_at: number | null;
  /** When a request with it was last accepted, Unix seconds; null: never */
  last_used: number | null;
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

export interface NatSettings {
  /** Ask gateways by UPnP */
  enable_upnp: boolean;
  /** Ask gateways by NAT-PMP (RFC 6886) */
  enable_nat_pmp: boolean;
  /** Have the listen port mapped */
  auto_map_ports: boolean;
  /** Seconds that a mapping is asked for, renewed before they end; 0: no end, where the gateway can */
  port_mapping_lease_time: number;
  /** Have it mapped for TCP */
  map_tcp_port: boolean;
  /** Have it mapped for UDP */
  map_udp_port: boolean;
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

export interface NetworkSettings {
  /** The address (or network interface) that peers connect to and that we dial from */
  listen_interface: string;
  /** The port for peers, TCP and uTP; 0 picks a free one */
  listen_port_tcp: number;
  /** Connected peers in all */
  max_global_peers: number;
  /** Connected peers of one torrent */
  max_peers_per_torrent: number;
  /** Listen on and dial IPv6 too, where the interface has it */
  enable_ipv6: boolean;
  /** Peers over TCP */
  enable_tcp: boolean;
  /** Take peers over uTP (BEP 29) too; TCP is dialled where it is on */
  enable_utp: boolean;
  /** Peers of one torrent uploaded to at once; 0 is no limit */
  max_upload_slots: number;
}

export interface ObservabilitySettings {
  /** DEBUG, INFO, WARNING, ERROR or OFF */
  log_level: string;
  /** Serve GET /metrics */
  enable_metrics: boolean;
  /** GET /metrics asks for a key on loopback too; it always does elsewhere (+) */
  metrics_need_key: boolean;
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

export interface ProtocolInfo {
  /** Is it switched on */
  enabled: boolean;
  /** "not_available": this daemon has no such transport */
  status: string;
  /** More of it */
  details: ProtocolInfoMore;
}

export interface ProtocolInfoMore {
  /** Why it is not available */
  reason: string;
}

export interface ProxySettings {
  /** Go through a proxy */
  enable_proxy: boolean;
  /** http, socks4 or socks5 */
  proxy_type: string;
  /** Its host */
  proxy_host: string;
  /** Its port */
  proxy_port: number;
  /** The user there */
  proxy_username: string;
  /** The user's password */
  proxy_password: string;
  /** For announces */
  proxy_for_trackers: boolean;
  /** For peers */
  proxy_for_peers: boolean;
}

export interface QueueAddRequest {
  /** The torrent */
  info_hash: InfoHash;
  /** paused, low, normal, high or maximum; paused stops it */
  priority: QueuePriority;
}

export interface QueueGetResponse {
  /** By place */
  entries: GetQueueEntry[];
  /** How many do what */
  statistics: GetQueueNumbers;
}

export interface QueueMoveRequest {
  /** Its place, from 0 to one less than there are in the queue */
  new_position: number;
}

export interface QueueMoveResponse {
  /** What was done */
  status: string;
  /** The torrent */
  info_hash: string;
  /** Its place now */
  new_position: number;
}

export interface QueueSettings {
  /** Torrents active at once; 0 is no limit */
  max_active_torrents: number;
  /** Of these, downloading; 0 is no limit */
  max_active_downloading: number;
  /** Of these, seeding; 0 is no limit */
  max_active_seeding: number;
  /** Of a new torrent: paused, low, normal, high, maximum */
  default_priority: string;
  /** Start and stop torrents by the queue */
  auto_manage_queue: boolean;
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

export interface ScrapeListResponse {
  /** One of each torrent that was scraped */
  results: ScrapeResult[];
}

export interface ScrapeResult {
  /** The torrent */
  info_hash: string;
  /** Peers that have all of it */
  seeders: number;
  /** Peers that lack something */
  leechers: number;
  /** How often it was downloaded whole, as the tracker counts; 0 where it does not */
  completed: number;
  /** When the tracker said so, Unix seconds */
  last_scrape_time: number;
  /** How often trackers have answered since the start */
  scrape_count: number;
}

export interface ScrapeRunRequest {
  /** Ask also where an answer is kept. Default: false */
  force?: boolean | null;
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

export interface SecuritySettings {
  /** Protocol encryption (MSE) with peers */
  enable_encryption: boolean;
  /** disabled, preferred or required */
  encryption_mode: EncryptionPolicy;
  /** The IP filter */
  ip_filter: IpFilterSettings;
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

export interface Settings {
  /** Peers: addresses, ports, transports, numbers */
  network: NetworkSettings;
  /** How peers are found */
  discovery: DiscoverySettings;
  /** Where and how data is written */
  disk: DiskSettings;
  /** Rates */
  limits: LimitSettings;
  /** How many torrents run at once */
  queue: QueueSettings;
  /** Port mapping at the gateway */
  nat: NatSettings;
  /** Encryption and the IP filter */
  security: SecuritySettings;
  /** A proxy for trackers and peers */
  proxy: ProxySettings;
  /** Log and metrics */
  observability: ObservabilitySettings;
  /** The daemon and its API */
  daemon: DaemonSettings;
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

export interface TorrentsBatchAddRequest {
  /** What POST /torrents/add takes, for each */
  torrents: TorrentsAddRequest[];
}

export interface TorrentsBatchPauseRequest {
  /** The torrents */
  info_hashes: string[];
}

export interface TorrentsBatchRemoveRequest {
  /** The torrents */
  info_hashes: string[];
  /** Also delete their files; the answer comes when they are gone. Default: false */
  remove_data?: boolean | null;
}

export interface TorrentsBatchResumeRequest {
  /** The torrents */
  info_hashes: string[];
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
  | "KEY_EXISTS"
  | "KEY_NOT_FOUND"
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
    in_query: { since?: number; event_types?: string };
    answer: WebSocket;
  };
  /** This API as a page to read and search (+) */
  "session.docs": {
    method: "GET";
    path: "/docs";
    answer: string;
  };
  /** What that page is made with: docs.js and docs.css (+) */
  "session.docs_file": {
    method: "GET";
    path: "/docs/{asset}";
    in_path: { asset: string };
    answer: string;
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
  /** Add many torrents at once (+) */
  "torrents.batch_add": {
    method: "POST";
    path: "/api/v1/torrents/batch/add";
    body: TorrentsBatchAddRequest;
    answer: BatchAnswer;
  };
  /** Pause many torrents at once (+) */
  "torrents.batch_pause": {
    method: "POST";
    path: "/api/v1/torrents/batch/pause";
    body: TorrentsBatchPauseRequest;
    answer: BatchAnswer;
  };
  /** Resume many torrents at once (+) */
  "torrents.batch_resume": {
    method: "POST";
    path: "/api/v1/torrents/batch/resume";
    body: TorrentsBatchResumeRequest;
    answer: BatchAnswer;
  };
  /** Remove many torrents at once, and their files where asked (+) */
  "torrents.batch_remove": {
    method: "POST";
    path: "/api/v1/torrents/batch/remove";
    body: TorrentsBatchRemoveRequest;
    answer: BatchAnswer;
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
  /** A torrent's files */
  "files.list": {
    method: "GET";
    path: "/api/v1/torrents/{info_hash}/files";
    in_path: { info_hash: InfoHash };
    answer: FilesListResponse;
  };
  /** Download files of a torrent; one that had a priority keeps it */
  "files.select": {
    method: "POST";
    path: "/api/v1/torrents/{info_hash}/files/select";
    in_path: { info_hash: InfoHash };
    body: FilesSelectRequest;
    answer: FilesNamed;
  };
  /** Do not download files of a torrent; what is there of them stays */
  "files.deselect": {
    method: "POST";
    path: "/api/v1/torrents/{info_hash}/files/deselect";
    in_path: { info_hash: InfoHash };
    body: FilesDeselectRequest;
    answer: FilesNamed;
  };
  /** How much a file of a torrent is wanted beside the others */
  "files.priority": {
    method: "POST";
    path: "/api/v1/torrents/{info_hash}/files/priority";
    in_path: { info_hash: InfoHash };
    body: FilesPriorityRequest;
    answer: FilesPriorityResponse;
  };
  /** Hash what lies on the disk of a torrent's selected files; nothing is changed by it */
  "files.verify": {
    method: "GET";
    path: "/api/v1/torrents/{info_hash}/files/verify";
    in_path: { info_hash: InfoHash };
    answer: FilesVerifyResponse;
  };
  /** The torrents of the queue, in their order, and what they do */
  "queue.get": {
    method: "GET";
    path: "/api/v1/queue";
    answer: QueueGetResponse;
  };
  /** Give a torrent a priority; one that is not in the queue is put back, at its end */
  "queue.add": {
    method: "POST";
    path: "/api/v1/queue/add";
    body: QueueAddRequest;
    answer: DoneToATorrentAddToQueue;
  };
  /** Take a torrent out of the queue: it is neither started nor stopped by it any more */
  "queue.remove": {
    method: "DELETE";
    path: "/api/v1/queue/{info_hash}";
    in_path: { info_hash: InfoHash };
    answer: DoneToATorrentRemoveFromQueue;
  };
  /** Move a torrent to another place of the queue, counted from 0 */
  "queue.move": {
    method: "POST";
    path: "/api/v1/queue/{info_hash}/move";
    in_path: { info_hash: InfoHash };
    body: QueueMoveRequest;
    answer: QueueMoveResponse;
  };
  /** Take every torrent out of the queue */
  "queue.clear": {
    method: "POST";
    path: "/api/v1/queue/clear";
    answer: Done;
  };
  /** Stop a torrent; it keeps its place */
  "queue.pause": {
    method: "POST";
    path: "/api/v1/queue/{info_hash}/pause";
    in_path: { info_hash: InfoHash };
    answer: DoneToATorrentPauseInQueue;
  };
  /** Let a paused torrent go on, when it is its turn */
  "queue.resume": {
    method: "POST";
    path: "/api/v1/queue/{info_hash}/resume";
    in_path: { info_hash: InfoHash };
    answer: DoneToATorrentResumeInQueue;
  };
  /** Ask a torrent's trackers how many seed and download it; without a torrent: what was answered */
  "scrape.run": {
    method: "POST";
    path: "/api/v1/scrape/{info_hash}";
    in_path: { info_hash: InfoHash };
    body: ScrapeRunRequest;
    answer: ScrapeResult;
  };
  /** What trackers answered, of every torrent that was scraped since the start */
  "scrape.list": {
    method: "GET";
    path: "/api/v1/scrape";
    answer: ScrapeListResponse;
  };
  /** What a torrent's trackers answered when it was last scraped */
  "scrape.get": {
    method: "GET";
    path: "/api/v1/scrape/{info_hash}";
    in_path: { info_hash: InfoHash };
    answer: ScrapeResult;
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
  /** The configuration, secrets as "***" */
  "config.get": {
    method: "GET";
    path: "/api/v1/config";
    answer: Settings;
  };
  /** Change the configuration: all of what is given, or nothing */
  "config.update": {
    method: "PUT";
    path: "/api/v1/config";
    body: ConfigUpdateRequest;
    answer: ConfigUpdateResponse;
  };
  /** What the keys of the configuration mean, and where their values come from (+) */
  "config.explain": {
    method: "GET";
    path: "/api/v1/config/explain";
    in_query: { key?: string };
    answer: ConfigExplainResponse;
  };
  /** Whether the Xet transport is available: it is not */
  "protocols.xet": {
    method: "GET";
    path: "/api/v1/protocols/xet";
    answer: ProtocolInfo;
  };
  /** Whether the IPFS transport is available: it is not */
  "protocols.ipfs": {
    method: "GET";
    path: "/api/v1/protocols/ipfs";
    answer: ProtocolInfo;
  };
  /** The events after a number, waiting for one where there is none (+) */
  "events.log": {
    method: "GET";
    path: "/api/v1/events/log";
    in_query: { since?: number; limit?: number; wait?: number };
    answer: EventsLogResponse;
  };
  /** The named keys, without their secrets (+) */
  "keys.list": {
    method: "GET";
    path: "/api/v1/keys";
    answer: KeysListResponse;
  };
  /** Make a key with scopes; its secret is answered once (+) */
  "keys.create": {
    method: "POST";
    path: "/api/v1/keys";
    body: KeysCreateRequest;
    answer: KeysCreateResponse;
  };
  /** Accept signatures of an Ed25519 key (+) */
  "keys.trust": {
    method: "POST";
    path: "/api/v1/keys/trust";
    body: KeysTrustRequest;
    answer: KeysTrustResponse;
  };
  /** End a named key or a trust, at once (+) */
  "keys.revoke": {
    method: "DELETE";
    path: "/api/v1/keys/{name}";
    in_path: { name: string };
    answer: KeysRevokeResponse;
  };
}
