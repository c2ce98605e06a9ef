#include "backup/state_file.hpp"

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::backup {

namespace {

using testing::HasSubstr;
using testing::StartsWith;

kept_torrent some_torrent(int n) {
    kept_torrent one;
    one.v1 = contract::info_hash::parse("00112233445566778899aabbccddeeff0011223" + std::to_string(n));
    one.name = "torrent \xc3\xa4 " + std::to_string(n);
    one.metainfo = "ZGF0YQ==";
    one.output_dir = "/srv/files";
    one.folder = "files";
    one.paused = n % 2 == 0;
    one.labels = {"a", "b, c"};
    one.added_at = 1000.5 + n;
    one.down_kib = 7;
    one.up_kib = 2097151;
    one.file_priorities = {0, 4, 7};
    one.queue_order = n;
    one.priority = contract::queue_priority::high;
    one.in_queue = false;
    one.progress = 0.25;
    one.downloaded = 12;
    one.uploaded = std::int64_t{1} << 40;
    return one;
}

kept_head some_head() {
    kept_head head;
    head.created_at = 1234.5;
    head.daemon_version = "1.2.3";
    head.lineage = "aa";
    head.settings = {{"limits.global_down_kib", {"100"}}};
    head.blacklist = {{"10.0.0.0/8", "noise", 5}};
    head.whitelist = {{"10.0.0.1", std::nullopt, 6}};
    head.removed_downloaded = 3;
    head.removed_uploaded = 4;
    return head;
}

std::string written(int torrents) {
    state_writer to;
    auto text = to.begin(some_head());
    for (int i = 0; i < torrents; ++i) text += to.add(some_torrent(i));
    text += to.end();
    return text;
}

state_reader reader_of(std::string_view text, std::size_t at_once = 1 << 20) {
    return state_reader{[text, at_once](char* to, std::size_t size) mutable -> std::ptrdiff_t {
        auto const n = std::min({size, text.size(), at_once});
        std::memcpy(to, text.data(), n);
        text.remove_prefix(n);
        return static_cast<std::ptrdiff_t>(n);
    }};
}

/// "ok 3", or what is wrong with it.
std::string judged(std::string_view text, std::size_t at_once = 1 << 20) {
    auto from = reader_of(text, at_once);
    auto const named = [](damage const& why) {
        switch (why.what) {
        case damage::kind::foreign: return "foreign";
        case damage::kind::newer: return "newer";
        case damage::kind::damaged: return "damaged";
        case damage::kind::unreadable: return "unreadable";
        }
        return "?";
    };
    if (auto const head = from.head(); !head) return named(head.error());
    while (true) {
        auto const one = from.next();
        if (!one) return named(one.error());
        if (!*one) return "ok " + std::to_string(from.count());
    }
}

TEST(state_file, is_json_with_its_format_version_and_checksum) {
    auto const text = written(2);
    EXPECT_THAT(text, StartsWith(R"({"format":"ccbt-state","version":1,"state":{"created_at":1234.5)"));
    EXPECT_THAT(text, HasSubstr(R"("count":2,)"));
    auto const whole = wire::parse(text, {.string_bytes = 1 << 20});
    ASSERT_TRUE(whole) << whole.error();
    EXPECT_EQ(whole->text_or("checksum", "").size(), 64U);
    EXPECT_EQ(whole->list_or_empty("torrents").size(), 2U);
    EXPECT_TRUE(wire::parse(written(0)));
}

TEST(state_file, comes_back_as_it_was) {
    auto const text = written(3);
    for (std::size_t const at_once : {std::size_t{1}, std::size_t{7}, std::size_t{1} << 20}) {
        auto from = reader_of(text, at_once);
        auto const head = from.head();
        ASSERT_TRUE(head) << head.error().why;
        EXPECT_EQ(head->settings.at(0).key, "limits.global_down_kib");
        EXPECT_EQ(head->settings.at(0).value.text, "100");
        EXPECT_EQ(head->blacklist.at(0).reason, "noise");
        EXPECT_EQ(head->whitelist.at(0).ip, "10.0.0.1");
        EXPECT_EQ(head->removed_uploaded, 4);
        for (int i = 0; i < 3; ++i) {
            auto const one = from.next();
            ASSERT_TRUE(one && *one);
            auto const expected = some_torrent(i);
            EXPECT_EQ((*one)->v1, expected.v1);
            EXPECT_FALSE((*one)->v2);
            EXPECT_EQ((*one)->name, expected.name);
            EXPECT_EQ((*one)->metainfo, "ZGF0YQ==");
            EXPECT_EQ((*one)->labels, expected.labels);
            EXPECT_EQ((*one)->file_priorities, expected.file_priorities);
            EXPECT_EQ((*one)->priority, contract::queue_priority::high);
            EXPECT_EQ((*one)->uploaded, std::int64_t{1} << 40);
            EXPECT_EQ((*one)->added_at, expected.added_at);
        }
        auto const end = from.next();
        ASSERT_TRUE(end) << end.error().why;
        EXPECT_FALSE(*end);
    }
    EXPECT_EQ(judged(written(0)), "ok 0");
}

TEST(state_file, is_refused_wherever_it_is_cut) {
    auto const text = written(2);
    for (std::size_t at = 0; at < text.size(); ++at)
        ASSERT_NE(judged(std::string_view{text}.substr(0, at)), "ok 2") << at;
    EXPECT_EQ(judged(""), "foreign");
    EXPECT_EQ(judged(std::string_view{text}.substr(0, 20)), "damaged");
    EXPECT_EQ(judged(std::string_view{text}.substr(0, text.size() - 1)), "damaged");
}

TEST(state_file, is_refused_whichever_bit_flips_and_with_more_behind_it) {
    auto const text = written(2);
    for (std::size_t at = 0; at < text.size(); ++at)
        for (int const bit : {0, 5, 7}) {
            auto flipped = text;
            flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
            ASSERT_THAT(judged(flipped), testing::Not(StartsWith("ok"))) << at << " bit " << bit;
        }
    EXPECT_EQ(judged(text + " "), "damaged");
    EXPECT_EQ(judged(text + text), "damaged");
}

TEST(state_file, of_another_make_or_a_newer_version_is_told_apart) {
    EXPECT_EQ(judged(R"({"version":"1.0","torrents":{}})"), "foreign");
    EXPECT_EQ(judged("[]"), "foreign");
    EXPECT_EQ(judged(std::string(5000, '\0')), "foreign");
    auto text = written(1);
    text.replace(text.find("\"version\":1"), 11, "\"version\":2");
    EXPECT_EQ(judged(text), "newer");
    text.replace(text.find("\"version\":2"), 11, "\"version\":0");
    EXPECT_EQ(judged(text), "damaged");
}

TEST(state_file, with_a_right_checksum_and_wrong_types_is_refused) {
    for (auto const* const wrong :
         {R"({"v1":5})", R"({"down_kib":-1})", R"({"file_priorities":[8]})", R"({"priority":"best"})", "[]",
          "5"}) {
        digest sum;
        auto text = std::string{R"({"format":"ccbt-state","version":1,"state":{},"torrents":[)"} + '\n' +
                    wrong + "\n],\"count\":1,\n";
        sum.take(text);
        EXPECT_EQ(judged(text + R"("checksum":")" + sum.hex() + "\"}\n"), "damaged") << wrong;
    }
}

TEST(row_map, writes_the_rows_by_their_hash) {
    row_map rows;
    EXPECT_EQ(rows.take().text, "{}");
    contract::torrent_status row;
    row.info_hash = "ab";
    row.name = "n";
    rows.add(contract::torrent_row_view{row});
    row.info_hash = "cd";
    rows.add(contract::torrent_row_view{row});
    auto const read = wire::parse(rows.take().text);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->find("ab")->text_or("name", ""), "n");
    EXPECT_EQ(read->find("cd")->text_or("info_hash", ""), "cd");
}

} // namespace

} // namespace ccbt::backup
