// The named calls of the client: the typed ones, with what is only wrapping taken off.
#include "client/client.hpp"

#include "base/text.hpp"

namespace ccbt::client {

namespace {

template <class Request> result<Request> naming(std::string_view info_hash) {
    auto const parsed = contract::info_hash::parse(info_hash);
    if (!parsed) return fails(error_kind::unsupported, "an info-hash is 40 hex digits (v1) or 64 (v2)");
    Request made{};
    made.info_hash = *parsed;
    return made;
}

std::optional<std::string> said(std::string text) {
    return text.empty() ? std::nullopt : std::optional{std::move(text)};
}

result<contract::transport> transport_of(std::string_view name) {
    for (auto const& [value, known] : contract::names_of<contract::transport>)
        if (text::equal_ignoring_case(known, name)) return value;
    return fails(error_kind::unsupported, "a protocol is tcp or udp");
}

template <class T> result<void> only_done(result<T> const& answered) {
    if (!answered) return unexpected<client_error>{answered.error()};
    return {};
}

} // namespace

result<contract::get_status::response> client::status() { return call<contract::get_status>({}); }

result<std::vector<contract::torrent_status>> client::torrents() {
    auto listed = call<contract::list_torrents>({});
    if (!listed) return unexpected<client_error>{std::move(listed.error())};
    std::vector<contract::torrent_status> rows;
    rows.reserve(listed->value.torrents.size());
    for (auto const& row : listed->value.torrents) rows.push_back(*row);
    return rows;
}

result<contract::torrent_status> client::torrent(std::string_view info_hash) {
    auto const request = naming<contract::get_torrent::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    auto got = call<contract::get_torrent>(*request);
    if (!got) return unexpected<client_error>{std::move(got.error())};
    return *got->value;
}

result<std::string> client::add_torrent(contract::add_torrent::request const& what) {
    auto added = call<contract::add_torrent>(what);
    if (!added) return unexpected<client_error>{std::move(added.error())};
    return std::move(added->info_hash);
}

result<std::string> client::add_torrent(std::string path_or_magnet) {
    contract::add_torrent::request what;
    what.path_or_magnet = std::move(path_or_magnet);
    return add_torrent(what);
}

result<void> client::remove_torrent(std::string_view info_hash, bool delete_files) {
    auto request = naming<contract::remove_torrent::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    request->delete_files = delete_files;
    return only_done(call<contract::remove_torrent>(*request));
}

result<void> client::pause(std::string_view info_hash) {
    auto const request = naming<contract::pause_torrent::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    return only_done(call<contract::pause_torrent>(*request));
}

result<void> client::resume(std::string_view info_hash) {
    auto const request = naming<contract::resume_torrent::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    return only_done(call<contract::resume_torrent>(*request));
}

result<contract::get_peers::response> client::get_peers_for_torrent(std::string_view info_hash) {
    auto const request = naming<contract::get_peers::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    return call<contract::get_peers>(*request);
}

result<contract::set_rate_limits::response> client::set_rate_limits(
    std::string_view info_hash, std::int64_t download_kib, std::int64_t upload_kib) {
    auto request = naming<contract::set_rate_limits::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    request->download_kib = download_kib;
    request->upload_kib = upload_kib;
    return call<contract::set_rate_limits>(*request);
}

result<contract::force_announce::response> client::force_announce(std::string_view info_hash) {
    auto const request = naming<contract::force_announce::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    return call<contract::force_announce>(*request);
}

result<contract::get_global_stats::response> client::get_global_stats() {
    return call<contract::get_global_stats>({});
}

result<std::string> client::export_session_state(std::optional<std::string> path) {
    auto written = call<contract::export_state>({std::move(path)});
    if (!written) return unexpected<client_error>{std::move(written.error())};
    return std::move(written->path);
}

result<contract::import_state::response> client::import_session_state(std::string path) {
    return call<contract::import_state>({std::move(path)});
}

result<std::string> client::resume_from_checkpoint(
    std::string_view info_hash, std::string checkpoint, std::optional<std::string> torrent_path) {
    auto request = naming<contract::resume_checkpoint::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    request->checkpoint.text = std::move(checkpoint);
    request->torrent_path = std::move(torrent_path);
    auto went = call<contract::resume_checkpoint>(*request);
    if (!went) return unexpected<client_error>{std::move(went.error())};
    return std::move(went->info_hash);
}

result<contract::checkpoint> client::get_checkpoint(std::string_view info_hash) {
    auto const request = naming<contract::get_checkpoint::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    return call<contract::get_checkpoint>(*request);
}

result<contract::listed_addresses> client::get_blacklist() { return call<contract::get_blacklist>({}); }

result<contract::listed_addresses> client::get_whitelist() { return call<contract::get_whitelist>({}); }

result<void> client::add_to_blacklist(std::string ip, std::string reason) {
    return only_done(call<contract::add_to_blacklist>({std::move(ip), said(std::move(reason))}));
}

result<void> client::add_to_whitelist(std::string ip, std::string reason) {
    return only_done(call<contract::add_to_whitelist>({std::move(ip), said(std::move(reason))}));
}

result<void> client::remove_from_blacklist(std::string ip) {
    return only_done(call<contract::remove_from_blacklist>({std::move(ip)}));
}

result<void> client::remove_from_whitelist(std::string ip) {
    return only_done(call<contract::remove_from_whitelist>({std::move(ip)}));
}

result<contract::get_nat_status::response> client::nat_status() { return call<contract::get_nat_status>({}); }

result<bool> client::discover_nat() {
    auto const looked = call<contract::discover_nat>({});
    if (!looked) return unexpected<client_error>{looked.error()};
    return looked->result;
}

result<contract::port_mapping> client::map_port(
    int internal_port, std::string_view protocol, int external_port) {
    auto const named = transport_of(protocol);
    if (!named) return unexpected<client_error>{named.error()};
    contract::map_port::request request{.internal_port = internal_port, .protocol = *named};
    if (external_port != 0) request.external_port = external_port;
    auto got = call<contract::map_port>(request);
    if (!got) return unexpected<client_error>{std::move(got.error())};
    return std::move(got->result);
}

result<bool> client::unmap_port(int external_port, std::string_view protocol) {
    auto const named = transport_of(protocol);
    if (!named) return unexpected<client_error>{named.error()};
    auto const gone = call<contract::unmap_port>({external_port, *named});
    if (!gone) return unexpected<client_error>{gone.error()};
    return gone->result;
}

result<contract::refresh_nat::outcome> client::refresh_nat() {
    auto got = call<contract::refresh_nat>({});
    if (!got) return unexpected<client_error>{std::move(got.error())};
    return std::move(got->result);
}

result<contract::get_external_ip::response> client::get_external_ip() {
    return call<contract::get_external_ip>({});
}

result<contract::get_external_port::response> client::get_external_port(
    int internal_port, std::string_view protocol) {
    auto const named = transport_of(protocol);
    if (!named) return unexpected<client_error>{named.error()};
    return call<contract::get_external_port>({std::to_string(internal_port), *named});
}

result<contract::load_ip_filter::response> client::load_ip_filter() {
    return call<contract::load_ip_filter>({});
}

result<contract::get_ip_filter_stats::response> client::get_ip_filter_stats() {
    return call<contract::get_ip_filter_stats>({});
}

result<contract::settings> client::get_config() { return call<contract::get_config>({}); }

result<contract::update_config::response> client::update_config(std::string_view part) {
    outgoing request;
    request.body = part;
    auto got = exchange(contract::update_config::route, std::move(request));
    if (!got) return unexpected<client_error>{std::move(got.error())};
    return sending::read<contract::update_config::response>(std::move(*got));
}

result<std::string> client::metrics() {
    auto got = call<contract::get_metrics>({});
    if (!got) return unexpected<client_error>{std::move(got.error())};
    return std::move(got->text);
}

result<void> client::shutdown() { return only_done(call<contract::shut_down>({})); }

} // namespace ccbt::client
