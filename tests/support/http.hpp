// HTTP/1.1 and WebSocket (RFC 6455) as a stranger would speak them: over a plain socket, with nothing of our own
// client, server or codec in it, and free to send what no client should. Blocking, with deadlines.
#pragma once

#include "support/socket.hpp"
#include "wire/json.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ccbt::support {

using headers = std::vector<std::pair<std::string, std::string>>;

struct answer {
    int status = 0;                             // 0: the connection ended without one
    std::map<std::string, std::string> headers; // names in lower case
    std::string body;
    wire::value json; // of the body; null where it is none

    [[nodiscard]] std::string header(std::string const& name) const;
    [[nodiscard]] std::string code() const { return std::string{json.text_or("code", "")}; }
};

class http_connection {
public:
    http_connection(std::string const& address, std::uint16_t port, std::string const& from = {})
        : socket_(address, port, from) {}

    /// Sends bytes as they are.
    bool send(std::string_view bytes, milliseconds within = milliseconds{30'000}) const;
    /// Reads one answer. `to_head`: it has no body, whatever its headers say.
    [[nodiscard]] answer receive(milliseconds within = milliseconds{30'000}, bool to_head = false);
    [[nodiscard]] answer ask(
        std::string_view method, std::string_view target, headers const& more = {},
        std::string_view body = {});
    /// The other side closed, and sent nothing more.
    [[nodiscard]] bool is_closed(milliseconds within);

protected:
    bool fill(deadline const& until);

    socket socket_;
    std::string read_;
};

/// A request as text: Host is there, Content-Length where there is a body, unless `more` says otherwise.
[[nodiscard]] std::string request_text(
    std::string_view method, std::string_view target, headers const& more, std::string_view body);

/// One WebSocket. Text messages only; a ping frame is answered.
class web_socket : http_connection {
public:
    /// Shakes hands; throws where that is refused.
    web_socket(
        std::string const& address, std::uint16_t port, std::string const& target, headers const& more = {},
        std::string const& from = {});
    void send(std::string_view text);
    /// The next message as JSON; nothing after `until`, or when it was closed.
    [[nodiscard]] std::optional<wire::value> next(deadline const& until);
    /// Set once the other side closed: code and reason; 1006 where it went without a word.
    [[nodiscard]] std::optional<std::pair<int, std::string>> const& closing() const { return closing_; }

private:
    void send_frame(int opcode, std::string_view payload);
    std::optional<std::pair<int, std::string>> closing_;
};

} // namespace ccbt::support
