#include "engine/reconcile.hpp"

namespace ccbt::engine {

namespace {

bool runs(wish const& asked) { return !asked.asked->paused && !asked.blocked && !asked.held; }

limit limit_of(wish const& asked, default_limits const& defaults) {
    auto const& a = *asked.asked;
    return {a.down_kib != 0 ? a.down_kib : defaults.down_kib, a.up_kib != 0 ? a.up_kib : defaults.up_kib};
}

applied wanted(wish const& asked, default_limits const& defaults) {
    auto const limited = limit_of(asked, defaults);
    return {
        .added = true,
        .running = runs(asked),
        .sequential = asked.asked->sequential,
        .down_kib = limited.down_kib,
        .up_kib = limited.up_kib,
        .file_priorities = asked.asked->file_priorities};
}

template <class... F> struct overloaded : F... {
    using F::operator()...;
};
template <class... F> overloaded(F...) -> overloaded<F...>; // clang 16 deduces none for aggregates

} // namespace

std::vector<deed> reconcile(wish const& asked, applied const& done, default_limits const& defaults) {
    auto want = wanted(asked, defaults);
    auto deeds = std::vector<deed>{};
    if (!done.added) {
        // Adding reads and creates files, so a torrent of an offline root waits outside.
        if (!asked.blocked) deeds.emplace_back(hand_over{std::move(want)});
        return deeds;
    }
    if (done.running && !want.running) deeds.emplace_back(halt{});
    if (done.down_kib != want.down_kib || done.up_kib != want.up_kib)
        deeds.emplace_back(limit{want.down_kib, want.up_kib});
    if (done.sequential != want.sequential) deeds.emplace_back(order_pieces{want.sequential});
    // A new priority may move bytes between files: not while the root is away.
    if (!asked.blocked && done.file_priorities != want.file_priorities)
        deeds.emplace_back(prioritize{std::move(want.file_priorities)});
    if (!done.running && want.running) deeds.emplace_back(start{});
    return deeds;
}

bool runs_limited(wish const& asked, default_limits const& defaults) {
    return runs(asked) && limit_of(asked, defaults) != limit{};
}

void record(deed const& did, applied& done) {
    std::visit(
        overloaded{
            [&](hand_over const& d) { done = d.with; }, [&](start const&) { done.running = true; },
            [&](halt const&) { done.running = false; },
            [&](limit const& d) {
                done.down_kib = d.down_kib;
                done.up_kib = d.up_kib;
            },
            [&](order_pieces const& d) { done.sequential = d.sequential; },
            [&](prioritize const& d) { done.file_priorities = d.files; }},
        did);
}

} // namespace ccbt::engine
