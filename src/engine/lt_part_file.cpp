#include "engine/lt_part_file.hpp"

#include "engine/lt_convert.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ccbt::engine {

namespace {

constexpr std::uint32_t no_slot = 0xffffffff;

std::uint32_t number_at(std::vector<std::uint8_t> const& bytes, std::size_t at) {
    std::uint32_t n = 0;
    for (std::size_t i = 0; i < 4; ++i) n = n << 8 | bytes[at + i];
    return n;
}

} // namespace

void part_file::open() {
    auto const hashes = to_hashes(torrent_.info_hashes());
    for (auto const& hash : {hashes.v2, hashes.v1}) {
        if (!hash) continue;
        auto const path = save_path_ + "/." + hash.hex().substr(0, 40) + ".parts";
        file_ = descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
        if (file_) break;
    }
    struct stat about {};
    if (!file_ || ::fstat(file_.get(), &about) != 0 || !S_ISREG(about.st_mode)) return;
    auto const pieces = static_cast<std::size_t>(torrent_.num_pieces());
    std::vector<std::uint8_t> header((pieces + 2) * 4);
    if (::pread(file_.get(), header.data(), header.size(), 0) != static_cast<ssize_t>(header.size()) ||
        number_at(header, 0) != pieces ||
        number_at(header, 4) != static_cast<std::uint32_t>(torrent_.piece_length()))
        return;
    size_ = about.st_size;
    header_ = static_cast<std::int64_t>((header.size() + 1023) / 1024 * 1024);
    slots_.reserve(pieces);
    for (std::size_t i = 0; i < pieces; ++i) slots_.push_back(number_at(header, (i + 2) * 4));
}

std::optional<part_file::place> part_file::find(
    libtorrent::piece_index_t piece, std::int64_t within, std::int64_t size) {
    if (!std::exchange(tried_, true)) open();
    auto const index = static_cast<std::size_t>(static_cast<int>(piece));
    if (index >= slots_.size() || slots_[index] == no_slot) return std::nullopt;
    auto const at = header_ + std::int64_t{slots_[index]} * torrent_.piece_length() + within;
    if (at + size > size_) return std::nullopt;
    return place{file_.get(), at};
}

} // namespace ccbt::engine
