#include "engine/content.hpp"

#include "base/beneath.hpp"
#include "base/text.hpp"
#include "engine/lt_convert.hpp"
#include "engine/lt_piece_check.hpp"
#include "engine/lt_source.hpp"

#include <algorithm>
#include <fcntl.h>
#include <libtorrent/read_resume_data.hpp>
#include <sys/stat.h>

namespace ccbt::engine {

namespace {

namespace lt = libtorrent;

bool is_link(lt::file_storage const& files, lt::file_index_t i) {
    return bool(files.file_flags(i) & lt::file_storage::flag_symlink);
}

// Its pieces may be whole and it still be wrong: longer, or, where it is empty, not there.
bool has_its_size(int folder, lt::file_storage const& files, lt::file_index_t i) {
    // O_NONBLOCK: a FIFO in its place must not hold us.
    auto const file = open_beneath(folder, files.file_path(i), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    struct stat about {};
    return file && ::fstat(file.get(), &about) == 0 && S_ISREG(about.st_mode) &&
           about.st_size == files.file_size(i);
}

template <class Visit> void each_piece(lt::file_storage const& files, lt::file_index_t i, Visit&& visit) {
    if (files.file_size(i) == 0) return;
    auto const last = files.map_file(i, files.file_size(i) - 1, 0).piece;
    for (auto piece = files.map_file(i, 0, 0).piece; piece <= last; ++piece) visit(piece);
}

} // namespace

contract::result<std::vector<content_file>> read_content(std::string_view metainfo) {
    auto const torrent = parse_torrent(metainfo);
    if (!torrent) return unexpected<contract::failure>{torrent.error()};
    auto const& files = (*torrent)->files();
    auto all = std::vector<content_file>{};
    all.reserve(static_cast<std::size_t>(files.num_files()));
    for (auto const i : files.file_range()) {
        auto one = content_file{text::to_valid_utf8(files.file_path(i)), files.file_size(i)};
        one.is_padding = files.pad_file_at(i);
        one.is_link = is_link(files, i);
        auto const flags = files.file_flags(i);
        for (auto const& [flag, letter] :
             {std::pair{lt::file_storage::flag_executable, 'x'},
              std::pair{lt::file_storage::flag_hidden, 'h'}, std::pair{lt::file_storage::flag_symlink, 'l'},
              std::pair{lt::file_storage::flag_pad_file, 'p'}})
            if (flags & flag) one.attributes += letter;
        all.push_back(std::move(one));
    }
    return all;
}

std::vector<std::int64_t> saved_file_progress(std::string_view metainfo, std::string_view resume) {
    auto bytes = std::vector<std::int64_t>{};
    try {
        auto const torrent = parse_torrent(metainfo);
        auto failed = lt::error_code{};
        auto const saved = lt::read_resume_data(
            {resume.data(), static_cast<std::ptrdiff_t>(resume.size())}, failed, load_limits());
        if (!torrent || failed || saved.have_pieces.size() != (*torrent)->num_pieces()) return bytes;
        bytes = bytes_of_files((*torrent)->files(), saved.have_pieces);
    } catch (std::exception const&) {
        bytes.clear();
    }
    return bytes;
}

contract::result<verification> verify(
    std::string_view metainfo, std::string const& save_path, std::vector<std::uint8_t> const& levels,
    verify_watch& watch) {
    auto const torrent = parse_torrent(metainfo);
    if (!torrent) return unexpected<contract::failure>{torrent.error()};
    auto const& files = (*torrent)->files();
    auto const folder = open_folder(save_path);
    struct judged {
        lt::file_index_t file;
        bool has_its_size;
    };
    auto wanted = std::vector<judged>{};
    auto which = piece_set{(*torrent)->num_pieces(), false};
    for (auto const i : files.file_range()) {
        if (watch.stop) break;
        auto const at = static_cast<std::size_t>(static_cast<int>(i));
        if (files.pad_file_at(i) || is_link(files, i) || (at < levels.size() && levels[at] == 0)) continue;
        wanted.push_back({i, folder && has_its_size(folder.get(), files, i)});
        if (wanted.back().has_its_size) each_piece(files, i, [&](auto piece) { which.set_bit(piece); });
    }
    watch.total = which.count();
    auto const told = [&](int done, int, int) { watch.finished = done; };
    auto const found = check_pieces(**torrent, save_path, which, told, watch.stop, folder.get());
    auto out = verification{};
    out.stopped = found.stopped || watch.stop;
    if (out.stopped) return out;
    for (auto const& one : wanted) {
        auto good = one.has_its_size;
        if (good) each_piece(files, one.file, [&](auto piece) { good = good && found.good.get_bit(piece); });
        (good ? out.verified : out.failed)
            .push_back(text::to_valid_utf8(files.file_path(one.file, save_path)));
    }
    return out;
}

} // namespace ccbt::engine
