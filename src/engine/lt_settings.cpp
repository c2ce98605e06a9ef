#include "engine/lt_settings.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <climits>
#include <fmt/format.h>
#include <libtorrent/address.hpp>
#include <libtorrent/alert.hpp>
#include <thread>

namespace ccbt::engine {

namespace {

using pack = libtorrent::settings_pack;

libtorrent::address literal(std::string const& text, bool& is_one) {
    auto failed = libtorrent::error_code{};
    auto const a = libtorrent::make_address(text, failed);
    is_one = !failed;
    return a;
}

std::string listen_interfaces(contract::network_settings const& n) {
    auto is_address = false;
    auto const a = literal(n.listen_interface, is_address);
    if (!is_address) return fmt::format("{}:{}", n.listen_interface, n.listen_port_tcp); // a device's name
    if (a.is_v6()) return fmt::format("[{}]:{}", n.listen_interface, n.listen_port_tcp);
    auto text = fmt::format("{}:{}", n.listen_interface, n.listen_port_tcp);
    if (a.is_unspecified() && n.enable_ipv6) text += fmt::format(",[::]:{}", n.listen_port_tcp);
    return text;
}

// libtorrent dials from 127.0.0.1 whatever loopback address it listens at, unless it is told where to dial from.
std::string outgoing_interfaces(contract::network_settings const& n) {
    auto is_address = false;
    auto const a = literal(n.listen_interface, is_address);
    return is_address && a.is_unspecified() ? "" : n.listen_interface;
}

void set_network(pack& p, contract::settings const& s, bool listen) {
    auto const& n = s.network;
    p.set_str(pack::listen_interfaces, listen ? listen_interfaces(n) : "");
    p.set_str(pack::outgoing_interfaces, outgoing_interfaces(n));
    // A port of our own choosing would be one that no gateway forwards: rather none, said aloud.
    p.set_bool(pack::listen_system_port_fallback, false);
    p.set_int(pack::max_retry_port_bind, 0);
    p.set_bool(pack::enable_incoming_tcp, n.enable_tcp);
    p.set_bool(pack::enable_outgoing_tcp, n.enable_tcp);
    p.set_bool(pack::enable_incoming_utp, n.enable_utp);
    // libtorrent dials uTP first and stays with it: 6.5 MB/s to a peer near by, where TCP moves hundreds.
    p.set_bool(pack::enable_outgoing_utp, n.enable_utp && !n.enable_tcp);
    p.set_int(pack::mixed_mode_algorithm, pack::prefer_tcp);
    // A peer list keeps one peer an address unless this is on, a guard against one host taking every slot. On loopback
    // the whole swarm lives at one address, and its tracker names us too: with the guard we would know only ourselves.
    p.set_bool(pack::allow_multiple_connections_per_ip, listens_on_loopback(s));
    p.set_int(pack::min_reconnect_time, listens_on_loopback(s) ? 1 : 60);
    p.set_int(pack::connections_limit, static_cast<int>(n.max_global_peers));
    p.set_int(pack::unchoke_slots_limit, -1); // the slots are a torrent's, not the session's
    p.set_int(pack::recv_socket_buffer_size, 1 << 20);
    // 200 torrents that start at once dial us at once. Beyond the 5 of the default the kernel drops who comes, and they try
    // again after 1, 3 and 7 seconds.
    p.set_int(pack::listen_queue_size, 1000);
    // A limit is of what is sent, not also of the receipts that TCP sends for what comes: with those, a small limit of
    // uploads all but stops downloads.
    p.set_bool(pack::rate_limit_ip_overhead, false);
    p.set_int(pack::upload_rate_limit, bytes_per_second(s.limits.global_up_kib));
    p.set_int(pack::download_rate_limit, bytes_per_second(s.limits.global_down_kib));
}

void set_discovery(pack& p, contract::settings const& s, bool listen) {
    auto const& d = s.discovery;
    p.set_bool(pack::enable_dht, d.enable_dht && listen);
    p.set_str(pack::dht_bootstrap_nodes, fmt::format("{}", fmt::join(d.dht_bootstrap_nodes, ",")));
    p.set_bool(pack::enable_lsd, d.enable_lsd && listen);
    p.set_int(pack::min_announce_interval, static_cast<int>(d.tracker_announce_interval));
    p.set_bool(pack::announce_to_all_trackers, false);
    p.set_bool(pack::announce_to_all_tiers, true);
    p.set_int(pack::stop_tracker_timeout, 1);
    p.set_int(pack::max_concurrent_http_announces, 200); // docs/hazards/dead-tracker-slots.md
    // Ports are mapped by src/gateway, which knows what came of it.
    p.set_bool(pack::enable_upnp, false);
    p.set_bool(pack::enable_natpmp, false);
    // libtorrent's queue is not used; these bound what is announced of torrents that run.
    for (auto const unbounded :
         {pack::active_downloads, pack::active_seeds, pack::active_checking, pack::active_dht_limit,
          pack::active_tracker_limit, pack::active_lsd_limit, pack::active_limit})
        p.set_int(unbounded, 1'000'000);
}

void set_security(pack& p, contract::settings const& s) {
    auto policy = int{pack::pe_disabled};
    if (s.security.enable_encryption) {
        if (s.security.encryption_mode == contract::encryption_policy::preferred) policy = pack::pe_enabled;
        if (s.security.encryption_mode == contract::encryption_policy::required) policy = pack::pe_forced;
    }
    p.set_int(pack::out_enc_policy, policy);
    p.set_int(pack::in_enc_policy, policy);
    p.set_int(pack::allowed_enc_level, pack::pe_both);
    p.set_bool(pack::prefer_rc4, false);
    p.set_bool(pack::apply_ip_filter_to_trackers, false); // lists and filter are about peers
    p.set_bool(pack::ssrf_mitigation, true);
    p.set_bool(pack::validate_https_trackers, true);
    p.set_bool(pack::allow_idna, false);
    p.set_int(pack::max_metadata_size, 10 << 20);
    p.set_str(pack::user_agent, "ccbtd/" CCBT_VERSION);
    p.set_str(pack::handshake_client_version, "");
    p.set_str(pack::peer_fingerprint, "-CC0100-");
}

void set_disk(pack& p, contract::settings const& s) {
    auto const cores = static_cast<std::int64_t>(std::max(1u, std::thread::hardware_concurrency()));
    p.set_int(pack::aio_threads, static_cast<int>(s.disk.disk_workers));
    p.set_int(pack::hashing_threads, static_cast<int>(std::min(s.disk.hash_workers, cores)));
    // pread and pwrite alone: a mapped file fills the memory, raises SIGBUS, and the mixed mode can corrupt data.
    p.set_int(pack::mmap_file_size_cutoff, INT_MAX);
    p.set_int(pack::disk_write_mode, pack::always_pwrite);
    p.set_int(pack::disk_io_read_mode, pack::enable_os_cache);
    p.set_int(pack::disk_io_write_mode, pack::enable_os_cache);
    p.set_int(pack::max_queued_disk_bytes, 1 << 20);
    p.set_int(pack::checking_mem_usage, 512); // blocks of 16 KiB
    p.set_int(pack::file_pool_size, 100);
    p.set_bool(pack::no_recheck_incomplete_resume, false);
    p.set_bool(pack::disable_hash_checks, false);
}

void set_proxy(pack& p, contract::proxy_settings const& x) {
    auto const with_user = !x.proxy_username.empty();
    auto type = int{pack::none};
    if (x.enable_proxy) {
        auto const name = text::lower(x.proxy_type);
        if (name == "socks4") type = pack::socks4;
        if (name == "socks5") type = with_user ? pack::socks5_pw : pack::socks5;
        if (name == "http" || name == "https") type = with_user ? pack::http_pw : pack::http;
    }
    p.set_int(pack::proxy_type, type);
    p.set_str(pack::proxy_hostname, x.proxy_host);
    p.set_int(pack::proxy_port, static_cast<int>(x.proxy_port));
    p.set_str(pack::proxy_username, x.proxy_username);
    p.set_str(pack::proxy_password, x.proxy_password);
    p.set_bool(pack::proxy_hostnames, true);
    p.set_bool(pack::proxy_tracker_connections, x.proxy_for_trackers);
    p.set_bool(pack::proxy_peer_connections, x.proxy_for_peers);
}

} // namespace

int bytes_per_second(std::int64_t kib) {
    return static_cast<int>(
        std::clamp<std::int64_t>(kib, 0, static_cast<std::int64_t>(contract::max_kib)) * 1024);
}

bool listens_on_loopback(contract::settings const& from) {
    auto is_address = false;
    auto const a = literal(from.network.listen_interface, is_address);
    return (is_address && a.is_loopback()) || from.network.listen_interface == "lo";
}

bool tracker_allowed(contract::settings const& by, std::string_view url) {
    auto const scheme = text::lower(url.substr(0, url.find(':')));
    if (scheme == "udp") return by.discovery.enable_udp_trackers;
    if (scheme == "http" || scheme == "https") return by.discovery.enable_http_trackers;
    return false;
}

per_torrent_settings make_per_torrent_settings(contract::settings const& from) {
    auto const& n = from.network;
    return {
        .max_connections = std::max(2, static_cast<int>(n.max_peers_per_torrent)), // libtorrent's least
        .max_uploads = n.max_upload_slots == 0 ? -1 : static_cast<int>(n.max_upload_slots),
        .pex = from.discovery.enable_pex};
}

libtorrent::settings_pack make_settings_pack(contract::settings const& from, bool listen) {
    auto p = pack{};
    // Facts need these; peers' errors and pieces would drown them.
    p.set_int(
        pack::alert_mask, static_cast<int>(static_cast<std::uint32_t>(
                              libtorrent::alert_category::error | libtorrent::alert_category::status |
                              libtorrent::alert_category::storage | libtorrent::alert_category::ip_block |
                              libtorrent::alert_category::connect | libtorrent::alert_category::tracker)));
    p.set_int(pack::alert_queue_size, 200'000); // a burst of adds must not lose its answers
    set_network(p, from, listen);
    set_discovery(p, from, listen);
    set_security(p, from);
    set_disk(p, from);
    set_proxy(p, from.proxy);
    return p;
}

} // namespace ccbt::engine
