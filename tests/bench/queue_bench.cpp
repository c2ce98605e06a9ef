// What the queue costs the loop: a move, a torrent that finishes, the list; and the same with ten times as many torrents.
#include "executor/queue.hpp"
#include "model/queue_schedule.hpp"

#include <benchmark/benchmark.h>

namespace {

using namespace ccbt;

struct filled {
    explicit filled(std::int64_t torrents) {
        contract::queue_settings limits;
        queue.configure(limits);
        for (std::int64_t n = 0; n < torrents; ++n) {
            model::torrent_asked t;
            t.id = {static_cast<std::uint64_t>(n) + 1, static_cast<std::uint64_t>(n) * 7919};
            last = t.queue_order = model::queue_order::after(last);
            all.push_back(std::make_shared<model::torrent_asked const>(t));
            queue.restore(all.back(), {}, false);
        }
        apply({});
    }
    void apply(std::vector<model::fact> const& facts) {
        queue.take(facts, [](model::torrent_id) { return false; });
        benchmark::DoNotOptimize(queue.settle());
    }
    void put(std::size_t which, std::int64_t key) {
        auto changed = *all[which];
        changed.queue_order = key;
        last = std::max(last, key);
        all[which] = std::make_shared<model::torrent_asked const>(std::move(changed));
        apply({model::torrent_put{all[which]}});
    }
    model::queue_schedule queue;
    std::vector<std::shared_ptr<model::torrent_asked const>> all;
    std::int64_t last = 0;
};

void a_move(benchmark::State& run) {
    filled house{run.range(0)};
    std::size_t n = 0;
    for (auto _ : run) {
        auto const which = (n++ * 7919) % house.all.size(), to = (n * 104'729) % house.all.size();
        auto const id = house.all[which]->id;
        auto key = house.queue.order().key_at(id, to, house.last);
        if (!key) { // rare, and counted
            for (auto const& [other, spread] : house.queue.order().spread_at(to))
                house.put(static_cast<std::size_t>(other.high - 1), spread);
            key = house.queue.order().key_at(id, to, house.last);
        }
        house.put(which, key.value());
    }
}
BENCHMARK(a_move)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);

void a_move_to_the_front(benchmark::State& run) {
    filled house{run.range(0)};
    std::size_t n = 0;
    for (auto _ : run) {
        auto const which = (n++ * 7919) % house.all.size();
        auto const key = house.queue.order().key_at(house.all[which]->id, 0, house.last);
        if (!key) break;
        house.put(which, *key);
    }
}
BENCHMARK(a_move_to_the_front)->Arg(10'000)->Unit(benchmark::kMicrosecond)->Iterations(10'000);

void one_finishes_and_the_next_starts(benchmark::State& run) {
    filled house{run.range(0)};
    std::size_t n = 0;
    for (auto _ : run) {
        model::torrent_seen seen;
        seen.id = house.all[n++ % house.all.size()]->id;
        seen.state = contract::torrent_state::seeding;
        seen.finished = n / house.all.size() % 2 == 0;
        house.apply({model::torrents_seen{{seen}}});
    }
}
BENCHMARK(one_finishes_and_the_next_starts)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);

void samples_that_change_nothing(benchmark::State& run) {
    filled house{10'000};
    model::torrents_seen seen;
    for (auto const& one : house.all) {
        model::torrent_seen sample;
        sample.id = one->id;
        sample.state = contract::torrent_state::downloading;
        seen.samples.push_back(sample);
    }
    for (auto _ : run) house.apply({seen});
}
BENCHMARK(samples_that_change_nothing)->Unit(benchmark::kMicrosecond);

} // namespace
