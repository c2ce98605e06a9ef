// What a deed for several torrents keeps of them. For torrents*.cpp alone. Loop thread.
#pragma once

#include "executor/torrents.hpp"

namespace ccbt::executor {

// The torrents of some hashes: each once, in the order in which turns are taken, so that two who take several never
// wait for each other.
struct torrents::named {
    std::vector<torrent_id> of; // by place
    ids all;
    std::vector<result<void>> how;

    named(context const& house, std::vector<contract::info_hash> const& which)
        : of(which.size()), how(which.size()) {
        for (std::size_t i = 0; i < which.size(); ++i) {
            if (auto const* row = house.state.torrents().find(which[i])) {
                of[i] = row->asked->id;
                all.insert(of[i]);
            } else {
                how[i] = unexpected<failure>{no_such_torrent()};
            }
        }
    }
    void fail(torrent_id id, failure const& why) {
        for (std::size_t i = 0; i < of.size(); ++i)
            if (of[i] == id && how[i]) how[i] = unexpected<failure>{why};
        all.erase(id);
    }
    void fail_all(failure const& why) {
        for (auto const id : ids{all}) fail(id, why);
    }
    /// Removed while their turns were waited for.
    void let_go_of_those_gone(context const& house) {
        for (auto const id : ids{all})
            if (house.state.torrents().find(id) == nullptr) fail(id, no_such_torrent());
    }
};

} // namespace ccbt::executor
