// The IP filter as it is configured, whole: every file and URL read, merged to one set; all of it or nothing. Blocking,
// seconds long: never on the loop.
#pragma once

#include "base/clock.hpp"
#include "contract/settings.hpp"
#include "filter/list.hpp"

#include <memory>
#include <string>
#include <vector>

namespace ccbt::filter {

struct loaded {
    std::shared_ptr<ip_range_set const> ranges;
    contract::filter_policy mode = contract::filter_policy::block;
    std::int64_t rules = 0;
    std::vector<bad_line> bad;
    std::int64_t bad_count = 0;
    double at = 0;                     // when it was loaded, Unix seconds
    double checked_at = 0;             // the URL asked longest ago; 0 where one was not, or there is none
    std::vector<std::string> degraded; // for the log: URLs that failed and whose copy stands in
    std::string made_from;             // what sources_of said before they were read
};

enum class ask_network : std::uint8_t { no, yes };

/// A URL that fails gives its copy; it is missing where there is none.
[[nodiscard]] expected<loaded, failure> load(
    contract::settings const& how, ask_network asking, progress& told);

/// What a filter is made from, as far as it can be told without reading it: the settings that change its meaning, and of
/// each file its size, inode and times. Empty where a file is missing, or so young that another change would not show.
[[nodiscard]] std::string sources_of(contract::settings const& how, unix_seconds now);
/// When the URL asked longest ago was asked, Unix seconds; 0 where one was not, or there is none.
[[nodiscard]] double checked_at(contract::settings const& how);

} // namespace ccbt::filter
