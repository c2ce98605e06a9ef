// `ccbt top`: the table of torrents, live. The screen is given back as it was, whatever ends it.
#include "cli/deeds.hpp"
#include "cli/print.hpp"
#include "cli/session.hpp"
#include "cli/top_view.hpp"
#include "client/watch.hpp"

#include <array>
#include <csignal>
#include <ostream>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <utility>

namespace ccbt::cli {

namespace {

using contract::torrent_state;
using std::chrono::milliseconds;

constexpr milliseconds key_is_heard_within{50};

std::sig_atomic_t volatile is_over = 0;
void end_it(int) { is_over = 1; }

// Keys as they are pressed, on a screen of its own.
class screen {
public:
    explicit screen(std::ostream& out) : out_{out}, has_keys_{::tcgetattr(STDIN_FILENO, &before_) == 0} {
        if (has_keys_) {
            auto keys = before_;
            keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
            keys.c_cc[VSUSP] = _POSIX_VDISABLE; // a stop would leave the screen as it is
            keys.c_cc[VMIN] = 0;
            keys.c_cc[VTIME] = 0;
            ::tcsetattr(STDIN_FILENO, TCSANOW, &keys);
        }
        for (auto const signal : signals_) std::signal(signal, &end_it);
        out_ << "\x1b[?1049h\x1b[?25l" << std::flush; // another screen, no cursor
    }
    ~screen() {
        out_ << "\x1b[?25h\x1b[?1049l" << std::flush;
        if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
        for (auto const signal : signals_) std::signal(signal, SIG_DFL);
    }
    screen(screen const&) = delete;
    screen& operator=(screen const&) = delete;

    [[nodiscard]] std::string pressed() const {
        std::array<char, 256> bytes{};
        pollfd waits{STDIN_FILENO, POLLIN, 0};
        if (!has_keys_ || ::poll(&waits, 1, 0) <= 0) return {};
        auto const n = ::read(STDIN_FILENO, bytes.data(), bytes.size());
        if (n <= 0 && (waits.revents & POLLHUP) != 0) is_over = 1;
        return n > 0 ? std::string{bytes.data(), static_cast<std::size_t>(n)} : std::string{};
    }
    [[nodiscard]] static std::pair<std::size_t, std::size_t> size() { // columns, lines
        winsize is{};
        if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &is) != 0 || is.ws_col == 0) return {80, 24};
        return {is.ws_col, is.ws_row};
    }
    void show(std::vector<std::string> const& lines) const {
        std::string all = "\x1b[H";
        for (std::size_t n = 0; n < lines.size(); ++n) all += (n == 0 ? "" : "\r\n") + lines[n] + "\x1b[K";
        out_ << all << "\x1b[J" << std::flush;
    }

private:
    static constexpr std::array signals_{SIGINT, SIGTERM, SIGHUP};
    std::ostream& out_;
    termios before_{};
    bool has_keys_;
};

// What came of it, for people; "" where there is nothing to tell.
std::string pause_or_resume(session& s, client::live_table const& table, std::string const& hash) {
    auto const* row = table.find(hash);
    if (row == nullptr) return {};
    auto const resumes = row->status == torrent_state::paused;
    auto const done = resumes ? s.daemon.resume(hash) : s.daemon.pause(hash);
    if (!done) return row->name + ": " + done.error().message;
    return (resumes ? "resumed " : "paused ") + row->name;
}

int show_live(session& s, client::live_table& table, top_view view) {
    screen const on{s.out};
    bool was_there = false, is_there = false;
    std::string note;
    auto shown = std::pair<std::size_t, std::size_t>{};
    while (is_over == 0) {
        auto const news = table.next(key_is_heard_within);
        if (!news) return static_cast<int>(s.tell(news.error()));
        if (!news->connected && !was_there) return static_cast<int>(s.tell(*table.lost()));
        was_there = true;
        auto must_draw = news->changed || news->connected != std::exchange(is_there, news->connected);
        for (auto const keys = on.pressed(); auto const key : keys_in(keys)) {
            note.clear();
            must_draw = true;
            auto const wish = view.press(key);
            if (wish == top_view::wish::leave) return 0;
            if (wish == top_view::wish::pause_or_resume) note = pause_or_resume(s, table, view.selected());
        }
        auto const size = on.size();
        if (size == std::exchange(shown, size) && !must_draw) continue;
        auto const lost = table.lost() ? table.lost()->message + "; waiting for it to come back" : note;
        on.show(view.frame(
            table.rows(), sums_of(table.rows()), lost,
            {.width = size.first, .height = size.second, .colour = s.term.colour}));
    }
    return 0;
}

} // namespace

int show_top(session& s, command const&, given const& words) {
    auto const named = words.one("sort");
    auto const by = top_column(named.empty() ? "down" : named);
    if (!by) return static_cast<int>(s.wrong_usage("--sort: there is no such column"));
    client::live_table table{s.where.how};
    auto view = top_view{*by};
    if (s.term.out_is_terminal && !words.flag("once") && !s.json) return show_live(s, table, std::move(view));
    auto const first = table.next(s.where.how.timeout);
    if (!first) return static_cast<int>(s.tell(first.error()));
    if (!first->connected) return static_cast<int>(s.tell(*table.lost()));
    s.out << sums_of(table.rows()) << '\n';
    for (auto const& line : view.whole(table.rows(), s.term.width, s.term.colour)) s.out << line << '\n';
    return 0;
}

} // namespace ccbt::cli
