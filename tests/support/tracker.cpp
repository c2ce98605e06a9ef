#include "support/tracker.hpp"

#include "base/text.hpp"
#include "support/http.hpp"

#include <charconv>
#include <csignal>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace ccbt::support {

namespace {

constexpr auto address = "127.0.0.1";

std::string query_for(std::string const& hash) {
    auto const bytes = text::from_hex(hash).value();
    return "?info_hash=" + text::percent_encode(std::string{bytes.begin(), bytes.end()});
}

int number_after(std::string_view text, std::string_view mark) {
    auto const at = text.find(mark);
    int out = 0;
    if (at != std::string_view::npos)
        std::from_chars(text.data() + at + mark.size(), text.data() + text.size(), out);
    return out;
}

} // namespace

tracker::tracker(std::filesystem::path folder, std::vector<std::string> const& hashes)
    : folder_(std::move(folder)), hashes_(hashes), port_(free_port(address)) {
    std::filesystem::create_directories(folder_);
    ::chmod(folder_.c_str(), 0755); // it reads as nobody
    std::string list;
    for (auto const& hash : hashes_) list += hash + '\n';
    write_file(folder_ / "torrents", list);
    auto const port = std::to_string(port_);
    std::vector<std::string> argv{"opentracker", "-i", address, "-p", port, "-P", port};
    if (::geteuid() == 0) argv.insert(argv.end(), {"-u", "nobody"});
    // As root it changes its root to -d, and -w is read below that.
    argv.insert(argv.end(), {"-d", folder_.string(), "-w", "torrents"});
    process_ = std::make_unique<process>(
        process_plan{.argv = argv, .folder = folder_, .log = folder_ / "log", .reads_output = false});
    if (!eventually(milliseconds{10'000}, [&] {
            return !process_->is_running() || somebody_listens(address, port_);
        }))
        throw std::runtime_error("opentracker does not listen: " + process_->log_text());
    if (!process_->is_running()) throw std::runtime_error("opentracker ended: " + process_->log_text());
}

std::string tracker::http() const { return "http://127.0.0.1:" + std::to_string(port_) + "/announce"; }
std::string tracker::udp() const { return "udp://127.0.0.1:" + std::to_string(port_) + "/announce"; }

void tracker::let_in(std::vector<std::string> const& hashes) {
    hashes_.insert(hashes_.end(), hashes.begin(), hashes.end());
    std::string list;
    for (auto const& hash : hashes_) list += hash + '\n';
    write_file(folder_ / "torrents.new", list);
    std::filesystem::rename(folder_ / "torrents.new", folder_ / "torrents");
    process_->signal(SIGHUP);
    for (auto const& hash : hashes)
        if (!eventually(milliseconds{10'000}, [&] { return serves(hash); }))
            throw std::runtime_error("opentracker does not take " + hash);
}

bool tracker::serves(std::string const& hash) const {
    // Only a peer that comes is refused, not one that goes; one that goes again leaves nothing behind.
    auto const is_taken = [&](std::string const& event) {
        http_connection ask{address, port_};
        auto const said = ask.ask(
            "GET",
            "/announce" + query_for(hash) +
                "&peer_id=-XX0000-000000000000&port=9&uploaded=0&downloaded=0&left=1&compact=1&event=" +
                event);
        return said.status == 200 && said.body.find("failure reason") == std::string::npos;
    };
    return is_taken("started") && is_taken("stopped");
}

int tracker::peers_of(std::string const& hash) const {
    http_connection ask{address, port_};
    auto const said = ask.ask("GET", "/scrape" + query_for(hash));
    return number_after(said.body, "8:completei") + number_after(said.body, "10:incompletei");
}

void tracker::wait_for_peers(std::string const& hash, int count, milliseconds within) const {
    if (!eventually(within, [&] { return peers_of(hash) >= count; }))
        throw std::runtime_error(
            "the tracker knows " + std::to_string(peers_of(hash)) + " peers of " + hash + " and not " +
            std::to_string(count));
}

void tracker::announce(
    std::string const& hash, std::string const& peer_address, std::uint16_t peer_port) const {
    http_connection ask{address, port_, peer_address};
    auto const said = ask.ask(
        "GET", "/announce" + query_for(hash) + "&peer_id=-XX0001-" + std::to_string(10'000'000 + peer_port) +
                   "0000&port=" + std::to_string(peer_port) + "&uploaded=0&downloaded=0&left=1&compact=1");
    if (said.status != 200 || said.body.find("failure reason") != std::string::npos)
        throw std::runtime_error("the tracker does not take an announce: " + said.body);
}

bool tracker::stop() {
    process_->signal(SIGTERM);
    return process_->wait(milliseconds{5000}).has_value();
}

} // namespace ccbt::support
