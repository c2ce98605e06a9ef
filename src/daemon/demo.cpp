#include "daemon/demo.hpp"

#include "engine/fake_engine.hpp"

#include <array>
#include <fmt/core.h>
#include <random>

namespace ccbt::daemon {

namespace {

std::shared_ptr<model::torrent_asked const> demo_torrent(std::int64_t n, model::torrent_id root) {
    constexpr std::array kinds{"archive", "film", "album", "dataset", "image", "course"};
    constexpr std::array labels{"iso", "video", "music", "science"};
    std::mt19937_64 random{static_cast<std::uint64_t>(n)};
    std::array<std::uint8_t, 20> hash{};
    for (auto& byte : hash) byte = static_cast<std::uint8_t>(random());
    model::torrent_asked t;
    t.id = {static_cast<std::uint64_t>(n) + 1, random()};
    t.hashes.v1 = contract::info_hash{hash};
    t.name = fmt::format("demo {} {:05}", kinds[static_cast<std::size_t>(n) % kinds.size()], n);
    t.has_metainfo = true;
    t.total_size = static_cast<std::int64_t>(random() % (std::uint64_t{8} << 30)) + 1;
    t.root = root;
    t.paused = n % 10 == 3;
    if (n % 3 != 0) t.labels = {labels[static_cast<std::size_t>(n) % labels.size()]};
    t.added_at = unix_now() - static_cast<double>(random() % 10'000'000);
    t.queue_order = model::queue_order::first + n * model::queue_order::step;
    return std::make_shared<model::torrent_asked const>(std::move(t));
}

} // namespace

foundation demo_foundation(
    store::memory_store& store, std::int64_t torrents, std::string const& download_path) {
    foundation from{store, store, {}, {}, [](bool, job closed) { closed(); }};
    auto const root = executor::adopt_root(download_path).root;
    from.asked.roots.push_back(root);
    from.asked.lineage = from.asked.node_id = std::string(32, 'd');
    store::commit all;
    all.changes.emplace_back(store::put_root{root});
    for (std::int64_t n = 0; n < torrents; ++n) {
        auto one = demo_torrent(n, root.id);
        all.changes.emplace_back(store::put_torrent{one});
        all.changes.emplace_back(store::put_metainfo{one->id, std::make_shared<std::string const>("de")});
        from.asked.torrents.push_back(std::move(one));
    }
    store.commit_change(std::move(all), [](store::outcome) {});
    return from;
}

engine_maker demo_engine(loop& on) {
    return [&on](contract::settings const&, engine::fact_sink facts, engine::progress_sink progress) {
        return std::make_unique<engine::fake_engine>(engine::fake_engine::options{
            .on = on,
            .facts = std::move(facts),
            .progress = std::move(progress),
            .period = std::chrono::seconds{1}});
    };
}

} // namespace ccbt::daemon
