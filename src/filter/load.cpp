#include "filter/load.hpp"

#include "base/clock.hpp"
#include "base/text.hpp"
#include "filter/cache.hpp"
#include "filter/fetch.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fmt/format.h>
#include <iterator>
#include <map>
#include <sys/stat.h>

namespace ccbt::filter {

namespace {

struct source {
    std::string path;   // of the bytes
    std::string called; // to people
};

std::int64_t size_of(std::string const& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 ? facts.st_size : 0;
}

class loading {
public:
    loading(contract::settings const& how, progress& told)
        : how_{how.security.ip_filter},
          proxy_{how.proxy},
          bounds_{bounds_of(how.limits)},
          cache_{how_.filter_cache_dir},
          told_{told} {}

    expected<loaded, failure> run(ask_network asking) {
        made_.mode = how_.filter_mode;
        for (auto const& file : how_.filter_files)
            if (struct stat facts{};
                ::stat(file.c_str(), &facts) != 0 && (errno == ENOENT || errno == ENOTDIR))
                return unexpected<failure>{failure{trouble::missing, file, "is not there"}};
        std::vector<source> sources;
        for (auto const& file : how_.filter_files) sources.push_back({file, file});
        for (auto const& url : how_.filter_urls) sources.push_back({cache_.path_of(url), shown_url(url)});
        if (asking == ask_network::yes) renew();
        if (told_.stop) return unexpected<failure>{failure{trouble::stopped, {}, "it was cut short"}};
        for (auto const& one : sources) told_.total += size_of(one.path);
        for (auto const& one : sources) {
            auto got = read(one);
            if (!got) return unexpected<failure>{std::move(got.error())};
            take(std::move(*got));
        }
        for (auto const& url : how_.filter_urls) {
            auto const checked = cache_.find(url).checked_at;
            made_.checked_at = made_.checked_at == 0 ? checked : std::min(made_.checked_at, checked);
            if (checked == 0) break;
        }
        made_.ranges = std::make_shared<ip_range_set const>(std::move(ranges_));
        made_.at = unix_now();
        return std::move(made_);
    }

private:
    // A list without a rule is no list: an error page, or a file of something else.
    expected<list, failure> read(source const& from) {
        auto got = read_list(from.path, from.called, bounds_, told_);
        if (got && got->rules == 0)
            return unexpected<failure>{failure{trouble::unusable, from.called, "has no valid rule"}};
        if (got && made_.rules + got->rules > bounds{}.rules)
            return unexpected<failure>{failure{
                trouble::unusable, from.called,
                fmt::format("is one too many: over {} rules", bounds{}.rules)}};
        if (!got && got.error().is == trouble::missing)
            if (auto const why = why_not_.find(from.called); why != why_not_.end())
                got.error().why = "cannot be fetched, and no copy of it is here: " + why->second;
        return got;
    }

    void take(list got) {
        if (ranges_.empty())
            ranges_ = std::move(got.ranges);
        else
            ranges_.insert(ranges_.end(), got.ranges.begin(), got.ranges.end());
        made_.rules += got.rules;
        made_.bad_count += got.bad_count;
        auto const room = bad_lines_told - made_.bad.size();
        std::move(
            got.bad.begin(), got.bad.begin() + static_cast<std::ptrdiff_t>(std::min(room, got.bad.size())),
            std::back_inserter(made_.bad));
    }

    void renew() {
        std::vector<wanted> all;
        std::vector<new_file> files;
        files.reserve(how_.filter_urls.size()); // they are pointed to
        auto const& urls = how_.filter_urls;
        for (auto at = urls.begin(); at != urls.end(); ++at) {
            auto const& url = *at;
            if (std::find(urls.begin(), at, url) != at) continue; // named twice
            auto file = cache_.begin(url);
            if (!file) {
                failed(url, "the cache cannot be written");
                continue;
            }
            files.push_back(std::move(*file));
            auto const here = cache_.find(url);
            all.push_back({url, here.etag, here.modified, &files.back()});
        }
        auto const answers = fetch(all, proxy_, {}, told_.stop);
        for (std::size_t i = 0; i < all.size(); ++i) keep(all[i], answers[i]);
    }

    void keep(wanted const& what, fetched const& answer) {
        if (answer.is == fetch_outcome::failed) return failed(what.url, answer.why);
        url_cache::copy const as{true, answer.etag, answer.modified, unix_now()};
        if (answer.is == fetch_outcome::unchanged) {
            auto same = cache_.find(what.url);
            same.checked_at = as.checked_at;
            if (!cache_.note(what.url, same)) failed(what.url, "the cache cannot be written");
            return;
        }
        // What takes a good copy's place has been read first.
        progress aside;
        auto const read = read_list(what.into->being_written(), "it", bounds_, aside);
        if (!read || read->rules == 0)
            failed(what.url, read ? "it has no valid rule" : "it " + read.error().why);
        else if (!cache_.keep(what.url, *what.into, as))
            failed(what.url, "the cache cannot be written");
    }

    void failed(std::string const& url, std::string const& why) {
        auto const called = shown_url(url);
        why_not_[called] = why;
        if (cache_.find(url).is_there)
            made_.degraded.push_back(fmt::format("{}: {}; the last good copy is used", called, why));
    }

    contract::ip_filter_settings const& how_;
    contract::proxy_settings const& proxy_;
    bounds const bounds_;
    url_cache cache_;
    progress& told_;
    loaded made_;
    std::vector<ip_range> ranges_;
    std::map<std::string, std::string> why_not_; // by what it is called
};

std::string last_good_path(contract::settings const& how) { return how.daemon.state_dir + "/ip_filter.last"; }

constexpr std::string_view last_good_head = "# ccbt ip filter 1";

} // namespace

expected<loaded, failure> load(contract::settings const& how, ask_network asking, progress& told) {
    return loading{how, told}.run(asking);
}

bool keep_last_good(contract::settings const& how, loaded const& what) {
    auto file = new_file::open(last_good_path(how));
    if (!file) return false;
    // "# ccbt ip filter 1 MODE RULES RANGES": the count tells a file that is not whole.
    auto text = fmt::format(
        "{} {} {} {}\n", last_good_head, contract::name_of(what.mode), what.rules,
        what.ranges->ranges().size());
    for (auto const& range : what.ranges->ranges()) {
        text += range.text();
        text += '\n';
        if (text.size() < std::size_t{1} << 20) continue;
        if (!file->write(text)) return false;
        text.clear();
    }
    return file->write(text) && file->keep();
}

std::optional<loaded> last_good(contract::settings const& how, progress& told) {
    auto const path = last_good_path(how);
    auto const start = read_small_file(path);
    if (!start || !start->starts_with(last_good_head)) return std::nullopt;
    auto const words = text::split(std::string_view{*start}.substr(0, start->find('\n')), ' ');
    if (words.size() != 8) return std::nullopt;
    loaded made;
    std::size_t count = 0;
    auto const number = [](std::string_view text, auto& into) {
        return std::from_chars(text.data(), text.data() + text.size(), into).ec == std::errc{};
    };
    for (auto const& [value, name] : contract::names_of<contract::filter_policy>)
        if (name == words[5]) made.mode = value;
    if (contract::name_of(made.mode) != words[5] || !number(words[6], made.rules) || !number(words[7], count))
        return std::nullopt;
    auto got = read_list(
        path, "the last good filter", {.file = std::int64_t{1} << 30, .text = std::int64_t{1} << 30}, told);
    if (!got || got->bad_count != 0) return std::nullopt;
    made.ranges = std::make_shared<ip_range_set const>(std::move(got->ranges));
    if (made.ranges->ranges().size() != count) return std::nullopt;
    struct stat facts {};
    if (::stat(path.c_str(), &facts) == 0) made.at = static_cast<double>(facts.st_mtime);
    return made;
}

} // namespace ccbt::filter
