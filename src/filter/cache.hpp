// The last good copy of each URL's list, in security.ip_filter.filter_cache_dir, with what its server called it (ETag,
// Last-Modified). Two files a URL, named by the URL's hash, so that no secret in a URL is in a name. Blocking.
#pragma once

#include "filter/new_file.hpp"

#include <optional>
#include <string>

namespace ccbt::filter {

class url_cache {
public:
    explicit url_cache(std::string folder) : folder_{std::move(folder)} {}

    struct copy {
        bool is_there = false;
        std::string etag, modified;
        double checked_at = 0; // when the server last said that this is it; Unix seconds
    };
    [[nodiscard]] copy find(std::string const& url) const;
    [[nodiscard]] std::string path_of(std::string const& url) const;
    /// For the next copy; nothing where the folder cannot be written.
    [[nodiscard]] std::optional<new_file> begin(std::string const& url) const;
    [[nodiscard]] bool keep(std::string const& url, new_file& fresh, copy const& as) const;
    [[nodiscard]] bool note(std::string const& url, copy const& as) const; // the copy here is still good

private:
    [[nodiscard]] std::string note_of(std::string const& url) const;
    std::string folder_;
};

} // namespace ccbt::filter
