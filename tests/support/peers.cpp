#include "support/peers.hpp"

#include "support/socket.hpp"

#include <cerrno>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>

namespace ccbt::support {

namespace {

std::string tail(std::string const& log) {
    return log.substr(log.size() - std::min<std::size_t>(log.size(), 2000));
}

} // namespace

foreign_peer::foreign_peer(peer_plan plan) : plan_(std::move(plan)) {
    std::filesystem::create_directories(files());
    write_file(torrent_file(), plan_.of->bytes);
}

aria2::aria2(peer_plan plan) : foreign_peer(std::move(plan)) {
    std::vector<std::string> argv{
        "aria2c",
        "--no-conf=true",
        "--enable-dht=false",
        "--enable-dht6=false",
        "--bt-enable-lpd=false",
        "--enable-peer-exchange=false",
        "--disable-ipv6=true",
        "--file-allocation=none",
        "--summary-interval=0",
        "--console-log-level=notice",
        "--bt-stop-timeout=60",
        "--follow-torrent=mem",
        "--interface=" + plan_.address,
        "--listen-port=" + std::to_string(free_port(plan_.address)),
        "--dir=" + files().string()};
    if (plan_.plays == part::seeds)
        argv.insert(argv.end(), {"--check-integrity=true", "--seed-ratio=0.0"});
    else
        argv.emplace_back("--seed-time=0");
    argv.push_back(torrent_file().string());
    process_ = std::make_unique<process>(process_plan{
        .argv = argv, .folder = plan_.folder, .log = plan_.folder / "log", .reads_output = false});
}

void aria2::wait_until_complete(milliseconds within) {
    auto const end = process_->wait(within);
    if (end != 0)
        throw std::runtime_error(
            "aria2c " + (end ? "ended with " + std::to_string(*end) : "did not end") + '\n' + tail(log()));
}

transmission::transmission(peer_plan plan) : foreign_peer(std::move(plan)) {
    auto const port = std::to_string(free_port(plan_.address));
    auto const told = plan_.folder / "finished";
    auto const script = plan_.folder / "tell";
    std::filesystem::create_directories(plan_.folder / "settings");
    write_file(
        plan_.folder / "settings" / "settings.json",
        R"({"bind-address-ipv4":")" + plan_.address +
            R"(","bind-address-ipv6":"::1","dht-enabled":false,"lpd-enabled":false,"pex-enabled":false,)"
            R"("utp-enabled":false,"port-forwarding-enabled":false,"peer-port":)" +
            port + '}');
    if (::mkfifo(told.c_str(), 0600) != 0)
        throw std::system_error(errno, std::generic_category(), told.string());
    write_file(script, "#!/bin/sh\necho finished >'" + told.string() + "'\n");
    ::chmod(script.c_str(), 0700);
    finished_ = std::make_unique<process>(process_plan{.argv = {"cat", told.string()}});
    std::vector<std::string> argv{
        "transmission-cli",
        "-g",
        (plan_.folder / "settings").string(),
        "-w",
        files().string(),
        "-p",
        port,
        "-M",
        "-f",
        script.string()};
    if (plan_.plays == part::seeds) argv.emplace_back("-v");
    argv.push_back(torrent_file().string());
    process_ = std::make_unique<process>(process_plan{
        .argv = argv, .folder = plan_.folder, .log = plan_.folder / "log", .reads_output = false});
}

void transmission::wait_until_complete(milliseconds within) {
    if (finished_->next_line(within) != "finished")
        throw std::runtime_error("transmission-cli did not finish\n" + tail(log()));
}

} // namespace ccbt::support
