// Every key of the configuration, once: section, key, meaning, type, range, default. The file, the environment, the
// flags, PUT /config, `ccbt config explain` and ccbt.toml(5) all come from here.
#pragma once

#include "contract/describe.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ccbt::contract {

inline constexpr double max_kib = 2'097'151; // a limit in KiB/s that still fits libtorrent's int of bytes

enum class preallocate_mode : std::uint8_t { none, sparse, full };
template <> inline constexpr auto names_of<preallocate_mode> = std::array{
    std::pair{preallocate_mode::none, std::string_view{"none"}},
    std::pair{preallocate_mode::sparse, std::string_view{"sparse"}},
    std::pair{preallocate_mode::full, std::string_view{"full"}}};
template <> inline constexpr bool ignores_case<preallocate_mode> = true;

enum class encryption_policy : std::uint8_t { disabled, preferred, required };
template <> inline constexpr auto names_of<encryption_policy> = std::array{
    std::pair{encryption_policy::disabled, std::string_view{"disabled"}},
    std::pair{encryption_policy::preferred, std::string_view{"preferred"}},
    std::pair{encryption_policy::required, std::string_view{"required"}}};
template <> inline constexpr bool ignores_case<encryption_policy> = true;

enum class filter_policy : std::uint8_t { block, allow };
template <> inline constexpr auto names_of<filter_policy> = std::array{
    std::pair{filter_policy::block, std::string_view{"block"}},
    std::pair{filter_policy::allow, std::string_view{"allow"}}};
template <> inline constexpr bool ignores_case<filter_policy> = true;

struct network_settings {
    std::string listen_interface = "0.0.0.0";
    std::int64_t listen_port_tcp = 64122;
    std::int64_t max_global_peers = 200;
    std::int64_t max_peers_per_torrent = 50;
    bool enable_ipv6 = true;
    bool enable_tcp = true;
    bool enable_utp = false;
    std::int64_t max_upload_slots = 4;
    static constexpr auto fields = described_as{
        field<&network_settings::listen_interface>{
            "The address (or network interface) that peers connect to and that we dial from",
            {.max_length = 255}},
        field<&network_settings::listen_port_tcp>{
            "The port for peers, TCP and uTP; 0 picks a free one", {.min = 0, .max = 65535}},
        field<&network_settings::max_global_peers>{"Connected peers in all", {.min = 1, .max = 100000}},
        field<&network_settings::max_peers_per_torrent>{
            "Connected peers of one torrent", {.min = 1, .max = 10000}},
        field<&network_settings::enable_ipv6>{"Listen on and dial IPv6 too, where the interface has it"},
        field<&network_settings::enable_tcp>{"Peers over TCP"},
        field<&network_settings::enable_utp>{
            "Take peers over uTP (BEP 29) too; TCP is dialled where it is on"},
        field<&network_settings::max_upload_slots>{
            "Peers of one torrent uploaded to at once; 0 is no limit", {.min = 0, .max = 10000}}};
};

struct discovery_settings {
    bool enable_dht = true;
    std::vector<std::string> dht_bootstrap_nodes{
        "router.bittorrent.com:6881", "dht.transmissionbt.com:6881", "dht.libtorrent.org:25401"};
    bool enable_pex = true;
    bool enable_lsd = false;
    bool enable_http_trackers = true;
    bool enable_udp_trackers = true;
    std::int64_t tracker_announce_interval = 1800;
    bool strict_private_mode = true;
    static constexpr auto fields = described_as{
        field<&discovery_settings::enable_dht>{"Find peers in the distributed hash table (BEP 5)"},
        field<&discovery_settings::dht_bootstrap_nodes>{
            "Where to enter the DHT, each host:port", {.max_length = 300, .max_items = 64}},
        field<&discovery_settings::enable_pex>{"Exchange peers with peers (BEP 11)"},
        field<&discovery_settings::enable_lsd>{"Find peers on the local network (BEP 14) (+)"},
        field<&discovery_settings::enable_http_trackers>{"Announce to HTTP and HTTPS trackers (BEP 3)"},
        field<&discovery_settings::enable_udp_trackers>{"Announce to UDP trackers (BEP 15)"},
        field<&discovery_settings::tracker_announce_interval>{
            "Seconds between announces, at the least", {.min = 60, .max = 86400}},
        field<&discovery_settings::strict_private_mode>{
            "A private torrent (BEP 27) gets peers from its trackers alone"}};
};

struct disk_settings {
    std::string download_path = "~/Downloads";
    std::vector<std::string> allowed_paths;
    preallocate_mode preallocate = preallocate_mode::full;
    std::int64_t disk_workers = 2;
    std::int64_t hash_workers = 4;
    static constexpr auto fields = described_as{
        field<&disk_settings::download_path>{
            "The folder for torrents that name none", {.max_length = 4096, .format = "path"}},
        field<&disk_settings::allowed_paths>{
            "The folders that output_dir may name, and what lies below them; "
            "default: download_path (+)",
            {.max_length = 4096, .max_items = 64, .format = "path"}},
        field<&disk_settings::preallocate>{"Reserve a file's space before writing: none, sparse or full"},
        field<&disk_settings::disk_workers>{"Threads that read and write", {.min = 1, .max = 64}},
        field<&disk_settings::hash_workers>{
            "Threads that hash, at most; no more than there are cores", {.min = 1, .max = 64}}};
};

struct limit_settings {
    std::int64_t global_down_kib = 0;
    std::int64_t global_up_kib = 0;
    std::int64_t per_torrent_down_kib = 0;
    std::int64_t per_torrent_up_kib = 0;
    std::int64_t state_files_per_minute = 6;
    // The door's and the readers' (reliability.md, "Limits"), in the order of that table.
    std::int64_t request_line_bytes = 8192;
    std::int64_t header_block_bytes = 16384;
    std::int64_t header_fields = 64;
    double header_seconds = 5;
    double body_seconds = 30;
    double write_seconds = 30;
    double idle_seconds = 60;
    std::int64_t json_body_bytes = std::int64_t{1} << 20;
    std::int64_t add_body_bytes = std::int64_t{24} << 20;
    std::int64_t batch_body_bytes = std::int64_t{64} << 20;
    std::int64_t json_depth = 32;
    std::int64_t json_elements = 100000;
    std::int64_t json_batch_elements = 2000000;
    std::int64_t json_string_bytes = 65536;
    std::int64_t connections = 4096;
    std::int64_t connections_per_source = 256;
    std::int64_t failed_keys = 10;
    std::int64_t failed_keys_seconds = 60;
    std::int64_t websocket_clients = 1024;
    std::int64_t websocket_message_bytes = 65536;
    std::int64_t websocket_queue_bytes = std::int64_t{1} << 20;
    double websocket_ping_seconds = 20;
    double websocket_pong_seconds = 60;
    std::int64_t magnet_bytes = 8192;
    std::int64_t trackers = 64;
    std::int64_t web_seeds = 16;
    std::int64_t torrent_bytes = std::int64_t{16} << 20;
    std::int64_t torrent_path_depth = 32;
    std::int64_t torrent_name_bytes = 255;
    std::int64_t filter_file_bytes = std::int64_t{256} << 20;
    std::int64_t filter_unpacked_bytes = std::int64_t{1} << 30;
    std::int64_t filter_ratio = 200;
    std::int64_t filter_line_bytes = 1024;
    static constexpr auto fields = described_as{
        field<&limit_settings::global_down_kib>{
            "Download of all torrents, KiB/s; 0 is no limit", {.min = 0, .max = max_kib}},
        field<&limit_settings::global_up_kib>{
            "Upload of all torrents, KiB/s; 0 is no limit", {.min = 0, .max = max_kib}},
        field<&limit_settings::per_torrent_down_kib>{
            "Download of each torrent that has no limit of its own, KiB/s", {.min = 0, .max = max_kib}},
        field<&limit_settings::per_torrent_up_kib>{
            "Upload of each torrent that has no limit of its own, KiB/s", {.min = 0, .max = max_kib}},
        field<&limit_settings::state_files_per_minute>{
            "Exports, and imports, that each key may ask for in a minute", {.min = 1, .max = 600}},
        field<&limit_settings::request_line_bytes>{
            "A request line of this API; longer is 414 (+)", {.min = 512, .max = 65536}},
        field<&limit_settings::header_block_bytes>{
            "The header block of a request; larger is 431 (+)", {.min = 1024, .max = 65536}},
        field<&limit_settings::header_fields>{
            "Header fields of a request; more are 431 (+)", {.min = 8, .max = 1000}},
        field<&limit_settings::header_seconds>{
            "Until a request's head (and a TLS handshake) is here; later is 408 (+)",
            {.min = 0.1, .max = 600}},
        field<&limit_settings::body_seconds>{
            "Until its body is here; later is 408 (+)", {.min = 0.1, .max = 3600}},
        field<&limit_settings::write_seconds>{
            "Without progress in writing an answer, until the connection is closed (+)",
            {.min = 0.1, .max = 3600}},
        field<&limit_settings::idle_seconds>{
            "Between requests, until the connection is closed (+)", {.min = 0.1, .max = 86400}},
        field<&limit_settings::json_body_bytes>{
            "The body of a request; larger is 413 (+)", {.min = 1024, .max = 67108864}},
        field<&limit_settings::add_body_bytes>{
            "The body of torrents/add (+)", {.min = 1024, .max = 67108864}},
        field<&limit_settings::batch_body_bytes>{
            "The body of torrents/batch/* and torrents/resume-checkpoint (+)",
            {.min = 1024, .max = 268435456}},
        field<&limit_settings::json_depth>{
            "How deeply JSON may be nested; deeper is 400 (+)", {.min = 4, .max = 64, .restart = true}},
        field<&limit_settings::json_elements>{
            "Values in a body (+)", {.min = 100, .max = 1000000, .restart = true}},
        field<&limit_settings::json_batch_elements>{
            "Values in a body of torrents/batch/* and torrents/resume-checkpoint (+)",
            {.min = 100, .max = 10000000, .restart = true}},
        field<&limit_settings::json_string_bytes>{
            "A string in a body, but for a torrent's bytes (+)",
            {.min = 256, .max = 1048576, .restart = true}},
        field<&limit_settings::connections>{
            "Connections to this API in all; more are 503 (+)", {.min = 1, .max = 65536}},
        field<&limit_settings::connections_per_source>{
            "Of one address beyond loopback (+)", {.min = 1, .max = 65536}},
        field<&limit_settings::failed_keys>{
            "Wrong keys and signatures of a source that get 401; those after are 429 (+)",
            {.min = 1, .max = 1000}},
        field<&limit_settings::failed_keys_seconds>{
            "The time in which they are counted (+)", {.min = 1, .max = 3600}},
        field<&limit_settings::websocket_clients>{
            "Clients of GET /events; more are 503 (+)", {.min = 1, .max = 65536}},
        field<&limit_settings::websocket_message_bytes>{
            "A message of theirs; larger closes with 1009 (+)", {.min = 128, .max = 1048576}},
        field<&limit_settings::websocket_queue_bytes>{
            "What waits for one of them; more closes with 1013 (+)", {.min = 4096, .max = 67108864}},
        field<&limit_settings::websocket_ping_seconds>{"Between ping frames (+)", {.min = 0.1, .max = 3600}},
        field<&limit_settings::websocket_pong_seconds>{
            "Until one that answers none is closed (+)", {.min = 0.1, .max = 3600}},
        field<&limit_settings::magnet_bytes>{"A magnet link; longer is 400 (+)", {.min = 64, .max = 8192}},
        field<&limit_settings::trackers>{
            "Trackers of a torrent that is added; more are 400 (+)", {.min = 0, .max = 64}},
        field<&limit_settings::web_seeds>{
            "Web seeds of a torrent that is added; more are 400 (+)", {.min = 0, .max = 16}},
        field<&limit_settings::torrent_bytes>{
            "A .torrent file; larger is 400 (+)", {.min = 1024, .max = 16777216}},
        field<&limit_settings::torrent_path_depth>{
            "Folders in a path of a torrent; deeper is 400 (+)", {.min = 1, .max = 32}},
        field<&limit_settings::torrent_name_bytes>{
            "A name in a torrent; longer is 400 (+)", {.min = 16, .max = 255}},
        field<&limit_settings::filter_file_bytes>{
            "An IP filter file as it lies on the disk; larger is 422 (+)", {.min = 1024, .max = 1073741824}},
        field<&limit_settings::filter_unpacked_bytes>{
            "The same, unpacked (+)", {.min = 1024, .max = 4294967296.0}},
        field<&limit_settings::filter_ratio>{
            "How much of it unpacking may make (+)", {.min = 2, .max = 1000}},
        field<&limit_settings::filter_line_bytes>{
            "A line of it; a longer one is malformed (+)", {.min = 64, .max = 1024}}};
};

struct queue_settings {
    std::int64_t max_active_torrents = 5;
    std::int64_t max_active_downloading = 3;
    std::int64_t max_active_seeding = 2;
    std::string default_priority = "normal";
    bool auto_manage_queue = true;
    static constexpr auto fields = described_as{
        field<&queue_settings::max_active_torrents>{
            "Torrents active at once; 0 is no limit", {.min = 0, .max = 1e6}},
        field<&queue_settings::max_active_downloading>{
            "Of these, downloading; 0 is no limit", {.min = 0, .max = 1e6}},
        field<&queue_settings::max_active_seeding>{
            "Of these, seeding; 0 is no limit", {.min = 0, .max = 1e6}},
        field<&queue_settings::default_priority>{
            "Of a new torrent: paused, low, normal, high, maximum", {.max_length = 16}},
        field<&queue_settings::auto_manage_queue>{"Start and stop torrents by the queue"}};
};

struct nat_settings {
    bool enable_upnp = true;
    bool enable_nat_pmp = true;
    bool auto_map_ports = true;
    std::int64_t port_mapping_lease_time = 3600;
    bool map_tcp_port = true;
    bool map_udp_port = true;
    static constexpr auto fields = described_as{
        field<&nat_settings::enable_upnp>{"Ask gateways by UPnP"},
        field<&nat_settings::enable_nat_pmp>{"Ask gateways by NAT-PMP (RFC 6886)"},
        field<&nat_settings::auto_map_ports>{"Have the listen port mapped"},
        field<&nat_settings::port_mapping_lease_time>{
            "Seconds that a mapping is asked for, renewed before they end; 0: no end, where the gateway can",
            {.min = 0, .max = 604800}},
        field<&nat_settings::map_tcp_port>{"Have it mapped for TCP"},
        field<&nat_settings::map_udp_port>{"Have it mapped for UDP"}};
};

struct ip_filter_settings {
    bool enable_ip_filter = false;
    filter_policy filter_mode = filter_policy::block;
    std::vector<std::string> filter_files;
    std::vector<std::string> filter_urls;
    std::int64_t filter_update_interval = 86400;
    std::string filter_cache_dir = "~/.ccbt/filters";
    bool filter_log_blocked = true;
    static constexpr auto fields = described_as{
        field<&ip_filter_settings::enable_ip_filter>{"Enforce the IP filter"},
        field<&ip_filter_settings::filter_mode>{"block: what is listed is refused; allow: all else is"},
        field<&ip_filter_settings::filter_files>{
            "Filter files: P2P, DAT, ranges, CIDR; plain, gz, bz2 or xz",
            {.max_length = 4096, .max_items = 64, .format = "path"}},
        field<&ip_filter_settings::filter_urls>{
            "Where filters are fetched from (http, https)", {.max_length = 4096, .max_items = 64}},
        field<&ip_filter_settings::filter_update_interval>{
            "Seconds between fetches", {.min = 60, .max = 31536000}},
        field<&ip_filter_settings::filter_cache_dir>{
            "Where fetched filters are kept", {.max_length = 4096, .format = "path"}},
        field<&ip_filter_settings::filter_log_blocked>{"Log each refused peer"}};
};

struct security_settings {
    bool enable_encryption = false;
    encryption_policy encryption_mode = encryption_policy::preferred;
    ip_filter_settings ip_filter;
    static constexpr auto fields = described_as{
        field<&security_settings::enable_encryption>{"Protocol encryption (MSE) with peers"},
        field<&security_settings::encryption_mode>{"disabled, preferred or required"},
        field<&security_settings::ip_filter>{"The IP filter"}};
};

struct proxy_settings {
    bool enable_proxy = false;
    std::string proxy_type = "socks5";
    std::string proxy_host;
    std::int64_t proxy_port = 1080;
    std::string proxy_username;
    std::string proxy_password;
    bool proxy_for_trackers = true;
    bool proxy_for_peers = true;
    static constexpr auto fields = described_as{
        field<&proxy_settings::enable_proxy>{"Go through a proxy"},
        field<&proxy_settings::proxy_type>{"http, socks4 or socks5", {.max_length = 16}},
        field<&proxy_settings::proxy_host>{"Its host", {.max_length = 255}},
        field<&proxy_settings::proxy_port>{"Its port", {.min = 1, .max = 65535}},
        field<&proxy_settings::proxy_username>{"The user there", {.max_length = 255}},
        field<&proxy_settings::proxy_password>{"The user's password", {.max_length = 255, .secret = true}},
        field<&proxy_settings::proxy_for_trackers>{"For announces"},
        field<&proxy_settings::proxy_for_peers>{"For peers"}};
};

struct observability_settings {
    std::string log_level = "INFO";
    bool enable_metrics = true;
    bool metrics_need_key = false;
    static constexpr auto fields = described_as{
        field<&observability_settings::log_level>{"DEBUG, INFO, WARNING, ERROR or OFF", {.max_length = 16}},
        field<&observability_settings::enable_metrics>{"Serve GET /metrics"},
        field<&observability_settings::metrics_need_key>{
            "GET /metrics asks for a key on loopback too; it always does elsewhere (+)"}};
};

struct daemon_settings {
    std::string api_key;
    std::string ipc_host = "127.0.0.1";
    std::int64_t ipc_port = 64124;
    bool websocket_enabled = true;
    double websocket_heartbeat_interval = 30;
    double auto_save_interval = 60;
    std::string state_dir = "~/.ccbt/daemon";
    bool tls_enabled = false;
    std::string tls_certificate_path;
    std::string tls_key_path;
    std::vector<std::string> trusted_keys;
    std::vector<std::string> allowed_hosts;
    std::vector<std::string> trusted_proxies;
    bool allow_insecure_bind = false;
    bool landlock = false;
    std::string export_dir;
    std::string unix_socket;
    static constexpr auto fields = described_as{
        field<&daemon_settings::api_key>{
            "The key of this API; default: made at first start, in <state_dir>/api_key",
            {.max_length = 512, .secret = true, .restart = true}},
        field<&daemon_settings::ipc_host>{"The address of this API", {.max_length = 255, .restart = true}},
        field<&daemon_settings::ipc_port>{
            "Its port; 0 picks a free one", {.min = 0, .max = 65535, .restart = true}},
        field<&daemon_settings::websocket_enabled>{"Serve GET /events"},
        field<&daemon_settings::websocket_heartbeat_interval>{
            "Seconds between heartbeats to event clients", {.min = 1, .max = 3600}},
        field<&daemon_settings::auto_save_interval>{
            "Seconds between savings of progress, at most", {.min = 1, .max = 3600}},
        field<&daemon_settings::state_dir>{
            "Where the daemon keeps its state", {.max_length = 4096, .format = "path", .restart = true}},
        field<&daemon_settings::tls_enabled>{"Serve over TLS", {.restart = true}},
        field<&daemon_settings::tls_certificate_path>{
            "The certificate chain, PEM; default: one of its own, made at first use",
            {.max_length = 4096, .format = "path", .restart = true}},
        field<&daemon_settings::tls_key_path>{
            "Its private key, PEM (+)", {.max_length = 4096, .format = "path", .restart = true}},
        field<&daemon_settings::trusted_keys>{
            "Ed25519 public keys whose signatures are admin, hex (+)",
            {.max_length = 64, .max_items = 1000, .restart = true}},
        field<&daemon_settings::allowed_hosts>{
            "Further names that a Host header may have (+)", {.max_length = 255, .max_items = 100}},
        field<&daemon_settings::trusted_proxies>{
            "Addresses of reverse proxies whose X-Forwarded-For is believed (+)",
            {.max_length = 64, .max_items = 100}},
        field<&daemon_settings::allow_insecure_bind>{
            "Serve beyond loopback without TLS (+)", {.restart = true}},
        field<&daemon_settings::landlock>{
            "Bind writing to the configured folders by Landlock (+)", {.restart = true}},
        field<&daemon_settings::export_dir>{
            "Where exports go; default: <state_dir>/exports (+)",
            {.max_length = 4096, .format = "path", .restart = true}},
        field<&daemon_settings::unix_socket>{
            "Serve on this Unix socket too; default: <state_dir>/ccbtd.sock; \"none\": on none (+)",
            {.max_length = 107, .format = "path", .restart = true}}};
};

struct settings {
    network_settings network;
    discovery_settings discovery;
    disk_settings disk;
    limit_settings limits;
    queue_settings queue;
    nat_settings nat;
    security_settings security;
    proxy_settings proxy;
    observability_settings observability;
    daemon_settings daemon;
    static constexpr auto fields = described_as{
        field<&settings::network>{"Peers: addresses, ports, transports, numbers"},
        field<&settings::discovery>{"How peers are found"},
        field<&settings::disk>{"Where and how data is written"},
        field<&settings::limits>{"Rates"},
        field<&settings::queue>{"How many torrents run at once"},
        field<&settings::nat>{"Port mapping at the gateway"},
        field<&settings::security>{"Encryption and the IP filter"},
        field<&settings::proxy>{"A proxy for trackers and peers"},
        field<&settings::observability>{"Log and metrics"},
        field<&settings::daemon>{"The daemon and its API"}};
};

} // namespace ccbt::contract
