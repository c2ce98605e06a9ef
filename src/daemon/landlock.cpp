#include "daemon/landlock.hpp"

#include "base/beneath.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ccbt::daemon {

namespace {

// Debian 12's header ends before the third ABI.
constexpr std::uint64_t truncate_right = std::uint64_t{1} << 14;

constexpr std::uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                  LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                                  LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                                  LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

std::uint64_t rights_of(int abi) {
    return writing | (abi >= 2 ? std::uint64_t{LANDLOCK_ACCESS_FS_REFER} : 0) |
           (abi >= 3 ? truncate_right : 0);
}

std::string because(char const* what) { return fmt::format("{}: {}", what, std::strerror(errno)); }

int create_ruleset(landlock_ruleset_attr const* of, std::size_t size, unsigned flags) {
    return static_cast<int>(::syscall(SYS_landlock_create_ruleset, of, size, flags));
}

bool let_write(int rules, int below, std::uint64_t rights) {
    landlock_path_beneath_attr one{};
    one.allowed_access = rights;
    one.parent_fd = below;
    return ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &one, 0U) == 0;
}

} // namespace

expected<landlocked, std::string> bind_writing(std::vector<std::filesystem::path> const& folders) {
    landlocked made;
    made.abi = create_ruleset(nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (made.abi < 1) return unexpected<std::string>{because("this kernel has no Landlock")};
    landlock_ruleset_attr bound{};
    bound.handled_access_fs = rights_of(made.abi);
    descriptor const rules{create_ruleset(&bound, sizeof bound, 0)};
    if (rules.get() < 0) return unexpected<std::string>{because("Landlock takes no rules")};
    for (auto const& folder : folders) {
        descriptor const open{::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
        if (open.get() < 0 && (errno == ENOENT || errno == ENOTDIR)) {
            made.missing.push_back(folder);
            continue;
        }
        if (open.get() < 0 || !let_write(rules.get(), open.get(), bound.handled_access_fs))
            return unexpected<std::string>{because(folder.c_str())};
    }
    // What libraries throw away goes there.
    descriptor const nowhere{::open("/dev/null", O_PATH | O_CLOEXEC)};
    if (nowhere.get() >= 0 && !let_write(rules.get(), nowhere.get(), LANDLOCK_ACCESS_FS_WRITE_FILE))
        return unexpected<std::string>{because("/dev/null")};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::syscall(SYS_landlock_restrict_self, rules.get(), 0U) != 0)
        return unexpected<std::string>{because("Landlock does not take hold")};
    return made;
}

} // namespace ccbt::daemon
