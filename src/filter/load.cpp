#include "filter/load.hpp"

#include "base/crypto.hpp"
#include "base/text.hpp"
#include "filter/cache.hpp"
#include "filter/fetch.hpp"

#include <algorithm>
#include <cerrno>
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

constexpr double young = 0.1; // seconds: several ticks of the clock that a file's times are taken from

double seconds(timespec const& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

class loading {
public:
    loading(contract::settings const& how, progress& told)
        : all_{how},
          how_{how.security.ip_filter},
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
        made_.made_from = sources_of(all_, unix_now());
        for (auto const& one : sources) told_.total += size_of(one.path);
        for (auto const& one : sources) {
            auto got = read(one);
            if (!got) return unexpected<failure>{std::move(got.error())};
            take(std::move(*got));
        }
        made_.checked_at = checked_at(all_);
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
        ranges_.append(std::move(got.ranges));
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

    contract::settings const& all_;
    contract::ip_filter_settings const& how_;
    contract::proxy_settings const& proxy_;
    bounds const bounds_;
    url_cache cache_;
    progress& told_;
    loaded made_;
    ip_range_list ranges_;
    std::map<std::string, std::string> why_not_; // by what it is called
};

} // namespace

expected<loaded, failure> load(contract::settings const& how, ask_network asking, progress& told) {
    return loading{how, told}.run(asking);
}

std::string sources_of(contract::settings const& how, unix_seconds now) {
    auto const& f = how.security.ip_filter;
    auto const within = bounds_of(how.limits);
    auto all = fmt::format(
        "{}\n{} {} {} {}\n", contract::name_of(f.filter_mode), within.file, within.text, within.ratio,
        within.line);
    bool is_told = true;
    auto const add = [&](std::string const& path) {
        struct stat is {};
        is_told = is_told && ::stat(path.c_str(), &is) == 0 && seconds(is.st_ctim) + young < now;
        all += fmt::format(
            "{} {} {} {} {} {}.{} {}.{}\n", path.size(), path, is.st_dev, is.st_ino, is.st_size,
            is.st_mtim.tv_sec, is.st_mtim.tv_nsec, is.st_ctim.tv_sec, is.st_ctim.tv_nsec);
    };
    for (auto const& file : f.filter_files) add(file);
    url_cache const cache{f.filter_cache_dir};
    for (auto const& url : f.filter_urls) add(cache.path_of(url));
    return is_told ? text::to_hex(crypto::sha256(all)) : std::string{};
}

double checked_at(contract::settings const& how) {
    auto const& f = how.security.ip_filter;
    url_cache const cache{f.filter_cache_dir};
    double oldest = 0;
    for (auto const& url : f.filter_urls) {
        auto const checked = cache.find(url).checked_at;
        oldest = oldest == 0 ? checked : std::min(oldest, checked);
        if (checked == 0) break;
    }
    return oldest;
}

} // namespace ccbt::filter
