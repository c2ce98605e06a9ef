// The deeds of a daemon's whole state, out of it and into it, and of one torrent's checkpoint. Loop thread; files are
// written, read and parsed off it, a batch of torrents at a time.
#pragma once

#include "backup/checkpoint.hpp"
#include "backup/state_file.hpp"
#include "contract/backup.hpp"
#include "executor/context.hpp"
#include "executor/pace.hpp"
#include "executor/roots.hpp"
#include "executor/state_files.hpp"
#include "executor/torrents.hpp"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace ccbt::executor {

class backup {
public:
    backup(context& house, torrents& of) : house_{house}, torrents_{of}, turns_{house.on} {}

    task<result<contract::export_state::response>> handle(
        contract::export_state::request request, caller const& who);
    task<result<contract::import_state::response>> handle(
        contract::import_state::request request, caller const& who);
    task<result<contract::checkpoint>> handle(contract::get_checkpoint::request request, caller const& who);
    task<result<contract::resume_checkpoint::response>> handle(
        contract::resume_checkpoint::request request, caller const& who);

private:
    [[nodiscard]] result<void> keep_pace(pace& of, caller const& who) const;

    // backup_export.cpp
    [[nodiscard]] ccbt::backup::kept_head head() const;
    [[nodiscard]] std::optional<ccbt::backup::kept_torrent> kept(torrent_id id) const;
    task<> save_progress();

    // backup_import.cpp
    struct file_of_state; // being read
    struct candidate;     // one of its torrents
    struct import_so_far;
    task<result<void>> take_head(ccbt::backup::kept_head head);
    task<result<void>> take_list(
        model::address_list which, std::vector<ccbt::backup::kept_address> const& entries);
    task<result<void>> take_batch(std::vector<candidate> batch, import_so_far& so_far);
    [[nodiscard]] result<roots::place> place_of(
        ccbt::backup::kept_torrent const& one, import_so_far& so_far) const;
    task<result<void>> put(std::vector<candidate> const& some); // of who awaits it

    // checkpoints.cpp
    task<result<torrents::source>> source_of(
        contract::resume_checkpoint::request const& request, contract::checkpoint const& said);
    task<result<contract::resume_checkpoint::response>> resume_known(
        torrent_id id, ccbt::backup::checkpoint_read const& read, std::string operation_id);
    task<std::shared_ptr<std::string const>> stored_metainfo(torrent_id id);
    task<result<engine::piece_report>> pieces_of(torrent_id id);

    context& house_;
    torrents& torrents_;
    turns<int> turns_; // one export or import at a time
    pace exports_, imports_;
};

/// Tells now and then how far long work has come; what is soon over is not told of.
class told_progress {
public:
    told_progress(
        context& house, std::string what, std::int64_t total,
        std::chrono::milliseconds every = std::chrono::milliseconds{500})
        : house_{house}, what_{std::move(what)}, total_{total}, every_{every} {}
    void reached(std::int64_t finished);

private:
    context& house_;
    std::string what_;
    std::int64_t total_;
    std::chrono::milliseconds every_;
    steady::time_point last_ = steady::now();
    bool told_ = false;
};

} // namespace ccbt::executor
