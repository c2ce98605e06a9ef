#include "support/list_server.hpp"

#include <charconv>
#include <stdexcept>

namespace ccbt::support {

namespace {

void openssl(std::vector<std::string> argv, std::filesystem::path const& folder) {
    argv.insert(argv.begin(), "openssl");
    auto const ran = run(argv, milliseconds{30'000}, {}, folder);
    if (ran.code != 0) throw std::runtime_error("openssl: " + ran.err);
}

// A CA, and a certificate of it for 127.0.0.1.
void make_certificates(std::filesystem::path const& folder) {
    std::vector<std::string> const fresh{"req",   "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                                         "-nodes"};
    auto ca = fresh;
    ca.insert(
        ca.end(),
        {"-x509", "-days", "2", "-subj", "/CN=a test's own CA", "-keyout", "ca.key", "-out", "ca.pem"});
    openssl(ca, folder);
    auto request = fresh;
    request.insert(request.end(), {"-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr"});
    openssl(request, folder);
    write_file(folder / "names", "subjectAltName=IP:127.0.0.1\n");
    openssl(
        {"x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
         "2", "-extfile", "names", "-out", "server.pem"},
        folder);
}

} // namespace

list_server::list_server(std::filesystem::path folder, bool over_tls)
    : folder_{std::move(folder)}, over_tls_{over_tls} {
    std::filesystem::create_directories(folder_);
    if (over_tls_) make_certificates(folder_);
    std::vector<std::string> argv{
        "python3", std::string{CCBT_SOURCE_DIR} + "/tests/support/list_server.py", folder_.string()};
    if (over_tls_) {
        argv.push_back((folder_ / "server.pem").string());
        argv.push_back((folder_ / "server.key").string());
    }
    process_ =
        std::make_unique<process>(process_plan{.argv = argv, .folder = folder_, .log = folder_ / "log"});
    auto const line = process_->next_line(milliseconds{20'000});
    if (!line) throw std::runtime_error("the list server does not start: " + process_->log_text());
    std::from_chars(line->data(), line->data() + line->size(), port_);
}

std::string list_server::url(std::string const& path) const {
    return (over_tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) + path;
}

std::string list_server::requests() const {
    auto const log = folder_ / "requests.log";
    return std::filesystem::exists(log) ? read_file(log) : std::string{};
}

} // namespace ccbt::support
