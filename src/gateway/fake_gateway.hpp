// The gateway's port without a network, for tests: answers what it is told to, through the loop, as the real one does.
#pragma once

#include "base/loop.hpp"
#include "gateway/gateway.hpp"

#include <string>
#include <utility>

namespace ccbt::gateway {

class fake_gateway final : public gateway {
public:
    explicit fake_gateway(loop& on) : on_{on} {}

    bool is_there = true;
    outcome<port_mapping> will_map = refusal_of(trouble::refused);
    outcome<bool> will_unmap = true;
    outcome<refreshed> will_refresh = refreshed{};
    port_request asked_to_map{};
    std::pair<transport, int> asked_to_unmap{};
    int asked = 0; // in all

    [[nodiscard]] static unexpected<refusal> refusal_of(trouble why) {
        return unexpected<refusal>{refusal{why, "said the fake"}};
    }

    void configure(contract::settings const&) override {}
    void listens_at(int) override {}
    void discover(unique_function<void(bool)> done) override { later(std::move(done), is_there); }
    void map(port_request what, unique_function<void(outcome<port_mapping>)> done) override {
        asked_to_map = what;
        later(std::move(done), will_map);
    }
    void unmap(transport protocol, int external_port, unique_function<void(outcome<bool>)> done) override {
        asked_to_unmap = {protocol, external_port};
        later(std::move(done), will_unmap);
    }
    void refresh(unique_function<void(outcome<refreshed>)> done) override {
        later(std::move(done), will_refresh);
    }
    void stop(std::chrono::milliseconds, unique_function<void()> done) override { on_.post(std::move(done)); }

private:
    template <class T> void later(unique_function<void(T)> done, T said) {
        ++asked;
        on_.post([done = std::move(done), said = std::move(said)]() mutable { done(std::move(said)); });
    }
    loop& on_;
};

} // namespace ccbt::gateway
