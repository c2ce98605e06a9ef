#include "executor/files.hpp"

#include <algorithm>

namespace ccbt::executor {

using contract::file_priority;

namespace {

unexpected<failure> refuse(errc code, std::string why, std::string reason) {
    return fails(code, std::move(why), {{"reason", std::move(reason)}});
}

unexpected<failure> no_metadata(errc code) {
    return refuse(code, "its metadata is not here yet, so its files are not known", "no_metadata");
}

unexpected<failure> offline(errc code) {
    return refuse(code, "the storage folder is offline: is its drive mounted?", "storage_offline");
}

// Why a file cannot be given a level; nothing where it can.
std::string unfit(std::vector<engine::content_file> const& files, std::int64_t index, bool wanted) {
    auto const name = "file " + std::to_string(index);
    if (index < 0 || index >= static_cast<std::int64_t>(files.size()))
        return name + " is none of this torrent's: it has 0 to " + std::to_string(files.size() - 1);
    auto const& file = files[static_cast<std::size_t>(index)];
    if (file.is_padding) return name + " only pads (BEP 47): it is never on a disk";
    if (file.is_link && wanted) return name + " is a symbolic link: those are never made";
    return {};
}

} // namespace

task<files::bytes> files::metainfo_of(torrent_id id) {
    auto load = [this, id](auto done) { house_.truth.load_metainfo(id, std::move(done)); };
    auto held = co_await reply_of<bytes>(std::move(load));
    co_return held;
}

task<result<std::vector<engine::content_file>>> files::read_stored(torrent_id id, errc refused) {
    auto const held = co_await metainfo_of(id);
    if (!held) co_return no_metadata(refused);
    auto read = [held] { return engine::read_content(*held); };
    auto made = co_await off_loop(house_.on, std::move(read));
    if (!made) co_return refuse(refused, made.error().message, "metainfo_damaged");
    co_return made;
}

// ---- which there are

task<result<contract::get_files::response>> files::handle(
    contract::get_files::request request, caller const&) {
    auto const* row = house_.state.torrents().find(request.info_hash);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};
    if (!row->asked->has_metainfo) co_return no_metadata(errc::file_list_failed);
    auto const id = row->asked->id;
    auto const held = co_await metainfo_of(id);
    if (!held) co_return no_metadata(errc::file_list_failed);
    auto ask = [this, id](auto done) { house_.engine.file_progress(id, std::move(done)); };
    auto here = co_await reply_of<result<std::vector<std::int64_t>>>(std::move(ask));
    if (!here) co_return unexpected<failure>{here.error()};
    bytes resume;
    if (here->empty()) {
        auto load = [this, id](auto done) { house_.journal.load_resume(id, std::move(done)); };
        resume = co_await reply_of<bytes>(std::move(load));
    }
    struct content {
        result<std::vector<engine::content_file>> files;
        std::vector<std::int64_t> saved;
    };
    auto read = [held, resume] {
        content made{engine::read_content(*held), {}};
        if (resume) made.saved = engine::saved_file_progress(*held, *resume);
        return made;
    };
    auto const made = co_await off_loop(house_.on, std::move(read));
    if (!made.files) co_return refuse(errc::file_list_failed, made.files.error().message, "metainfo_damaged");
    row = house_.state.torrents().find(id);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};

    auto const& present = here->empty() ? made.saved : *here;
    contract::get_files::response out;
    out.info_hash = row->view->info_hash;
    for (std::size_t i = 0; i < made.files->size(); ++i) {
        auto const& file = (*made.files)[i];
        if (file.is_padding) continue;
        contract::file_info one;
        one.index = static_cast<std::int64_t>(i);
        one.name = file.path;
        one.size = file.size;
        one.priority = file.is_link ? file_priority::do_not_download
                                    : contract::file_priority_of(row->asked->file_level(i));
        one.selected = one.priority != file_priority::do_not_download;
        auto const got = static_cast<double>(i < present.size() ? present[i] : 0);
        one.progress = file.size > 0 ? std::clamp(got / static_cast<double>(file.size), 0.0, 1.0) : 1.0;
        if (!file.attributes.empty()) one.attributes = file.attributes;
        out.files.push_back(std::move(one));
    }
    co_return out;
}

// ---- which are wanted

task<result<void>> files::set_levels(change what, std::string operation_id) {
    auto const* row = house_.state.torrents().find(what.of);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};
    auto const id = row->asked->id;
    auto const turn = co_await house_.torrent_turns.take(id);
    row = house_.state.torrents().find(id);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};
    if (!row->asked->has_metainfo) co_return no_metadata(what.refused);
    auto const all = co_await read_stored(id, what.refused);
    if (!all) co_return unexpected<failure>{all.error()};
    row = house_.state.torrents().find(id); // held by our turn
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};

    auto changed = *row->asked;
    auto& levels = changed.file_priorities;
    for (auto const index : what.indices) {
        auto const at = static_cast<std::size_t>(index);
        auto const level = what.to(row->asked->file_level(at));
        if (auto why = unfit(*all, index, level != 0); !why.empty()) {
            failure refusal{what.refused, std::move(why), {}};
            co_return unexpected<failure>{std::move(refusal).with("field", what.field).with("index", index)};
        }
        if (levels.size() <= at) levels.resize(at + 1, 4);
        levels[at] = level;
    }
    while (!levels.empty() && levels.back() == 4) levels.pop_back();
    auto const record =
        co_await keep_changed(house_, row->asked, std::move(changed), std::move(operation_id));
    if (!record) co_return unexpected<failure>{record.error()};
    // A torrent that failed waits for its user to resume it: the engine is told of its files with that.
    row = house_.state.torrents().find(id);
    if (row != nullptr && row->failed.empty()) house_.ask_engine(*record);
    co_return result<void>{};
}

task<result<contract::files_named>> files::handle(
    contract::select_files::request request, caller const& who) {
    level_of const to = [](std::uint8_t was) { return was == 0 ? std::uint8_t{4} : was; };
    change what{request.info_hash, request.file_indices, "file_indices", errc::file_select_failed, to};
    contract::files_named const out{"selected", std::move(request.file_indices)};
    house_.once.foresee(who.operation_id, out);
    auto const set = co_await set_levels(std::move(what), who.operation_id);
    if (!set) co_return unexpected<failure>{set.error()};
    co_return out;
}

task<result<contract::files_named>> files::handle(
    contract::deselect_files::request request, caller const& who) {
    level_of const to = [](std::uint8_t) { return std::uint8_t{0}; };
    change what{request.info_hash, request.file_indices, "file_indices", errc::file_deselect_failed, to};
    contract::files_named const out{"deselected", std::move(request.file_indices)};
    house_.once.foresee(who.operation_id, out);
    auto const set = co_await set_levels(std::move(what), who.operation_id);
    if (!set) co_return unexpected<failure>{set.error()};
    co_return out;
}

task<result<contract::set_file_priority::response>> files::handle(
    contract::set_file_priority::request request, caller const& who) {
    level_of const to = [level = static_cast<std::uint8_t>(request.priority)](std::uint8_t) { return level; };
    change what{request.info_hash, {request.file_index}, "file_index", errc::file_priority_failed, to};
    contract::set_file_priority::response out;
    out.file_index = request.file_index;
    out.priority = request.priority;
    house_.once.foresee(who.operation_id, out);
    auto const set = co_await set_levels(std::move(what), who.operation_id);
    if (!set) co_return unexpected<failure>{set.error()};
    co_return out;
}

// ---- whether they are right

task<result<contract::verify_files::response>> files::handle(
    contract::verify_files::request request, caller const&) {
    constexpr auto refused = errc::file_verify_failed;
    auto const* row = house_.state.torrents().find(request.info_hash);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};
    if (!row->asked->has_metainfo) co_return no_metadata(refused);
    if (row->offline) co_return offline(refused);
    if (stopped_) co_return fails(errc::shutting_down, "the daemon is shutting down");
    auto const one = begin(*row);
    if (!one) co_return refuse(refused, "too many torrents are being verified: try again later", "busy");

    auto const id = one->id;
    // Where the borders of unwanted files lie, the engine writes down with a save only.
    auto const& levels = row->asked->file_priorities;
    if (std::find(levels.begin(), levels.end(), std::uint8_t{0}) != levels.end()) {
        auto save = [this](auto done) {
            house_.engine.save_all([done = std::move(done)]() mutable { done(true); });
        };
        co_await reply_of<bool>(std::move(save));
    }
    auto const held = co_await metainfo_of(id);
    row = house_.state.torrents().find(id);
    struct answer {
        bool ran = false;
        result<engine::verification> found = engine::verification{};
    };
    auto const got = std::make_shared<answer>();
    if (held && row != nullptr && !one->watch.stop) {
        auto read = [this, one, held, got, asked = row->asked,
                     folder = house_.state.folder_of(*row->asked)](auto done) {
            auto work = [one, held, got, asked, folder] {
                got->ran = true;
                try {
                    got->found = engine::verify(*held, folder, asked->file_priorities, one->watch);
                } catch (std::exception const& e) { // no memory
                    got->found =
                        fails(errc::file_verify_failed, std::string{"it cannot be read: "} + e.what());
                }
            };
            auto const waiting = std::make_shared<decltype(done)>(std::move(done));
            auto ended = [waiting] { (*waiting)(true); };
            if (!lanes_[one->lane]->run(std::move(work), ended)) house_.on.post(ended);
        };
        co_await reply_of<bool>(std::move(read));
    }
    end(one);
    row = house_.state.torrents().find(id);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};
    if (!held) co_return no_metadata(refused);
    if (row->offline) co_return offline(refused);
    if (!got->found) co_return refuse(refused, got->found.error().message, "metainfo_damaged");
    if (stopped_) co_return fails(errc::shutting_down, "the daemon is shutting down");
    if (!got->ran || got->found->stopped) co_return offline(refused); // it was, and is back

    contract::verify_files::response out;
    out.info_hash = row->view->info_hash;
    out.verified_files = std::move(got->found->verified);
    out.failed_files = std::move(got->found->failed);
    out.verified_count = static_cast<std::int64_t>(out.verified_files.size());
    out.failed_count = static_cast<std::int64_t>(out.failed_files.size());
    out.total_files = out.verified_count + out.failed_count;
    co_return out;
}

std::shared_ptr<files::verifying> files::begin(model::torrent_row const& row) {
    if (under_way_.size() >= most_verifying) return nullptr;
    auto one = std::make_shared<verifying>();
    one->id = row.asked->id;
    one->what = "verify " + row.view->info_hash;
    std::array<std::size_t, most_verified_at_once> busy{};
    for (auto const& other : under_way_) ++busy[other->lane];
    one->lane = static_cast<std::size_t>(std::min_element(busy.begin(), busy.end()) - busy.begin());
    if (!lanes_[one->lane]) lanes_[one->lane] = std::make_unique<worker>(house_.on, most_verifying);
    under_way_.push_back(one);
    if (!looking_) looking_ = house_.on.every(look_every, [this] { look(); });
    return one;
}

void files::end(std::shared_ptr<verifying> const& one) {
    std::erase(under_way_, one);
    if (under_way_.empty()) looking_.reset();
    if (one->told && !one->watch.stop)
        house_.apply(model::work_progressed{one->what, one->watch.total, one->watch.total});
}

void files::look() {
    for (auto const& one : under_way_) {
        auto const* row = house_.state.torrents().find(one->id);
        if (row == nullptr || row->offline) one->watch.stop = true;
        if (one->watch.total == 0 || one->watch.stop) continue; // it waits for others
        one->told = true;
        house_.apply(model::work_progressed{one->what, one->watch.finished, one->watch.total});
    }
}

void files::stop_verifying() {
    stopped_ = true;
    for (auto const& one : under_way_) one->watch.stop = true;
}

} // namespace ccbt::executor
