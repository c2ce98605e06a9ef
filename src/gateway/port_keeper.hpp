// The real gateway: keeps what is to be mapped and has it renewed before its lease ends. Loop thread; the conversation
// itself runs on a worker of its own, one errand at a time and in order, each until a moment set when it was asked for.
// Mappings belong to this run: nothing of them is stored, and what a crash leaves ends with its lease.
#pragma once

#include "base/worker.hpp"
#include "gateway/asker.hpp"
#include "gateway/gateway.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace ccbt::gateway {

using protocol_maker = std::function<std::vector<std::unique_ptr<protocol>>(contract::settings const&)>;

class port_keeper final : public gateway {
public:
    port_keeper(
        loop& on, contract::settings settings, fact_sink facts, protocol_maker protocols = &protocols_of);
    ~port_keeper() override;

    void configure(contract::settings const& to) override;
    void listens_at(int port) override;
    void discover(unique_function<void(bool)> done) override;
    void map(port_request what, unique_function<void(outcome<port_mapping>)> done) override;
    void unmap(transport protocol, int external_port, unique_function<void(outcome<bool>)> done) override;
    void refresh(unique_function<void(outcome<refreshed>)> done) override;
    void stop(std::chrono::milliseconds within, unique_function<void()> done) override;

private:
    struct wish {
        port_request what{};       // with the external port that it had last
        bool of_listening = false; // ours by the settings; else a client's
        std::optional<granted> held{};
        steady::time_point due{}; // when it is to be asked for (again)
        std::chrono::seconds wait{0};
    };
    struct news { // of several mappings
        asker::results got{};
        asker::sight seen{};
    };
    using errand = unique_function<void()>; // starts on the loop; ends by next()

    /// Has `work` done by the worker, until that moment at most, and `finish` with its value on the loop.
    template <class Work, class Finish> void ask(steady::time_point until, Work work, Finish finish);
    [[nodiscard]] bool enqueue(errand what);
    void next();
    void tick();
    [[nodiscard]] static bool is_due(wish const& one);
    void renew(std::vector<port_request> what);
    void do_map(
        port_request what, steady::time_point until, unique_function<void(outcome<port_mapping>)> done);
    void do_refresh(steady::time_point until, unique_function<void(outcome<refreshed>)> done);
    void settle(bool anew, bool renews);
    void rewish();
    void take_all(std::vector<port_request> const& asked, news const& came);
    void take(wish& of, outcome<granted> got);
    void see(asker::sight const& what);
    void tell();
    [[nodiscard]] wish* find(transport protocol, int internal_port);
    [[nodiscard]] std::vector<port_mapping> mappings() const;
    [[nodiscard]] bool is_on() const;
    [[nodiscard]] std::chrono::seconds lease() const;

    loop& loop_;
    contract::settings settings_;
    fact_sink facts_;
    protocol_maker protocols_;
    int listen_port_ = 0;
    std::vector<wish> wishes_;
    asker::sight sight_;
    model::nat_seen told_;
    std::deque<errand> waiting_;
    bool under_way_ = false, stopping_ = false, settling_ = false, renewing_ = false;
    port_request asked_now_{}; // what a client's errand under way maps; internal_port 0: nothing
    std::unique_ptr<loop::ticker> ticker_;
    std::shared_ptr<port_keeper*> self_; // null once we are gone
    std::shared_ptr<asker> asker_;       // the worker's
    caller_off cut_short_, cut_goodbye_;
    worker worker_{loop_, 4};
};

template <class Work, class Finish>
void port_keeper::ask(steady::time_point until, Work work, Finish finish) {
    using value = std::invoke_result_t<Work&, asker&, patience const&>;
    auto const made = std::make_shared<std::optional<value>>();
    auto const run = worker_.run(
        [this, made, until, by = asker_, work = std::move(work)]() mutable {
            made->emplace(work(*by, patience{cut_short_, until}));
        },
        [self = self_, made, finish = std::move(finish)]() mutable {
            if (*self == nullptr) return;
            finish(std::move(**made));
            if (*self != nullptr) (*self)->next();
        });
    if (!run) next(); // cannot be: one errand at a time
}

} // namespace ccbt::gateway
