// Saves progress so that the pieces it claims are on stable storage (P4). Of each torrent at most one save at a time:
//
//   1. save_resume_data, and its answer is held;
//   2. flush_cache: releasing the files is a fence in libtorrent's disk queue, so when cache_flushed answers, every write
//      that was queued before it is done, or has failed and said so (all but the last to end: lt_session::is_stray);
//   3. off the loop: it is looked whether the files are there, and those with newly claimed pieces, and their folders, are synced;
//   4. the data goes to the sink.
//
// Where no piece is new, 2 and 3 are left out. A torrent whose write failed meanwhile is not handed over. Loop thread.
#pragma once

#include "base/worker.hpp"
#include "engine/lt_torrent.hpp"
#include "engine/teller.hpp"

#include <deque>

namespace ccbt::engine {

class lt_saver {
public:
    /// `ended`: a torrent's save is over, handed over or not. `lost`: something of it is not on the disk: a file is not
    /// there any more, or too short for what it is to hold, or was written and did not get there.
    lt_saver(
        loop& on, progress_sink sink, unique_function<void(torrent_ref const&)> ended,
        unique_function<void(torrent_ref const&, std::string why)> lost);

    /// Saves a live torrent that has its metadata; one that is being saved is left to that save.
    void want(torrent_ref const& t);
    void data_came(torrent_ref const& t, libtorrent::add_torrent_params&& data);
    void flushed(torrent_ref const& t);
    void give_up(torrent_ref const& t); // it failed, it is gone, or its alert was lost
    [[nodiscard]] bool idle() const { return running_ == 0 && queue_.empty(); }

private:
    void next();
    void sync(torrent_ref const& t);
    void sync_some();
    void hand_over(torrent_ref const& t, std::shared_ptr<std::string const> resume, double progress);
    void end(torrent_ref const& t);

    loop& loop_;
    progress_sink sink_;
    unique_function<void(torrent_ref const&)> ended_;
    unique_function<void(torrent_ref const&, std::string)> lost_;
    worker syncer_;
    std::deque<torrent_ref> queue_;
    std::vector<torrent_ref> to_sync_;
    bool is_syncing_ = false;
    std::size_t running_ = 0;
    std::vector<saved_progress> told_;
    presence here_;
};

} // namespace ccbt::engine
