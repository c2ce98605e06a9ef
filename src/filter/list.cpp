#include "filter/list.hpp"

#include "base/beneath.hpp"
#include "base/safeguard.hpp"
#include "filter/expand.hpp"
#include "filter/line.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace ccbt::filter {

namespace {

constexpr std::size_t read_at_once = std::size_t{256} << 10;
constexpr std::int64_t much_text = std::int64_t{16} << 20; // less is harmless, however small it was
constexpr std::string_view utf8_mark = "\xef\xbb\xbf";

// Text in pieces of any size, cut into lines.
class line_reader {
public:
    line_reader(list& into, std::string const& file, bounds const& within)
        : into_{into}, file_{file}, most_{within.rules}, longest_{within.line} {}

    bool take(std::string_view text) {
        for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
            if (carried_.empty()) {
                judge(text.substr(0, end));
            } else {
                carry(text.substr(0, end));
                judge(carried_);
                carried_.clear();
            }
            text.remove_prefix(end + 1);
            if (is_over()) return false;
        }
        carry(text);
        return true;
    }
    void end() {
        if (!carried_.empty()) judge(carried_);
    }
    [[nodiscard]] bool is_over() const { return into_.rules > most_; }

private:
    void carry(std::string_view part) { // one byte too many says that it is too long
        auto const room = longest_line + 1 - std::min(carried_.size(), longest_line + 1);
        carried_.append(part.substr(0, room));
    }
    void judge(std::string_view text) {
        if (++number_ == 1 && text.starts_with(utf8_mark)) text.remove_prefix(utf8_mark.size());
        auto const says = text.size() > longest_ ? line{meaning::malformed, {}} : read_line(text);
        switch (says.means) {
        case meaning::nothing: return;
        case meaning::rule: into_.ranges.push_back(says.range); [[fallthrough]];
        case meaning::idle: ++into_.rules; return;
        case meaning::malformed:
            if (into_.bad.size() < bad_lines_told) into_.bad.push_back({file_, number_});
            ++into_.bad_count;
        }
    }

    list& into_;
    std::string const& file_;
    std::int64_t const most_;
    std::size_t const longest_;
    std::string carried_;
    std::int64_t number_ = 0;
};

} // namespace

bounds bounds_of(contract::limit_settings const& s) {
    return {
        .file = s.filter_file_bytes,
        .text = s.filter_unpacked_bytes,
        .ratio = s.filter_ratio,
        .line = static_cast<std::size_t>(s.filter_line_bytes)};
}

expected<list, failure> read_list(
    std::string const& path, std::string const& called, bounds const& within, progress& told) {
    auto const fails = [&](std::string why, trouble is = trouble::unusable) {
        return unexpected<failure>{failure{is, called, std::move(why)}};
    };
    // NONBLOCK: opening a FIFO would wait for its writer.
    descriptor const file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (file.get() < 0) {
        bool const missing = errno == ENOENT || errno == ENOTDIR;
        return fails(
            missing ? "is not there" : fmt::format("cannot be opened: {}", std::strerror(errno)),
            missing ? trouble::missing : trouble::unusable);
    }
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return fails("is not a regular file");
    if (facts.st_size > within.file) return fails(fmt::format("has over {} MiB", within.file >> 20));

    list made;
    line_reader lines{made, called, within};
    std::unique_ptr<expander> packed;
    std::int64_t read = 0, text = 0;
    auto const is_bomb = [&] {
        return text > much_text && text / within.ratio > read && in_force(safeguard::filter_ratio_cap);
    };
    auto const take = [&](std::string_view some) {
        text += static_cast<std::int64_t>(some.size());
        return text <= within.text && !is_bomb() && !told.stop && lines.take(some);
    };
    std::vector<char> buffer(read_at_once);
    for (;;) {
        auto const n = ::read(file.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fails(fmt::format("cannot be read: {}", std::strerror(errno)));
        if (n == 0) break;
        std::string_view const some{buffer.data(), static_cast<std::size_t>(n)};
        if (read == 0) packed = expander_for(some);
        read += n;
        told.done += n;
        if (read > within.file) return fails("grows while it is read");
        if (packed ? packed->feed(some, take) : take(some)) continue;
        if (told.stop) return fails("was not read to its end", trouble::stopped);
        if (text > within.text) return fails(fmt::format("holds over {} MiB of text", within.text >> 20));
        if (is_bomb()) return fails(fmt::format("expands to more than {} times its size", within.ratio));
        if (lines.is_over()) return fails(fmt::format("has over {} rules", within.rules));
        return fails("is damaged: its compressed data cannot be read");
    }
    if (packed && !packed->is_whole()) return fails("is cut: its compressed data ends too soon");
    lines.end();
    if (lines.is_over()) return fails(fmt::format("has over {} rules", within.rules));
    return made;
}

} // namespace ccbt::filter
