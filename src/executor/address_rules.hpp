// Which addresses are blocked: (the blacklist and the filter, or all that the filter does not list) without the
// whitelist. Worked out off the loop, once for all changes that wait, and told to the engine. Loop thread. Knows
// neither where the filter comes from nor how the engine refuses.
#pragma once

#include "base/ip_range.hpp"
#include "base/task.hpp"
#include "engine/engine.hpp"
#include "model/state.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

namespace ccbt::executor {

class address_rules {
public:
    address_rules(loop& on, model::state const& state, engine::engine& engine)
        : on_{on}, state_{state}, engine_{engine} {}
    ~address_rules();
    address_rules(address_rules const&) = delete;
    address_rules& operator=(address_rules const&) = delete;

    /// Until here nothing is told to the engine, and it connects with nobody until it was told once: called when the
    /// lists are restored and the filter, where one is wanted, is set.
    void start();
    /// Null: no filter. `ranges_are_allowed`: all that is not in them is blocked.
    void set_filter(std::shared_ptr<ip_range_set const> ranges, bool ranges_are_allowed);
    /// The model's lists are other ones now.
    void lists_changed();

    /// Returns once what has changed before the call is in force in the engine.
    task<> in_force();

private:
    void changed();
    void work_on();
    void told(std::uint64_t change);

    loop& on_;
    model::state const& state_;
    engine::engine& engine_;
    std::shared_ptr<ip_range_set const> filter_;
    bool ranges_are_allowed_ = false;
    bool started_ = false, working_ = false;
    std::uint64_t changes_ = 1, in_force_ = 0; // the start is the first change
    std::deque<std::pair<std::uint64_t, unique_function<void(bool)>>> waiting_; // by change
    std::shared_ptr<address_rules*> here_ = std::make_shared<address_rules*>(this);
};

} // namespace ccbt::executor
