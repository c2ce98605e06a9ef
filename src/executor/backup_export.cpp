// Export: everything that is known, as of now, into one file.
#include "base/log.hpp"
#include "base/safeguard.hpp"
#include "base/text.hpp"
#include "executor/backup.hpp"
#include "executor/roots.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ccbt::executor {

namespace {

constexpr std::size_t batch_size = 128;
constexpr std::size_t largest_resume = std::size_t{20} << 20;

failure refusal(file_trouble const& why) {
    if (why.what == file_trouble::kind::full)
        return {errc::export_storage_full, "the disk is full: nothing was exported", {}};
    failure out{errc::export_forbidden, why.why, {}};
    if (!why.reason.empty()) return std::move(out).with("reason", why.reason);
    return out;
}

std::optional<std::string> base64(std::shared_ptr<std::string const> const& bytes) {
    if (!bytes) return std::nullopt;
    return text::to_base64({reinterpret_cast<std::uint8_t const*>(bytes->data()), bytes->size()});
}

struct written {
    explicit written(new_file made) : file{std::move(made)} {}
    new_file file;
    ccbt::backup::state_writer text;
};
using outcome = expected<void, file_trouble>;

} // namespace

void told_progress::reached(std::int64_t finished) {
    auto const now = steady::now();
    bool const ends = finished >= total_ && told_;
    if (!ends && now - last_ < every_) return;
    last_ = now;
    told_ = true;
    house_.apply(model::work_progressed{what_, finished, total_});
}

ccbt::backup::kept_head backup::head() const {
    ccbt::backup::kept_head made;
    made.created_at = unix_now();
    made.daemon_version = house_.self.version;
    made.lineage = house_.self.lineage;
    if (house_.fitting)
        for (auto& [key, json] : house_.fitting(house_.laid_over))
            made.settings.push_back({std::move(key), contract::json_text{std::move(json)}});
    auto const kept_list = [this](model::address_list which) {
        std::vector<ccbt::backup::kept_address> all;
        for (auto const& [range, entry] : house_.state.list(which)) {
            auto& one = all.emplace_back();
            one.ip = range.text();
            if (!entry.reason.empty()) one.reason = entry.reason;
            one.added_at = entry.added_at;
        }
        return all;
    };
    made.blacklist = kept_list(model::address_list::blacklist);
    made.whitelist = kept_list(model::address_list::whitelist);
    made.removed_downloaded = house_.state.removed_totals().downloaded;
    made.removed_uploaded = house_.state.removed_totals().uploaded;
    return made;
}

std::optional<ccbt::backup::kept_torrent> backup::kept(torrent_id id) const {
    auto const* const row = house_.state.torrents().find(id);
    if (row == nullptr) return std::nullopt; // removed meanwhile
    auto const& asked = *row->asked;
    ccbt::backup::kept_torrent made;
    if (asked.hashes.v1) made.v1 = asked.hashes.v1;
    if (asked.hashes.v2) made.v2 = asked.hashes.v2;
    made.name = asked.name;
    made.magnet = asked.magnet;
    made.output_dir = house_.state.folder_of(asked);
    made.folder = asked.folder;
    made.paused = asked.paused;
    made.sequential = asked.sequential;
    made.labels = asked.labels;
    made.added_at = asked.added_at;
    made.down_kib = asked.down_kib;
    made.up_kib = asked.up_kib;
    made.file_priorities = asked.file_priorities;
    made.queue_order = asked.queue_order;
    made.priority = asked.priority;
    made.in_queue = asked.in_queue;
    made.progress = row->view->progress;
    made.downloaded = row->view->downloaded;
    made.uploaded = row->view->uploaded;
    return made;
}

result<void> backup::keep_pace(pace& of, caller const& who) const {
    if (!in_force(safeguard::state_file_pace)) return {};
    auto const most = house_.settings.limits.state_files_per_minute;
    auto const wait = of.wait(who.principal, most, steady::now());
    if (wait == 0) return {};
    return fails(
        errc::rate_limited, fmt::format("at most {} a minute (limits.state_files_per_minute): wait", most),
        {{"retry_after", wait}});
}

task<> backup::save_progress() {
    auto save = [this](auto done) {
        house_.engine.save_all([done = std::move(done)]() mutable { done(true); });
    };
    co_await reply_of<bool>(std::move(save));
}

task<result<contract::export_state::response>> backup::handle(
    contract::export_state::request request, caller const& who) {
    auto find = [folder = house_.settings.daemon.export_dir, path = std::move(request.path)] {
        return place_for(folder, path, ccbt::backup::file_begins);
    };
    auto place = co_await off_loop(house_.on, std::move(find));
    if (!place) co_return unexpected<failure>{refusal(place.error())};
    if (auto const may = keep_pace(exports_, who); !may) co_return unexpected<failure>{may.error()};
    auto const turn = co_await turns_.take(0);

    co_await save_progress();
    std::vector<torrent_id> ids;
    ids.reserve(house_.state.torrents().size());
    for (auto const* row = house_.state.torrents().first(); row != nullptr; row = row->added_after)
        ids.push_back(row->asked->id);

    std::shared_ptr<written> job;
    auto begin = [&job, at = std::move(*place), head = head()]() mutable -> outcome {
        auto file = new_file::make(std::move(at));
        if (!file) return unexpected<file_trouble>{file.error()};
        job = std::make_shared<written>(std::move(*file));
        return job->file.write(job->text.begin(head));
    };
    auto went = co_await off_loop(house_.on, std::move(begin));
    told_progress told{house_, "export", static_cast<std::int64_t>(ids.size())};
    for (std::size_t from = 0; went && from < ids.size(); from += batch_size) {
        auto const end = std::min(ids.size(), from + batch_size);
        std::vector<torrent_id> some(
            ids.begin() + static_cast<std::ptrdiff_t>(from), ids.begin() + static_cast<std::ptrdiff_t>(end));
        auto load = [this, &some](auto done) { house_.journal.load_many(std::move(some), std::move(done)); };
        auto stored = co_await reply_of<std::vector<store::journal::stored>>(std::move(load));
        std::vector<std::pair<ccbt::backup::kept_torrent, store::journal::stored>> batch;
        for (auto& one : stored)
            if (auto made = kept(one.id)) batch.emplace_back(std::move(*made), std::move(one));
        auto write = [job, batch = std::move(batch)]() mutable -> outcome {
            for (auto& [made, blobs] : batch) {
                made.metainfo = base64(blobs.metainfo);
                // What a line cannot carry is left out: an import hashes the files anyway.
                if (blobs.resume && blobs.resume->size() <= largest_resume)
                    made.resume = base64(blobs.resume);
                if (auto const wrote = job->file.write(job->text.add(made)); !wrote) return wrote;
            }
            return {};
        };
        went = co_await off_loop(house_.on, std::move(write));
        told.reached(static_cast<std::int64_t>(end));
    }
    if (went) {
        auto finish = [job]() -> outcome {
            if (auto const wrote = job->file.write(job->text.end()); !wrote) return wrote;
            return job->file.finish();
        };
        went = co_await off_loop(house_.on, std::move(finish));
    }
    contract::export_state::response out;
    if (job && went) {
        out.path = job->file.path();
        out.torrents = job->text.count();
        out.bytes = job->file.bytes();
    }
    if (!went) {
        // By name: the worker that wrote last may hold the job a little longer than the answer may wait.
        auto discard = [job] {
            if (job) job->file.discard();
            return true;
        };
        co_await off_loop(house_.on, std::move(discard));
        log::warning("an export failed: {}", went.error().why);
        co_return unexpected<failure>{refusal(went.error())};
    }
    co_return out;
}

} // namespace ccbt::executor
