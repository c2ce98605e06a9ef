// What the engine keeps of each torrent, and the table of them. Loop thread.
#pragma once

#include "engine/engine.hpp"
#include "engine/lt_convert.hpp"
#include "engine/lt_piece_check.hpp"
#include "engine/rate_window.hpp"
#include "engine/reconcile.hpp"

#include "base/clock.hpp"
#include "base/loop.hpp"

#include <atomic>
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <memory>
#include <optional>
#include <unordered_map>

namespace ccbt::engine {

enum class stage : std::uint8_t {
    waiting,   // for its turn, its root, or the old torrent of its hash to go
    preparing, // being parsed off the loop
    checking,  // being hashed off the loop
    adding,    // handed to libtorrent, not answered yet
    live,
    refused // cannot be added
};

enum class saving : std::uint8_t { none, asked, flushing, syncing };

class lt_guard;

struct lt_torrent {
    std::uint64_t serial = 0; // its name in libtorrent's userdata, so that a late alert meets nobody else
    wish how;
    std::unique_ptr<load> first; // until it is live
    applied done;
    stage at = stage::waiting;
    libtorrent::torrent_handle handle;
    std::shared_ptr<libtorrent::torrent_info const> info; // null until the metadata is known
    std::shared_ptr<std::atomic<bool>> stop_check;

    bool failed = false;
    bool failure_known = false; // told, so that who asks that it runs asks for another try
    bool unfit = false;         // its metadata was refused: for good
    bool checking = false;      // by libtorrent: what it claims meanwhile is half of the truth
    bool recheck = false;       // its files were found missing: look at all of it before it goes on
    std::optional<model::torrent_seen> last;
    bool lacks_pex = false;      // it was being added when the exchange of peers was switched on
    bool lacks_settings = false; // they changed after it was read with the ones before
    bool tell_again = false;     // the next sample is told though it were the same: somebody waits for it
    rate_window window;
    steady::time_point last_status; // when libtorrent last told of it
    payload_before before;
    bool finish_pending = false;          // libtorrent says it is finished; was anything downloaded for it?
    std::int64_t finished_at_payload = 0; // payload of this run when that was last told
    std::unique_ptr<model::torrent_seen> whole; // finished, once what was written last is on the disk
    int flushes = 0, flushed = 0;               // asked for, answered
    int whole_at = 0, saved_at = 0;             // the flush that whoever waits for waits for
    int retry_at = 0; // that after which it is tried again; 0: it is not about to be
    steady::time_point tried_again;
    bool may_stray = false; // a failure soon after that may be of before it

    saving save = saving::none;
    bool save_queued = false;
    bool save_spoiled = false; // a write failed meanwhile: the pieces may not be where they are claimed to be
    std::shared_ptr<libtorrent::add_torrent_params> held;
    piece_set safe; // on stable storage by an earlier save; empty with all_safe
    bool all_safe = false;
    std::int64_t saved_downloaded = 0, saved_uploaded = 0;
    int saved_pieces = 0;
    int pieces = 0;
    bool dirty = false;
    steady::time_point dirty_since, last_save;

    bool forgotten = false;
    bool removing = false;
    unique_function<void(std::shared_ptr<std::string const>)> gone;
    std::shared_ptr<std::string const> last_resume;
    std::unique_ptr<loop::ticker> patience, metadata_again;
    std::shared_ptr<lt_guard> guard; // null until somebody had to be cut at once

    /// Asks libtorrent to write out what waits to be written; cache_flushed_alert answers. Its number.
    int flush() {
        handle.flush_cache();
        return ++flushes;
    }
    [[nodiscard]] model::torrent_id id() const { return how.asked->id; }
    /// What it came with, where that is this daemon's own: what somebody else said is never handed on as ours.
    [[nodiscard]] std::shared_ptr<std::string const> own_resume() const {
        return first == nullptr || first->hearsay ? nullptr : first->resume;
    }
};
using torrent_ref = std::shared_ptr<lt_torrent>;

class lt_table {
public:
    torrent_ref put(wish how, load first) {
        auto t = std::make_shared<lt_torrent>();
        t->serial = ++last_serial_;
        t->how = std::move(how);
        t->first = std::make_unique<load>(std::move(first));
        by_id_[t->id()] = t;
        by_serial_[t->serial] = t;
        return t;
    }
    [[nodiscard]] torrent_ref find(model::torrent_id id) const { return look(by_id_, id); }
    [[nodiscard]] torrent_ref find_serial(std::uint64_t serial) const { return look(by_serial_, serial); }
    /// The id is free for another; alerts still find the torrent.
    void release_id(torrent_ref const& t) {
        if (find(t->id()) == t) by_id_.erase(t->id());
    }
    void erase(torrent_ref const& t) {
        release_id(t);
        by_serial_.erase(t->serial);
    }
    [[nodiscard]] std::unordered_map<std::uint64_t, torrent_ref> const& all() const { return by_serial_; }

private:
    template <class Map, class Key> static torrent_ref look(Map const& in, Key const& key) {
        auto const at = in.find(key);
        return at == in.end() ? nullptr : at->second;
    }
    std::unordered_map<model::torrent_id, torrent_ref> by_id_;
    std::unordered_map<std::uint64_t, torrent_ref> by_serial_;
    std::uint64_t last_serial_ = 0;
};

// libtorrent carries a pointer; it is given a number in its clothes, which is never followed.
struct serial_tag;
[[nodiscard]] inline libtorrent::client_data_t to_userdata(std::uint64_t serial) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): never followed
    return libtorrent::client_data_t{reinterpret_cast<serial_tag*>(static_cast<std::uintptr_t>(serial))};
}
[[nodiscard]] inline std::uint64_t to_serial(libtorrent::client_data_t const& data) {
    return reinterpret_cast<std::uintptr_t>(data.get<serial_tag>());
}

} // namespace ccbt::engine
