// Torrent files and magnet links that are none, at a real daemon: each is a 400 with its code, and nothing is added.
#include "base/text.hpp"
#include "integration/daemon_bytes.hpp"

namespace ccbt::support {

namespace {

using namespace std::string_literals;

struct daemon_damaged_torrents : daemon_bytes {
    [[nodiscard]] std::string adds(std::string const& bytes) const {
        text::bytes_view const raw{reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()};
        return said(one.post("/torrents/add", R"({"torrent_data":")" + text::to_base64(raw) + "\"}"));
    }
    [[nodiscard]] std::string adds_link(std::string const& link) const {
        return said(one.post("/torrents/add", R"({"path_or_magnet":")" + link + "\"}"));
    }
    static constexpr auto refused = "400 ADD_TORRENT_ERROR";
};

TEST_F(daemon_damaged_torrents, a_torrent_file_cut_at_any_byte_is_refused) {
    auto const whole = "d8:announce22:http://t.test/announce13:announce-listll22:http://t.test/announceee"
                       "4:infod5:filesld6:lengthi5e4:pathl1:a1:beed6:lengthi7e4:pathl1:ceee"
                       "4:name3:dir12:piece lengthi16384e6:pieces20:"s +
                       std::string(20, 'h') + "7:privatei1ee8:url-list15:http://t.test/fe";
    for (std::size_t at = 1; at < whole.size(); ++at) // of nothing at all there is no torrent_data
        ASSERT_EQ(adds(whole.substr(0, at)), refused) << at;
    ASSERT_EQ(adds(whole.substr(1)), refused);
    for (auto const& [good, bad] : std::initializer_list<std::pair<std::string, std::string>>{
             {"i16384e", "i0e"},
             {"i16384e", "i-1e"},
             {"i16384e", "i9223372036854775808e"},
             {"lengthi5e", "lengthi-5e"},
             {"lengthi5e", "lengthi9223372036854775807e"},
             {"6:pieces20:", "6:pieces19:"},
             {"4:infod", "4:infxd"},
             {"4:name3:dir", "4:nam33:dir"},
             {"5:filesl", "5:fileszl"}}) {
        auto other = whole;
        other.replace(other.find(good), good.size(), bad);
        EXPECT_EQ(adds(other), refused) << bad;
    }
    EXPECT_EQ(said(one.post("/torrents/add", R"({"torrent_data":"ZDE6*"})")), "400 VALIDATION_ERROR")
        << "no base64";
}

TEST_F(daemon_damaged_torrents, a_link_that_names_no_torrent_is_refused) {
    auto const hash = std::string(40, 'a');
    for (auto const& link :
         {"magnet:"s, "magnet:?"s, "magnet:?dn=x"s, "magnet:?xt="s, "magnet:?xt=urn:btih:"s,
          "magnet:?xt=urn:btih:" + hash.substr(1), "magnet:?xt=urn:btih:" + hash + "a",
          "magnet:?xt=urn:btih:" + std::string(40, 'g'), "magnet:?xt=urn:btih:" + std::string(32, '1'),
          "magnet:?xt=urn:btmh:1220" + hash, "magnet:?xt=urn:btmh:1320" + std::string(64, 'a'),
          "magnet:?xt=urn:sha1:" + hash, "magnet:?xt=urn:btih:%zz" + hash.substr(3),
          "magnet:?xt=urn:btih:" + hash + "&xt=urn:btih:short", "MAGNET" + hash})
        EXPECT_EQ(adds_link(link), refused) << link;
    EXPECT_EQ(
        adds_link("magnet:?xt=urn:btih:" + hash + "&dn=" + std::string(8192, 'x')), "400 VALIDATION_ERROR");
    std::string trackers = "magnet:?xt=urn:btih:" + hash;
    for (int i = 0; i < 65; ++i) trackers += "&tr=http://t" + std::to_string(i) + "/announce";
    EXPECT_EQ(adds_link(trackers), refused);
}

} // namespace

} // namespace ccbt::support
