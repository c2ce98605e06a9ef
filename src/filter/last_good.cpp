#include "filter/last_good.hpp"

#include "base/beneath.hpp"
#include "base/text.hpp"
#include "filter/new_file.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <span>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace ccbt::filter {

namespace {

// "# ccbt ip filter 2l MODE RULES MALFORMED V4 V6 SOURCES\n", the ranges as they are in memory (l: the least byte first),
// and a CRC-32 of all before it.
constexpr std::string_view head =
    std::endian::native == std::endian::little ? "# ccbt ip filter 2l" : "# ccbt ip filter 2b";
constexpr std::string_view not_told = "-";
constexpr std::size_t most_ranges = 5'000'000;

using checksum = std::uint32_t;

std::string path_of(contract::settings const& how) { return how.daemon.state_dir + "/ip_filter.last"; }

template <class T> std::string_view bytes_of(std::span<T const> all) {
    static_assert(std::has_unique_object_representations_v<T>);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): numbers without padding
    return {reinterpret_cast<char const*>(all.data()), all.size_bytes()};
}

void add_to(checksum& sum, std::string_view bytes) {
    if (bytes.empty()) return; // zlib begins anew where there is no buffer
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
    auto const* const at = reinterpret_cast<Bytef const*>(bytes.data());
    sum = static_cast<checksum>(::crc32_z(sum, at, bytes.size()));
}

struct header {
    loaded what;
    std::size_t v4 = 0, v6 = 0;
    std::string sources;
    std::size_t length = 0; // with its end of line
};

std::optional<header> read_header(std::string_view start) {
    auto const end = start.find('\n');
    if (end == std::string_view::npos || !start.starts_with(head)) return std::nullopt;
    auto const words = text::split(start.substr(head.size(), end - head.size()), ' '); // the first is empty
    if (words.size() != 7 || !words[0].empty()) return std::nullopt;
    auto const number = [](std::string_view text, auto& into) {
        auto const got = std::from_chars(text.data(), text.data() + text.size(), into);
        return got.ec == std::errc{} && got.ptr == text.data() + text.size();
    };
    header made;
    for (auto const& [value, name] : contract::names_of<contract::filter_policy>)
        if (name == words[1]) made.what.mode = value;
    if (contract::name_of(made.what.mode) != words[1] || !number(words[2], made.what.rules) ||
        !number(words[3], made.what.bad_count) || !number(words[4], made.v4) || !number(words[5], made.v6))
        return std::nullopt;
    if (made.v4 > most_ranges || made.v6 > most_ranges) return std::nullopt;
    made.sources = words[6];
    made.length = end + 1;
    return made;
}

class reading {
public:
    reading(int fd, progress& told) : fd_{fd}, told_{told} {}
    template <class T> bool take(std::span<T> into) {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): numbers without padding
        auto* at = reinterpret_cast<char*>(into.data());
        for (auto left = into.size_bytes(); left > 0;) {
            auto const n = ::read(fd_, at, std::min(left, at_once));
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0 || told_.stop) return false;
            add_to(sum, {at, static_cast<std::size_t>(n)});
            at += n;
            left -= static_cast<std::size_t>(n);
            told_.done += n;
        }
        return true;
    }
    checksum sum = 0;

private:
    static constexpr std::size_t at_once = std::size_t{1} << 20;
    int fd_;
    progress& told_;
};

// With `sources`: only if it was made from these.
std::optional<loaded> read_kept(
    contract::settings const& how, progress& told, std::optional<std::string> const& sources) {
    descriptor const file{
        ::open(path_of(how).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)};
    struct stat facts {};
    if (file.get() < 0 || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
    std::array<char, 512> start{};
    auto const n = ::pread(file.get(), start.data(), start.size(), 0);
    if (n <= 0) return std::nullopt;
    auto made = read_header({start.data(), static_cast<std::size_t>(n)});
    if (!made || (sources && *sources != made->sources)) return std::nullopt;
    auto const whole =
        made->length + made->v4 * sizeof(v4_range) + made->v6 * sizeof(v6_range) + sizeof(checksum);
    if (static_cast<std::size_t>(facts.st_size) != whole) return std::nullopt;

    told.total += facts.st_size;
    reading from{file.get(), told};
    std::vector<v4_range> v4(made->v4);
    std::vector<v6_range> v6(made->v6);
    if (!from.take(std::span<char>{start}.first(made->length)) || !from.take(std::span{v4}) ||
        !from.take(std::span{v6}))
        return std::nullopt;
    auto const sum = from.sum;
    std::array<checksum, 1> kept{};
    if (!from.take(std::span<checksum>{kept}) || kept[0] != sum) return std::nullopt;
    auto ranges = ip_range_set::of_sorted(std::move(v4), std::move(v6));
    if (!ranges) return std::nullopt;
    made->what.ranges = std::make_shared<ip_range_set const>(std::move(*ranges));
    made->what.at = static_cast<unix_seconds>(facts.st_mtime);
    return std::move(made->what);
}

} // namespace

bool keep_last_good(contract::settings const& how, loaded const& what) {
    auto file = new_file::open(path_of(how));
    if (!file) return false;
    auto const start = fmt::format(
        "{} {} {} {} {} {} {}\n", head, contract::name_of(what.mode), what.rules, what.bad_count,
        what.ranges->count_v4(), what.ranges->count_v6(), what.made_from.empty() ? not_told : what.made_from);
    checksum sum = 0;
    for (auto const part :
         {std::string_view{start}, bytes_of(what.ranges->v4()), bytes_of(what.ranges->v6())}) {
        add_to(sum, part);
        if (!file->write(part)) return false;
    }
    return file->write(bytes_of(std::span<checksum const>{&sum, 1})) && file->keep();
}

std::optional<loaded> last_good(contract::settings const& how, progress& told) {
    return read_kept(how, told, std::nullopt);
}

std::optional<loaded> still_good(contract::settings const& how, progress& told, unix_seconds now) {
    auto sources = sources_of(how, now);
    if (sources.empty()) return std::nullopt;
    auto made = read_kept(how, told, sources);
    if (made) {
        made->made_from = std::move(sources);
        made->checked_at = checked_at(how);
    }
    return made;
}

} // namespace ccbt::filter
