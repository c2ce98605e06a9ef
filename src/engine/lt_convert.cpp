#include "engine/lt_convert.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/torrent_status.hpp>

namespace ccbt::engine {

namespace lt = libtorrent;

namespace {

template <class Digest> contract::info_hash to_hash(Digest const& d) {
    auto const* const first = reinterpret_cast<std::uint8_t const*>(d.data());
    return contract::info_hash{{first, static_cast<std::size_t>(d.size())}};
}

template <class Digest> Digest to_digest(contract::info_hash const& h) {
    auto d = Digest{};
    std::copy(h.bytes().begin(), h.bytes().end(), reinterpret_cast<std::uint8_t*>(d.data()));
    return d;
}

contract::torrent_state to_state(lt::torrent_status const& from, bool user_paused) {
    using contract::torrent_state;
    if (from.flags & lt::torrent_flags::paused)
        return user_paused ? torrent_state::paused : torrent_state::stopped;
    switch (from.state) {
    case lt::torrent_status::checking_files: return torrent_state::checking;
    case lt::torrent_status::checking_resume_data:
        return torrent_state::starting; // looks at files, hashes nothing
    case lt::torrent_status::downloading_metadata: return torrent_state::metadata;
    case lt::torrent_status::finished:
    case lt::torrent_status::seeding: // seen with a wanted piece missing, after files were deselected
        return from.is_finished ? torrent_state::seeding : torrent_state::downloading;
    default: return torrent_state::downloading;
    }
}

double to_progress(lt::torrent_status const& from) {
    if (!from.has_metadata) return 0;
    if (from.total_wanted <= 0) return 1;
    return std::clamp(
        static_cast<double>(from.total_wanted_done) / static_cast<double>(from.total_wanted), 0.0, 1.0);
}

std::string to_flags(lt::peer_info const& p) {
    auto letters = std::string{};
    auto const add = [&](bool is, char letter) {
        if (is) letters += letter;
    };
    using lt::peer_info;
    auto const interesting = bool(p.flags & peer_info::interesting);
    auto const interested = bool(p.flags & peer_info::remote_interested);
    add(interesting && !(p.flags & peer_info::remote_choked), 'D');
    add(interesting && (p.flags & peer_info::remote_choked), 'd');
    add(interested && !(p.flags & peer_info::choked), 'U');
    add(interested && (p.flags & peer_info::choked), 'u');
    add(bool(p.flags & peer_info::snubbed), 'S');
    add(bool(p.flags & peer_info::optimistic_unchoke), 'O');
    add(bool(p.source & peer_info::dht), 'H');
    add(bool(p.source & peer_info::pex), 'X');
    add(bool(p.source & peer_info::lsd), 'L');
    add(!(p.flags & peer_info::outgoing_connection), 'I');
    add(bool(p.flags & (peer_info::rc4_encrypted | peer_info::plaintext_encrypted)), 'E');
    add(bool(p.flags & peer_info::utp_socket), 'P');
    return letters;
}

std::string relative(std::string_view path, std::string_view save_path) {
    if (path.starts_with(save_path)) path.remove_prefix(save_path.size());
    while (path.starts_with('/')) path.remove_prefix(1);
    return text::to_valid_utf8(path);
}

bool writes(lt::operation_t doing) {
    switch (doing) {
    case lt::operation_t::file_write:
    case lt::operation_t::file_fallocate:
    case lt::operation_t::file_truncate:
    case lt::operation_t::mkdir:
    case lt::operation_t::file_rename:
    case lt::operation_t::partfile_write: return true;
    default: return false;
    }
}

} // namespace

contract::info_hashes to_hashes(lt::info_hash_t const& from) {
    auto hashes = contract::info_hashes{};
    if (from.has_v1()) hashes.v1 = to_hash(from.v1);
    if (from.has_v2()) hashes.v2 = to_hash(from.v2);
    return hashes;
}

lt::info_hash_t to_lt_hashes(contract::info_hashes const& from) {
    auto hashes = lt::info_hash_t{};
    if (from.v1) hashes.v1 = to_digest<lt::sha1_hash>(from.v1);
    if (from.v2) hashes.v2 = to_digest<lt::sha256_hash>(from.v2);
    return hashes;
}

bool same_torrent(contract::info_hashes const& a, contract::info_hashes const& b) {
    auto const both_v1 = a.v1 && b.v1, both_v2 = a.v2 && b.v2;
    if (!both_v1 && !both_v2) return false;
    return (!both_v1 || a.v1 == b.v1) && (!both_v2 || a.v2 == b.v2);
}

model::torrent_seen to_seen(
    model::torrent_id id, lt::torrent_status const& from, bool user_paused, payload_before before) {
    auto seen = model::torrent_seen{};
    seen.id = id;
    seen.state = to_state(from, user_paused);
    seen.progress = to_progress(from);
    seen.num_peers = from.num_peers;
    seen.num_seeds = from.num_seeds;
    seen.downloaded = before.downloaded + from.total_payload_download;
    seen.uploaded = before.uploaded + from.total_payload_upload;
    seen.finished = from.is_finished;
    if (seen.finished) seen.progress = 1;
    return seen;
}

std::vector<std::int64_t> bytes_of_files(lt::file_storage const& files, piece_set const& have) {
    auto bytes = std::vector<std::int64_t>(static_cast<std::size_t>(files.num_files()));
    for (auto const piece : files.piece_range())
        if (piece < have.end_index() && have.get_bit(piece))
            for (auto const& slice : files.map_block(piece, 0, files.piece_size(piece)))
                bytes[static_cast<std::size_t>(static_cast<int>(slice.file_index))] += slice.size;
    return bytes;
}

double claimed_progress(
    lt::torrent_info const& torrent, lt::add_torrent_params const& claims,
    std::vector<std::uint8_t> const& levels) {
    auto const& files = torrent.files();
    auto bytes = bytes_of_files(files, claims.have_pieces);
    for (auto const& [piece, blocks] : claims.unfinished_pieces) {
        if (piece < claims.have_pieces.end_index() && claims.have_pieces.get_bit(piece)) continue;
        for (auto b = 0; b < blocks.size(); ++b) {
            auto const from = b * lt::default_block_size;
            if (!blocks.get_bit(b) || from >= files.piece_size(piece)) continue;
            auto const size = std::min(lt::default_block_size, files.piece_size(piece) - from);
            for (auto const& slice : files.map_block(piece, from, size))
                bytes[static_cast<std::size_t>(static_cast<int>(slice.file_index))] += slice.size;
        }
    }
    std::int64_t here = 0, wanted = 0;
    for (auto const i : files.file_range()) {
        auto const at = static_cast<std::size_t>(static_cast<int>(i));
        if (files.pad_file_at(i) || (at < levels.size() && levels[at] == 0)) continue;
        here += bytes[at];
        wanted += files.file_size(i);
    }
    return wanted == 0 ? 1 : static_cast<double>(here) / static_cast<double>(wanted);
}

contract::peer to_peer(lt::peer_info const& from) {
    auto peer = contract::peer{};
    auto address = from.ip.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        address = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
    peer.ip = address.to_string();
    peer.port = from.ip.port();
    peer.download_rate = from.payload_down_speed;
    peer.upload_rate = from.payload_up_speed;
    peer.choked = bool(from.flags & lt::peer_info::remote_choked);
    if (!from.client.empty()) peer.client = text::to_valid_utf8(from.client);
    peer.progress = std::clamp(static_cast<double>(from.progress_ppm) / 1e6, 0.0, 1.0);
    peer.direction = (from.flags & lt::peer_info::outgoing_connection) ? "out" : "in";
    peer.transport = (from.flags & lt::peer_info::utp_socket) ? "utp" : "tcp";
    peer.encrypted = bool(from.flags & (lt::peer_info::rc4_encrypted | lt::peer_info::plaintext_encrypted));
    peer.flags = to_flags(from);
    if (from.flags & lt::peer_info::ssl_socket)
        peer.encryption = "tls";
    else if (from.flags & lt::peer_info::rc4_encrypted)
        peer.encryption = "rc4";
    else if (from.flags & lt::peer_info::plaintext_encrypted)
        peer.encryption = "handshake";
    peer.is_seed = bool(from.flags & lt::peer_info::seed);
    peer.downloaded = from.total_download;
    peer.uploaded = from.total_upload;
    peer.requests_sent = from.download_queue_length;
    peer.requests_waiting = from.upload_queue_length;
    peer.hash_failures = from.num_hashfails;
    using lt::peer_info;
    for (auto const& [from_there, name] :
         {std::pair{peer_info::tracker, "tracker"}, std::pair{peer_info::dht, "dht"},
          std::pair{peer_info::pex, "pex"}, std::pair{peer_info::lsd, "lsd"},
          std::pair{peer_info::resume_data, "resume"}, std::pair{peer_info::incoming, "incoming"}})
        if (from.source & from_there) peer.source.emplace_back(name);
    return peer;
}

std::string to_text(
    lt::error_code const& failed, lt::operation_t doing, std::string_view path, std::string_view save_path) {
    namespace errc = boost::system::errc;
    if (failed == lt::errors::duplicate_torrent)
        return "it is the same torrent as another one here (the two hashes of a hybrid)";
    auto const file = relative(path, save_path);
    auto const& name = file.empty() ? std::string{"its files"} : file;
    if (failed == errc::no_space_on_device) return "no space left on the disk";
    if (failed == boost::system::error_code{EDQUOT, boost::system::system_category()})
        return "the disk quota is used up";
    if (failed == errc::read_only_file_system) return "the file system is read-only";
    if (failed == errc::io_error) return fmt::format("the disk reports an input/output error at {}", name);
    if (failed == errc::permission_denied || failed == errc::operation_not_permitted)
        return fmt::format("no permission to {} {}", writes(doing) ? "write" : "open", name);
    if (failed == errc::no_such_file_or_directory) return fmt::format("{} is missing", name);
    if (failed == errc::filename_too_long) return fmt::format("the name is too long: {}", name);
    if (failed == errc::too_many_files_open) return "too many files are open";
    return file.empty() ? text::to_valid_utf8(failed.message())
                        : fmt::format("{}: {}", file, text::to_valid_utf8(failed.message()));
}

} // namespace ccbt::engine
