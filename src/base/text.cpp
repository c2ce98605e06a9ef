#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace ccbt::text {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int base64_value(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    if (c == '/' || c == '_') return 63;
    return -1;
}

char lower_char(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The length of the well-formed sequence at `at` (Unicode 15, table 3-7), 0 where there is none.
std::size_t utf8_sequence(std::string_view s, std::size_t at) {
    auto byte = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U; };
    auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
        return byte(i) >= low && byte(i) <= high;
    };
    unsigned const lead = byte(at);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return tail(at + 1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        unsigned const low = lead == 0xe0 ? 0xa0 : 0x80;
        unsigned const high = lead == 0xed ? 0x9f : 0xbf;
        return tail(at + 1, low, high) && tail(at + 2) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        unsigned const low = lead == 0xf0 ? 0x90 : 0x80;
        unsigned const high = lead == 0xf4 ? 0x8f : 0xbf;
        return tail(at + 1, low, high) && tail(at + 2) && tail(at + 3) ? 4 : 0;
    }
    return 0;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::size_t const above = row[j];
            std::size_t const swap = diagonal + (lower_char(a[i - 1]) == lower_char(b[j - 1]) ? 0 : 1);
            row[j] = std::min({above + 1, row[j - 1] + 1, swap});
            diagonal = above;
        }
    }
    return row.back();
}

} // namespace

std::string to_hex(bytes_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (auto const b : bytes) {
        out += hex_digits[b >> 4];
        out += hex_digits[b & 15];
    }
    return out;
}

std::optional<std::vector<std::uint8_t>> from_hex(std::string_view digits) {
    if (digits.size() % 2 != 0) return std::nullopt;
    std::vector<std::uint8_t> out(digits.size() / 2);
    for (std::size_t i = 0; i < out.size(); ++i) {
        int const high = hex_value(digits[2 * i]);
        int const low = hex_value(digits[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return out;
}

std::string to_base64(bytes_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = std::uint32_t{bytes[i]} << 16;
        if (i + 1 < bytes.size()) group |= std::uint32_t{bytes[i + 1]} << 8;
        if (i + 2 < bytes.size()) group |= bytes[i + 2];
        out += base64_alphabet[group >> 18];
        out += base64_alphabet[group >> 12 & 63];
        out += i + 1 < bytes.size() ? base64_alphabet[group >> 6 & 63] : '=';
        out += i + 2 < bytes.size() ? base64_alphabet[group & 63] : '=';
    }
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 == 0)
        for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    if (text.size() % 4 == 1) return std::nullopt;
    std::string out;
    out.reserve(text.size() * 3 / 4);
    std::uint32_t group = 0;
    int bits = 0;
    for (char const c : text) {
        int const value = base64_value(c);
        if (value < 0) return std::nullopt;
        group = group << 6 | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out += static_cast<char>(group >> bits & 0xff);
        }
    }
    if ((group & ((1U << bits) - 1)) != 0)
        return std::nullopt; // bits of no byte: another text of the same bytes
    return out;
}

std::optional<std::string> percent_decode(std::string_view text, bool form) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (i + 2 >= text.size()) return std::nullopt;
            int const high = hex_value(text[i + 1]);
            int const low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += form && text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

std::string percent_encode(std::string_view text) {
    std::string out;
    for (char const c : text) {
        bool const unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                c == '-' || c == '.' || c == '_' || c == '~';
        if (unreserved) {
            out += c;
        } else {
            auto const byte = static_cast<unsigned char>(c);
            out += '%';
            out += static_cast<char>(
                hex_digits[byte >> 4] >= 'a' ? hex_digits[byte >> 4] - 32 : hex_digits[byte >> 4]);
            out += static_cast<char>(
                hex_digits[byte & 15] >= 'a' ? hex_digits[byte & 15] - 32 : hex_digits[byte & 15]);
        }
    }
    return out;
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(), lower_char);
    return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return lower_char(x) == lower_char(y);
    });
}

std::string_view trim(std::string_view text) {
    auto const is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> out;
    for (;;) {
        auto const end = text.find(at);
        out.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return out;
        text.remove_prefix(end + 1);
    }
}

std::string_view nearest(std::string_view written, std::span<std::string_view const> candidates) {
    std::string_view best;
    std::size_t least = std::string_view::npos;
    for (auto const candidate : candidates) {
        auto const tolerated = std::max<std::size_t>(1, candidate.size() / 3);
        if (std::max(written.size(), candidate.size()) - std::min(written.size(), candidate.size()) >
            tolerated)
            continue; // `written` may be huge
        auto const distance = edit_distance(written, candidate);
        if (distance <= tolerated && distance < candidate.size() && distance < least) {
            least = distance;
            best = candidate;
        }
    }
    return best;
}

bool is_valid_utf8(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size();) {
        auto const length = utf8_sequence(bytes, i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}

std::string to_valid_utf8(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    for (std::size_t i = 0; i < bytes.size();) {
        auto const length = utf8_sequence(bytes, i);
        if (length == 0) {
            out += "\xef\xbf\xbd";
            ++i;
        } else {
            out += bytes.substr(i, length);
            i += length;
        }
    }
    return out;
}

std::string human_bytes(double bytes) {
    constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    std::size_t unit = 0;
    while (bytes >= (unit == 0 ? 1023.5 : 1023.95) && unit + 1 < units.size()) { // what would round to 1024
        bytes /= 1024;
        ++unit;
    }
    std::array<char, 32> out{};
    std::snprintf(out.data(), out.size(), unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
    return out.data();
}

std::string human_duration(double seconds) {
    if (!(seconds >= 0) || seconds > 86400.0 * 365 * 10) return "unknown";
    auto const s = static_cast<long>(std::llround(seconds));
    std::array<char, 48> out{};
    if (s < 60)
        std::snprintf(out.data(), out.size(), "%ld s", s);
    else if (s < 3600)
        std::snprintf(out.data(), out.size(), "%ld min %02ld s", s / 60, s % 60);
    else if (s < 86400)
        std::snprintf(out.data(), out.size(), "%ld h %02ld min", s / 3600, s % 3600 / 60);
    else
        std::snprintf(out.data(), out.size(), "%ld d %02ld h", s / 86400, s % 86400 / 3600);
    return out.data();
}

} // namespace ccbt::text
