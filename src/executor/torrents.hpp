// The deeds of the torrents. Loop thread.
#pragma once

#include "contract/batch.hpp"
#include "contract/torrents.hpp"
#include "executor/context.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ccbt::executor {

class torrents {
public:
    explicit torrents(context& house) : house_{house} {}

    task<result<contract::add_torrent::response>> handle(
        contract::add_torrent::request request, caller const& who);
    task<result<contract::list_torrents::response>> handle(
        contract::list_torrents::request request, caller const& who);
    task<result<contract::get_torrent::response>> handle(
        contract::get_torrent::request request, caller const& who);
    task<result<contract::done>> handle(contract::remove_torrent::request request, caller const& who);
    task<result<contract::done>> handle(contract::pause_torrent::request request, caller const& who);
    task<result<contract::done>> handle(contract::resume_torrent::request request, caller const& who);
    task<result<contract::get_peers::response>> handle(
        contract::get_peers::request request, caller const& who);

    task<result<contract::batch_answer>> handle(contract::batch_add::request request, caller const& who);
    task<result<contract::batch_answer>> handle(contract::batch_pause::request request, caller const& who);
    task<result<contract::batch_answer>> handle(contract::batch_resume::request request, caller const& who);
    task<result<contract::batch_answer>> handle(contract::batch_remove::request request, caller const& who);

    /// A magnet has become a torrent: what the engine learned goes to the truth as a command.
    task<> learn_metadata(model::metadata_arrived what);
    /// Deletions that a stop or a crash cut short.
    task<> finish_deletion(store::intend_deletion what);

    // What the areas that bring torrents too do it by.

    struct source {
        engine::torrent_source facts;
        std::shared_ptr<std::string const> metainfo; // null for a magnet
        std::string magnet;
    };
    /// What path_or_magnet or torrent_data is. A file that is not there: details.reason is "not_found".
    task<result<source>> read_source(contract::add_torrent::request request);
    /// A new torrent's record: what the source says, over what was asked. Why it cannot be had, where a file of it has a
    /// name that is not its to take.
    [[nodiscard]] static result<void> describe(model::torrent_asked& asked, source const& what);
    /// Adds it, at the end of the queue: commit, apply, engine. TORRENT_EXISTS where it is here already.
    task<result<contract::add_torrent::response>> take_in(
        source what, model::torrent_asked asked, engine::load first, std::string operation_id);
    struct candidate {
        source what;
        model::torrent_asked asked;
        engine::load first;
    };
    /// The same for many, in one commit, an outcome each. One that stands twice among them exists at the second.
    task<std::vector<result<contract::add_torrent::response>>> take_in_all(
        std::vector<candidate> all, std::string operation_id,
        std::function<void(std::vector<result<contract::add_torrent::response>> const&)> foresee = {});
    /// The URLs of its trackers, of its metainfo and of the magnet that it came by.
    task<std::vector<std::string>> trackers_of(std::shared_ptr<model::torrent_asked const> asked);
    /// Files of the same names may be going just now: a new torrent must not lose its own with them.
    task<> let_deletions_end(std::string folder);
    [[nodiscard]] bool is_near_a_deletion(std::string const& folder) const;
    [[nodiscard]] std::int64_t last_queue_order(); // of all that are here
    /// Asks it of the engine too where nothing changes: resuming is how a user has an error tried again.
    task<result<void>> set_paused(contract::info_hash which, bool paused, std::string operation_id);

private:
    task<std::vector<std::string>> own_files(std::shared_ptr<model::torrent_asked const> of);
    task<std::optional<engine::torrent_source>> read_stored(torrent_id which);
    using ids = std::set<torrent_id>;
    task<> spare_shared_files(store::intend_deletion& what, ids const& going);
    task<> delete_files_of(store::intend_deletion what);
    task<result<candidate>> prepare(contract::add_torrent::request request);
    void place_in_queue(model::torrent_asked& asked);
    [[nodiscard]] bool near_a_deletion(std::vector<candidate> const& all, torrent_id& which) const;
    // Of many, in one commit, an outcome each; a torrent that is named twice is done once.
    struct named;
    /// Told the outcomes before they are committed.
    using foresight = std::function<void(std::vector<result<void>> const&)>;
    task<std::vector<result<void>>> set_paused(
        std::vector<contract::info_hash> which, bool paused, std::string operation_id, foresight = {});
    task<std::vector<result<void>>> remove(
        std::vector<contract::info_hash> which, bool delete_files, std::string operation_id, foresight = {});

    template <class Deed> task<result<contract::batch_answer>> do_to_all(
        std::vector<std::string> const& written, caller const& who, Deed deed);

    context& house_;
};

[[nodiscard]] contract::queue_priority default_priority(contract::queue_settings const& from);

/// The rows that a request for the list asks for: filtered, sorted, cut, narrowed to fields. In torrent_list.cpp.
[[nodiscard]] result<contract::list_torrents::response> list(
    model::state const& state, contract::list_torrents::request const& request);
[[nodiscard]] bool etag_matches(std::optional<std::string> const& if_none_match, std::string_view etag);

} // namespace ccbt::executor
