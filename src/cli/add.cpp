// `ccbt add`: local files travel as their bytes, so that it works for a daemon elsewhere too; --wait follows the
// torrents to their end, moved by events alone.
#include "base/text.hpp"
#include "cli/batch.hpp"
#include "cli/deeds.hpp"
#include "cli/print.hpp"
#include "cli/progress.hpp"
#include "cli/session.hpp"
#include "client/connection.hpp"
#include "client/watch.hpp"

#include <algorithm>
#include <csignal>
#include <fmt/core.h>
#include <fstream>
#include <ostream>
#include <sstream>
#include <unistd.h>

namespace ccbt::cli {

namespace {

namespace fs = std::filesystem;
using contract::event_type;

int code(exit_code c) { return static_cast<int>(c); }

// The source as the daemon is to get it: path_or_magnet or torrent_data.
expected<std::pair<std::string, std::string>, std::string> read_source(std::string const& written) {
    using made = std::pair<std::string, std::string>;
    if (text::equal_ignoring_case(std::string_view{written}.substr(0, 7), "magnet:"))
        return made{"path_or_magnet", written};
    std::error_code failed;
    fs::path const file{written};
    if (!fs::exists(file, failed)) {
        // An absolute path may be one of the daemon's machine; a relative one would mean another folder there.
        if (file.is_absolute()) return made{"path_or_magnet", written};
        return unexpected<std::string>{"there is no file \"" + written + "\" here, and it is no magnet link"};
    }
    if (!fs::is_regular_file(file, failed)) return unexpected<std::string>{'"' + written + "\" is no file"};
    if (fs::file_size(file, failed) > contract::max_torrent_bytes || failed)
        return unexpected<std::string>{'"' + written + "\" is too large for a .torrent file"};
    std::ifstream in{file, std::ios::binary};
    std::ostringstream bytes;
    bytes << in.rdbuf();
    if (!in) return unexpected<std::string>{'"' + written + "\" can not be read"};
    auto const held = std::move(bytes).str();
    return made{
        "torrent_data", text::to_base64({reinterpret_cast<std::uint8_t const*>(held.data()), held.size()})};
}

void leave_it_running(int) {
    constexpr std::string_view told = "\nccbt: the download goes on in the daemon; see `ccbt ls`\n";
    [[maybe_unused]] auto const written = ::write(STDERR_FILENO, told.data(), told.size());
    ::_exit(static_cast<int>(exit_code::interrupted));
}

// The lines of all torrents waited for, redrawn in place; other output goes above them.
class drawing {
public:
    explicit drawing(session& s) : s_{s} {}
    void clear() {
        if (drawn_ > 0) s_.out << "\x1b[" << drawn_ << "A\r\x1b[J";
        drawn_ = 0;
    }
    void draw(std::vector<std::string> const& lines) {
        clear();
        for (auto const& line : lines) s_.out << line << '\n';
        drawn_ = lines.size();
        s_.out.flush();
    }

private:
    session& s_;
    std::size_t drawn_ = 0;
};

std::string told(contract::event const& e) {
    auto line = fmt::format("event {} {}", contract::name_of(e.type), printable(e.data.name.value_or("")));
    if (e.data.status) line += ' ' + printable(*e.data.status);
    if (e.data.message) line += ": " + printable(*e.data.message);
    return line;
}

class waiting {
public:
    waiting(session& s, std::vector<std::string> hashes, bool print_events)
        : s_{s}, hashes_{std::move(hashes)}, print_events_{print_events}, picture_{s} {}

    int run() {
        std::signal(SIGINT, &leave_it_running);
        client::live_table table{
            s_.where.how,
            print_events_
                ? std::
                      vector{event_type::metadata_ready, event_type::tracker_announce_error, event_type::tracker_announce_success, event_type::storage_offline, event_type::storage_online}
                : std::vector<event_type>{}};
        bool was_lost = false;
        int lost_times = 0;
        while (true) {
            auto const news = table.next(std::chrono::hours{1});
            if (!news) return end(code(s_.tell(news.error())));
            for (auto const& e : news->events) note(e);
            if (!news->connected) {
                if (++lost_times > patience && table.lost()) return end(code(s_.tell(*table.lost())));
                if (!std::exchange(was_lost, true)) say("the daemon is gone; waiting for it to come back");
                continue;
            }
            lost_times = 0;
            if (std::exchange(was_lost, false)) say("the daemon is back");
            if (auto const left = look(table)) return end(*left);
        }
    }

private:
    static constexpr int patience = 20; // tries to come back, up to 5 s apart

    void say(std::string const& line) {
        if (s_.json) return;
        picture_.clear();
        s_.err << "ccbt: " << line << std::endl;
    }

    void note(contract::event const& e) {
        if (!e.data.info_hash ||
            std::find(hashes_.begin(), hashes_.end(), *e.data.info_hash) == hashes_.end())
            return;
        if (!print_events_ || s_.json) return;
        picture_.clear();
        s_.out << told(e) << std::endl;
    }

    // A magnet known by its v2 hash alone may turn out hybrid: from then on its row bears the v1 hash.
    contract::torrent_status const* row_of(std::string& hash, client::live_table const& table) {
        if (auto const* row = table.find(hash)) return row;
        auto const now = s_.daemon.torrent(hash);
        if (!now || now->info_hash == hash) return nullptr;
        hash = now->info_hash;
        return table.find(hash);
    }

    static std::string removed_row(std::string const& hash) {
        wire::writer w;
        w.begin_object();
        w.key("info_hash");
        w.text(hash);
        w.key("status");
        w.text("removed");
        w.end_object();
        return w.take_text();
    }

    // The exit code, once all of them came to their end.
    std::optional<int> look(client::live_table const& table) {
        std::vector<std::string> lines;
        bool any_going = false;
        bool any_failed = false;
        for (auto& hash : hashes_) {
            auto const* row = row_of(hash, table);
            if (row == nullptr) {
                any_failed = true;
                lines.push_back(fmt::format("{}: was removed", hash.substr(0, 8)));
                continue;
            }
            auto const how = outcome_of(*row);
            any_going = any_going || how == outcome::going;
            any_failed = any_failed || how == outcome::failed;
            if (s_.term.out_is_terminal)
                lines.push_back(progress_bar(*row, s_.term.width > 1 ? s_.term.width - 1 : 0));
            else if (auto line = log_.line_for(*row); line && !s_.json)
                s_.out << *line << std::endl;
        }
        if (s_.term.out_is_terminal && !s_.json) picture_.draw(lines);
        if (any_going) return std::nullopt;
        for (auto const& hash : hashes_) {
            auto const* row = table.find(hash);
            if (s_.json)
                print_json(s_.out, row != nullptr ? wire::to_json(*row) : removed_row(hash), s_.term);
            else if (row == nullptr || outcome_of(*row) == outcome::failed)
                s_.err << "ccbt: "
                       << (row == nullptr ? hash + " was removed"
                                          : printable(row->name) + ": " +
                                                printable(row->error.value_or("it is in status error")))
                       << '\n';
            else
                s_.out << "complete " << printable(row->name) << ' ' << hash << '\n';
        }
        return any_failed ? code(exit_code::failed) : 0;
    }

    int end(int how) {
        std::signal(SIGINT, SIG_DFL);
        s_.out.flush();
        return how;
    }

    session& s_;
    std::vector<std::string> hashes_;
    bool print_events_;
    drawing picture_;
    progress_log log_{};
};

// "." means the user's folder, not the daemon's: where both are on one machine the path is made whole.
void make_whole(session const& s, wire::value::object& request) {
    auto const at = client::parse_url(s.where.how.url);
    if (!at || !at->is_loopback()) return;
    for (auto& [name, held] : request)
        if (auto const* path = held.get_if<std::string>();
            name == "output_dir" && path != nullptr && !path->empty() && !path->starts_with('~'))
            held = fs::absolute(*path).lexically_normal().string();
}

// Several in one request each 500, or as many as stay well within the largest body.
int add_many(
    session& s, wire::value::object const& others, std::vector<std::pair<std::string, std::string>> sources,
    bool exists_is_fine, std::vector<std::string>& hashes) {
    constexpr std::size_t most = 500, most_bytes = std::size_t{32} << 20;
    int worst = 0;
    wire::value::array items;
    std::size_t bytes = 0;
    auto const send = [&] {
        batch_call what{wire::find_endpoint(contract::batch_add::route.name), {}, "added"};
        what.request.emplace_back("torrents", wire::value{std::exchange(items, {})});
        bytes = 0;
        auto const how = ask_many(s, what, exists_is_fine ? &hashes : nullptr);
        if (worst == 0) worst = how;
    };
    for (auto& [field, held] : sources) {
        if (!items.empty() && (items.size() >= most || bytes + held.size() > most_bytes)) send();
        bytes += held.size();
        auto one = others;
        one.emplace_back(field, std::move(held));
        items.emplace_back(std::move(one));
    }
    send();
    return worst;
}

} // namespace

int add_torrents(session& s, command const& what, given const& words) {
    std::string source_word;
    for (auto const& a : what.arguments)
        if (a.positional) source_word = a.word;
    given others;
    for (auto const& a : what.arguments)
        if (!a.positional && words.has(a.word)) others.put(a.word, words.all(a.word));
    auto request = request_of(what, others);
    if (!request) return code(s.wrong_usage(request.error()));
    make_whole(s, *request);

    std::vector<std::pair<std::string, std::string>> sources;
    for (auto const& written : words.all(source_word)) {
        auto source = read_source(written);
        if (!source) return code(s.wrong_usage(source.error()));
        sources.push_back(std::move(*source));
    }
    bool const wait = words.flag("wait");
    if (wait && words.flag("paused"))
        return code(s.wrong_usage("--wait would never end with --paused: leave one of them out"));
    int worst = 0;
    std::vector<std::string> hashes;
    if (sources.size() > 1) worst = add_many(s, *request, std::exchange(sources, {}), wait, hashes);
    for (auto& [field, held] : sources) {
        auto one = *request;
        one.emplace_back(field, std::move(held));
        auto const got = s.daemon.call(*what.endpoint, one);
        if (got) {
            auto const read = wire::parse(got->text);
            auto const hash = read ? std::string{read->text_or("info_hash", "")} : std::string{};
            hashes.push_back(hash);
            if (s.json)
                print_json(s.out, got->text, s.term);
            else
                s.out << "added " << printable(hash) << std::endl;
            continue;
        }
        auto const details = wire::parse(got.error().details);
        auto const there = details ? std::string{details->text_or("info_hash", "")} : std::string{};
        if (wait && got.error().known == contract::errc::torrent_exists && !there.empty()) {
            if (!s.json) s.out << "already there " << printable(there) << std::endl;
            hashes.push_back(there);
            continue;
        }
        auto const how = code(s.tell(got.error()));
        if (worst == 0) worst = how;
    }
    if (!wait || hashes.empty()) return worst;
    auto const waited = waiting{s, std::move(hashes), words.flag("events")}.run();
    return worst != 0 ? worst : waited;
}

} // namespace ccbt::cli
