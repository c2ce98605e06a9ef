#include "engine/engine.hpp"
#include "engine/lt_test_support.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace {

using namespace ccbt;
using namespace ccbt::engine::testing;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr auto hex40 = "0123456789abcdef0123456789abcdef01234567";
constexpr auto hex64 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

struct lt_source : ::testing::Test {
    temporary_folder dir;
    fs::path payload = make_payload(dir.path(), 300'000);
};

TEST_F(lt_source, a_v1_torrent_is_described) {
    auto const s = engine::read_torrent(make_torrent(payload, kind::v1, 65536, {"http://t/announce"}, true));
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_TRUE(s->hashes.v1);
    EXPECT_FALSE(s->hashes.v2);
    EXPECT_EQ(s->name, "data");
    EXPECT_TRUE(s->is_private);
    EXPECT_EQ(s->total_size, 300'005);
    EXPECT_EQ(s->num_trackers, 1u);
    EXPECT_THAT(s->files, UnorderedElementsAre("data/a.bin", "data/sub/b.bin", "data/sub/c.txt"));
}

TEST_F(lt_source, a_v2_torrent_is_described) {
    auto const s = engine::read_torrent(make_torrent(payload, kind::v2));
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_FALSE(s->hashes.v1);
    EXPECT_TRUE(s->hashes.v2);
    EXPECT_EQ(s->total_size, 300'005);
    EXPECT_FALSE(s->is_private);
}

TEST_F(lt_source, a_hybrid_has_both_hashes_and_its_padding_is_not_counted) {
    auto const s = engine::read_torrent(make_torrent(payload, kind::hybrid));
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_TRUE(s->hashes.v1);
    EXPECT_TRUE(s->hashes.v2);
    EXPECT_EQ(s->total_size, 300'005);
    EXPECT_THAT(s->files, UnorderedElementsAre("data/a.bin", "data/sub/b.bin", "data/sub/c.txt"));
}

TEST_F(lt_source, a_torrent_cut_at_any_byte_is_refused_with_a_reason) {
    auto const small = dir / "one.txt";
    write_file(small, std::string(40'000, 'x'));
    for (auto const of : {kind::v1, kind::v2, kind::hybrid}) {
        auto const whole = make_torrent(small, of, 16384);
        ASSERT_TRUE(engine::read_torrent(whole));
        for (std::size_t n = 0; n < whole.size(); ++n) {
            auto const s = engine::read_torrent(std::string_view{whole}.substr(0, n));
            ASSERT_FALSE(s) << "cut at " << n;
            EXPECT_EQ(s.error().code, contract::errc::add_torrent_error);
            EXPECT_FALSE(s.error().message.empty());
        }
    }
}

TEST_F(lt_source, a_torrent_with_any_byte_flipped_is_read_or_refused) {
    auto const small = dir / "one.txt";
    write_file(small, std::string(20'000, 'x'));
    auto const whole = make_torrent(small, kind::hybrid, 16384);
    auto refused = 0;
    for (std::size_t n = 0; n < whole.size(); ++n) {
        auto damaged = whole;
        damaged[n] = static_cast<char>(damaged[n] ^ 0x41);
        if (!engine::read_torrent(damaged)) ++refused;
    }
    EXPECT_GT(refused, 10);
}

TEST_F(lt_source, what_is_no_torrent_is_refused) {
    for (auto const* const text :
         {"", "x", "de", "i1e", "le", "d4:infoe", "d4:infodee", "d4:infole1:xi1ee", "<html>"})
        EXPECT_FALSE(engine::read_torrent(text)) << text;
    auto const large = engine::read_torrent(std::string((std::size_t{16} << 20) + 1, 'd'));
    ASSERT_FALSE(large);
    EXPECT_THAT(large.error().message, HasSubstr("too large"));
    EXPECT_FALSE(engine::read_torrent(std::string(100'000, 'l')));
}

std::string v1_with_files(std::string const& files, std::string const& name = "n") {
    auto const pieces = std::string(20, 'h');
    return fmt::format(
        "d4:infod5:filesl{}e4:name{}:{}12:piece lengthi16384e6:pieces20:{}ee", files, name.size(), name,
        pieces);
}

std::string file_at(std::vector<std::string> const& path) {
    auto list = std::string{};
    for (auto const& p : path) list += fmt::format("{}:{}", p.size(), p);
    return fmt::format("d6:lengthi5e4:pathl{}ee", list);
}

TEST_F(lt_source, paths_deeper_than_32_are_refused) {
    auto const at = engine::read_torrent(v1_with_files(file_at(std::vector<std::string>(31, "a"))));
    EXPECT_TRUE(at) << at.error().message;
    auto const past = engine::read_torrent(v1_with_files(file_at(std::vector<std::string>(32, "a"))));
    ASSERT_FALSE(past);
    EXPECT_THAT(past.error().message, HasSubstr("deeper than 32"));
}

TEST_F(lt_source, names_longer_than_255_bytes_are_refused) {
    EXPECT_TRUE(engine::read_torrent(v1_with_files(file_at({std::string(255, 'a')}))));
    auto const past = engine::read_torrent(v1_with_files(file_at({std::string(256, 'a')})));
    ASSERT_FALSE(past);
    EXPECT_THAT(past.error().message, HasSubstr("255"));
    EXPECT_FALSE(engine::read_torrent(v1_with_files(file_at({"a"}), std::string(256, 'n'))));
}

TEST_F(lt_source, a_path_cannot_leave_its_folder) {
    auto const s = engine::read_torrent(v1_with_files(file_at({"..", "..", "etc", "passwd"})));
    ASSERT_TRUE(s) << s.error().message;
    ASSERT_EQ(s->files.size(), 1u);
    EXPECT_THAT(s->files[0], ::testing::Not(HasSubstr("..")));
    EXPECT_THAT(s->files[0], ::testing::StartsWith("n/"));
}

TEST_F(lt_source, names_that_are_not_utf8_are_made_so) {
    auto const s = engine::read_torrent(v1_with_files(file_at({"a\xff"}), "n\xfe"));
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_TRUE(text::is_valid_utf8(s->name));
    EXPECT_TRUE(text::is_valid_utf8(s->files.at(0)));
}

TEST_F(lt_source, too_many_trackers_and_web_seeds_are_refused) {
    auto urls = std::vector<std::string>{};
    for (int i = 0; i < 64; ++i) urls.push_back(fmt::format("http://t{}/announce", i));
    EXPECT_TRUE(engine::read_torrent(make_torrent(payload, kind::v1, 65536, urls)));
    urls.emplace_back("http://t64/announce");
    auto const trackers = engine::read_torrent(make_torrent(payload, kind::v1, 65536, urls));
    ASSERT_FALSE(trackers);
    EXPECT_THAT(trackers.error().message, HasSubstr("65 trackers"));
    urls.resize(16);
    EXPECT_TRUE(engine::read_torrent(make_torrent(payload, kind::v1, 65536, {}, false, urls)));
    urls.emplace_back("http://w/16");
    EXPECT_FALSE(engine::read_torrent(make_torrent(payload, kind::v1, 65536, {}, false, urls)));
}

TEST_F(lt_source, magnets_name_their_hashes_in_every_spelling) {
    auto const hex =
        engine::read_magnet(fmt::format("magnet:?xt=urn:btih:{}&dn=A%20name&tr=udp%3A%2F%2Ft%3A1", hex40));
    ASSERT_TRUE(hex) << hex.error().message;
    EXPECT_EQ(hex->hashes.v1.hex(), hex40);
    EXPECT_EQ(hex->name, "A name");
    EXPECT_EQ(hex->num_trackers, 1u);
    auto const upper = engine::read_magnet("magnet:?xt=urn:btih:0123456789ABCDEF0123456789ABCDEF01234567");
    ASSERT_TRUE(upper);
    EXPECT_EQ(upper->hashes.v1.hex(), hex40);
    auto const base32 = engine::read_magnet("magnet:?xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH");
    ASSERT_TRUE(base32) << base32.error().message;
    EXPECT_EQ(base32->hashes.v1.hex(), hex40);
    auto const v2 = engine::read_magnet(fmt::format("magnet:?xt=urn:btmh:1220{}", hex64));
    ASSERT_TRUE(v2) << v2.error().message;
    EXPECT_EQ(v2->hashes.v2.hex(), hex64);
    EXPECT_FALSE(v2->hashes.v1);
    auto const both =
        engine::read_magnet(fmt::format("magnet:?xt=urn:btih:{}&xt=urn:btmh:1220{}", hex40, hex64));
    ASSERT_TRUE(both);
    EXPECT_EQ(both->hashes.v1.hex(), hex40);
    EXPECT_EQ(both->hashes.v2.hex(), hex64);
}

TEST_F(lt_source, what_is_no_magnet_is_refused) {
    for (auto const* const link :
         {"", "magnet:", "magnet:?", "magnet:?dn=x", "magnet:?xt=urn:btih:", "magnet:?xt=urn:btih:01234",
          "magnet:?xt=urn:btih:zz23456789abcdef0123456789abcdef01234567", "magnet:?xt=urn:btmh:1220aa",
          "http://example.org/x.torrent"}) {
        auto const s = engine::read_magnet(link);
        ASSERT_FALSE(s) << link;
        EXPECT_EQ(s.error().code, contract::errc::add_torrent_error);
    }
    auto const whole = fmt::format("magnet:?xt=urn:btih:{}", hex40);
    for (std::size_t n = 0; n < whole.size(); ++n)
        EXPECT_FALSE(engine::read_magnet(std::string_view{whole}.substr(0, n))) << n;
    EXPECT_FALSE(engine::read_magnet(whole + "&dn=" + std::string(8192, 'x')));
}

} // namespace
