// Gathers facts within a turn of the loop and hands them up together in the next one, so that no fact is told from
// within a call. Loop thread.
#pragma once

#include "base/loop.hpp"
#include "engine/engine.hpp"

#include <memory>
#include <vector>

namespace ccbt::engine {

/// What outlives its owner in no callback: wraps callables so that they do nothing once the owner is gone.
class presence {
public:
    template <class F> [[nodiscard]] auto guard(F f) const {
        return [weak = std::weak_ptr<int>{here_}, f = std::move(f)]<class... A>(A&&... a) mutable {
            if (auto const held = weak.lock()) f(std::forward<A>(a)...);
        };
    }

private:
    std::shared_ptr<int> here_ = std::make_shared<int>(0);
};

class teller {
public:
    teller(loop& on, fact_sink sink) : loop_{on}, sink_{std::move(sink)} {}

    void tell(model::fact what) {
        facts_.push_back(std::move(what));
        if (facts_.size() > 1) return;
        loop_.post(here_.guard([this] {
            auto facts = std::exchange(facts_, {});
            if (sink_) sink_(std::move(facts));
        }));
    }

private:
    loop& loop_;
    fact_sink sink_;
    std::vector<model::fact> facts_;
    presence here_;
};

} // namespace ccbt::engine
