// The port of the engine: what moves the bytes. Calls come from the loop's thread and never block; facts go up through
// the sink on the loop's thread; callbacks too, later, never from within the call. It answers no request from its own
// knowledge but peers(), which is asked for one torrent and bounded in time.
#pragma once

#include "base/ip_range.hpp"
#include "base/unique_function.hpp"
#include "contract/settings.hpp"
#include "contract/transfers.hpp"
#include "model/facts.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ccbt::engine {

using model::torrent_id;

/// How a torrent is to be, whole: the engine compares with what it made of it and does what is missing (reconcile).
struct wish {
    std::shared_ptr<model::torrent_asked const> asked;
    std::string save_path; // absolute: the root's path and the torrent's folder
    bool blocked = false;  // its root is offline: nothing may be read or written below save_path
    bool held = false;     // the queue does not let it run now
};

/// What comes along when a torrent is handed over for the first time.
struct load {
    std::shared_ptr<std::string const> metainfo; // a .torrent file; null for a magnet without metadata
    std::shared_ptr<std::string const> resume;   // this daemon's own resume data; null where there is none
    bool fresh_totals = false; // the resume data is a removed torrent's, whose totals are counted already
    bool after_crash =
        false; // the last run did not end cleanly: hash what lies on the disk and is not claimed
    /// The resume data is somebody else's word (an imported backup): its pieces are hashed before they are believed.
    bool hearsay = false;
    /// Pieces that somebody says lie on the disk (a checkpoint). Each is hashed before it is believed.
    std::vector<std::uint32_t> claimed;
    std::int64_t downloaded = 0, uploaded = 0; // of earlier runs, where no resume data tells them
};

/// What is here of one torrent.
struct piece_report {
    std::vector<bool> have; // by piece; empty without metadata
};

using fact_sink = std::function<void(std::vector<model::fact>)>;

/// Resume data that may be stored: the pieces it claims are on stable storage.
struct saved_progress {
    model::torrent_done done;
    std::shared_ptr<std::string const> resume;
};
using progress_sink = std::function<void(std::vector<saved_progress>)>;

/// What a .torrent file or a magnet link says, as far as the house needs it. Nothing is added by reading it.
struct torrent_source {
    model::info_hashes hashes;
    std::string name; // UTF-8, "" where a magnet has no dn
    bool is_private = false;
    std::int64_t total_size = 0;
    std::size_t num_trackers = 0, num_web_seeds = 0;
    std::vector<std::string>
        files; // relative paths, as they will lie below save_path, padding files left out
    std::vector<std::int64_t> sizes; // of `files`
    std::int64_t num_files = 0;      // padding files and links included: what file indices are below
    std::int64_t num_pieces = 0, piece_length = 0;
    std::vector<std::string> trackers; // their URLs
    std::string magnet;                // a link that finds the same torrent
};

class engine {
public:
    virtual ~engine() = default;

    /// Adds a torrent or brings a known one to what is wished. `first` is read only when the id is new.
    virtual void ask(wish how, load first) = 0;
    void ask(wish how) { ask(std::move(how), load{}); }

    /// Lets go of a torrent: its peers, its files. `done` when libtorrent has closed every handle of it, with its last
    /// resume data where it had metadata (for a later resume:true), else null.
    virtual void forget(torrent_id id, unique_function<void(std::shared_ptr<std::string const>)> done) = 0;

    /// Settings that can change while it runs: limits, peers, DHT, PEX, encryption, listen port, disk.
    virtual void configure(contract::settings const& to) = 0;

    /// With these no connection is made or taken. `done` when that is so and who was connected is cut: in
    /// milliseconds, or a second or two where there are millions of ranges. Calls take effect in their order.
    virtual void block_addresses(std::shared_ptr<ip_range_set const> what, unique_function<void()> done) = 0;

    virtual void peers(
        torrent_id id, unique_function<void(contract::result<std::vector<contract::peer>>)> done) = 0;

    /// Which pieces of a torrent are here: of one that is not running yet, as it was last saved. At most 3 s.
    virtual void pieces(torrent_id id, unique_function<void(contract::result<piece_report>)> done) = 0;

    /// Bytes of each file that are here, by its index: of one that runs or rests in the engine; empty where it is not in
    /// there yet, or has no metadata. At most 3 s.
    virtual void file_progress(
        torrent_id id, unique_function<void(contract::result<std::vector<std::int64_t>>)> done) = 0;

    /// Saves the progress of every torrent that has some to save; each comes through the progress sink, and then `done`
    /// is called, after 5 s at the latest.
    virtual void save_all(unique_function<void()> done) = 0;
    void save_all() { save_all({}); }
    /// Announces a torrent now, whatever its trackers' intervals. `done` when each has answered or failed, at most
    /// `within` after the call; empty where it has no tracker; errc::announce_refused where it is in no state for it.
    virtual void announce(
        torrent_id id, std::chrono::milliseconds within,
        unique_function<void(contract::result<std::vector<contract::tracker_answer>>)> done) = 0;

    /// The last saving: stops all transfers, saves, and calls `done` when all is told or `within` has passed.
    /// After it the engine may be abandoned with the process; destroying it is allowed to take long.
    virtual void stop(std::chrono::milliseconds within, unique_function<void()> done) = 0;

    /// How many torrents have been handed over and are not in the engine yet, but for those that wait for something else
    /// than their turn (a disk, a hash): who has many more to hand over may wait. One that is wished for anew while it
    /// waits may count twice. Until block_addresses() first takes effect, where that is awaited, all wait.
    [[nodiscard]] virtual std::size_t backlog() const = 0;

    /// The port that peers reach, once listening; 0 before, or when it could not.
    [[nodiscard]] virtual int listen_port() const = 0;
};

/// Parses, off any thread: a .torrent file's bytes (limits of the reliability table: 16 MiB, path depth 32, names of
/// 255 bytes, 64 trackers, 16 web seeds) …
[[nodiscard]] contract::result<torrent_source> read_torrent(std::string_view bytes);
/// … or a magnet link (BEP 9; v1 hex or base32, v2 multihash). Failure: errc::add_torrent_error with a reason.
[[nodiscard]] contract::result<torrent_source> read_magnet(std::string_view link);

} // namespace ccbt::engine
