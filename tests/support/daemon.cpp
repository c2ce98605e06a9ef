#include "support/daemon.hpp"

#include "base/text.hpp"

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace ccbt::support {

namespace {

std::string toml_text(std::string_view text) {
    wire::writer out;
    out.text(text); // a JSON string is a TOML string
    return out.take_text();
}

std::string tail(std::string const& log) {
    return log.substr(log.size() - std::min<std::size_t>(log.size(), 3000));
}

} // namespace

std::string state_of(value const& row) { return std::string{row.text_or("status", "")}; }

std::string program(std::string const& name) {
    auto const* const elsewhere = std::getenv("CCBT_TEST_PROGRAMS");
    return std::string{elsewhere != nullptr ? elsewhere : CCBT_BUILD_DIR} + '/' + name;
}

std::string configuration(daemon_plan const& plan) {
    std::map<std::string, std::string> keys{
        {"network.listen_interface", toml_text(plan.interface)},
        {"network.listen_port_tcp", "0"},
        {"network.enable_ipv6", "false"},
        {"discovery.enable_dht", "false"},
        {"discovery.enable_pex", "false"},
        {"discovery.enable_lsd", "false"},
        {"nat.enable_upnp", "false"},
        {"nat.enable_nat_pmp", "false"},
        {"nat.auto_map_ports", "false"},
        {"disk.download_path", toml_text((plan.folder / "downloads").string())},
        {"queue.auto_manage_queue", "false"},
        {"daemon.ipc_port", "0"},
        {"daemon.state_dir", toml_text((plan.folder / "state").string())},
        {"observability.log_level", "\"INFO\""}};
    for (auto const& [key, text] : plan.settings) keys[key] = text;
    std::string out;
    for (auto const& [key, text] : keys)
        if (!text.empty()) out += key + " = " + text + '\n';
    return out;
}

daemon::daemon(daemon_plan plan) : plan_(std::move(plan)) {
    std::filesystem::create_directories(downloads());
    start();
}

daemon::~daemon() {
    // Who is killed writes no counters of the lines that it ran.
    if (std::getenv("CCBT_COUNTS_LINES") == nullptr || !process_) return;
    process_->signal(SIGTERM);
    if (!process_->wait(milliseconds{10'000}))
        std::fputs("ccbtd does not end: its lines are not counted\n", stderr);
}

void daemon::start() {
    process_.reset();
    write_file(config_file(), configuration(plan_));
    auto argv = plan_.under;
    argv.insert(argv.end(), {program("ccbtd"), "--config", config_file().string()});
    argv.insert(argv.end(), plan_.flags.begin(), plan_.flags.end());
    auto env = plan_.env;
    env.push_back("HOME=" + plan_.folder.string()); // nothing of the user's own reaches it
    process_ = std::make_unique<support::process>(
        process_plan{.argv = argv, .env = env, .folder = plan_.folder, .log = plan_.folder / "log"});
    auto const line = process_->next_line(milliseconds{30'000});
    constexpr std::string_view ready = "ready http://127.0.0.1:";
    if (!line || !line->starts_with(ready)) {
        auto const end = process_->wait(milliseconds{200});
        throw std::runtime_error(
            "ccbtd is not ready: it wrote \"" + line.value_or("") + "\"" +
            (end ? " and ended with " + std::to_string(*end) : "") + '\n' + tail(log()));
    }
    url_ = line->substr(6);
    std::from_chars(line->data() + ready.size(), line->data() + line->size(), port_);
    key_ = std::string{text::trim(read_file(state() / "api_key"))};
}

answer daemon::call(
    std::string_view method, std::string_view path, std::string_view body, headers const& more) const {
    headers all{{"Host", "127.0.0.1:" + std::to_string(port_)}, {"X-CCBT-API-Key", key_}};
    all.insert(all.end(), more.begin(), more.end());
    http_connection ask{"127.0.0.1", port_};
    return ask.ask(method, "/api/v1" + std::string{path}, all, body);
}

std::string daemon::add(torrent const& what, bool paused) const {
    auto const base64 = text::to_base64(std::vector<std::uint8_t>(what.bytes.begin(), what.bytes.end()));
    auto const said = post(
        "/torrents/add",
        R"({"torrent_data":")" + base64 + R"(","paused":)" + (paused ? "true" : "false") + '}');
    if (said.status != 200 || said.json.text_or("status", "") != "added")
        throw std::runtime_error("not added: " + std::to_string(said.status) + ' ' + said.body);
    return std::string{said.json.text_or("info_hash", "")};
}

std::string daemon::add_magnet(std::string const& link) const {
    auto const said = post("/torrents/add", R"({"path_or_magnet":)" + toml_text(link) + '}');
    if (said.status != 200)
        throw std::runtime_error("not added: " + std::to_string(said.status) + ' ' + said.body);
    return std::string{said.json.text_or("info_hash", "")};
}

value daemon::row(std::string const& hash) const {
    auto said = get("/torrents/" + hash);
    if (said.status != 200)
        throw std::runtime_error(hash + ": " + std::to_string(said.status) + ' ' + said.body);
    return std::move(said.json);
}

double daemon::metric(std::string const& name) const {
    auto const page = get("/metrics").body;
    auto const at = page.find('\n' + name + ' ');
    double out = -1;
    if (at != std::string::npos)
        std::from_chars(page.data() + at + name.size() + 2, page.data() + page.size(), out);
    return out;
}

event_stream daemon::events(std::vector<std::string> const& types) const { return {*this, types}; }

value daemon::wait_for(std::string const& hash, asked const& is_so, milliseconds within) const {
    deadline const until{within};
    auto told = events({"torrents_changed", "torrent_status_changed", "torrent_completed", "metadata_ready"});
    for (;;) {
        auto now = row(hash);
        if (is_so(now)) return now;
        if (!told.next(until)) {
            auto const last = row(hash);
            throw std::runtime_error(
                (is_so(last) ? "no event told of it: " : "not as it should be: ") + to_text(last) + '\n' +
                tail(log()));
        }
    }
}

value daemon::wait_until_seeding(std::string const& hash, milliseconds within) const {
    return wait_for(
        hash, [](value const& row) { return state_of(row) == "seeding"; }, within);
}

int daemon::terminate(milliseconds within) {
    process_->signal(SIGTERM);
    auto const end = process_->wait(within);
    if (!end) throw std::runtime_error("ccbtd does not end at SIGTERM\n" + tail(log()));
    return *end;
}

event_stream::event_stream(daemon const& of, std::vector<std::string> const& types)
    : socket_("127.0.0.1", of.port(), "/api/v1/events", {{"X-CCBT-API-Key", of.key()}}) {
    wire::writer ask;
    ask.begin_object();
    ask.key("action");
    ask.text("subscribe");
    ask.key("data");
    ask.begin_object();
    ask.key("event_types");
    ask.begin_array();
    for (auto const& type : types) ask.text(type);
    ask.end_array();
    ask.end_object();
    ask.end_object();
    socket_.send(ask.take_text());
    deadline const until{milliseconds{10'000}};
    while (auto const said = socket_.next(until))
        if (said->text_or("action", "") == "subscribed") return;
    throw std::runtime_error("subscribing was not answered");
}

std::optional<value> event_stream::next(deadline const& until) {
    while (auto said = socket_.next(until))
        if (said->find("type") != nullptr) return said;
    return std::nullopt;
}

value event_stream::wait_for(
    std::string_view type, std::function<bool(value const&)> const& is_so, milliseconds within) {
    deadline const until{within};
    std::string seen;
    while (auto said = next(until)) {
        auto const* const data = said->find("data");
        if (said->text_or("type", "") == type && data != nullptr && is_so(*data)) return std::move(*said);
        seen += to_text(*said) + '\n';
    }
    throw std::runtime_error("no event " + std::string{type} + " came, but:\n" + seen);
}

} // namespace ccbt::support
