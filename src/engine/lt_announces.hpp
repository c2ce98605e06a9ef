// Announces that somebody waits for: asks libtorrent to make them, and gathers what each tracker answered. Those who ask
// for the same torrent while one is under way share it. Loop thread.
#pragma once

#include "base/worker.hpp"
#include "engine/lt_torrent.hpp"
#include "engine/teller.hpp"

#include <chrono>
#include <libtorrent/alert_types.hpp>
#include <unordered_map>

namespace ccbt::engine {

class lt_announces {
public:
    using answer = contract::result<std::vector<contract::tracker_answer>>;
    using reply = unique_function<void(answer)>;

    lt_announces(loop& on, worker& asker) : loop_{on}, asker_{asker} {}

    void announce(torrent_ref const& t, std::chrono::milliseconds within, reply done);

    void became_live(torrent_ref const& t); // who asked before waits for it

    // What libtorrent told, of announces of any origin.
    void sent(torrent_ref const& t, libtorrent::tracker_announce_alert const& a);
    void answered(torrent_ref const& t, libtorrent::tracker_reply_alert const& a);
    void warned(torrent_ref const& t, libtorrent::tracker_warning_alert const& a);
    void failed(torrent_ref const& t, libtorrent::tracker_error_alert const& a);

private:
    struct tracker {
        contract::tracker_answer row;
        int under_way = 0; // libtorrent announces by each listening socket and for each info-hash
        bool was_sent = false;
        bool is_busy = false; // with an announce of before, until whose end libtorrent sends no other
        bool again = false;   // that has ended, and ours was asked for once more
    };
    struct round {
        std::vector<reply> waiting;
        std::vector<tracker> trackers;
        libtorrent::time_point begun_at;
        bool begun = false, known = false, going_out = false, over = false;
        std::unique_ptr<loop::ticker> patience, quiet;
    };
    using round_ref = std::shared_ptr<round>;

    void begin(torrent_ref const& t, round_ref const& r);
    void know(
        torrent_ref const& t, round_ref const& r, std::vector<libtorrent::announce_entry> const& trackers);
    [[nodiscard]] round_ref current(torrent_ref const& t, libtorrent::tracker_alert const& a) const;
    void ask_again(torrent_ref const& t, std::string const& url);
    static tracker& tracker_of(round& r, std::string_view url);
    void ended(torrent_ref const& t, round_ref const& r, tracker& of);
    void settle(torrent_ref const& t, round_ref const& r);
    void look(torrent_ref const& t, round_ref const& r);
    void finish(torrent_ref const& t, round_ref const& r, std::optional<contract::failure> refused = {});

    loop& loop_;
    worker& asker_;
    std::unordered_map<std::uint64_t, round_ref> rounds_; // by serial
    presence here_;
};

/// Why an announce failed, for people.
[[nodiscard]] std::string failure_text(libtorrent::tracker_error_alert const& a);

} // namespace ccbt::engine
