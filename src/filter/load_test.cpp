#include "filter/load.hpp"

#include "filter/cache.hpp"
#include "filter/fetch.hpp"
#include "filter/last_good.hpp"
#include "filter/packed_test.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/stat.h>

namespace ccbt::filter {

namespace {

using namespace testing; // ours
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct filter_load : ::testing::Test {
    folder at;
    progress told;
    contract::settings how;

    filter_load() {
        how.security.ip_filter.enable_ip_filter = true;
        how.security.ip_filter.filter_cache_dir = at / "cache";
        how.daemon.state_dir = at / ".";
    }
    std::vector<std::string>& files = how.security.ip_filter.filter_files;
    std::vector<std::string>& urls = how.security.ip_filter.filter_urls;
    // The copy of a URL's list, as a fetch leaves it.
    void cached(std::string const& url, std::string_view bytes, url_cache::copy const& as = {}) {
        url_cache const cache{at / "cache"};
        auto file = cache.begin(url);
        ASSERT_TRUE(file && file->write(bytes) && cache.keep(url, *file, as));
    }
    auto load_now(ask_network asking = ask_network::no) { return load(how, asking, told); }
};

std::vector<std::string> texts(ip_range_set const& of) {
    std::vector<std::string> out;
    for (auto const& range : of.ranges()) out.push_back(range.text());
    return out;
}

unsigned mode_of(std::string const& path) {
    struct stat is {};
    return ::lstat(path.c_str(), &is) == 0 ? is.st_mode & 07777U : 0U;
}

TEST_F(filter_load, files_are_merged_to_one_set_and_their_rules_added_up) {
    files = {
        at.write("a", "10.0.0.0/9\n10.128.0.0/9\nnonsense\n2001:db8::/32\n"),
        at.write("b.gz", gz("nonsense\n10.1.0.0-11.0.0.0\n"))};
    auto const got = load_now();
    ASSERT_TRUE(got) << got.error().why;
    EXPECT_THAT(texts(*got->ranges), ElementsAre("10.0.0.0-11.0.0.0", "2001:db8::/32"));
    EXPECT_EQ(got->rules, 4);
    EXPECT_EQ(got->bad_count, 2);
    EXPECT_THAT(got->bad, ElementsAre(bad_line{files[0], 3}, bad_line{files[1], 1}));
    EXPECT_GT(got->at, 1.6e9);
    EXPECT_EQ(told.done, told.total);
}

TEST_F(filter_load, of_many_files_the_first_20_malformed_lines_are_told) {
    std::string text = "1.2.3.4\n";
    for (int i = 0; i < 15; ++i) text += "nonsense\n";
    files = {at.write("a", text), at.write("b", text)};
    auto const got = load_now();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->bad_count, 30);
    ASSERT_EQ(got->bad.size(), 20U);
    EXPECT_EQ(got->bad[15], (bad_line{files[1], 2}));
}

TEST_F(filter_load, a_missing_file_and_one_without_a_rule_are_named) {
    files = {at.write("a", "1.2.3.4\n"), at / "none"};
    auto missing = load_now();
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().is, trouble::missing);
    EXPECT_EQ(missing.error().file, files[1]);
    files[1] = at.write("b", "# nothing\nnonsense\n");
    auto empty = load_now();
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.error().is, trouble::unusable);
    EXPECT_EQ(empty.error().file, files[1]);
    EXPECT_EQ(empty.error().why, "has no valid rule");
}

TEST_F(filter_load, nothing_configured_is_an_empty_filter) {
    auto const got = load_now();
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->ranges->empty());
    EXPECT_EQ(got->rules, 0);
}

TEST_F(filter_load, a_url_gives_its_copy_and_without_one_it_is_missing) {
    urls = {"https://user:secret@lists.invalid/one.gz?key=secret"};
    auto const missing = load_now();
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().is, trouble::missing);
    EXPECT_EQ(missing.error().file, "https://lists.invalid/one.gz");
    cached(urls[0], gz("name:1.2.3.4-1.2.3.5\nnonsense\n"), {.checked_at = 1234});
    auto const got = load_now();
    ASSERT_TRUE(got);
    EXPECT_THAT(texts(*got->ranges), ElementsAre("1.2.3.4/31"));
    EXPECT_THAT(got->bad, ElementsAre(bad_line{"https://lists.invalid/one.gz", 2}));
    EXPECT_EQ(got->checked_at, 1234);
    EXPECT_THAT(got->degraded, ElementsAre()) << "nobody was asked";
}

TEST_F(filter_load, a_server_that_cannot_be_reached_leaves_the_copy_and_says_so) {
    urls = {"http://127.0.0.1:1/list"};
    auto const missing = load_now(ask_network::yes);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().is, trouble::missing);
    EXPECT_THAT(missing.error().why, HasSubstr("no copy of it is here"));
    cached(urls[0], "1.2.3.4\n");
    auto const got = load_now(ask_network::yes);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->rules, 1);
    ASSERT_EQ(got->degraded.size(), 1U);
    EXPECT_THAT(got->degraded[0], HasSubstr("http://127.0.0.1:1/list: "));
}

TEST_F(filter_load, no_file_but_one_over_http_is_fetched) {
    urls = {"file://" + at.write("secret", "1.2.3.4\n")};
    auto const got = load_now(ask_network::yes);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().is, trouble::missing);
}

TEST_F(filter_load, the_last_good_one_comes_back_as_it_was) {
    EXPECT_FALSE(last_good(how, told));
    how.security.ip_filter.filter_mode = contract::filter_policy::allow;
    files = {at.write("a", "10.0.0.0/8\n1.2.3.4-1.2.3.9\n2001:db8::1-2001:db8::9\n1.2.3.4\n")};
    auto const got = load_now();
    ASSERT_TRUE(got);
    ASSERT_TRUE(keep_last_good(how, *got));
    EXPECT_EQ(mode_of(at / "ip_filter.last"), 0600U);
    how.security.ip_filter.filter_mode = contract::filter_policy::block;
    auto const last = last_good(how, told);
    ASSERT_TRUE(last);
    EXPECT_EQ(*last->ranges, *got->ranges);
    EXPECT_EQ(last->rules, 4);
    EXPECT_EQ(last->mode, contract::filter_policy::allow) << "as it was made for";
    EXPECT_NEAR(last->at, got->at, 5);
}

std::string bytes_at(std::string const& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

TEST_F(filter_load, a_last_good_one_that_is_cut_or_flipped_anywhere_or_of_another_version_is_none) {
    files = {at.write("a", "10.0.0.0/8\n1.2.3.4-1.2.3.9\n2001:db8::1-2001:db8::9\n")};
    ASSERT_TRUE(keep_last_good(how, *load_now()));
    auto const whole = bytes_at(at / "ip_filter.last");
    ASSERT_TRUE(last_good(how, told));
    for (std::size_t i = 0; i < whole.size(); ++i) {
        at.write("ip_filter.last", whole.substr(0, i));
        EXPECT_FALSE(last_good(how, told)) << "cut at " << i;
        for (int bit = 0; bit < 8; ++bit) {
            auto flipped = whole;
            flipped[i] = static_cast<char>(flipped[i] ^ 1 << bit);
            at.write("ip_filter.last", flipped);
            EXPECT_FALSE(last_good(how, told)) << "bit " << bit << " of byte " << i;
        }
    }
    for (auto const& other : {whole + '\0', std::string{"# ccbt ip filter 1 block 1 1\n10.0.0.0/8\n"}}) {
        at.write("ip_filter.last", other);
        EXPECT_FALSE(last_good(how, told)) << other;
    }
}

// A filter that was loaded and kept a while after its files were written. By the clock, `later` is after all of the test.
struct kept_filter : filter_load {
    std::string const a = at.write("a", "10.0.0.0/8\nnonsense\n");
    unix_seconds const later = unix_now() + 60;

    kept_filter() {
        files = {a};
        urls = {"http://a.invalid/"};
        cached(urls[0], "1.2.3.4\n", {.checked_at = 5});
        keep();
    }
    void keep() {
        auto got = load_now();
        ASSERT_TRUE(got);
        got->made_from = sources_of(how, later);
        ASSERT_TRUE(keep_last_good(how, *got));
        ASSERT_TRUE(still_good(how, told, later));
    }
};

TEST_F(kept_filter, is_still_good_as_it_was_while_nothing_of_it_changes) {
    auto const same = still_good(how, told, later);
    ASSERT_TRUE(same);
    EXPECT_THAT(texts(*same->ranges), ElementsAre("1.2.3.4", "10.0.0.0/8"));
    EXPECT_EQ(same->rules, 2);
    EXPECT_EQ(same->bad_count, 1);
    EXPECT_EQ(same->checked_at, 5);
    ASSERT_TRUE(keep_last_good(how, *same)) << "and may be kept again";
    EXPECT_TRUE(still_good(how, told, later));
}

TEST_F(kept_filter, is_not_when_a_file_changed_though_size_and_time_are_the_same) {
    struct stat before {};
    ASSERT_EQ(::stat(a.c_str(), &before), 0);
    at.write("a", "11.0.0.0/8\nnonsense\n");
    std::array const times{before.st_atim, before.st_mtim};
    // The clock of the file system has moved on by then: else nothing could tell the two.
    struct stat after {};
    do {
        ASSERT_EQ(::utimensat(AT_FDCWD, a.c_str(), times.data(), 0), 0);
        ASSERT_EQ(::stat(a.c_str(), &after), 0);
    } while (after.st_ctim.tv_sec == before.st_ctim.tv_sec &&
             after.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
    ASSERT_EQ(after.st_size, before.st_size);
    ASSERT_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    EXPECT_FALSE(still_good(how, told, later));
    EXPECT_TRUE(last_good(how, told)) << "where nothing better can be had";
    keep();
}

TEST_F(kept_filter, is_not_when_it_is_to_be_made_of_other_files_or_otherwise) {
    auto const with = [this](auto change) {
        auto other = how;
        change(other);
        return still_good(other, told, later).has_value();
    };
    EXPECT_TRUE(with([](contract::settings&) {}));
    auto const b = at.write("b", "10.0.0.0/8\nnonsense\n");
    EXPECT_FALSE(with([&](contract::settings& s) { s.security.ip_filter.filter_files = {b}; }));
    EXPECT_FALSE(with([&](contract::settings& s) { s.security.ip_filter.filter_files.push_back(b); }));
    EXPECT_FALSE(with([](contract::settings& s) { s.security.ip_filter.filter_files.clear(); }));
    EXPECT_FALSE(with([](contract::settings& s) { s.security.ip_filter.filter_urls.clear(); }));
    EXPECT_FALSE(
        with([](contract::settings& s) { s.security.ip_filter.filter_urls = {"http://b.invalid/"}; }));
    EXPECT_FALSE(with(
        [](contract::settings& s) { s.security.ip_filter.filter_mode = contract::filter_policy::allow; }));
    EXPECT_FALSE(with([](contract::settings& s) { s.limits.filter_line_bytes = 5; }));
}

TEST_F(kept_filter, is_not_when_a_file_is_gone_or_a_copy_is_new) {
    cached(urls[0], "1.2.3.5\n", {.checked_at = 6});
    EXPECT_FALSE(still_good(how, told, later));
    keep();
    std::filesystem::remove(a);
    EXPECT_FALSE(still_good(how, told, later));
}

TEST_F(kept_filter, of_files_so_young_that_another_change_would_not_show_is_not_told_what_it_is_made_from) {
    auto const at_of = [](std::string const& path) {
        struct stat is {};
        EXPECT_EQ(::stat(path.c_str(), &is), 0);
        return static_cast<double>(is.st_ctim.tv_sec) + static_cast<double>(is.st_ctim.tv_nsec) / 1e9;
    };
    auto const newest = std::max(at_of(a), at_of(url_cache{at / "cache"}.path_of(urls[0])));
    EXPECT_EQ(sources_of(how, newest + 0.05), "");
    EXPECT_EQ(sources_of(how, newest + 0.2), sources_of(how, later));
    EXPECT_FALSE(still_good(how, told, newest + 0.05));
    auto got = load_now();
    ASSERT_TRUE(got);
    got->made_from.clear();
    ASSERT_TRUE(keep_last_good(how, *got));
    EXPECT_FALSE(still_good(how, told, later)) << "what it was made from was not told";
}

TEST_F(filter_load, the_cache_keeps_what_the_server_called_a_copy_for_the_user_alone) {
    cached(
        "http://a.invalid/", "1.2.3.4\n",
        {.etag = "\"one\"", .modified = "Sun, 22 Nov 2026", .checked_at = 5});
    url_cache const cache{at / "cache"};
    auto const found = cache.find("http://a.invalid/");
    EXPECT_TRUE(found.is_there);
    EXPECT_EQ(found.etag, "\"one\"");
    EXPECT_EQ(found.modified, "Sun, 22 Nov 2026");
    EXPECT_EQ(found.checked_at, 5);
    EXPECT_FALSE(cache.find("http://b.invalid/").is_there);
    EXPECT_EQ(mode_of(at / "cache"), 0700U);
    int count = 0;
    for (auto const& entry : std::filesystem::directory_iterator{at / "cache"}) {
        EXPECT_EQ(mode_of(entry.path().string()), 0600U);
        ++count;
    }
    EXPECT_EQ(count, 2) << "the list and its note, nothing half written";
}

TEST_F(filter_load, a_file_being_written_by_another_is_left_to_it) {
    auto first = new_file::open(at / "x");
    ASSERT_TRUE(first);
    EXPECT_FALSE(new_file::open(at / "x"));
    ASSERT_TRUE(first->write("whole") && first->keep());
    auto second = new_file::open(at / "x");
    ASSERT_TRUE(second);
    EXPECT_EQ(read_small_file(at / "x"), "whole");
    second.reset();
    EXPECT_EQ(read_small_file(at / "x"), "whole") << "what was not kept is gone";
    EXPECT_FALSE(std::filesystem::exists(at / "x.part"));
}

TEST(filter_fetch, a_url_is_shown_without_what_may_be_secret) {
    EXPECT_EQ(
        shown_url("https://user:pass@host.invalid:81/a/b.gz?key=1#x"), "https://host.invalid:81/a/b.gz");
    EXPECT_EQ(shown_url("http://a@b@host/"), "http://host/");
    EXPECT_EQ(shown_url("http://host?user@x"), "http://host");
    EXPECT_EQ(shown_url("user:pass@host/list"), "host/list");
    EXPECT_EQ(shown_url("http://host/a@b"), "http://host/a@b");
    EXPECT_EQ(shown_url(""), "");
}

} // namespace

} // namespace ccbt::filter
