// The port of what this machine did: resume data, progress, totals. The engine's pump and the daemon use this one.
// Threads and callbacks as in truth.hpp. What is kept here may be lost without a user losing what was asked.
#pragma once

#include "base/unique_function.hpp"
#include "model/facts.hpp"
#include "store/truth.hpp"

#include <memory>
#include <string>
#include <vector>

namespace ccbt::store {

/// Resume data of one torrent, and what the list needs before the engine has loaded it. The pieces it claims are on
/// stable storage when it is handed over.
struct resume_record {
    model::torrent_done done;
    std::shared_ptr<std::string const> resume; // libtorrent's, bencoded; null leaves the stored one
};

struct journal_snapshot {
    std::vector<model::torrent_done> torrents;
    std::int64_t removed_downloaded = 0, removed_uploaded = 0; // of all time, by torrents that are gone
    std::int64_t first_seq = 1; // no event of any run before had this seq or a later one
};

struct journal_counters {      // for metrics
    std::int64_t commits = 0;  // transactions
    std::int64_t changes = 0;  // commits asked for that they held
    double commit_seconds = 0; // spent in them
    std::int64_t failed = 0;
    std::int64_t quarantined = 0; // damaged rows found since the start
};

class journal {
public:
    virtual ~journal() = default;
    virtual void keep(std::vector<resume_record> records, unique_function<void(outcome)> done) = 0;
    virtual void load_resume(
        torrent_id id, unique_function<void(std::shared_ptr<std::string const>)> done) = 0;
    /// Metainfo and resume data of many, in the order asked, for the start: one round trip.
    struct stored {
        torrent_id id;
        std::shared_ptr<std::string const> metainfo; // null where there is none
        std::shared_ptr<std::string const> resume;   // null where there is none
    };
    virtual void load_many(std::vector<torrent_id> ids, unique_function<void(std::vector<stored>)> done) = 0;
    [[nodiscard]] virtual journal_counters counters() const = 0; // any thread
};

} // namespace ccbt::store
