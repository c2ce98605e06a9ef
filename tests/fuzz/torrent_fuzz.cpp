// engine/lt_source and lt_content: a .torrent file, within the house's limits. libtorrent itself is not built for the
// fuzzer, which so is blind inside of it: what begins with d" has its strings in quotes and gets their lengths here, so
// that what is changed is still bencoded.
#include "base/text.hpp"
#include "engine/content.hpp"
#include "engine/lt_source.hpp"
#include "fuzz.hpp"

namespace ccbt::fuzz {

namespace {

std::string with_lengths(std::string_view loose) {
    std::string out;
    while (!loose.empty()) {
        auto const plain = take_until(loose, '"');
        out += plain;
        if (loose.empty()) break;
        auto const text = take_until(loose, '"');
        out += std::to_string(text.size()) + ':' + std::string{text};
    }
    return out;
}

void hold_path(std::string_view path) {
    require(!path.empty() && !path.starts_with('/'), "a path lies below its folder", path);
    auto const parts = text::split(path, '/');
    require(parts.size() <= 33, "a path is not too deep", path);
    for (auto const part : parts)
        require(
            part != ".." && part != "." && !part.empty() && part.size() <= 255, "a name is a plain one",
            path);
    require(path.find('\0') == path.npos, "a path is one for the system", path);
}

void hold(std::string_view bytes) {
    auto const content = engine::read_content(bytes);
    auto const source = engine::read_torrent(bytes);
    require(content.has_value() == source.has_value(), "both readers agree", bytes);
    if (!source) {
        require(source.error().code == contract::errc::add_torrent_error, "a refusal has its code", bytes);
        require(content.error().message == source.error().message, "both say the same", bytes);
        return;
    }
    require(source->hashes.v1 || source->hashes.v2, "a torrent has a hash", bytes);
    require(
        text::is_valid_utf8(source->name) && source->name.size() <= 3 * 255, "a name is short and UTF-8",
        bytes);
    require(
        source->num_trackers <= 64 && source->num_web_seeds <= 16, "trackers and seeds are bounded", bytes);
    require(
        source->files.size() == source->sizes.size() && source->total_size >= 0, "files have sizes", bytes);
    require(source->num_pieces > 0 && source->piece_length > 0, "it has pieces", bytes);
    for (auto const& path : source->files) hold_path(path);
    require(content->size() == std::size_t(source->num_files), "both count the files", bytes);
    std::int64_t sum = 0;
    for (auto const& one : *content) {
        require(one.size >= 0, "a file has a size", bytes);
        if (!one.is_padding && !one.is_link) sum += one.size;
    }
    require(sum == source->total_size, "both count the bytes", bytes);
    auto const link = engine::read_magnet(source->magnet);
    if (source->magnet.size() <= contract::max_magnet_length)
        require(link && link->hashes.v1 == source->hashes.v1, "its link finds it", source->magnet);

    auto const torrent = engine::parse_torrent(bytes);
    auto const written = engine::make_torrent_file(**torrent, source->trackers, {});
    auto const again = engine::read_torrent(written);
    require(again.has_value(), "what is kept of it is a torrent", written);
    require(
        again->hashes.v1 == source->hashes.v1 && again->hashes.v2 == source->hashes.v2, "the same one",
        written);
    require(again->files == source->files, "with the same files", written);
    (void)engine::saved_file_progress(bytes, bytes);
}

} // namespace

void look_at(std::string_view bytes) {
    hold(bytes.starts_with("d\"") ? with_lengths(bytes) : std::string{bytes});
}

} // namespace ccbt::fuzz
