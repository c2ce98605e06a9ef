#include "store/sqlite_wal.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <fstream>
#include <span>
#include <utility>
#include <vector>

namespace ccbt::store {

namespace {

using bytes = std::span<std::uint8_t const>;
using sums = std::pair<std::uint32_t, std::uint32_t>;

constexpr std::size_t head_size = 32, frame_head_size = 24;
constexpr std::uint32_t magic = 0x377f0682; // the last bit: big-endian checksums

std::uint32_t word(bytes at, bool big) {
    return big ? std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3]
               : std::uint32_t{at[3]} << 24 | std::uint32_t{at[2]} << 16 | std::uint32_t{at[1]} << 8 | at[0];
}

sums sum(bytes of, sums from, bool big) {
    for (std::size_t i = 0; i + 8 <= of.size(); i += 8) {
        from.first += word(of.subspan(i), big) + from.second;
        from.second += word(of.subspan(i + 4), big) + from.first;
    }
    return from;
}

struct frame {
    std::uint32_t page = 0, commit = 0; // commit: pages of the database after it, 0 within a transaction
    std::uint64_t salts = 0;
    bool follows = false; // its checksum goes on from the one that the frame before it carries
};

std::uint64_t salts_at(bytes at) { return std::uint64_t{word(at, true)} << 32 | word(at.subspan(4), true); }
sums sums_at(bytes at) { return {word(at, true), word(at.subspan(4), true)}; }

} // namespace

wal_view read_wal(std::filesystem::path const& log, std::uint32_t page_size) {
    wal_view out;
    std::ifstream in{log, std::ios::binary};
    std::vector<std::uint8_t> head(head_size), one(frame_head_size + page_size);
    auto const read = [&](std::vector<std::uint8_t>& into) {
        in.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()));
        return in.gcount() == static_cast<std::streamsize>(into.size());
    };
    if (!in || !read(head)) return out; // SQLite makes nothing of so short a one either

    auto const begins = bytes{head};
    auto const marked = word(begins, true);
    auto const big = (marked & 1U) != 0;
    auto before = sums_at(begins.subspan(24));
    auto const head_holds = (marked & ~1U) == magic && word(begins.subspan(8), true) == page_size &&
                            sum(begins.first(24), {}, big) == before;
    auto const current = salts_at(begins.subspan(16));

    std::vector<frame> frames;
    while (read(one)) {
        auto const at = bytes{one};
        auto const expected =
            sum(at.subspan(frame_head_size), sum(at.first(8), before, big && head_holds), big && head_holds);
        before = sums_at(at.subspan(16));
        frames.push_back(
            {word(at, true), word(at.subspan(4), true), salts_at(at.subspan(8)), expected == before});
    }
    // Frames of an earlier round of the log have other salts.
    auto const is_current = [&](frame const& f) {
        return f.page != 0 && (!head_holds || f.salts == current);
    };
    std::size_t sound = 0;
    while (head_holds && sound < frames.size() && frames[sound].follows && is_current(frames[sound])) ++sound;

    // A transaction begins once the one before it is on the disk. So what stands behind a commit, and goes on from it,
    // says that the commit had been acknowledged.
    for (auto i = sound; i + 1 < frames.size(); ++i)
        if (frames[i].commit != 0 && is_current(frames[i]) && frames[i + 1].follows &&
            frames[i].salts == frames[i + 1].salts) {
            out.damage = head_holds ? fmt::format("frame {} of its log is damaged", sound + 1)
                                    : "the head of its log is damaged";
            break;
        }

    std::size_t end = 0;
    for (std::size_t i = 0; i < (out.damage.empty() ? sound : frames.size()); ++i)
        if (frames[i].commit != 0 && is_current(frames[i]) &&
            (frames[i].follows || (i + 1 < frames.size() && frames[i + 1].follows)))
            end = i + 1;
    for (std::size_t i = 0; i < end; ++i) {
        if (!is_current(frames[i])) continue;
        out.pages[frames[i].page] =
            static_cast<std::int64_t>(head_size + i * (frame_head_size + page_size) + frame_head_size);
        if (frames[i].commit != 0) out.database_pages = frames[i].commit;
    }
    return out;
}

} // namespace ccbt::store
