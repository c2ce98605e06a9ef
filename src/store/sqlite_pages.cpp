#include "store/sqlite_pages.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ccbt::store {

namespace {

constexpr std::uint8_t interior_table = 5, leaf_table = 13;
constexpr std::uint64_t largest_row = std::uint64_t{256} << 20;
constexpr std::uint32_t most_pages_of_a_log = 1U << 24; // what it says may be damaged
constexpr std::size_t file_head = 100;                  // before the tree of the first page

std::uint32_t word(std::span<std::uint8_t const> at) {
    return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}
std::size_t half(std::vector<std::uint8_t> const& at, std::size_t from) {
    return std::size_t{at[from]} << 8 | at[from + 1];
}

// Moves on past the number; false where the bytes end before it does.
bool varint(std::span<std::uint8_t const>& from, std::uint64_t& out) {
    out = 0;
    for (std::size_t i = 0; i < 9 && i < from.size(); ++i) {
        if (i == 8) {
            out = out << 8 | from[8];
        } else {
            out = out << 7 | (from[i] & 0x7fU);
            if ((from[i] & 0x80U) != 0) continue;
        }
        from = from.subspan(i + 1);
        return true;
    }
    return false;
}

std::int64_t big_endian(std::span<std::uint8_t const> bytes) {
    std::uint64_t out = !bytes.empty() && (bytes[0] & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
    for (auto const b : bytes) out = out << 8 | b;
    return static_cast<std::int64_t>(out);
}

} // namespace

std::optional<std::vector<stored_value>> decode_record(std::string const& payload) {
    auto const all = std::span{reinterpret_cast<std::uint8_t const*>(payload.data()), payload.size()};
    auto types = all;
    std::uint64_t head = 0;
    if (!varint(types, head) || head > all.size() || head < all.size() - types.size()) return std::nullopt;
    types = types.first(static_cast<std::size_t>(head) - (all.size() - types.size()));
    auto data = all.subspan(static_cast<std::size_t>(head));
    std::vector<stored_value> out;
    while (!types.empty()) {
        std::uint64_t type = 0;
        if (!varint(types, type)) return std::nullopt;
        static constexpr std::uint64_t widths[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
        auto const width = type >= 12 ? (type - 12) / 2 : type < 10 ? widths[type] : data.size() + 1;
        if (width > data.size()) return std::nullopt;
        auto const bytes = data.first(static_cast<std::size_t>(width));
        data = data.subspan(bytes.size());
        std::string text{bytes.begin(), bytes.end()};
        if (type == 0)
            out.emplace_back();
        else if (type == 7) {
            auto const bits = big_endian(bytes);
            double real = 0;
            std::memcpy(&real, &bits, sizeof real);
            out.emplace_back(real);
        } else if (type < 10)
            out.emplace_back(type == 8 ? 0 : type == 9 ? 1 : big_endian(bytes));
        else if (type % 2 == 0)
            out.emplace_back(blob_value{std::move(text)});
        else
            out.emplace_back(std::move(text));
    }
    return out;
}

page_file::page_file(std::filesystem::path const& database, wal_view log, std::uint32_t page_size)
    : file_{database, std::ios::binary},
      log_{std::move(log)},
      log_file_{database.string() + "-wal", std::ios::binary},
      page_size_{page_size},
      usable_{page_size} {
    file_.seekg(0, std::ios::end);
    file_size_ = std::max<std::int64_t>(0, file_.tellg());
    auto const in_file = static_cast<std::uint32_t>(file_size_ / page_size_);
    pages_ = std::max(in_file, std::min(log_.database_pages, in_file + most_pages_of_a_log));
    visited_.resize(std::size_t{pages_} + 1);
}

bool page_file::read(std::uint32_t number, page& into) {
    if (number == 0 || number > pages_) return false;
    into.assign(page_size_, 0);
    auto const newer = log_.pages.find(number);
    if (newer == log_.pages.end() && std::int64_t{number} * page_size_ > file_size_) return false;
    auto& from = newer == log_.pages.end() ? file_ : log_file_;
    from.clear();
    from.seekg(newer == log_.pages.end() ? std::int64_t{number - 1} * page_size_ : newer->second);
    from.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(page_size_));
    return from.gcount() == static_cast<std::streamsize>(page_size_);
}

std::optional<std::string> page_file::payload_at(page const& at, std::size_t from, std::uint64_t size) {
    if (size > largest_row) return std::nullopt;
    auto const most = std::uint64_t{usable_} - 35, least = (std::uint64_t{usable_} - 12) * 32 / 255 - 23;
    auto const odd = least + (size - least) % (usable_ - 4);
    auto const here = static_cast<std::size_t>(size <= most ? size : odd <= most ? odd : least);
    if (from + here + (size > most ? 4 : 0) > at.size()) return std::nullopt;
    std::string out{
        at.begin() + static_cast<std::ptrdiff_t>(from),
        at.begin() + static_cast<std::ptrdiff_t>(from + here)};
    if (size <= most) return out;
    if ((size - here) / (usable_ - 4) > pages_) return std::nullopt; // its pages would go in a circle
    auto next = word(std::span{at}.subspan(from + here));
    page more;
    while (out.size() < size) {
        if (!read(next, more)) return std::nullopt;
        auto const some = std::min<std::uint64_t>(size - out.size(), usable_ - 4);
        out.append(reinterpret_cast<char const*>(more.data()) + 4, static_cast<std::size_t>(some));
        next = word(more);
    }
    return out;
}

bool page_file::leaf_rows(page const& at, std::size_t head, take_row const& take) {
    auto const cells = half(at, head + 3);
    bool whole = true;
    for (std::size_t i = 0; i < cells; ++i) {
        auto const pointer = head + 8 + 2 * i;
        if (pointer + 2 > at.size()) return false;
        auto const from = half(at, pointer);
        std::uint64_t size = 0, row = 0;
        auto bytes = std::span{at}.subspan(std::min(from, at.size()));
        if (!varint(bytes, size) || !varint(bytes, row)) {
            whole = false;
            continue;
        }
        stored_row out{static_cast<std::int64_t>(row), {}};
        if (auto const payload = payload_at(at, at.size() - bytes.size(), size))
            if (auto values = decode_record(*payload)) out.values = std::move(*values);
        take(std::move(out));
    }
    return whole;
}

bool page_file::walk(std::uint32_t root, take_row const& take) {
    bool whole = true;
    std::vector<bool> seen(visited_.size());
    std::vector<std::uint32_t> waiting{root};
    page at;
    while (!waiting.empty()) {
        auto const number = waiting.back();
        waiting.pop_back();
        auto const head = number == 1 ? file_head : 0;
        if (number > pages_ || seen[number] || !read(number, at) ||
            (at[head] != leaf_table && at[head] != interior_table)) {
            whole = false;
            continue;
        }
        seen[number] = visited_[number] = true;
        if (at[head] == leaf_table) {
            whole = leaf_rows(at, head, take) && whole;
            continue;
        }
        auto const cells = half(at, head + 3);
        waiting.push_back(word(std::span{at}.subspan(head + 8)));
        for (auto i = cells; i > 0; --i) {
            auto const pointer = head + 12 + 2 * (i - 1);
            if (pointer + 2 > at.size() || half(at, pointer) + 4 > at.size()) {
                whole = false;
                continue;
            }
            waiting.push_back(word(std::span{at}.subspan(half(at, pointer))));
        }
    }
    return whole;
}

std::map<std::string, std::uint32_t> page_file::tables() {
    std::map<std::string, std::uint32_t> out;
    static_cast<void>(walk(1, [&](stored_row row) {
        if (row.values.size() != 5) return;
        auto const* const type = std::get_if<std::string>(&row.values[0]);
        auto const* const name = std::get_if<std::string>(&row.values[1]);
        auto const* const root = std::get_if<std::int64_t>(&row.values[3]);
        if (type && name && root && *type == "table" && *root > 1 && *root <= pages_)
            out[*name] = static_cast<std::uint32_t>(*root);
    }));
    return out;
}

void page_file::mark_free() {
    page at;
    if (!read(1, at)) return;
    auto next = word(std::span{at}.subspan(32));
    for (std::uint32_t trunks = 0; trunks < pages_ && next != 0; ++trunks) {
        if (next > pages_ || visited_[next] || !read(next, at)) return;
        visited_[next] = true;
        auto const leaves = std::min<std::uint32_t>(word(std::span{at}.subspan(4)), page_size_ / 4 - 2);
        for (std::uint32_t i = 0; i < leaves; ++i)
            if (auto const leaf = word(std::span{at}.subspan(8 + std::size_t{i} * 4)); leaf <= pages_)
                visited_[leaf] = true;
        next = word(at);
    }
}

void page_file::scan_rest(take_row const& take, progress const& tell) {
    mark_free();
    page at;
    for (std::uint32_t number = 2; number <= pages_; ++number) {
        if (number % 256 == 0) tell(number, pages_);
        if (visited_[number] || !read(number, at) || at[0] != leaf_table) continue;
        static_cast<void>(leaf_rows(at, 0, take));
    }
}

} // namespace ccbt::store
