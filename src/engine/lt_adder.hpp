// Hands torrents to libtorrent: parsed in batches off the loop, hashed first where pieces may lie on disk unclaimed, and
// about 2,000 under way at a time, since a burst of more leaves libtorrent slow for good. The order of asking is kept but
// for those that are hashed. A torrent whose hash still belongs to one that is leaving waits for it. Loop thread.
#pragma once

#include "base/worker.hpp"
#include "engine/lt_prepare.hpp"
#include "engine/lt_torrent.hpp"
#include "engine/teller.hpp"

#include <deque>
#include <libtorrent/session.hpp>
#include <set>

namespace ccbt::engine {

class lt_adder {
public:
    struct parts {
        loop& on;
        libtorrent::session& session;
        contract::settings const& settings;
        teller& tell;
        unique_function<void(torrent_ref const&, std::string why)> refused;
        unique_function<void(torrent_ref const&)> told; // a sample of it is to be told (checking)
        unique_function<void()> drained;                // all that was asked is answered, or being hashed
    };
    explicit lt_adder(parts with);
    ~lt_adder();

    void enqueue(torrent_ref const& t);
    void answered(); // one that was under way is live or refused
    void leaving(contract::info_hashes const& hashes);
    void left(contract::info_hashes const& hashes);
    void close(); // nothing more is added; checks stop
    [[nodiscard]] std::size_t backlog() const { return queue_.size() + preparing_ + adding_; }
    [[nodiscard]] bool idle() const { return backlog() == 0; }

private:
    struct item {
        torrent_ref torrent;
        wish how;
        load first;
        applied with;
        prepared made;
    };
    void pump();
    void prepared_came(item& of);
    void check(item& of);
    void add(torrent_ref const& t, libtorrent::add_torrent_params params, applied const& with);
    [[nodiscard]] bool must_wait(lt_torrent const& t) const;
    void tell_drained();

    parts with_;
    std::deque<torrent_ref> queue_;
    std::deque<torrent_ref> parked_; // for one that leaves
    std::multiset<contract::info_hash> leaving_;
    std::size_t preparing_ = 0, adding_ = 0, batches_ = 0;
    bool closed_ = false;
    std::set<torrent_ref> checking_;
    presence here_;
    worker hasher_; // ends first
};

} // namespace ccbt::engine
