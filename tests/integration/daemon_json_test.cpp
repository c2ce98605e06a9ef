// JSON at its edges, in bodies to a real daemon: each is refused or taken as it says, with its status, and what is
// refused changes nothing.
#include "integration/daemon_bytes.hpp"

namespace ccbt::support {

namespace {

using namespace std::string_literals;

struct daemon_json : daemon_bytes {
    [[nodiscard]] std::string says(std::string const& path, std::string const& body) const {
        auto const a = one.post(path, body);
        auto out = said(a);
        if (auto const* details = a.json.find("details"))
            if (auto const field = details->text_or("field", ""); !field.empty())
                out += ' ' + std::string{field};
        return out;
    }
    /// Of a body that is JSON: what it lacks is told. Of one that is none: that it is none.
    [[nodiscard]] std::string with(std::string const& value) const {
        return says("/security/blacklist", R"({"x":)" + value + '}');
    }
    static constexpr auto is_json = "400 VALIDATION_ERROR ip";
    static constexpr auto is_none = "400 INVALID_JSON";
};

TEST_F(daemon_json, goes_32_levels_deep) {
    auto const deep = [](std::size_t n, std::string const& open, std::string const& close) {
        std::string out;
        for (std::size_t i = 0; i < n; ++i) out += open;
        out += "0";
        for (std::size_t i = 0; i < n; ++i) out += close;
        return out;
    };
    EXPECT_EQ(with(deep(31, "[", "]")), is_json) << "and the body's own object";
    EXPECT_EQ(with(deep(32, "[", "]")), is_none);
    EXPECT_EQ(with(deep(31, R"({"a":)", "}")), is_json);
    EXPECT_EQ(with(deep(32, R"({"a":)", "}")), is_none);
    EXPECT_EQ(with(std::string(500'000, '[')), is_none) << "long before its end";
    EXPECT_EQ(says("/security/blacklist", deep(31, "[", "]")), "400 VALIDATION_ERROR") << "no object";
}

TEST_F(daemon_json, takes_every_number_that_is_one_and_no_other) {
    for (auto const* number :
         {"0", "-0", "-0.0", "0e0", "1E+2", "9007199254740992", "9007199254740993", "9223372036854775807",
          "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
          "18446744073709551616", "1e308", "-1e308", "5e-324", "1e-400"})
        EXPECT_EQ(with(number), is_json) << number;
    for (auto const* number :
         {"1e400", "-1e400", "01", "+1", "1.", ".5", "-", "1e", "0x10", "1_000", "NaN", "Infinity",
          "-Infinity", "inf", "1e+", "--1", "\xd9\xa1"})
        EXPECT_EQ(with(number), is_none) << number;
    EXPECT_EQ(with("1" + std::string(400, '0')), is_none) << "past what a double holds";
    EXPECT_EQ(with("0." + std::string(10'000, '1')), is_json);
}

TEST_F(daemon_json, a_number_that_does_not_fit_its_field_is_named) {
    for (auto const* port :
         {"0", "-1", "65536", "9007199254740993", "9223372036854775807", "9223372036854775808",
          "18446744073709551615", "18446744073709551616", "-9223372036854775808", "1e308", "80.5", "-0",
          "5e-324", "\"80\"", "true", "[80]", "{}"})
        EXPECT_EQ(says("/nat/unmap", R"({"port":)"s + port + '}'), "400 VALIDATION_ERROR port") << port;
    for (auto const* port : {"1", "65535", "8e1", "80.0"})
        EXPECT_EQ(says("/nat/unmap", R"({"port":)"s + port + '}'), "404 NAT_UNMAP_FAILED") << port;
    auto const put = [&](std::string const& number) {
        auto const a = one.call(
            "PUT", "/config", R"({"limits":{"global_down_kib":)" + number + "}}",
            {{"Content-Type", "application/json"}});
        auto const* details = a.json.find("details");
        return said(a) + std::string{details == nullptr ? "" : details->text_or("field", "")};
    };
    for (auto const* number :
         {"-1", "2097152", "18446744073709551616", "0.5", "\"1\"", "1e308", "[1]", "false"})
        EXPECT_EQ(put(number), "400 CONFIG_UPDATE_FAILEDlimits.global_down_kib") << number;
    for (auto const* number : {"2097151", "0", "-0"}) EXPECT_EQ(put(number), "200 ") << number;
    EXPECT_EQ(put("null"), "200 ") << "and taken back";
}

TEST_F(daemon_json, a_key_stands_once) {
    EXPECT_EQ(says("/security/blacklist", R"({"ip":"192.0.2.2","ip":"192.0.2.3"})"), is_none);
    EXPECT_EQ(says("/security/blacklist", R"({"ip":"192.0.2.2","\u0069p":"192.0.2.3"})"), is_none);
    EXPECT_EQ(with(R"({"a":1,"b":{"a":1,"a":2}})"), is_none);
    EXPECT_EQ(with(R"([{"a":1},{"a":1}])"), is_json);
}

TEST_F(daemon_json, a_text_is_utf8_with_its_surrogates_in_pairs) {
    for (auto const& bad :
         {"\"\xff\""s, "\"\xc3\""s, "\"\xc0\xaf\""s, "\"\xed\xa0\x80\""s, "\"\xf4\x90\x80\x80\""s,
          "\"\xe2\x82\""s, R"("\ud800")"s, R"("\udc00")"s, R"("\udc00\ud800")"s, R"("\ud800x")"s,
          R"("\ud800\u0041")"s, R"("\u12")"s, R"("\x41")"s, "\"\n\""s, "\"\0\""s, "'a'"s, "\"a"s}) {
        EXPECT_EQ(with(bad), is_none) << bad;
        EXPECT_EQ(says("/security/blacklist", "{" + bad + ":1}"), is_none) << "as a key: " << bad;
    }
    for (auto const* good :
         {R"("\ud83d\ude00")", "\"\xf0\x9f\x98\x80\"", R"("\u0000")", R"("\/\b\f")", "\"\x7f\""})
        EXPECT_EQ(with(good), is_json) << good;
    EXPECT_EQ(says("/security/blacklist", R"({"ip":"192.0.2.2\u0000"})"), "400 SECURITY_ERROR ip")
        << "a NUL does not end what it stands in";
    EXPECT_EQ(
        says("/torrents/add", R"({"path_or_magnet":"/etc/hostname\u0000.torrent"})"),
        "400 ADD_TORRENT_ERROR path_or_magnet");
}

TEST_F(daemon_json, nothing_stands_before_or_behind_it) {
    for (auto const& body :
         {"{}{}"s, "{} x"s, "\xef\xbb\xbf"s, "{}\xef\xbb\xbf"s, "{}\0"s, "\0"s, "{},"s, "//\n{}"s, "{}/**/"s,
          "{\"a\":1,}"s, "{a:1}"s, "["s, "}"s, "\xff\xfe{\0}\0"s})
        EXPECT_EQ(says("/security/blacklist", body), is_none) << body;
    EXPECT_EQ(says("/security/blacklist", " \t\r\n{} \t\r\n"), is_json);
    EXPECT_EQ(says("/security/blacklist", "\xef\xbb\xbf{}"), is_json)
        << "a mark may be read past (RFC 8259, 8.1)";
    for (auto const* body : {"[]", "1", "\"ip\"", "null", "true"})
        EXPECT_EQ(says("/security/blacklist", body), "400 VALIDATION_ERROR") << body;
    EXPECT_EQ(says("/queue/clear", "{"), is_none) << "also where nothing in it is read";
}

} // namespace

} // namespace ccbt::support
