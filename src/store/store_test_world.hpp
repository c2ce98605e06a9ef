// What the tests of this room share: a loop on a thread of its own, questions that wait for their answer,
// folders that go with the test, and torrents made from a seed.
#pragma once

#include "base/loop.hpp"
#include "base/temporary_folder_test.hpp"
#include "store/journal.hpp"
#include "store/truth.hpp"

#include <chrono>
#include <filesystem>
#include <future>
#include <random>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <thread>
#include <vector>

namespace ccbt::store::test {

class loop_thread {
public:
    loop_thread() : thread_{[this] { loop_.run(); }} {}
    ~loop_thread() {
        loop_.stop();
        thread_.join();
    }
    [[nodiscard]] loop& get() { return loop_; }

    /// Calls `start(done)` on the loop and waits for what `done` is given.
    template <class T, class Start> T ask(Start start) {
        std::promise<T> promise;
        auto answer = promise.get_future();
        loop_.post([&] { start([&promise](T value) { promise.set_value(std::move(value)); }); });
        if (answer.wait_for(std::chrono::seconds{60}) != std::future_status::ready) {
            fprintf(stderr, "no answer from the store within 60 s\n");
            abort(); // the promise is on this stack: there is no going on
        }
        return answer.get();
    }
    /// Runs `what` on the loop and waits until it is done.
    template <class What> void on_loop(What what) {
        ask<bool>([&](auto done) {
            what();
            done(true);
        });
    }

private:
    loop loop_{1};
    std::thread thread_;
};

using ccbt::temporary_folder;

inline outcome commit_now(
    loop_thread& on, truth& to, std::vector<change> changes, std::string operation = {},
    std::string answer = {}) {
    return on.ask<outcome>([&](auto done) {
        to.commit_change({std::move(operation), std::move(changes), std::move(answer)}, std::move(done));
    });
}
inline outcome keep_now(loop_thread& on, journal& to, std::vector<resume_record> records) {
    return on.ask<outcome>([&](auto done) { to.keep(std::move(records), std::move(done)); });
}
using bytes = std::shared_ptr<std::string const>;
inline bytes metainfo_now(loop_thread& on, truth& of, torrent_id id) {
    return on.ask<bytes>([&](auto done) { of.load_metainfo(id, std::move(done)); });
}
inline bytes resume_now(loop_thread& on, journal& of, torrent_id id) {
    return on.ask<bytes>([&](auto done) { of.load_resume(id, std::move(done)); });
}
inline bytes answer_now(loop_thread& on, truth& of, std::string operation) {
    return on.ask<bytes>([&](auto done) { of.load_answer(std::move(operation), std::move(done)); });
}
inline bytes text(std::string value) { return std::make_shared<std::string const>(std::move(value)); }

inline model::info_hash some_hash(std::mt19937_64& random, std::size_t size) {
    std::vector<std::uint8_t> out(size);
    for (auto& b : out) b = static_cast<std::uint8_t>(random());
    return model::info_hash{out};
}

inline std::string some_bytes(std::mt19937_64& random, std::size_t size) {
    std::string out(size, '\0');
    for (auto& c : out) c = static_cast<char>(random());
    return out;
}

/// Every member is something; strings hold any bytes, zero ones too.
inline torrent_asked some_torrent(std::mt19937_64& random) {
    auto const up_to = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
    auto const bytes_up_to = [&](std::uint64_t n) { return some_bytes(random, random() % n); };
    torrent_asked t;
    t.id = {random(), random()};
    auto const kind = random() % 3;
    if (kind != 1) t.hashes.v1 = some_hash(random, 20);
    if (kind != 0) t.hashes.v2 = some_hash(random, 32);
    t.name = bytes_up_to(300);
    t.magnet = bytes_up_to(300);
    t.has_metainfo = up_to(2) == 1;
    t.is_private = up_to(2) == 1;
    t.total_size = up_to(std::uint64_t{1} << 62);
    t.root = {random(), random()};
    t.folder = bytes_up_to(100);
    t.paused = up_to(2) == 1;
    t.sequential = up_to(2) == 1;
    for (auto n = up_to(5); n > 0; --n) t.labels.push_back(bytes_up_to(40));
    t.added_at = up_to(8) == 0 ? -0.0 : static_cast<double>(up_to(2'000'000'000'000)) / 1000.0;
    t.down_kib = up_to(2'097'152);
    t.up_kib = up_to(2'097'152);
    for (auto n = up_to(2000); n > 0; --n) t.file_priorities.push_back(static_cast<std::uint8_t>(up_to(8)));
    t.queue_order = up_to(1'000'000) - 500'000;
    t.priority = static_cast<model::queue_priority>(up_to(5));
    t.in_queue = up_to(2) == 1;
    return t;
}

inline std::shared_ptr<torrent_asked const> shared(torrent_asked t) {
    return std::make_shared<torrent_asked const>(std::move(t));
}

inline torrent_asked const* find(snapshot const& in, torrent_id id) {
    for (auto const& t : in.torrents)
        if (t->id == id) return t.get();
    return nullptr;
}

} // namespace ccbt::store::test
