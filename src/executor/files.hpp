// The deeds of a torrent's files: which there are, which are wanted, whether they are right. Loop thread; metainfo is
// parsed off it, and files are read on threads of their own, two at most, so that no disk holds anybody else.
#pragma once

#include "base/worker.hpp"
#include "contract/files.hpp"
#include "engine/content.hpp"
#include "executor/context.hpp"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ccbt::executor {

class files {
public:
    explicit files(context& house) : house_{house} {}
    ~files() { stop_verifying(); }
    files(files const&) = delete;
    files& operator=(files const&) = delete;

    task<result<contract::get_files::response>> handle(
        contract::get_files::request request, caller const& who);
    task<result<contract::files_named>> handle(contract::select_files::request request, caller const& who);
    task<result<contract::files_named>> handle(contract::deselect_files::request request, caller const& who);
    task<result<contract::set_file_priority::response>> handle(
        contract::set_file_priority::request request, caller const& who);
    task<result<contract::verify_files::response>> handle(
        contract::verify_files::request request, caller const& who);

    /// The house is closing: what is being read is given up within a chunk.
    void stop_verifying();
    static constexpr std::size_t most_verified_at_once = 2, most_verifying = 16; // the others wait
    std::chrono::milliseconds look_every{500}; // how far a verification is, and whether it is still wanted

private:
    using bytes = std::shared_ptr<std::string const>;
    using level_of = std::function<std::uint8_t(std::uint8_t)>;
    struct change {
        contract::info_hash of;
        std::vector<std::int64_t> indices;
        std::string field; // of the request: what names them
        errc refused;
        level_of to;
    };
    struct verifying {
        torrent_id id;
        std::string what;
        engine::verify_watch watch;
        std::size_t lane = 0;
        bool told = false;
    };

    task<bytes> metainfo_of(torrent_id id);
    task<result<std::vector<engine::content_file>>> read_stored(torrent_id id, errc refused);
    task<result<void>> set_levels(change what, std::string operation_id);
    [[nodiscard]] std::shared_ptr<verifying> begin(model::torrent_row const& row); // null: too many
    void end(std::shared_ptr<verifying> const& one);
    void look();

    context& house_;
    bool stopped_ = false;
    std::vector<std::shared_ptr<verifying>> under_way_;
    std::unique_ptr<loop::ticker> looking_;
    std::array<std::unique_ptr<worker>, most_verified_at_once> lanes_; // made when first wanted
};

} // namespace ccbt::executor
