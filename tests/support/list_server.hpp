// A web server of the test's own that serves lists of addresses (list_server.py), over TLS with a CA of its own where
// that is asked for.
#pragma once

#include "support/process.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace ccbt::support {

class list_server {
public:
    /// Serves what lies in `folder`, which is its own.
    explicit list_server(std::filesystem::path folder, bool over_tls = false);

    [[nodiscard]] std::string url(std::string const& path) const; // "/list"
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::filesystem::path authority() const { return folder_ / "ca.pem"; }
    void put(std::string const& name, std::string_view content) const { write_file(folder_ / name, content); }
    /// The requests so far, a line each: path, If-None-Match, status.
    [[nodiscard]] std::string requests() const;
    void stop() { process_.reset(); }

private:
    std::filesystem::path folder_;
    bool over_tls_;
    std::uint16_t port_ = 0;
    std::unique_ptr<process> process_;
};

} // namespace ccbt::support
