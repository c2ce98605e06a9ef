#include "daemon/tls_files.hpp"

#include "base/certificate.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace ccbt::daemon {

namespace {

constexpr char const* own_certificate = "tls_certificate.pem";
constexpr char const* own_key = "tls_key.pem";
constexpr int good_for = 3650; // days
constexpr int renewed_before = 30;

std::vector<std::string> names_of(contract::daemon_settings const& s) {
    std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
    auto const add = [&](std::string name) {
        if (name.starts_with('[')) { // [::1]:80
            name = name.substr(1, name.find(']') - 1);
        } else if (auto const colon = name.find(':'); colon != name.npos && colon == name.rfind(':')) {
            name.resize(colon);
        }
        if (!name.empty() && name != "0.0.0.0" && name != "::" &&
            std::find(names.begin(), names.end(), name) == names.end())
            names.push_back(std::move(name));
    };
    add(s.ipc_host);
    for (auto const& host : s.allowed_hosts) add(host);
    return names;
}

std::string text_of(std::filesystem::path const& file) {
    std::ifstream in{file, std::ios::binary};
    std::ostringstream all;
    all << in.rdbuf();
    return std::move(all).str();
}

} // namespace

expected<tls_pair, start_failure> open_tls(contract::daemon_settings const& settings, state_dir& dir) {
    auto const fails = [](tls::pair_failure const& f) {
        return unexpected<start_failure>{
            {exit_code::configuration,
             std::string{f.of_key ? "daemon.tls_key_path: " : "daemon.tls_certificate_path: "} + f.why}};
    };
    if (!settings.tls_certificate_path.empty()) {
        auto made = tls::server_context(settings.tls_certificate_path, settings.tls_key_path);
        if (!made) return fails(made.error());
        return tls_pair{std::move(*made), {}};
    }
    auto const certificate = (dir.folder() / own_certificate).string();
    auto const key = (dir.folder() / own_key).string();
    auto const names = names_of(settings);
    if (tls::covers(text_of(certificate), names, renewed_before))
        if (auto kept = tls::server_context(certificate, key)) return tls_pair{std::move(*kept), certificate};
    auto const made = tls::make_pair(names, good_for);
    if (!made) return fails({false, made.error()});
    if (auto written = dir.keep(own_key, made->key); !written)
        return unexpected<start_failure>{written.error()};
    if (auto written = dir.keep(own_certificate, made->certificate); !written)
        return unexpected<start_failure>{written.error()};
    log::info("a certificate was made for this API: {}", certificate);
    auto fresh = tls::server_context(certificate, key);
    if (!fresh) return fails(fresh.error());
    return tls_pair{std::move(*fresh), certificate};
}

} // namespace ccbt::daemon
