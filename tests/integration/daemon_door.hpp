// A ccbtd whose door is of another kind: TLS, Unix socket, a service manager's sockets. Spoken to by curl, which is
// nobody's friend.
#pragma once

#include "support/daemon.hpp"
#include "support/temp_folder.hpp"

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace ccbt::support {

class door_daemon {
public:
    explicit door_daemon(daemon_plan plan, std::vector<std::string> before = {})
        : plan_{std::move(plan)}, before_{std::move(before)} {
        std::filesystem::create_directories(plan_.folder / "downloads");
        start();
    }
    void start() {
        process_.reset();
        write_file(config_file(), configuration(plan_));
        auto argv = before_;
        argv.insert(argv.end(), {program("ccbtd"), "--config", config_file().string()});
        auto env = plan_.env;
        env.push_back("HOME=" + plan_.folder.string());
        process_ = std::make_unique<process>(
            process_plan{.argv = argv, .env = env, .folder = plan_.folder, .log = plan_.folder / "log"});
        auto const line = process_->next_line(milliseconds{30'000});
        if (!line || !line->starts_with("ready ")) {
            auto const end = process_->wait(milliseconds{2000});
            throw std::runtime_error(
                "not ready: \"" + line.value_or("") + "\", exit " + std::to_string(end.value_or(-1)) + '\n' +
                process_->log_text());
        }
        url = line->substr(6);
        auto const file = state() / "api_key";
        key = std::filesystem::exists(file) ? read_file(file).substr(0, 64) : "";
    }

    [[nodiscard]] std::filesystem::path folder() const { return plan_.folder; }
    [[nodiscard]] std::filesystem::path state() const { return plan_.folder / "state"; }
    [[nodiscard]] std::filesystem::path config_file() const { return plan_.folder / "ccbt.toml"; }
    [[nodiscard]] std::string socket() const { return (state() / "ccbtd.sock").string(); }
    [[nodiscard]] std::string certificate() const { return (state() / "tls_certificate.pem").string(); }
    [[nodiscard]] std::string port() const { return url.substr(url.rfind(':') + 1); }
    [[nodiscard]] wire::value told() const {
        return wire::parse(read_file(state() / "daemon.json")).value_or(wire::value{});
    }
    [[nodiscard]] support::process& running() { return *process_; }
    [[nodiscard]] daemon_plan& plan() { return plan_; }
    [[nodiscard]] std::string log() const { return process_->log_text(); }
    [[nodiscard]] bool logs(std::string const& what) const {
        return eventually(milliseconds{20'000}, [&] { return log().find(what) != std::string::npos; });
    }
    [[nodiscard]] int terminate() {
        process_->signal(SIGTERM);
        return process_->wait(milliseconds{10'000}).value_or(-1);
    }

    std::string url, key;

private:
    daemon_plan plan_;
    std::vector<std::string> before_;
    std::unique_ptr<support::process> process_;
};

/// curl's exit code, the status and the body that it got; status 0 where there was no answer.
struct curled {
    int code = -1, status = 0;
    std::string body, err;
};
inline curled curl(std::vector<std::string> words, std::vector<std::string> before = {}) {
    before.insert(before.end(), {"curl", "-sS", "--max-time", "20", "-w", "\n%{http_code}"});
    before.insert(before.end(), words.begin(), words.end());
    auto const ran = run(std::move(before), milliseconds{30'000});
    auto const end = ran.out.rfind('\n');
    curled made{.code = ran.code, .body = ran.out.substr(0, end), .err = ran.err};
    if (end != std::string::npos) made.status = std::stoi(ran.out.substr(end + 1));
    return made;
}

} // namespace ccbt::support
