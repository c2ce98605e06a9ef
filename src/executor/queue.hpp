// The deeds of the queue: its list, and what users change of its order. Who runs is model::queue_schedule's. Loop thread.
#pragma once

#include "contract/queue.hpp"
#include "executor/context.hpp"
#include "executor/torrents.hpp"

#include <vector>

namespace ccbt::executor {

class queue {
public:
    queue(context& house, torrents& torrents) : house_{house}, torrents_{torrents} {}

    task<result<contract::get_queue::response>> handle(
        contract::get_queue::request request, caller const& who);
    task<result<contract::add_to_queue::response>> handle(
        contract::add_to_queue::request request, caller const& who);
    task<result<contract::remove_from_queue::response>> handle(
        contract::remove_from_queue::request request, caller const& who);
    task<result<contract::move_in_queue::response>> handle(
        contract::move_in_queue::request request, caller const& who);
    task<result<contract::done>> handle(contract::clear_queue::request request, caller const& who);
    task<result<contract::pause_in_queue::response>> handle(
        contract::pause_in_queue::request request, caller const& who);
    task<result<contract::resume_in_queue::response>> handle(
        contract::resume_in_queue::request request, caller const& who);

private:
    using hold = turns<torrent_id>::hold;
    task<std::vector<hold>> turns_of(std::vector<torrent_id> ids);
    task<result<void>> keep_all(std::vector<model::torrent_asked> changed, std::string operation_id);
    task<result<void>> make_room(std::size_t position);
    task<> let_others_in();

    context& house_;
    torrents& torrents_;
};

} // namespace ccbt::executor
