// What a list, a delta and one row cost in the rooms, without sockets: the hot paths of every watcher and script.
#include "executor/torrents.hpp"
#include "model/state.hpp"
#include "wire/codec.hpp"

#include <benchmark/benchmark.h>
#include <fmt/core.h>

namespace {

using namespace ccbt;

struct filled {
    explicit filled(std::int64_t torrents) {
        model::storage_root const root{{1, 1}, "/srv/torrents"};
        state.know_root(root);
        for (std::int64_t n = 0; n < torrents; ++n) {
            model::torrent_asked t;
            t.id = {static_cast<std::uint64_t>(n) + 1, static_cast<std::uint64_t>(n) * 7919};
            std::array<std::uint8_t, 20> hash{};
            for (std::size_t i = 0; i < 8; ++i) hash[i] = static_cast<std::uint8_t>(n >> (8 * i));
            t.hashes.v1 = contract::info_hash{hash};
            t.name = fmt::format("a torrent of an ordinary length of name, {}", n);
            t.root = root.id;
            t.total_size = 16384;
            ids.push_back(t.id);
            state.restore(std::make_shared<model::torrent_asked const>(std::move(t)), {});
        }
    }
    void move(std::int64_t torrents) {
        model::torrents_seen seen;
        for (std::int64_t n = 0; n < torrents; ++n) {
            model::torrent_seen one;
            one.id = ids[static_cast<std::size_t>(n)];
            one.state = contract::torrent_state::downloading;
            one.download_rate = ++moved;
            seen.samples.push_back(one);
        }
        state.apply(model::fact{std::move(seen)}, 0);
    }
    model::state state{model::state::beginning{}};
    std::vector<model::torrent_id> ids;
    double moved = 0;
};

void answer(benchmark::State& run, filled& house, contract::list_torrents::request const& request) {
    auto const listed = executor::list(house.state, request);
    wire::writer out;
    wire::encode(out, listed->value);
    auto body = out.take();
    benchmark::DoNotOptimize(body);
    run.counters["bytes"] = static_cast<double>(body.size());
}

void whole_list_unchanged_rows(benchmark::State& run) {
    filled house{run.range(0)};
    for (auto _ : run) answer(run, house, {});
}
BENCHMARK(whole_list_unchanged_rows)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);

void delta_of_ten_rows(benchmark::State& run) {
    filled house{run.range(0)};
    for (auto _ : run) {
        contract::list_torrents::request request;
        request.since = house.state.revision().token();
        house.move(10);
        answer(run, house, request);
    }
}
BENCHMARK(delta_of_ten_rows)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);

void a_row_changes_and_is_rendered(benchmark::State& run) {
    filled house{1};
    for (auto _ : run) {
        house.move(1);
        wire::writer out;
        wire::encode(out, house.state.torrents().first()->view);
        benchmark::DoNotOptimize(out.take());
    }
}
BENCHMARK(a_row_changes_and_is_rendered);

} // namespace
