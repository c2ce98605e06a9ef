// What makes settings whole: paths made absolute, defaults that follow from other keys, and the rules that one key's
// description cannot say. Pure, any thread; knows no source.
#pragma once

#include "base/result.hpp"
#include "contract/errors.hpp"
#include "contract/settings.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::daemon {

/// daemon.unix_socket, where there is to be none.
inline constexpr std::string_view no_unix_socket = "none";

/// "~", "~/x" and relative paths made absolute and plain ("a/../b" is "b"). Failure: a sentence.
[[nodiscard]] expected<std::string, std::string> absolute_path(
    std::string_view written, std::filesystem::path const& here, std::filesystem::path const& home);

/// Makes the paths of `settings` absolute and fills in what was left to be derived; what is wrong.
[[nodiscard]] std::vector<contract::problem> complete(
    contract::settings& settings, std::filesystem::path const& here, std::filesystem::path const& home);

/// The rules between keys; what is wrong. `settings` are complete.
[[nodiscard]] std::vector<contract::problem> check_settings(contract::settings const& settings);

/// Does binding to `host` reach this machine alone? False for a name other than localhost: it may mean anything.
[[nodiscard]] bool is_loopback_host(std::string_view host);

} // namespace ccbt::daemon
