// `ccbt export`, `import`, `verify`, `checkpoint`, `resume-checkpoint`: work that may be long, with its progress on a terminal; and
// checkpoints as the documents that they are.
#include "cli/deeds.hpp"
#include "cli/print.hpp"
#include "cli/progress.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"
#include "client/watch.hpp"

#include <algorithm>
#include <atomic>
#include <fmt/core.h>
#include <fstream>
#include <iostream>
#include <ostream>
#include <sstream>
#include <thread>

namespace ccbt::cli {

namespace {

namespace fs = std::filesystem;
using contract::event_type;

int code(exit_code c) { return static_cast<int>(c); }

constexpr std::chrono::milliseconds usual_timeout{30'000}, long_timeout{std::chrono::hours{6}};

client::options patient(client::options how) {
    if (how.timeout == usual_timeout) how.timeout = long_timeout; // nobody asked for less
    return how;
}

// A line that says how far the daemon's work has come, while this object lives.
class shown_progress {
public:
    explicit shown_progress(session& s) {
        if (!s.term.err_is_terminal || s.json) return;
        thread_ = std::jthread{[this, &s] { show(s); }};
    }
    ~shown_progress() {
        over_ = true;
        if (thread_.joinable()) thread_.join();
    }
    shown_progress(shown_progress const&) = delete;
    shown_progress& operator=(shown_progress const&) = delete;

private:
    void show(session& s) {
        std::vector<event_type> const types{event_type::progress_updated};
        auto stream = client::event_stream::open(s.where.how, types);
        bool drawn = false;
        while (stream && !over_) {
            auto const got = stream->next(std::chrono::milliseconds{100});
            if (!got) break;
            if (!*got) continue;
            auto const& data = (*got)->data;
            auto const total = static_cast<double>(std::max<std::int64_t>(1, data.total.value_or(1)));
            s.err << "\r\x1b[K" << printable(data.what.value_or("")) << ' '
                  << percent(static_cast<double>(data.finished.value_or(0)) / total) << std::flush;
            drawn = true;
        }
        if (drawn) s.err << "\r\x1b[K" << std::flush;
    }
    std::atomic<bool> over_ = false;
    std::jthread thread_;
};

// Asks and prints nothing: the answer, or the exit code.
expected<client::answer, int> ask(session& s, command const& what, wire::value::object const& request) {
    shown_progress const shown{s};
    client::client long_lived{patient(s.daemon.how())};
    auto got = long_lived.call(*what.endpoint, request);
    if (!got) return unexpected<int>{code(s.tell(got.error()))};
    return std::move(*got);
}

// A file that is here is meant by where it is; another name is the daemon's own business.
std::string as_the_daemon_sees(std::string const& written) {
    std::error_code failed;
    if (!fs::exists(written, failed)) return written;
    auto const whole = fs::absolute(written, failed);
    return failed ? written : whole.string();
}

expected<std::string, std::string> read_all(std::string const& path) {
    std::ostringstream text;
    if (path == "-") {
        text << std::cin.rdbuf();
        return std::move(text).str();
    }
    std::ifstream in{path, std::ios::binary};
    if (!in) return unexpected<std::string>{'"' + path + "\" cannot be read"};
    text << in.rdbuf();
    return std::move(text).str();
}

} // namespace

int export_state(session& s, command const& what, given const& words) {
    auto const request = request_of(what, words);
    if (!request) return code(s.wrong_usage(request.error()));
    auto const got = ask(s, what, *request);
    if (!got) return got.error();
    if (s.json) {
        print_json(s.out, got->text, s.term);
        return 0;
    }
    auto const read = wire::parse(got->text);
    if (!read) return code(s.tell({.message = "its answer is no JSON"}));
    s.out << fmt::format(
        "exported {} torrents, {}, to {}\n", read->number_or("torrents", 0),
        human("bytes", *read->find("bytes")), printable(read->text_or("path", "")));
    return 0;
}

int import_state(session& s, command const& what, given const& words) {
    wire::value::object const request{{"path", as_the_daemon_sees(words.one("path"))}};
    auto const got = ask(s, what, request);
    if (!got) return got.error();
    if (s.json) {
        print_json(s.out, got->text, s.term);
        return 0;
    }
    auto const read =
        wire::parse(got->text, {.depth = 64, .elements = 50'000'000, .string_bytes = std::size_t{1} << 30});
    if (!read) return code(s.tell({.message = "its answer is no JSON"}));
    auto const& failed = read->list_or_empty("failed");
    s.out << fmt::format(
        "imported {} torrents; {} were here already, {} could not be added\n", read->number_or("imported", 0),
        read->number_or("skipped", 0), failed.size());
    for (auto const& one : failed)
        s.out << fmt::format(
            "  {}: {}\n", printable(one.text_or("info_hash", "")), printable(one.text_or("error", "")));
    return failed.empty() ? 0 : code(exit_code::refused);
}

int verify_files(session& s, command const& what, given const& words) {
    auto const hash = resolve(s, words.one("info-hash"));
    if (!hash) return code(hash.error());
    wire::value::object const request{{"info_hash", *hash}};
    auto const got = ask(s, what, request);
    if (!got) return got.error();
    auto const read =
        wire::parse(got->text, {.depth = 64, .elements = 50'000'000, .string_bytes = std::size_t{1} << 30});
    if (!read) return code(s.tell({.message = "its answer is no JSON"}));
    if (s.json)
        print_json(s.out, got->text, s.term);
    else
        print_verified(s.out, *read, s.term);
    return read->number_or("failed_count", 0) == 0 ? 0 : code(exit_code::refused);
}

int print_checkpoint(session& s, command const& what, given const& words) {
    auto const hash = resolve(s, words.one("info-hash"));
    if (!hash) return code(hash.error());
    wire::value::object const request{{"info_hash", *hash}};
    auto const got = s.daemon.call(*what.endpoint, request);
    if (!got) return code(s.tell(got.error()));
    print_json(s.out, got->text, s.term); // a document, to be kept: for people and programs alike
    return 0;
}

int resume_checkpoint(session& s, command const& what, given const& words) {
    auto const text = read_all(words.one("checkpoint"));
    if (!text) return code(s.wrong_usage(text.error()));
    auto checkpoint = wire::parse(*text, {.elements = 4'000'000, .string_bytes = std::size_t{1} << 20});
    if (!checkpoint) return code(s.wrong_usage("that is no checkpoint: " + checkpoint.error()));
    auto hash = words.one("info-hash");
    if (hash.empty()) hash = checkpoint->text_or("info_hash", "");
    wire::value::object request{{"info_hash", hash}, {"checkpoint", std::move(*checkpoint)}};
    if (words.has("torrent")) request.emplace_back("torrent_path", as_the_daemon_sees(words.one("torrent")));
    auto const got = s.daemon.call(*what.endpoint, request);
    if (!got) return code(s.tell(got.error()));
    if (s.json) {
        print_json(s.out, got->text, s.term);
        return 0;
    }
    s.out << "resumed " << printable(wire::parse(got->text).value_or(wire::value{}).text_or("info_hash", ""))
          << '\n';
    return 0;
}

} // namespace ccbt::cli
