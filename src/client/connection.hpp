// One HTTP/1.1 connection to a daemon, kept open between requests. Blocking, one thread at a time; knows neither the
// contract nor JSON. Asio and Beast stay behind it, in connection.cpp.
#pragma once

#include "client/error.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ccbt::client {

/// Where a daemon is: "http://host:port" or https, with a path before /api/v1 where a proxy serves it below one; or
/// "unix:///path" of its socket.
struct address {
    std::string host;
    std::string port;
    std::string prefix{}; // "" or "/ccbt"
    bool tls = false;
    std::string unix_path{};                   // where it is one: host is localhost, and the port none
    std::string ca_file{}, certificate_file{}; // of options
    [[nodiscard]] std::string host_header() const;
    [[nodiscard]] std::string shown() const; // to people
    [[nodiscard]] bool is_loopback() const;  // by its text: nothing is looked up
};
[[nodiscard]] result<address> parse_url(std::string_view url);
struct options;
[[nodiscard]] result<address> address_of(options const& how); // its URL, with whom to trust there

struct http_request {
    std::string method; // "GET"
    std::string target; // "/api/v1/status"
    std::vector<std::pair<std::string, std::string>> headers{};
    std::string body{};
};
struct http_answer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers{};
    std::string body{};
    [[nodiscard]] std::string_view header(std::string_view name) const; // "" where there is none
};

class connection {
public:
    connection(address where, std::chrono::milliseconds connect_timeout);
    ~connection();
    connection(connection&&) noexcept;
    connection& operator=(connection&&) noexcept;

    /// Sends and reads within `timeout`. A kept connection that the daemon has closed meanwhile is opened anew, once;
    /// what may have been done already is not sent twice.
    [[nodiscard]] result<http_answer> exchange(
        http_request const& request, std::chrono::milliseconds timeout);

    [[nodiscard]] address const& where() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace ccbt::client
