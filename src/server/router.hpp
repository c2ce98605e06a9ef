// Which route a request means. Immutable once made; loop thread.
#pragma once

#include "server/call.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::server {

class router {
public:
    explicit router(std::vector<route> routes);

    struct found {
        route const* to = nullptr;                                  // null: see path_known
        std::vector<std::pair<std::string_view, std::string>> path; // "{name}" and its value, decoded
        bool path_known = false;                                    // another method would do
        std::string allow;                                          // which
    };
    /// `path`: the target without its query, still percent-encoded.
    [[nodiscard]] found find(std::string_view method, std::string_view path) const;

    [[nodiscard]] std::vector<route> const& all() const { return routes_; }

private:
    struct pattern {
        std::vector<std::string_view> pieces; // "{name}" for a parameter, "{name*}" for the rest
        std::size_t route;
        bool takes_rest;
        std::size_t literals;
        [[nodiscard]] bool fits(std::vector<std::string_view> const& asked) const;
        [[nodiscard]] bool same_rank(pattern const& p) const {
            return literals == p.literals && takes_rest == p.takes_rest;
        }
    };
    void add(std::string path, std::size_t route);

    std::vector<route> routes_;
    std::vector<std::unique_ptr<std::string>> paths_; // what the pieces point into
    std::vector<pattern> patterns_;
};

/// The query of a target: pairs in order, decoded; nothing where the encoding is broken.
[[nodiscard]] std::optional<std::vector<std::pair<std::string, std::string>>> read_query(
    std::string_view query);

} // namespace ccbt::server
