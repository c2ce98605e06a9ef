#include "wire/example.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace ccbt::wire {

namespace {

using contract::event_type;
using contract::place;

constexpr std::string_view a_hash = "0123456789abcdef0123456789abcdef01234567";
constexpr std::string_view a_time = "1735689600.0";

struct known {
    std::string_view name, json;
};
// By the name on the wire: what says more than "text" or 0. Numbers are as JSON writes them: a float has a point.
constexpr std::array knowns{
    known{"info_hash", "\"0123456789abcdef0123456789abcdef01234567\""},
    known{"info_hashes", "[\"0123456789abcdef0123456789abcdef01234567\"]"},
    known{"removed", "[\"0123456789abcdef0123456789abcdef01234567\"]"},
    known{"name", "\"debian-12-amd64\""},
    known{"key", "\"limits.global_down_kib\""},
    known{"public_key", "\"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\""},
    known{"torrent_name", "\"Debian 12 amd64\""},
    known{
        "path_or_magnet", "\"magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=Debian%2012\""},
    known{"output_dir", "\"/srv/downloads\""},
    known{"labels", "[\"linux\"]"},
    known{"label", "\"linux\""},
    known{"progress", "0.75"},
    known{"download_rate", "1250000.0"},
    known{"upload_rate", "310000.0"},
    known{"total_download_rate", "1250000.0"},
    known{"total_upload_rate", "310000.0"},
    known{"average_progress", "0.75"},
    known{"total_size", "658505728"},
    known{"size", "658505728"},
    known{"bytes", "48213"},
    known{"downloaded", "493879296"},
    known{"uploaded", "120586240"},
    known{"total_downloaded", "493879296"},
    known{"total_uploaded", "120586240"},
    known{"num_peers", "12"},
    known{"num_seeds", "7"},
    known{"num_torrents", "1"},
    known{"num_active", "1"},
    known{"count", "1"},
    known{"pid", "4711"},
    known{"uptime", "86400.5"},
    known{"version", "\"1.0\""},
    known{"ipc_url", "\"http://127.0.0.1:64124\""},
    known{"ip", "\"203.0.113.7\""},
    known{"ips", "[\"203.0.113.7\"]"},
    known{"reason", "\"sends damaged pieces\""},
    known{"external_ip", "\"198.51.100.20\""},
    known{"method", "\"NAT-PMP\""},
    known{"source", "\"natpmp\""},
    known{"internal_port", "64122"},
    known{"external_port", "64122"},
    known{"internal_port", "\"64122\""}, // where it is a text of the path
    known{"status", "\"seeding\""},
    known{"mapped_port", "64122"},
    known{"port", "64122"},
    known{"client", "\"qBittorrent 4.6.7\""},
    known{"direction", "\"out\""},
    known{"transport", "\"tcp\""},
    known{"flags", "\"D\""},
    known{"url", "\"https://tracker.example.org/announce\""},
    known{"path", "\"/srv/downloads/state.json\""},
    known{"file", "\"/srv/lists/level1.p2p.gz\""},
    known{"asset", "\"docs.js\""},
    known{"line", "118"},
    known{"rules", "240000"},
    known{"total_rules", "240000"},
    known{"priority", "\"high\""},
    known{"priorities", "[\"high\"]"},
    known{"file_indices", "[0, 2]"},
    known{"download_kib", "2048"},
    known{"upload_kib", "512"},
    known{"seeders", "41"},
    known{"leechers", "9"},
    known{"completed", "1302"},
    known{"revision", "\"9f2c41d07ab35e68-118\""},
    known{"since", "\"9f2c41d07ab35e68-117\""},
    known{"fields", "\"info_hash,name,progress\""},
    known{"sort", "\"-progress\""},
    known{"If-None-Match", "\"\\\"9f2c41d07ab35e68-118\\\"\""},
    known{"lineage", "\"5b1d0e6c2f7a4938a1c4d2e8f0b3769a\""},
    known{"node_id", "\"c07e9a4415d84b2fb6d3f1e0a2958c7d\""},
    known{"torrent_path", "\"/srv/torrents/debian-12.torrent\""},
    known{"scopes", "[\"read\", \"control\"]"},
    known{"event_types", "[\"torrent_added\"]"},
    known{"message", "\"\""},
    known{"error", "null"}};

value read(std::string_view json) {
    auto made = parse(json);
    return made ? std::move(*made) : value{};
}

bool is_within(double n, contract::rules const& rule) { return n >= rule.min && n <= rule.max; }

/// A ready value is taken where it is of the field's kind and within its rules.
bool fits(value const& v, field_kind kind, field_facts const& f) {
    switch (kind) {
    case field_kind::flag: return v.get_if<bool>() != nullptr;
    case field_kind::whole: {
        auto const* n = v.get_if<std::int64_t>();
        return n != nullptr && is_within(static_cast<double>(*n), f.rule);
    }
    case field_kind::number: return v.get_if<double>() != nullptr && is_within(*v.get_if<double>(), f.rule);
    case field_kind::text:
    case field_kind::hash: return v.get_if<std::string>() != nullptr;
    case field_kind::choice: {
        auto const* s = v.get_if<std::string>();
        return s != nullptr && std::find(f.choices.begin(), f.choices.end(), *s) != f.choices.end();
    }
    default: return false;
    }
}

bool fits(value const& v, field_facts const& f) {
    if (v.is_null()) return f.nullable;
    if (f.kind != field_kind::list) return fits(v, f.kind, f);
    auto const* items = v.get_if<value::array>();
    return items != nullptr &&
           std::all_of(items->begin(), items->end(), [&](auto const& i) { return fits(i, f.item_kind, f); });
}

value plain(field_kind kind, field_facts const& f, direction way);

value object_of(std::vector<field_facts> const& members, direction way, bool omits_absent) {
    value::object out;
    for (auto const& f : members)
        if (!(omits_absent && f.nullable)) set(out, f.name, example_of(f, way));
    return out;
}

value plain(field_kind kind, field_facts const& f, direction way) {
    auto const least = std::max(0.0, f.rule.min);
    switch (kind) {
    case field_kind::flag: return way == direction::response;
    case field_kind::whole: return static_cast<std::int64_t>(least);
    case field_kind::number:
        return f.name.ends_with("_at") || f.name.ends_with("_time") ? read(a_time) : least;
    case field_kind::text: return text(f.name);
    case field_kind::hash: return text(a_hash);
    case field_kind::choice: return f.choices.empty() ? value{} : text(f.choices.front());
    case field_kind::object: return object_of(f.members, way, f.omits_absent);
    case field_kind::list: {
        auto item = plain(f.item_kind, f, way);
        return value::array{std::move(item)};
    }
    case field_kind::any: break;
    }
    return value::object{};
}

// "torrents.pause" answers {"status":"paused"}.
std::string past_of(std::string_view deed) {
    std::string out{deed};
    return out += deed.ends_with('e') ? "d" : "ed";
}

} // namespace

value example_of(field_facts const& f, direction way) {
    // What it is of itself, where that says something: "running", "added".
    if (auto const own = read(f.default_json); f.kind == field_kind::text && fits(own, f) &&
                                               own.get_if<std::string>() != nullptr &&
                                               !own.get_if<std::string>()->empty() && f.name != "version")
        return own;
    for (auto const& [name, json] : knowns)
        if (name == f.name)
            if (auto ready = read(json); fits(ready, f)) return ready;
    return plain(f.kind, f, way);
}

value example_of_request(endpoint_facts const& e) {
    value::object out;
    bool needs_first = !needs_body(e.request); // where one of several is needed, the first is the usual one
    for (auto const& f : e.request) {
        if (f.rule.in != place::body) continue;
        if (f.rule.required || std::exchange(needs_first, false))
            set(out, f.name, example_of(f, direction::request));
        else if (auto const own = read(f.default_json); fits(own, f) && !own.is_null() && own != value{""})
            set(out, f.name, own);
    }
    return out;
}

value example_of_answer(endpoint_facts const& e) {
    auto made = object_of(e.response, direction::response, e.omits_absent);
    if (e.response_type == "Done")
        for (auto& [name, what] : *made.get_if<value::object>())
            what = past_of(e.route.name.substr(e.route.name.find('.') + 1));
    return made;
}

value example_of_error(contract::error_row const& row) {
    value::object out;
    std::string words{row.name};
    std::transform(words.begin(), words.end(), words.begin(), [](char c) {
        return c == '_' ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    });
    set(out, "error", std::move(words));
    set(out, "code", text(row.name));
    set(out, "details",
        row.code == contract::errc::validation_error
            ? read(R"({"field": "path", "problems": [{"field": "path", "message": "is required"}]})")
            : value{});
    return out;
}

// ---- events

namespace {

struct told {
    event_type type;
    std::string_view doc, data;
};
constexpr std::array tellings{
    told{
        event_type::torrent_added, "A torrent was added",
        R"({"info_hash": "0123456789abcdef0123456789abcdef01234567", "name": "Debian 12 amd64"})"},
    told{
        event_type::torrent_removed, "A torrent was removed",
        R"({"info_hash": "0123456789abcdef0123456789abcdef01234567", "name": "Debian 12 amd64"})"},
    told{
        event_type::torrent_completed, "All that is wanted of a torrent is here",
        R"({"info_hash": "0123456789abcdef0123456789abcdef01234567", "name": "Debian 12 amd64"})"},
    told{
        event_type::torrent_status_changed, "A torrent does something else now",
        R"({"info_hash": "0123456789abcdef0123456789abcdef01234567", "name": "Debian 12 amd64", "status": "paused"})"},
    told{
        event_type::config_updated, "The configuration was changed",
        R"({"keys": ["limits.global_down_kib"]})"},
    told{event_type::shutdown, "The daemon stops", "{}"},
    told{
        event_type::security_blacklist_updated, "The blacklist was changed",
        R"({"ip": "203.0.113.7", "action": "added"})"},
    told{
        event_type::security_whitelist_updated, "The whitelist was changed",
        R"({"ip": "203.0.113.7", "action": "removed"})"},
    told{
        event_type::torrents_changed,
        "Rows of the list of torrents changed: GET /torrents?since= tells which; once a second at most (+)",
        R"({"revision": "9f2c41d07ab35e68-118"})"},
    told{
        event_type::tracker_announce_success, "A tracker answered an announce (+)",
        R"({"info_hash": "0123456789abcdef0123456789abcdef01234567", "url": "https://tracker.example.org/announce"})"},
    told{
        event_type::tracker_announce_error, "A tracker did not answer, or refused (+)",
        R"({"info_hash": "0123456789abcdef0123456789abcdef01234567", "url": "https://tracker.example.org/announce", "message": "timed out"})"},
    told{
        event_type::file_selection_changed, "Other files of a torrent are wanted now (+)",
        R"({"info_hash": "0123456789abcdef0123456789abcdef01234567"})"},
    told{
        event_type::file_priority_changed, "A file of a torrent has another priority (+)",
        R"({"info_hash": "0123456789abcdef0123456789abcdef01234567"})"},
    told{
        event_type::metadata_ready, "A magnet's metadata has come (+)",
        R"({"info_hash": "0123456789abcdef0123456789abcdef01234567", "name": "Debian 12 amd64"})"},
    told{
        event_type::storage_offline, "A storage root is not there: its torrents wait (+)",
        R"({"path": "/srv/downloads"})"},
    told{event_type::storage_online, "A storage root is back (+)", R"({"path": "/srv/downloads"})"},
    told{
        event_type::peer_connected, "A peer connected (+)",
        R"({"info_hash": "0123456789abcdef0123456789abcdef01234567", "ip": "203.0.113.7"})"},
    told{
        event_type::peer_disconnected, "A peer went (+)",
        R"({"info_hash": "0123456789abcdef0123456789abcdef01234567", "ip": "203.0.113.7"})"},
    told{event_type::global_stats_updated, "The sums over all torrents changed (+)", "{}"},
    told{event_type::security_ip_filter_loaded, "The IP filter was loaded (+)", R"({"rules": 240000})"},
    told{event_type::nat_mappings_changed, "A port mapping at the gateway changed (+)", "{}"},
    told{
        event_type::progress_updated, "Long work of the daemon goes on (+)",
        R"({"what": "import", "done": 40, "total": 120})"},
    told{event_type::resync, "Events were left out: what is known is to be read anew (+)", "{}"}};

told const* telling(event_type type) {
    auto const at =
        std::find_if(tellings.begin(), tellings.end(), [&](auto const& t) { return t.type == type; });
    return at == tellings.end() ? nullptr : &*at;
}

} // namespace

std::string_view tells(event_type type) {
    auto const* found = telling(type);
    return found == nullptr ? contract::name_of(type) : found->doc;
}

value example_of_event(event_type type) {
    auto const* found = telling(type);
    value::object out;
    set(out, "type", text(contract::name_of(type)));
    set(out, "timestamp", read(a_time));
    set(out, "data", found == nullptr ? value{value::object{}} : read(found->data));
    set(out, "seq", std::int64_t{1816996213555201});
    return out;
}

} // namespace ccbt::wire
