#include "engine/lt_source.hpp"

#include "base/text.hpp"
#include "engine/lt_convert.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/bencode.hpp>
#include <libtorrent/magnet_uri.hpp>
#include <set>

namespace ccbt::engine {

namespace {

using libtorrent::bdecode_node;

contract::result<void> refuse(std::string why) {
    return contract::fails(contract::errc::add_torrent_error, std::move(why));
}

contract::result<void> check_name(std::string_view name) {
    if (name.size() <= max_name_bytes) return {};
    return refuse(
        fmt::format("a name in the torrent has {} bytes; at most {} are taken", name.size(), max_name_bytes));
}

contract::result<void> too_deep() {
    return refuse(fmt::format("a path in the torrent is deeper than {} folders", max_path_depth));
}

// libtorrent cuts long names by itself, so the limits are held against the file's own words.
contract::result<void> check_path(bdecode_node const& path) {
    if (!path || path.type() != bdecode_node::list_t) return {};
    if (static_cast<std::size_t>(path.list_size()) + 1 > max_path_depth) return too_deep();
    for (int i = 0; i < path.list_size(); ++i)
        if (auto ok = check_name({path.list_string_value_at(i).data(), path.list_string_value_at(i).size()});
            !ok)
            return ok;
    return {};
}

contract::result<void> check_tree(bdecode_node const& folder, std::size_t depth) {
    if (depth > max_path_depth + 1) return too_deep(); // one more: the "" below a file's name
    for (int i = 0; i < folder.dict_size(); ++i) {
        auto const [name, below] = folder.dict_at(i);
        if (auto ok = check_name({name.data(), name.size()}); !ok) return ok;
        if (name.empty() || below.type() != bdecode_node::dict_t) continue;
        if (auto ok = check_tree(below, depth + 1); !ok) return ok;
    }
    return {};
}

contract::result<void> check_names(bdecode_node const& info) {
    for (auto const* key : {"name", "name.utf-8"}) {
        auto const name = info.dict_find_string_value(key);
        if (auto ok = check_name({name.data(), name.size()}); !ok) return ok;
    }
    if (auto const files = info.dict_find_list("files"))
        for (int i = 0; i < files.list_size(); ++i) {
            auto const file = files.list_at(i);
            if (file.type() != bdecode_node::dict_t) continue;
            for (auto const* key : {"path", "path.utf-8"})
                if (auto ok = check_path(file.dict_find_list(key)); !ok) return ok;
        }
    if (auto const tree = info.dict_find_dict("file tree")) return check_tree(tree, 1);
    return {};
}

contract::result<void> check_counts(std::size_t trackers, std::size_t web_seeds) {
    if (trackers > max_trackers)
        return refuse(fmt::format("it names {} trackers; at most {} are taken", trackers, max_trackers));
    if (web_seeds > max_web_seeds)
        return refuse(fmt::format("it names {} web seeds; at most {} are taken", web_seeds, max_web_seeds));
    return {};
}

unexpected<contract::failure> unreadable(std::string_view what, std::string const& why) {
    return contract::fails(contract::errc::add_torrent_error, fmt::format("{}: {}", what, why));
}

contract::result<std::shared_ptr<libtorrent::torrent_info>> parse(std::string_view bytes) {
    if (bytes.empty()) return unreadable("this is no torrent file", "it is empty");
    if (bytes.size() > contract::max_torrent_bytes)
        return unreadable("this torrent file is too large", fmt::format("at most {} MiB are taken", 16));
    auto const limits = load_limits();
    auto failed = libtorrent::error_code{};
    auto const root = libtorrent::bdecode(
        {bytes.data(), static_cast<std::ptrdiff_t>(bytes.size())}, failed, nullptr, limits.max_decode_depth,
        limits.max_decode_tokens);
    if (failed) return unreadable("this is no torrent file", failed.message());
    if (root.type() != bdecode_node::dict_t)
        return unreadable("this is no torrent file", "it is not a dictionary");
    auto const info = root.dict_find_dict("info");
    if (!info) return unreadable("this is no torrent file", "it has no info dictionary");
    if (auto ok = check_names(info); !ok) return unexpected<contract::failure>{ok.error()};
    auto torrent = std::make_shared<libtorrent::torrent_info>(root, limits);
    if (auto ok = check_counts(torrent->trackers().size(), torrent->web_seeds().size()); !ok)
        return unexpected<contract::failure>{ok.error()};
    return torrent;
}

// libtorrent 2.0.8 takes digits that are none, and makes of them a hash that nobody has.
bool names_a_hash(std::string_view urn) {
    constexpr std::string_view v1 = "urn:btih:", v2 = "urn:btmh:";
    auto const prefix = text::lower(urn.substr(0, v1.size()));
    auto const digits = urn.substr(std::min(urn.size(), v1.size()));
    if (prefix == v2) // a multihash: SHA-256, 32 bytes
        return digits.size() == 68 && digits.starts_with("1220") && text::from_hex(digits).has_value();
    if (prefix != v1) return true; // some other network's name
    auto const base32 = [](char c) { return (c >= '2' && c <= '7') || ((c | 32) >= 'a' && (c | 32) <= 'z'); };
    return (digits.size() == 40 && text::from_hex(digits).has_value()) ||
           (digits.size() == 32 && std::all_of(digits.begin(), digits.end(), base32));
}

bool names_hashes_well(std::string_view link) {
    link.remove_prefix(std::min(link.size(), link.find('?') == link.npos ? link.size() : link.find('?') + 1));
    for (auto const part : text::split(link, '&')) {
        if (!part.starts_with("xt=") && !part.starts_with("xt.")) continue;
        auto const value = text::percent_decode(part.substr(std::min(part.size(), part.find('=') + 1)));
        if (!value || !names_a_hash(*value)) return false;
    }
    return true;
}

contract::result<libtorrent::add_torrent_params> parse_link(std::string_view link) {
    if (link.size() > contract::max_magnet_length)
        return unreadable(
            "this magnet link is too long",
            fmt::format("at most {} bytes are taken", contract::max_magnet_length));
    if (!names_hashes_well(link)) return unreadable("this is no magnet link", "its info-hash is malformed");
    auto failed = libtorrent::error_code{};
    auto params = libtorrent::parse_magnet_uri({link.data(), link.size()}, failed);
    if (failed) return unreadable("this is no magnet link", failed.message());
    if (auto ok = check_counts(params.trackers.size(), params.url_seeds.size() + params.http_seeds.size());
        !ok)
        return unexpected<contract::failure>{ok.error()};
    return params;
}

} // namespace

libtorrent::load_torrent_limits load_limits() {
    auto limits = libtorrent::load_torrent_limits{};
    limits.max_buffer_size = static_cast<int>(contract::max_torrent_bytes);
    return limits;
}

contract::result<std::shared_ptr<libtorrent::torrent_info>> parse_torrent(std::string_view bytes) {
    try {
        return parse(bytes);
    } catch (std::exception const& e) {
        return unreadable("this torrent file cannot be used", e.what());
    }
}

contract::result<libtorrent::add_torrent_params> parse_magnet(std::string_view link) {
    try {
        return parse_link(link);
    } catch (std::exception const& e) {
        return unreadable("this magnet link cannot be used", e.what());
    }
}

contract::result<void> check_info(std::string_view info) {
    auto const limits = load_limits();
    auto failed = libtorrent::error_code{};
    auto const root = libtorrent::bdecode(
        {info.data(), static_cast<std::ptrdiff_t>(info.size())}, failed, nullptr, limits.max_decode_depth,
        limits.max_decode_tokens);
    if (failed || root.type() != bdecode_node::dict_t) return refuse("its metadata is malformed");
    return check_names(root);
}

bool names_clash(libtorrent::file_storage const& files) {
    std::set<std::string> taken, folders;
    for (auto const i : files.file_range()) {
        if (files.pad_file_at(i)) continue;
        auto path = text::lower(files.file_path(i));
        for (auto at = path.find('/'); at != path.npos; at = path.find('/', at + 1))
            folders.insert(path.substr(0, at));
        if (!taken.insert(std::move(path)).second) return true;
    }
    return std::any_of(taken.begin(), taken.end(), [&](auto const& one) { return folders.contains(one); });
}

torrent_source describe(libtorrent::torrent_info const& torrent) {
    auto source = torrent_source{};
    source.hashes = to_hashes(torrent.info_hashes());
    source.name = text::to_valid_utf8(torrent.name());
    source.is_private = torrent.priv();
    source.num_trackers = torrent.trackers().size();
    source.num_web_seeds = torrent.web_seeds().size();
    auto const& files = torrent.files();
    for (auto const i : files.file_range()) {
        if (files.pad_file_at(i) || (files.file_flags(i) & libtorrent::file_storage::flag_symlink)) continue;
        source.total_size += files.file_size(i);
        source.files.push_back(files.file_path(i));
        source.sizes.push_back(files.file_size(i));
    }
    source.num_files = files.num_files();
    source.num_pieces = files.num_pieces();
    source.piece_length = files.piece_length();
    for (auto const& tracker : torrent.trackers()) source.trackers.push_back(tracker.url);
    source.magnet = libtorrent::make_magnet_uri(torrent);
    return source;
}

std::string make_torrent_file(
    libtorrent::torrent_info const& torrent, std::vector<std::string> const& trackers,
    std::vector<std::string> const& web_seeds) {
    auto file = libtorrent::entry{libtorrent::entry::dictionary_t};
    auto const info = torrent.info_section();
    file["info"] = libtorrent::entry::preformatted_type(info.begin(), info.end());
    if (!trackers.empty()) {
        file["announce"] = trackers.front();
        for (auto const& url : trackers)
            file["announce-list"].list().emplace_back(libtorrent::entry::list_type{url});
    }
    for (auto const& url : web_seeds) file["url-list"].list().emplace_back(url);
    if (torrent.info_hashes().has_v2()) {
        auto const& files = torrent.files();
        auto& layers = file["piece layers"];
        layers = libtorrent::entry{libtorrent::entry::dictionary_t};
        for (auto const i : files.file_range()) {
            if (files.pad_file_at(i) || files.file_size(i) <= files.piece_length()) continue;
            auto const layer = torrent.piece_layer(i);
            if (!layer.empty())
                layers[files.root(i).to_string()] = std::string{layer.data(), std::size_t(layer.size())};
        }
    }
    auto bytes = std::string{};
    libtorrent::bencode(std::back_inserter(bytes), file);
    return bytes;
}

contract::result<torrent_source> read_torrent(std::string_view bytes) {
    auto const torrent = parse_torrent(bytes);
    if (!torrent) return unexpected<contract::failure>{torrent.error()};
    return describe(**torrent);
}

contract::result<torrent_source> read_magnet(std::string_view link) {
    auto const params = parse_magnet(link);
    if (!params) return unexpected<contract::failure>{params.error()};
    auto source = torrent_source{};
    source.hashes = to_hashes(params->info_hashes);
    source.name = text::to_valid_utf8(params->name);
    source.num_trackers = params->trackers.size();
    source.trackers = params->trackers;
    source.magnet = link;
    source.num_web_seeds = params->url_seeds.size() + params->http_seeds.size();
    return source;
}

} // namespace ccbt::engine
