// A real ccbtd in a folder of its own, spoken to over its API as a stranger would. It finds no peers by itself: no DHT,
// no exchange, no local discovery, no gateway; only trackers.
#pragma once

#include "support/http.hpp"
#include "support/payload.hpp"
#include "support/process.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ccbt::support {

using wire::value;

struct daemon_plan {
    std::filesystem::path folder;        // state, downloads, configuration and log lie below
    std::string interface = "127.0.0.2"; // peers reach it, and it dials, at this address
    std::map<std::string, std::string>
        settings{}; // "limits.global_down_kib" -> TOML; lies over the test's own
    std::vector<std::string> flags{};
    std::vector<std::string> env{};
    std::vector<std::string> under{}; // what runs it: strace and its flags
};

/// What the daemon is told, as TOML.
[[nodiscard]] std::string configuration(daemon_plan const& plan);
[[nodiscard]] std::string program(
    std::string const& name); // "ccbtd", "ccbt" of this build, or of CCBT_TEST_PROGRAMS

class event_stream;

class daemon {
public:
    /// Starts it, and returns when it is ready.
    explicit daemon(daemon_plan plan);
    ~daemon();

    [[nodiscard]] std::filesystem::path state() const { return plan_.folder / "state"; }
    [[nodiscard]] std::filesystem::path downloads() const { return plan_.folder / "downloads"; }
    [[nodiscard]] std::filesystem::path config_file() const { return plan_.folder / "ccbt.toml"; }
    [[nodiscard]] std::string log() const { return process_->log_text(); }
    [[nodiscard]] std::string const& url() const { return url_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string const& key() const { return key_; }
    [[nodiscard]] support::process& running() { return *process_; }

    [[nodiscard]] answer call(
        std::string_view method, std::string_view path, std::string_view body = {},
        headers const& more = {}) const; // with the key, below /api/v1
    [[nodiscard]] answer get(std::string_view path) const { return call("GET", path); }
    [[nodiscard]] answer post(std::string_view path, std::string_view body = {}) const {
        return call("POST", path, body);
    }
    [[nodiscard]] answer del(std::string_view path) const { return call("DELETE", path); }

    /// Adds by content, to its download folder; throws where that is refused. Returns the info-hash.
    std::string add(torrent const& what, bool paused = false) const;
    std::string add_magnet(std::string const& link) const;
    [[nodiscard]] value row(std::string const& hash) const; // throws where it is not there
    /// A sample of GET /metrics without labels, -1 where there is none.
    [[nodiscard]] double metric(std::string const& name) const;
    [[nodiscard]] event_stream events(std::vector<std::string> const& types) const;

    using asked = std::function<bool(value const& row)>;
    /// The row, once it is as asked: read again when an event says that something changed, and at no other time.
    value wait_for(
        std::string const& hash, asked const& is_so, milliseconds within = milliseconds{40'000}) const;
    value wait_until_seeding(std::string const& hash, milliseconds within = milliseconds{40'000}) const;

    [[nodiscard]] int terminate(
        milliseconds within = milliseconds{10'000}); // its exit code; throws where it stays
    void kill9() { process_->kill9(); }
    void start();                                       // again
    [[nodiscard]] daemon_plan& plan() { return plan_; } // for the next start

private:
    daemon_plan plan_;
    std::unique_ptr<support::process> process_;
    std::string url_, key_;
    std::uint16_t port_ = 0;
};

class event_stream {
public:
    event_stream(daemon const& of, std::vector<std::string> const& types);
    /// The next event; heartbeats are left out.
    [[nodiscard]] std::optional<value> next(deadline const& until);
    /// The next event of this type that is as asked; throws where none comes.
    value wait_for(
        std::string_view type, std::function<bool(value const& data)> const& is_so,
        milliseconds within = milliseconds{20'000});
    [[nodiscard]] bool is_closed() const { return socket_.closing().has_value(); }

private:
    web_socket socket_;
};

/// "downloading" is told of a row.
[[nodiscard]] std::string state_of(value const& row);

} // namespace ccbt::support
