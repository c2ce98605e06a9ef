#include "support/metadata_peer.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <openssl/sha.h>
#include <stdexcept>
#include <utility>

namespace ccbt::support {

namespace {

constexpr std::size_t handshake_size = 68, metadata_block = 16 << 10;
constexpr milliseconds patience{5'000};

std::string number(std::size_t n) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift & 255);
    return out;
}

std::size_t number_at(std::string_view bytes, std::size_t at) {
    std::size_t n = 0;
    for (auto const c : bytes.substr(at, 4)) n = n << 8 | static_cast<unsigned char>(c);
    return n;
}

// The number after `mark`, 0 where there is none.
std::size_t number_after(std::string_view text, std::string_view mark) {
    auto const at = text.find(mark);
    std::size_t n = 0;
    if (at != text.npos)
        for (auto i = at + mark.size(); i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i)
            n = n * 10 + static_cast<std::size_t>(text[i] - '0');
    return n;
}

} // namespace

metadata_peer::metadata_peer(std::string const& from, std::string const& to, std::uint16_t port, served what)
    : what_{std::move(what)}, from_{from}, to_{to}, port_{port}, thread_{[this] { serve(); }} {}

metadata_peer::~metadata_peer() {
    over_ = true;
    thread_.join();
}

void metadata_peer::say(std::string_view message) const {
    static_cast<void>(line_->send(number(message.size()) + std::string{message}, patience));
}

// Who dials before the torrent is known there is hung up on.
void metadata_peer::serve() {
    while (!over_) {
        try {
            line_.reset();
            line_.emplace(to_, port_, from_);
            serve_once();
        } catch (std::exception const&) { // nobody listens yet
        }
        if (!over_) wait_a_moment();
    }
}

void metadata_peer::serve_once() {
    bool is_known = false;
    std::string hello = "\x13"
                        "BitTorrent protocol" +
                        std::string(8, '\0');
    hello[1 + 19 + 5] = '\x10'; // BEP 10: extensions are spoken
    auto const hash = text::from_hex(what_.hash).value_or(std::vector<std::uint8_t>(20));
    hello.append(hash.begin(), hash.end());
    static std::atomic<int> count = 0; // one who comes twice with one id is taken for one
    hello += "-XX0002-" + std::to_string(100'000 + ++count % 900'000) + "000000";
    static_cast<void>(line_->send(hello, patience));
    auto const size = what_.claimed_size != 0 ? what_.claimed_size : what_.info.size();
    if (size != 0)
        say("\x14" + std::string(1, '\0') + "d1:md11:ut_metadatai2ee13:metadata_sizei" +
            std::to_string(size) + "ee");
    auto const pieces = (what_.payload.size() + what_.piece_size - 1) / what_.piece_size;
    if (pieces != 0) {
        std::string have((pieces + 7) / 8, '\xff');
        if (pieces % 8 != 0) have.back() = static_cast<char>(0xff << (8 - pieces % 8));
        say("\x05" + have);
        say("\x01");
    }
    std::string got;
    while (!over_) {
        deadline const soon{milliseconds{20}};
        auto const more = line_->receive(soon);
        if (more.empty() && !soon.is_over()) return; // it hung up
        got += more;
        if (!is_known) {
            if (got.size() < handshake_size) continue;
            got.erase(0, handshake_size);
            hands_ = is_known = true;
        }
        while (got.size() >= 4 && got.size() >= 4 + number_at(got, 0)) {
            auto const length = number_at(got, 0);
            if (length > 0) answer_to(std::string_view{got}.substr(4, length));
            got.erase(0, 4 + length);
        }
    }
}

void metadata_peer::answer_to(std::string_view message) {
    if (message[0] == 6 && message.size() == 13) {
        auto const from = number_at(message, 1) * what_.piece_size + number_at(message, 5);
        auto const size = number_at(message, 9);
        ++blocks_;
        if (from + size <= what_.payload.size())
            say("\x07" + std::string{message.substr(1, 8)} + what_.payload.substr(from, size));
    }
    if (message[0] != 20 || message.size() < 2) return;
    if (message[1] == 0) their_metadata_ = static_cast<int>(number_after(message, "11:ut_metadatai"));
    if (message[1] != 2 || number_after(message, "8:msg_typei") != 0) return;
    ++metadata_;
    auto const block = number_after(message, "5:piecei");
    auto const from = std::min(what_.info.size(), block * metadata_block);
    say("\x14" + std::string(1, static_cast<char>(their_metadata_)) + "d8:msg_typei1e5:piecei" +
        std::to_string(block) + "e10:total_sizei" + std::to_string(what_.info.size()) + "ee" +
        what_.info.substr(from, metadata_block));
}

std::string sha1(std::string_view bytes) {
    std::array<unsigned char, SHA_DIGEST_LENGTH> out{};
    SHA1(reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size(), out.data());
    return {out.begin(), out.end()};
}

} // namespace ccbt::support
