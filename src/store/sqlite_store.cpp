#include "store/sqlite_store.hpp"

#include "store/sqlite_writer.hpp"

#include <utility>

namespace ccbt::store {

sqlite_store::sqlite_store(std::unique_ptr<writer> made) : writer_{std::move(made)} {}
sqlite_store::~sqlite_store() = default;

sqlite_store::opened sqlite_store::open(options with) {
    auto const before_thread = std::exchange(with.before_thread, {});
    auto made = std::unique_ptr<sqlite_store>{new sqlite_store{std::make_unique<writer>(std::move(with))}};
    if (auto refused = made->writer_->open(made->asked_, made->done_))
        return unexpected<open_failure>{*refused};
    if (before_thread) before_thread(made->asked_);
    made->writer_->start();
    return made;
}

void sqlite_store::close(unique_function<void(outcome)> done, bool whole) {
    writer_->ask(close_request{std::move(done), whole});
}

void sqlite_store::commit_change(commit what, unique_function<void(outcome)> done) {
    writer_->ask(write_request{std::move(what), std::move(done)});
}

void sqlite_store::load_metainfo(
    torrent_id id, unique_function<void(std::shared_ptr<std::string const>)> done) {
    writer_->ask(blob_request{id, false, std::move(done), nullptr});
}

void sqlite_store::load_checkpoint(
    model::info_hash of, unique_function<void(std::shared_ptr<std::string const>)> done) {
    writer_->ask(blob_request{of, true, std::move(done), nullptr});
}

void sqlite_store::load_answer(
    std::string operation_id, unique_function<void(std::shared_ptr<std::string const>)> done) {
    writer_->ask(blob_request{std::move(operation_id), false, std::move(done), nullptr});
}

void sqlite_store::keep(std::vector<resume_record> records, unique_function<void(outcome)> done) {
    writer_->ask(write_request{std::move(records), std::move(done)});
}

void sqlite_store::load_resume(
    torrent_id id, unique_function<void(std::shared_ptr<std::string const>)> done) {
    writer_->ask(blob_request{id, true, std::move(done), nullptr});
}

void sqlite_store::load_many(std::vector<torrent_id> ids, unique_function<void(std::vector<stored>)> done) {
    writer_->ask(many_request{std::move(ids), std::move(done), {}});
}

journal_counters sqlite_store::counters() const { return writer_->counters(); }

} // namespace ccbt::store
