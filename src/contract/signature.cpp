#include "contract/signature.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <charconv>

namespace ccbt::contract {

std::string signed_text(
    std::string_view method, std::string_view target, std::string_view timestamp,
    crypto::digest const& body) {
    std::string out{method};
    out += ' ';
    out += target;
    out += '\n';
    out += timestamp;
    out += '\n';
    return out += text::to_hex(body);
}

std::string signed_socket_text(std::string_view path, std::string_view timestamp) {
    std::string out{"GET "};
    out += path;
    out += '\n';
    return out += timestamp;
}

std::optional<double> read_timestamp(std::string_view written) {
    auto const is_digits = [](std::string_view s) {
        return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
    };
    auto const dot = written.find('.');
    auto const whole = written.substr(0, dot);
    if (!is_digits(whole) || whole.size() > 12 || (whole.size() > 1 && whole.front() == '0'))
        return std::nullopt;
    if (dot != std::string_view::npos && (!is_digits(written.substr(dot + 1)) || written.size() > 32))
        return std::nullopt;
    double out = 0;
    auto const [end, failed] = std::from_chars(written.data(), written.data() + written.size(), out);
    if (failed != std::errc{} || end != written.data() + written.size()) return std::nullopt;
    return out;
}

} // namespace ccbt::contract
