#include "client/dial.hpp"

#include "base/net_tls.hpp"

namespace ccbt::client {

namespace {

using generic_endpoint = asio::generic::stream_protocol::endpoint;

unexpected<client_error> unreachable(address const& where, std::string const& why) {
    return fails(error_kind::unreachable, where.shown() + ": " + why);
}

result<std::vector<generic_endpoint>> endpoints_of(asio::io_context& io, address const& where) {
    std::vector<generic_endpoint> all;
    if (!where.unix_path.empty()) {
        if (where.unix_path.size() > 107) return unreachable(where, "the path has over 107 bytes");
        all.emplace_back(asio::local::stream_protocol::endpoint{where.unix_path});
        return all;
    }
    error_code failed;
    asio::ip::tcp::resolver resolver{io};
    auto const found = resolver.resolve(where.host, where.port, failed);
    if (failed) return fails(error_kind::unreachable, where.host + ": " + failed.message());
    for (auto const& one : found) all.emplace_back(one.endpoint());
    return all;
}

result<stream> secure(asio::io_context& io, address const& where, stream_socket socket, due_time by) {
    tls::trust const whom{where.host, where.ca_file, where.certificate_file};
    auto const context = tls::client_context(whom);
    if (!context) return fails(error_kind::unsupported, context.error());
    auto const line = tls::dial(*context, whom, std::move(socket));
    auto const how = run_until(
        io, by, [&](auto done) { line->handshake(std::move(done)); }, [&] { line->close(); });
    if (!how) return unreachable(where, "the TLS handshake took too long");
    auto const distrust = line->distrust();
    if (*how && distrust.empty())
        return fails(error_kind::unreachable, where.shown() + ": no TLS there: " + how->message());
    if (!distrust.empty())
        return fails(
            error_kind::untrusted,
            where.shown() + " is not trusted: " + distrust + " (--ca FILE names a certificate to trust)");
    return stream{line->layer()};
}

} // namespace

result<stream> dial(asio::io_context& io, address const& where, std::chrono::milliseconds within) {
    auto const by = std::chrono::steady_clock::now() + within;
    auto const endpoints = endpoints_of(io, where);
    if (!endpoints) return unexpected<client_error>{endpoints.error()};
    error_code last = asio::error::host_not_found;
    for (auto const& one : *endpoints) {
        stream_socket socket{io.get_executor()};
        error_code ignored;
        auto const how = run_until(
            io, by, [&](auto done) { socket.async_connect(one, std::move(done)); },
            [&] { socket.close(ignored); });
        last = how.value_or(asio::error::timed_out);
        if (!how) break;
        if (last) continue;
        if (where.unix_path.empty()) socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
        if (where.tls) return secure(io, where, std::move(socket), by);
        return stream{std::move(socket)};
    }
    return unreachable(where, last.message());
}

} // namespace ccbt::client
