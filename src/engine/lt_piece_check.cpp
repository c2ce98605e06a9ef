#include "engine/lt_piece_check.hpp"

#include "base/beneath.hpp"
#include "engine/lt_part_file.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fcntl.h>
#include <libtorrent/hasher.hpp>
#include <map>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ccbt::engine {

namespace {

namespace lt = libtorrent;

constexpr std::size_t block = 16384;      // BEP 52's leaves
constexpr std::size_t chunk = 64 * block; // read at once

// The file that is open: pieces come in order, so the next slice is nearly always of the same one.
class open_file {
public:
    bool open(
        lt::file_index_t index, lt::file_storage const& files, std::string const& save_path, int beneath) {
        if (index == index_) return bool(fd_);
        index_ = index;
        // Neither through a link at the end nor into a FIFO that would wait for a writer.
        constexpr auto how = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
        fd_ = beneath >= 0 ? open_beneath(beneath, files.file_path(index), how)
                           : descriptor{::open(files.file_path(index, save_path).c_str(), how)};
        struct stat s {};
        if (fd_ && (::fstat(fd_.get(), &s) != 0 || !S_ISREG(s.st_mode))) fd_ = descriptor{};
        size_ = fd_ ? s.st_size : 0;
        // What is read ahead of preallocated room would look like data to SEEK_DATA.
        if (fd_) ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_RANDOM);
        data_from_ = data_to_ = 0;
        return bool(fd_);
    }

    [[nodiscard]] std::int64_t size() const { return size_; }

    struct run {
        bool is_hole;
        std::int64_t until;
    };
    run run_at(std::int64_t from) {
        if (from >= data_from_ && from < data_to_) return {false, data_to_}; // the extent found last
        auto const data = ::lseek(fd_.get(), from, SEEK_DATA);
        if (data < 0)
            return {errno == ENXIO, size_}; // nothing but a hole to the end; else the file system cannot tell
        data_from_ = data;
        auto const hole = ::lseek(fd_.get(), data, SEEK_HOLE);
        data_to_ = hole < 0 ? size_ : hole;
        return data > from ? run{true, data} : run{false, data_to_};
    }
    bool is_hole(std::int64_t from, std::int64_t length) {
        auto const first = run_at(from);
        return first.is_hole && first.until >= from + length;
    }

    [[nodiscard]] int fd() const { return fd_.get(); }

private:
    lt::file_index_t index_{-1};
    descriptor fd_;
    std::int64_t size_ = 0, data_from_ = 0, data_to_ = 0;
};

bool read_all(int fd, char* to, std::int64_t from, std::size_t length) {
    while (length > 0) {
        auto const got = ::pread(fd, to, length, from);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got;
        from += got;
        length -= static_cast<std::size_t>(got);
    }
    return true;
}

lt::sha256_hash merkle_root(std::vector<lt::sha256_hash> layer, std::size_t width) {
    layer.resize(width); // the padding leaves are zeros
    for (; layer.size() > 1; layer.resize(layer.size() / 2))
        for (std::size_t i = 0; i < layer.size() / 2; ++i) {
            auto h = lt::hasher256{};
            h.update(layer[2 * i]).update(layer[2 * i + 1]);
            layer[i] = h.final();
        }
    return layer.front();
}

class checker {
public:
    checker(
        lt::torrent_info const& t, std::string const& save_path, std::atomic<bool> const& stop, int beneath)
        : torrent_{t},
          files_{t.files()},
          save_path_{save_path},
          stop_{stop},
          beneath_{beneath},
          buffer_(chunk),
          by_v1_{t.info_hashes().has_v1()},
          parts_{t, save_path} {}

    bool good(lt::piece_index_t piece) {
        piece_ = piece;
        slices_ = files_.map_block(piece, 0, size_of(piece));
        auto all_holes = true;
        std::int64_t within = 0;
        for (auto const& s : slices_) {
            auto const before = std::exchange(within, within + s.size);
            if (files_.pad_file_at(s.file_index) || s.size == 0) continue;
            auto const lies = find(s, before);
            if (!lies) return false;
            all_holes = all_holes && lies->fd == file_.fd() && file_.is_hole(s.offset, s.size);
        }
        return by_v1_ ? good_v1(piece, all_holes) : good_v2(piece, all_holes);
    }

    [[nodiscard]] std::int64_t bytes_read() const { return bytes_read_; }

private:
    [[nodiscard]] int size_of(lt::piece_index_t piece) const {
        return by_v1_ ? files_.piece_size(piece) : files_.piece_size2(piece);
    }

    // In its file, or, where that one is not wanted, in the part file.
    std::optional<part_file::place> find(lt::file_slice const& s, std::int64_t within) {
        if (file_.open(s.file_index, files_, save_path_, beneath_) && file_.size() >= s.offset + s.size)
            return part_file::place{file_.fd(), s.offset};
        return parts_.find(piece_, within, s.size);
    }

    // Feeds the piece's bytes in order; padding is zeros without a file.
    template <class Take> bool feed(bool zeros, Take&& take) {
        std::int64_t within = 0;
        for (auto const& s : slices_) {
            auto const before = std::exchange(within, within + s.size);
            auto const pad = zeros || files_.pad_file_at(s.file_index) || s.size == 0;
            auto const lies = pad ? std::optional<part_file::place>{} : find(s, before);
            if (!pad && !lies) return false;
            for (std::int64_t at = 0; at < s.size;) {
                auto n = static_cast<std::size_t>(std::min<std::int64_t>(s.size - at, chunk));
                if (stop_.load(std::memory_order_relaxed)) return false;
                // A piece that lacks data is mostly a hole: only what is around it is read.
                auto nothing = pad;
                if (!pad && lies->fd == file_.fd()) {
                    auto const run = file_.run_at(lies->at + at);
                    auto const length = static_cast<std::size_t>(run.until - lies->at - at);
                    // No further than the data goes: what is read beyond it lies in memory, and looks like data next.
                    auto const step = by_v1_ ? std::size_t{1} : block; // v2 hashes by whole blocks
                    nothing = run.is_hole && length >= step;
                    auto const steps = nothing ? length / step : (length + step - 1) / step;
                    n = std::min(n, steps * step);
                    if (n == 0) return false; // it is being cut short
                }
                if (nothing)
                    std::fill_n(buffer_.begin(), n, '\0');
                else if (!read_all(lies->fd, buffer_.data(), lies->at + at, n))
                    return false;
                else
                    bytes_read_ += static_cast<std::int64_t>(n);
                take(buffer_.data(), n);
                at += static_cast<std::int64_t>(n);
            }
        }
        return true;
    }

    bool good_v1(lt::piece_index_t piece, bool zeros) {
        auto const size = size_of(piece);
        auto const expected = torrent_.hash_for_piece(piece);
        if (zeros)
            if (auto const known = zeros_v1_.find(size); known != zeros_v1_.end())
                return known->second == expected;
        auto h = lt::hasher{};
        if (!feed(zeros, [&](char const* p, std::size_t n) {
                h.update({p, static_cast<std::ptrdiff_t>(n)});
            }))
            return false;
        auto const found = h.final();
        if (zeros) zeros_v1_[size] = found;
        return found == expected;
    }

    bool good_v2(lt::piece_index_t piece, bool zeros) {
        auto const file = files_.file_index_at_piece(piece);
        auto const alone = files_.file_size(file) <= files_.piece_length();
        auto expected = lt::sha256_hash{};
        if (alone) {
            expected = files_.root(file);
        } else {
            auto const layer = torrent_.piece_layer(file);
            auto const first = files_.piece_index_at_file(file);
            auto const at = std::ptrdiff_t{static_cast<int>(piece) - static_cast<int>(first)} * 32;
            if (at < 0 || layer.size() < at + 32) return false;
            expected = lt::sha256_hash{layer.data() + at};
        }
        auto const size = static_cast<std::size_t>(size_of(piece));
        auto const width = alone ? std::bit_ceil((size + block - 1) / block)
                                 : static_cast<std::size_t>(files_.piece_length()) / block;
        if (zeros)
            if (auto const known = zeros_v2_.find({size, width}); known != zeros_v2_.end())
                return known->second == expected;
        auto leaves = std::vector<lt::sha256_hash>{};
        auto const take = [&](char const* p,
                              std::size_t n) { // a piece of v2 lies in one file: chunks fit blocks
            for (std::size_t at = 0; at < n; at += block)
                leaves.push_back(
                    lt::hasher256{{p + at, static_cast<std::ptrdiff_t>(std::min(block, n - at))}}.final());
        };
        if (!feed(zeros, take)) return false;
        auto const found = merkle_root(std::move(leaves), std::max<std::size_t>(width, 1));
        if (zeros) zeros_v2_[{size, width}] = found;
        return found == expected;
    }

    lt::torrent_info const& torrent_;
    lt::file_storage const& files_;
    std::string const& save_path_;
    std::atomic<bool> const& stop_;
    int beneath_;
    std::vector<char> buffer_;
    bool by_v1_;
    open_file file_;
    part_file parts_;
    lt::piece_index_t piece_{0};
    std::vector<lt::file_slice> slices_;
    std::int64_t bytes_read_ = 0;
    std::map<int, lt::sha1_hash> zeros_v1_;
    std::map<std::pair<std::size_t, std::size_t>, lt::sha256_hash> zeros_v2_;
};

} // namespace

piece_check check_pieces(
    lt::torrent_info const& torrent, std::string const& save_path, piece_set const& which,
    check_progress const& progress, std::atomic<bool> const& stop, int beneath) {
    auto found = piece_check{};
    found.good.resize(torrent.num_pieces());
    auto const all = std::min(which.count(), torrent.num_pieces());
    auto judge = checker{torrent, save_path, stop, beneath};
    auto judged = 0, good = 0;
    auto told = std::int64_t{0};
    for (auto const piece : torrent.piece_range()) {
        if (piece >= which.end_index() || !which.get_bit(piece)) continue;
        if (stop.load(std::memory_order_relaxed)) {
            found.stopped = true;
            break;
        }
        if (judge.good(piece)) {
            found.good.set_bit(piece);
            ++good;
        } else if (stop.load(std::memory_order_relaxed)) { // not judged to its end
            found.stopped = true;
            break;
        }
        ++judged;
        if (progress && judge.bytes_read() - told >= (std::int64_t{32} << 20)) {
            told = judge.bytes_read();
            progress(judged, good, all);
        }
    }
    if (progress && !found.stopped) progress(judged, good, all);
    found.bytes_read = judge.bytes_read();
    return found;
}

} // namespace ccbt::engine
