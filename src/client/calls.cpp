// The named calls of the client: the typed ones, with what is only wrapping taken off.
#include "client/client.hpp"

#include "base/text.hpp"

#include <algorithm>

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

result<std::vector<contract::grant>> grants_of(std::vector<std::string> const& names) {
    std::vector<contract::grant> out;
    for (auto const& name : names) {
        auto const before = out.size();
        for (auto const& [value, known] : contract::names_of<contract::grant>)
            if (known == name) out.push_back(value);
        if (out.size() == before) return fails(error_kind::unsupported, '"' + name + "\" is no scope");
    }
    return out;
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

result<contract::get_files::response> client::get_torrent_files(std::string_view info_hash) {
    auto const request = naming<contract::get_files::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    return call<contract::get_files>(*request);
}

result<void> client::select_files(std::string_view info_hash, std::vector<std::int64_t> file_indices) {
    auto request = naming<contract::select_files::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    request->file_indices = std::move(file_indices);
    return only_done(call<contract::select_files>(*request));
}

result<void> client::deselect_files(std::string_view info_hash, std::vector<std::int64_t> file_indices) {
    auto request = naming<contract::deselect_files::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    request->file_indices = std::move(file_indices);
    return only_done(call<contract::deselect_files>(*request));
}

result<void> client::set_file_priority(
    std::string_view info_hash, std::int64_t file_index, contract::file_priority priority) {
    auto request = naming<contract::set_file_priority::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    request->file_index = file_index;
    request->priority = priority;
    return only_done(call<contract::set_file_priority>(*request));
}

result<contract::verify_files::response> client::verify_files(std::string_view info_hash) {
    auto const request = naming<contract::verify_files::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    return call<contract::verify_files>(*request);
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

result<contract::get_queue::response> client::get_queue() { return call<contract::get_queue>({}); }

result<void> client::add_to_queue(std::string_view info_hash, std::string_view priority) {
    auto request = naming<contract::add_to_queue::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    auto const& known = contract::names_of<contract::queue_priority>;
    auto const named = std::find_if(known.begin(), known.end(), [&](auto const& one) {
        return text::equal_ignoring_case(one.second, priority);
    });
    if (named == known.end())
        return fails(error_kind::unsupported, "a priority is paused, low, normal, high or maximum");
    request->priority = named->first;
    return only_done(call<contract::add_to_queue>(*request));
}

result<void> client::remove_from_queue(std::string_view info_hash) {
    auto const request = naming<contract::remove_from_queue::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    return only_done(call<contract::remove_from_queue>(*request));
}

result<void> client::move_in_queue(std::string_view info_hash, std::int64_t new_position) {
    auto request = naming<contract::move_in_queue::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    request->new_position = new_position;
    return only_done(call<contract::move_in_queue>(*request));
}

result<void> client::clear_queue() { return only_done(call<contract::clear_queue>({})); }

result<void> client::pause_torrent_in_queue(std::string_view info_hash) {
    auto const request = naming<contract::pause_in_queue::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    return only_done(call<contract::pause_in_queue>(*request));
}

result<void> client::resume_torrent_in_queue(std::string_view info_hash) {
    auto const request = naming<contract::resume_in_queue::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    return only_done(call<contract::resume_in_queue>(*request));
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

result<contract::scrape_result> client::scrape_torrent(std::string_view info_hash, bool force) {
    auto request = naming<contract::run_scrape::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    request->force = force;
    return call<contract::run_scrape>(*request);
}

result<std::vector<contract::scrape_result>> client::list_scrape_results() {
    auto listed = call<contract::list_scrapes>({});
    if (!listed) return unexpected<client_error>{std::move(listed.error())};
    return std::move(listed->results);
}

result<contract::scrape_result> client::get_scrape_result(std::string_view info_hash) {
    auto const request = naming<contract::get_scrape::request>(info_hash);
    if (!request) return unexpected<client_error>{request.error()};
    return call<contract::get_scrape>(*request);
}

result<contract::protocol_info> client::get_xet_protocol() { return call<contract::get_xet_protocol>({}); }

result<contract::protocol_info> client::get_ipfs_protocol() { return call<contract::get_ipfs_protocol>({}); }

namespace {

result<client::batch_results> results_of(result<contract::batch_answer> answered) {
    if (!answered) return unexpected<client_error>{std::move(answered.error())};
    return std::move(answered->results);
}

} // namespace

result<client::batch_results> client::batch_add(std::vector<contract::add_torrent::request> torrents) {
    return results_of(call<contract::batch_add>({std::move(torrents)}));
}

result<client::batch_results> client::batch_pause(std::vector<std::string> info_hashes) {
    return results_of(call<contract::batch_pause>({std::move(info_hashes)}));
}

result<client::batch_results> client::batch_resume(std::vector<std::string> info_hashes) {
    return results_of(call<contract::batch_resume>({std::move(info_hashes)}));
}

result<client::batch_results> client::batch_remove(std::vector<std::string> info_hashes, bool remove_data) {
    return results_of(call<contract::batch_remove>({std::move(info_hashes), remove_data}));
}

result<contract::get_event_log::response> client::get_event_log(
    std::optional<std::int64_t> since, std::chrono::seconds wait, std::int64_t limit) {
    return call<contract::get_event_log>({since, limit, static_cast<double>(wait.count())});
}

result<std::vector<contract::named_key>> client::get_keys() {
    auto got = call<contract::get_keys>({});
    if (!got) return unexpected<client_error>{std::move(got.error())};
    return std::move(got->keys);
}

result<contract::create_key::response> client::create_key(
    std::string name, std::vector<std::string> const& scopes, std::chrono::seconds expires_in) {
    auto grants = grants_of(scopes);
    if (!grants) return unexpected<client_error>{std::move(grants.error())};
    contract::create_key::request request{std::move(name), std::move(*grants), std::nullopt};
    if (expires_in.count() != 0) request.expires_in = expires_in.count();
    return call<contract::create_key>(request);
}

result<contract::trust_key::response> client::trust_key(
    std::string public_key, std::string name, std::vector<std::string> const& scopes) {
    auto grants = grants_of(scopes);
    if (!grants) return unexpected<client_error>{std::move(grants.error())};
    return call<contract::trust_key>({std::move(public_key), std::move(name), std::move(*grants)});
}

result<void> client::revoke_key(std::string name) {
    return only_done(call<contract::revoke_key>({std::move(name)}));
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
