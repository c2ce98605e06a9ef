#include "base/text.hpp"
#include "support/payload.hpp"

#include <iterator>
#include <libtorrent/bencode.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/torrent_info.hpp>
#include <stdexcept>

namespace ccbt::support {

namespace {

template <class Digest> std::string hex(Digest const& digest) {
    std::vector<std::uint8_t> bytes;
    for (auto const c : digest) bytes.push_back(static_cast<std::uint8_t>(c));
    return text::to_hex(bytes);
}

} // namespace

torrent make_torrent(std::filesystem::path const& source, torrent_plan const& plan) {
    lt::file_storage files;
    lt::add_files(files, source.string());
    auto const flags = plan.kind == torrent_kind::v1   ? lt::create_torrent::v1_only
                       : plan.kind == torrent_kind::v2 ? lt::create_torrent::v2_only
                                                       : lt::create_flags_t{};
    lt::create_torrent made{files, plan.piece_size, flags};
    int tier = 0;
    for (auto const& url : plan.trackers) made.add_tracker(url, plan.one_tier ? 0 : tier++);
    made.set_priv(plan.is_private);
    lt::error_code failed;
    lt::set_piece_hashes(made, source.parent_path().string(), failed);
    if (failed) throw std::runtime_error(source.string() + ": " + failed.message());

    torrent out;
    lt::bencode(std::back_inserter(out.bytes), made.generate());
    lt::torrent_info const read{out.bytes, lt::from_span};
    if (read.info_hashes().has_v1()) out.v1 = hex(read.info_hashes().v1);
    if (read.info_hashes().has_v2()) out.v2 = hex(read.info_hashes().v2);
    out.name = read.name();
    out.size = static_cast<std::uint64_t>(read.total_size());
    out.trackers = plan.trackers;
    return out;
}

} // namespace ccbt::support
