// What trackers say of a torrent's swarm: asked once for all who ask at the same time, answered within 10 s whatever the
// trackers do, kept in memory until the end of this run. Loop thread; the asking itself is src/tracker's, on threads of
// its own. It asks for torrents that are paused, held or failed too: nothing is announced by it.
#pragma once

#include "base/worker.hpp"
#include "contract/protocols.hpp"
#include "contract/scrape.hpp"
#include "executor/torrents.hpp"
#include "tracker/scrape.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace ccbt::executor {

class scrape {
public:
    scrape(context& house, torrents& all) : house_{house}, torrents_{all} {}
    ~scrape(); // those under way are cut short
    scrape(scrape const&) = delete;
    scrape& operator=(scrape const&) = delete;

    task<result<contract::scrape_result>> handle(contract::run_scrape::request request, caller const& who);
    task<result<contract::list_scrapes::response>> handle(
        contract::list_scrapes::request request, caller const& who);
    task<result<contract::scrape_result>> handle(contract::get_scrape::request request, caller const& who);
    task<result<contract::protocol_info>> handle(
        contract::get_xet_protocol::request request, caller const& who);
    task<result<contract::protocol_info>> handle(
        contract::get_ipfs_protocol::request request, caller const& who);

private:
    struct outcome {
        std::optional<tracker::counts> best;
        std::vector<std::string> failures; // a tracker each, without passkeys
        bool has_tracker = false;
    };
    using reply = unique_function<void(std::shared_ptr<outcome const>)>;
    struct round {
        std::vector<reply> waiting;
        std::vector<std::string> urls;
        std::vector<std::shared_ptr<tracker::answer>> answers; // null: not yet
        tracker::deadline until;
        bool begun = false, over = false, hurries = false;
        std::unique_ptr<loop::ticker> patience;
    };
    using round_ref = std::shared_ptr<round>;
    struct kept {
        tracker::counts found;
        double at = 0;
        std::int64_t times = 0;
    };
    /// A thread that asks; those of a round go to the ones with the least to do.
    struct asker {
        std::unique_ptr<worker> on;
        std::size_t under_way = 0;
    };

    void join(torrent_id id, reply done);
    task<> run(torrent_id id, round_ref r);
    void ask(torrent_id id, round_ref const& r, std::size_t which, tracker::swarm_hash const& of);
    void settle(torrent_id id, round_ref const& r);
    void finish(torrent_id id, round_ref const& r);
    [[nodiscard]] std::optional<contract::scrape_result> known(model::torrent_row const& row) const;

    context& house_;
    torrents& torrents_;
    std::unordered_map<torrent_id, kept> kept_;
    std::unordered_map<torrent_id, round_ref> rounds_;
    std::array<asker, 32> askers_; // a thread each, once there is that much to ask
    std::shared_ptr<std::atomic<bool>> stop_ = std::make_shared<std::atomic<bool>>(false);
    std::shared_ptr<scrape*> here_ = std::make_shared<scrape*>(this);
};

} // namespace ccbt::executor
