#include "tracker/scrape.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <charconv>

namespace ccbt::tracker {

namespace {

constexpr int deepest = 16;
constexpr std::size_t longest_reason = 300;

// Just enough of bencoding (BEP 3) to walk through an answer; every step fails on what is malformed.
class reader {
public:
    explicit reader(std::string_view text) : rest_{text} {}

    [[nodiscard]] bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    [[nodiscard]] std::optional<std::string_view> string() {
        std::size_t size = 0;
        auto const [end, failed] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
        if (failed != std::errc{}) return std::nullopt;
        auto const digits = static_cast<std::size_t>(end - rest_.data());
        if (digits >= rest_.size() || rest_[digits] != ':' || size > rest_.size() - digits - 1)
            return std::nullopt;
        auto const out = rest_.substr(digits + 1, size);
        rest_.remove_prefix(digits + 1 + size);
        return out;
    }
    [[nodiscard]] std::optional<std::int64_t> integer() {
        std::int64_t out = 0;
        if (!take('i')) return std::nullopt;
        auto const [end, failed] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
        if (failed != std::errc{}) return std::nullopt;
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        return take('e') ? std::optional{out} : std::nullopt;
    }
    [[nodiscard]] bool skip(int depth = 0) {
        if (depth > deepest || rest_.empty()) return false;
        if (rest_.front() == 'i') return integer().has_value();
        if (rest_.front() != 'd' && rest_.front() != 'l') return string().has_value();
        bool const is_dictionary = rest_.front() == 'd';
        rest_.remove_prefix(1);
        while (!take('e'))
            if ((is_dictionary && !string()) || !skip(depth + 1)) return false;
        return true;
    }
    /// `on(key)` reads the value, and says whether it could. False where this is no dictionary.
    template <class F> [[nodiscard]] bool members(F on) {
        if (!take('d')) return false;
        while (!take('e')) {
            auto const key = string();
            if (!key || !on(*key)) return false;
        }
        return true;
    }

private:
    std::string_view rest_;
};

std::string tidy(std::string_view from) {
    auto out = text::to_valid_utf8(from.substr(0, longest_reason));
    std::replace_if(
        out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return out;
}

} // namespace

std::optional<std::string> scrape_url(std::string_view announce_url, swarm_hash const& of) {
    constexpr std::string_view announce = "/announce";
    auto const query = std::min(announce_url.find_first_of("?#"), announce_url.size());
    auto const host = announce_url.find("://");
    auto const at = announce_url.substr(0, query).rfind(announce);
    if (host == std::string_view::npos || at == std::string_view::npos || at < host + 3) return std::nullopt;
    if (announce_url.substr(0, host).find_first_of("/:\\") != std::string_view::npos) return std::nullopt;
    // Dots that are resolved on the way would lead to any page of that host.
    auto const path = text::lower(announce_url.substr(host + 3, query - host - 3));
    for (std::string_view const leads_away : {"/.", "/%2e", "\\", "%5c", "%2f"})
        if (path.find(leads_away) != std::string::npos) return std::nullopt;
    std::string out{announce_url.substr(0, at)};
    out += "/scrape";
    out += announce_url.substr(at + announce.size(), query - at - announce.size());
    auto const asked = announce_url.substr(query);
    auto const own = asked.substr(0, asked.find('#'));
    out += own.size() > 1 ? std::string{own} + '&' : std::string{"?"};
    return out + "info_hash=" + text::percent_encode({reinterpret_cast<char const*>(of.data()), of.size()});
}

answer read_scrape(std::string_view body, swarm_hash const& of) {
    std::string_view const wanted{reinterpret_cast<char const*>(of.data()), of.size()};
    answer out;
    reader in{body};
    auto const number_into = [&](std::int64_t& into) {
        auto const n = in.integer();
        if (n) into = std::max<std::int64_t>(0, *n);
        return n.has_value();
    };
    bool const whole = in.members([&](std::string_view key) {
        if (key == "failure reason") {
            auto const why = in.string();
            if (why) out.failed = tidy(*why);
            return why.has_value();
        }
        if (key != "files") return in.skip();
        return in.members([&](std::string_view hash) {
            if (hash != wanted) return in.skip();
            auto& found = out.found.emplace();
            return in.members([&](std::string_view field) {
                if (field == "complete") return number_into(found.seeders);
                if (field == "incomplete") return number_into(found.leechers);
                if (field == "downloaded") return number_into(found.completed);
                return in.skip();
            });
        });
    });
    if (!out.failed.empty() || !whole) out.found.reset();
    if (!out.found && out.failed.empty())
        out.failed = whole ? "it does not know this torrent" : "its answer is not a scrape's";
    return out;
}

answer scrape(
    std::string const& announce_url, swarm_hash const& of, way const& by, deadline until,
    std::atomic<bool> const& stop) {
    auto const scheme = text::lower(announce_url.substr(0, announce_url.find(':')));
    if (scheme == "udp") return scrape_udp(announce_url, of, by, until, stop);
    if (scheme != "http" && scheme != "https") return {{}, "trackers of this kind cannot be asked"};
    auto const url = scrape_url(announce_url, of);
    if (!url) return {{}, "it has no place to ask at: no \"/announce\" is in its URL (BEP 48)"};
    return scrape_http(*url, of, by, until, stop);
}

} // namespace ccbt::tracker
