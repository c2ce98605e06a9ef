#include "client/local.hpp"

#include "base/text.hpp"
#include "client/connection.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace ccbt::client {

namespace {

namespace fs = std::filesystem;

std::optional<std::string> content_of(fs::path const& file) {
    std::error_code failed;
    if (!fs::is_regular_file(file, failed) || fs::file_size(file, failed) > 1'000'000) return std::nullopt;
    std::ifstream in{file, std::ios::binary};
    std::ostringstream all;
    all << in.rdbuf();
    if (!in) return std::nullopt;
    return std::move(all).str();
}

// key = "text" or 'text' of section [daemon], on one line.
std::optional<std::string> daemon_setting(std::string_view toml, std::string_view key) {
    bool inside = false;
    for (auto line : text::split(toml, '\n')) {
        line = text::trim(line);
        if (line.starts_with('[')) {
            inside = text::trim(line.substr(1, line.find(']') - 1)) == "daemon";
            continue;
        }
        auto const equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        auto name = text::trim(line.substr(0, equals));
        if (!inside) {
            if (!name.starts_with("daemon.")) continue;
            name.remove_prefix(7);
        }
        auto const held = text::trim(line.substr(equals + 1));
        if (name != key || held.size() < 2 || (held[0] != '"' && held[0] != '\'')) continue;
        auto const end = held.find(held[0], 1);
        if (end == std::string_view::npos || held.substr(0, end).find('\\') != std::string_view::npos)
            continue;
        return std::string{held.substr(1, end - 1)};
    }
    return std::nullopt;
}

// The process that daemon.json names: does it run, as the user who wrote the file?
bool runs(std::int64_t pid, fs::path const& told_in) {
    struct stat process {
    }, file{};
    return ::stat(("/proc/" + std::to_string(pid)).c_str(), &process) == 0 &&
           ::stat(told_in.c_str(), &file) == 0 && process.st_uid == file.st_uid;
}

} // namespace

local_daemon find_local_daemon(local_search const& search) {
    auto const environment = [&](char const* name) -> std::optional<std::string> {
        char const* held = search.environment ? search.environment(name) : std::getenv(name);
        if (held == nullptr || *held == '\0') return std::nullopt;
        return held;
    };
    auto const home = fs::path{environment("HOME").value_or("/")};
    auto const expand = [&](std::string const& path) {
        return path == "~" || path.starts_with("~/") ? home / path.substr(path.size() > 1 ? 2 : 1)
                                                     : fs::path{path};
    };
    auto const first = [](std::initializer_list<std::optional<std::string>> candidates) {
        for (auto const& one : candidates)
            if (one && !one->empty()) return one;
        return std::optional<std::string>{};
    };

    std::string config;
    if (search.config) {
        config = content_of(expand(*search.config)).value_or("");
    } else {
        for (auto const& file :
             {search.working_directory / "ccbt.toml", home / ".config/ccbt/ccbt.toml", home / ".ccbt.toml"})
            if (auto held = content_of(file)) {
                config = std::move(*held);
                break;
            }
    }

    local_daemon found;
    found.state_dir = expand(first({search.state_dir, environment("CCBT_DAEMON_STATE_DIR"),
                                    environment("CCBT_STATE_DIR"), daemon_setting(config, "state_dir")})
                                 .value_or("~/.ccbt/daemon"));
    std::optional<std::string> written_url;
    std::string told_socket, told_certificate;
    if (auto const held = content_of(found.state_dir / "daemon.json")) {
        if (auto const read = wire::parse(*held)) {
            written_url = std::string{read->text_or("url", "")};
            told_socket = read->text_or("unix_socket", "");
            told_certificate = read->text_or("certificate", "");
            if (auto const pid = read->number_or("pid", 0); pid > 0 && pid < 1e9)
                found.pid = static_cast<std::int64_t>(pid);
        }
    }
    auto const given_url = first({search.url, environment("CCBT_URL")});
    found.named = given_url.has_value();
    // What an ended daemon wrote may name a port that is somebody else's by now: no key goes there.
    bool const is_stale =
        !given_url && written_url && found.pid && !runs(*found.pid, found.state_dir / "daemon.json");
    struct stat facts {};
    bool const has_socket = !given_url && !is_stale && !told_socket.empty() &&
                            ::stat(told_socket.c_str(), &facts) == 0 && S_ISSOCK(facts.st_mode) &&
                            ::access(told_socket.c_str(), W_OK) == 0;
    found.how.url =
        has_socket ? "unix://" + told_socket : first({given_url, written_url}).value_or(options{}.url);

    std::optional<std::string> own_key;
    auto const where = parse_url(found.how.url);
    found.how.ca_file = first({search.ca, environment("CCBT_CA")}).value_or("");
    if (where && where->tls && where->is_loopback() && found.how.ca_file.empty())
        found.how.certificate_file = told_certificate;
    bool const needs_none = has_socket && facts.st_uid == ::geteuid();
    if (!needs_none && !is_stale && (!given_url || (where && where->is_loopback()))) {
        own_key = daemon_setting(config, "api_key");
        if (!own_key || own_key->empty()) {
            own_key = content_of(found.state_dir / "api_key");
            if (own_key) own_key = std::string{text::trim(*own_key)};
        }
    }
    found.how.api_key =
        first({search.api_key, environment("CCBT_DAEMON_API_KEY"), environment("CCBT_API_KEY"), own_key})
            .value_or("");
    return found;
}

} // namespace ccbt::client
