#include "daemon/recover.hpp"

#include "daemon/state_dir.hpp"
#include "store/sqlite_recover.hpp"

#include <cstdio>
#include <fmt/core.h>
#include <system_error>

namespace ccbt::daemon {

exit_code recover_state(std::filesystem::path const& folder) {
    auto const complain = [](std::string const& what) { fmt::print(stderr, "ccbtd: {}\n", what); };
    auto const database = folder / "ccbt.db";
    std::error_code ignored;
    if (!std::filesystem::exists(folder, ignored)) { // nothing is made here
        complain(fmt::format("{}: there is no state to be read", folder.string()));
        return exit_code::damaged_state;
    }
    private_files const ours;
    auto const held = state_dir::open(folder);
    if (!held) {
        complain(held.error().message);
        return held.error().code;
    }
    auto const done =
        store::recover(database, [](std::string const& line) { fmt::print(stderr, "ccbtd: {}\n", line); });
    if (!done) {
        complain(done.error().message);
        return static_cast<exit_code>(done.error().exit_code());
    }
    if (!done->needed) {
        fmt::print("{} is not damaged: nothing was changed\n", database.string());
        return exit_code::clean;
    }
    for (auto const& line : done->report) fmt::print("{}\n", line);
    fmt::print("This is kept in {}.txt\nccbtd can be started now.\n", done->kept.string());
    return exit_code::clean;
}

} // namespace ccbt::daemon
