// WebSocket frames by hand, at a real daemon: what RFC 6455 does not allow is closed with its code, what it allows is
// understood in every form, and nothing of it outlives its connection.
#include "integration/daemon_bytes.hpp"

namespace ccbt::support {

namespace {

using namespace std::string_literals;

std::string const ping = R"({"action":"ping"})", pong = R"({"action":"pong"})";

// One frame: its first byte as it is, the length in the form that is asked for.
enum class length : std::uint8_t { shortest, in_two_bytes, in_eight_bytes };
std::string frame(int first, std::string_view payload, bool masked = true, length form = length::shortest) {
    std::string out{static_cast<char>(first)};
    auto const mask = masked ? 0x80U : 0U;
    auto const size = payload.size();
    if (form == length::shortest && size > 125)
        form = size > 0xffff ? length::in_eight_bytes : length::in_two_bytes;
    auto const lead = form == length::shortest ? size : form == length::in_two_bytes ? 126U : 127U;
    out += static_cast<char>(mask | lead);
    for (int shift = form == length::shortest       ? -8
                     : form == length::in_two_bytes ? 8
                                                    : 56;
         shift >= 0; shift -= 8)
        out += static_cast<char>(size >> shift & 0xffU);
    if (masked) out += "\x11\x22\x33\x44";
    for (std::size_t i = 0; i < size; ++i)
        out += static_cast<char>(payload[i] ^ (masked ? 0x11 * static_cast<int>(1 + i % 4) : 0));
    return out;
}
std::string text(std::string_view payload) { return frame(0x81, payload); }

class watcher : public http_connection {
public:
    watcher(std::uint16_t port, std::string const& key) : http_connection("127.0.0.1", port) {
        send(
            "GET /api/v1/events HTTP/1.1\r\n" + key +
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        EXPECT_EQ(receive().status, 101);
    }
    /// The next frame: "text …", "pong …", "close 1002"; "end" at the end of the connection, "nothing" where none comes.
    std::string next() {
        if (!have(2)) return end();
        std::size_t const first = byte(0), lead = byte(1);
        EXPECT_LT(lead, 128U) << "a server masks nothing";
        std::size_t const more = lead == 126 ? 2 : lead == 127 ? 8 : 0;
        if (!have(2 + more)) return end();
        std::size_t size = more == 0 ? lead : 0;
        for (std::size_t i = 0; i < more; ++i) size = size << 8 | byte(2 + i);
        if (!have(2 + more + size)) return end();
        auto const payload = read_.substr(2 + more, size);
        read_.erase(0, 2 + more + size);
        switch (first) {
        case 0x81: return "text " + payload;
        case 0x8a: return "pong " + payload;
        case 0x88:
            if (size < 2) return "close";
            return "close " + std::to_string((payload[0] & 0xff) << 8 | (payload[1] & 0xff));
        default: return "frame " + std::to_string(first);
        }
    }

private:
    [[nodiscard]] std::size_t byte(std::size_t at) const { return static_cast<unsigned char>(read_[at]); }
    bool have(std::size_t size) {
        while (read_.size() < size)
            if (!fill(until_)) return false;
        return true;
    }
    [[nodiscard]] std::string end() const { return until_.is_over() ? "nothing" : "end"; }
    deadline until_{milliseconds{30'000}};
};

struct daemon_frames : daemon_bytes {
    [[nodiscard]] watcher join() const { return {one.port(), key()}; }
    /// The first answer to these bytes. A client that was closed answers that, and then it is over.
    [[nodiscard]] std::string answer_to(std::string const& bytes) const {
        auto line = join();
        line.send(bytes);
        auto said = line.next();
        if (said.starts_with("close")) {
            line.send(frame(0x88, "\x03\xe8"));
            if (auto const more = line.next(); more != "end") said += ", then " + more;
        }
        return said;
    }
    void TearDown() override {
        EXPECT_TRUE(eventually(milliseconds{20'000}, [&] {
            return one.get("/metrics").body.find("\nccbt_event_watchers 0\n") != std::string::npos;
        })) << "nobody is left of those who came";
        daemon_bytes::TearDown();
    }
};

TEST_F(daemon_frames, what_the_protocol_does_not_know_is_closed_with_1002) {
    EXPECT_EQ(answer_to(frame(0x81, ping, false)), "close 1002") << "not masked";
    for (int const reserved : {0x40, 0x20, 0x10, 0x70})
        EXPECT_EQ(answer_to(frame(0x81 | reserved, ping)), "close 1002") << reserved;
    for (int const opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
        EXPECT_EQ(answer_to(frame(0x80 | opcode, "x")), "close 1002") << opcode;
    EXPECT_EQ(answer_to(frame(0x80, ping)), "close 1002") << "goes on with nothing";
    EXPECT_EQ(answer_to(frame(0x01, "{") + text(ping)), "close 1002") << "begins anew in the middle";
    EXPECT_EQ(answer_to(frame(0x81, ping, true, length::in_two_bytes)), "close 1002") << "not the shortest";
    EXPECT_EQ(answer_to(frame(0x81, ping, true, length::in_eight_bytes)), "close 1002");
}

TEST_F(daemon_frames, a_control_frame_is_whole_and_short) {
    for (int const opcode : {8, 9, 10}) {
        EXPECT_EQ(answer_to(frame(opcode, "")), "close 1002") << "in fragments: " << opcode;
        EXPECT_EQ(answer_to(frame(0x80 | opcode, "\x03\xe8" + std::string(124, 'x'))), "close 1002")
            << "126 bytes: " << opcode;
    }
}

TEST_F(daemon_frames, a_ping_is_answered_with_its_own_bytes_wherever_it_stands) {
    auto line = join();
    for (auto const& payload : {""s, "\0\xff any bytes"s, std::string(125, 'p')}) {
        line.send(frame(0x89, payload));
        EXPECT_EQ(line.next(), "pong " + payload);
    }
    line.send(frame(0x01, ping.substr(0, 5)) + frame(0x89, "between") + frame(0x80, ping.substr(5)));
    EXPECT_EQ(line.next(), "pong between");
    EXPECT_EQ(line.next(), "text " + pong);
    line.send(frame(0x8a, "nobody asked") + text(ping));
    EXPECT_EQ(line.next(), "text " + pong) << "a pong is taken in silence";
}

TEST_F(daemon_frames, a_text_is_utf8_across_its_fragments_or_closed_with_1007) {
    for (auto const& bad :
         {"\xff"s, "\"\xc0\xaf\""s, "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s, "\"\x80\""s, "cut \xe2\x82"s})
        EXPECT_EQ(answer_to(text(bad)), "close 1007") << bad;
    EXPECT_EQ(answer_to(frame(0x01, "\xe2\x82") + frame(0x80, "x")), "close 1007");
    EXPECT_EQ(answer_to(frame(0x01, "\xe2\x82") + frame(0x80, "")), "close 1007");
    auto const begin = R"({"action":"ping","x":")"s;
    EXPECT_EQ(
        answer_to(frame(0x01, begin + "\xe2") + frame(0x00, "\x82") + frame(0x80, "\xac\"}")), "text " + pong)
        << "a sign may lie in two fragments";
}

TEST_F(daemon_frames, a_message_has_64_kib_at_most_in_however_many_fragments) {
    auto const most = R"({"action":"ping","x":")" + std::string(65'536 - 24, 'x') + "\"}";
    ASSERT_EQ(most.size(), 65'536U);
    std::string bytes = frame(0x01, most.substr(0, 1));
    for (std::size_t i = 1; i + 1 < most.size(); ++i) bytes += frame(0x00, most.substr(i, 1));
    EXPECT_EQ(answer_to(bytes + frame(0x80, most.substr(most.size() - 1))), "text " + pong);
    EXPECT_EQ(answer_to(bytes + frame(0x00, "}") + frame(0x00, " ")), "close 1009");
    EXPECT_EQ(answer_to(frame(0x01, most) + frame(0x80, "")), "text " + pong);
    EXPECT_EQ(answer_to(text(most + ' ')), "close 1009");
    EXPECT_EQ(answer_to(frame(0x02, most + ' ')), "close 1009");
    std::string empty = frame(0x01, "");
    for (int i = 0; i < 5000; ++i) empty += frame(0x00, "");
    EXPECT_EQ(answer_to(empty + frame(0x80, ping)), "text " + pong) << "nothing, many times";
    // What is only announced is refused at once, and nothing is held for it.
    for (auto const& size :
         {"\x00\x00\x00\x00\x00\x01\x00\x01"s, "\x00\x00\x00\x04\x00\x00\x00\x00"s,
          "\x7f\xff\xff\xff\xff\xff\xff\xff"s})
        EXPECT_EQ(answer_to("\x81\xff" + size + "\x11\x22\x33\x44"), "close 1009");
}

TEST_F(daemon_frames, a_close_is_answered_and_nothing_behind_it_is_heard) {
    auto line = join();
    line.send(frame(0x88, "\x03\xe9 bye") + text(ping) + frame(0x89, "x") + std::string(1000, '\xff'));
    EXPECT_EQ(line.next(), "close 1001");
    EXPECT_EQ(line.next(), "end");
    auto silent = join();
    silent.send(frame(0x88, ""));
    EXPECT_EQ(silent.next(), "close 1000");
    EXPECT_EQ(silent.next(), "end");
    for (auto const& bad :
         {"\x03"s, "\x00\x00"s, "\x03\xe7"s, "\x03\xec"s, "\x03\xed"s, "\x03\xee"s, "\x03\xf7"s, "\x07\xcf"s})
        EXPECT_EQ(answer_to(frame(0x88, bad)), "close 1002") << "no code that may be sent";
    EXPECT_EQ(answer_to(frame(0x88, "\x03\xe8\xff")), "close 1002") << "a reason is UTF-8";
    EXPECT_EQ(answer_to(frame(0x88, "\x0f\xa0 mine")), "close 4000");
}

TEST_F(daemon_frames, what_is_no_message_of_ours_is_told_so_and_the_connection_stays) {
    auto line = join();
    std::string const wrong = R"(text {"action":"error","error":")";
    auto const deep = [](int n) {
        return R"({"action":"ping","x":)" + std::string(std::size_t(n), '[') +
               std::string(std::size_t(n), ']') + '}';
    };
    for (auto const& bytes :
         {text(""), text("{}"), text("\0"s), text(ping + ping), text(ping + "\0"s), text(deep(8)),
          text(R"({"action":"ping","action":"pong"})"), text(R"({"action":"ping","x":1e400})"),
          text(R"({"action":"\ud800"})"), text(R"({"action":"subscribe","data":{"event_types":[null]}})"),
          frame(0x82, ping)}) {
        line.send(bytes);
        auto const said = line.next();
        EXPECT_TRUE(said.starts_with(wrong)) << said;
        EXPECT_TRUE(wire::parse(said.substr(5))) << said;
    }
    line.send(text(deep(7)));
    EXPECT_EQ(line.next(), "text " + pong);
}

} // namespace

} // namespace ccbt::support
