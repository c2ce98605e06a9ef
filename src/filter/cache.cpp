#include "filter/cache.hpp"

#include "base/crypto.hpp"
#include "base/text.hpp"

#include <charconv>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ccbt::filter {

std::string url_cache::path_of(std::string const& url) const {
    return folder_ + '/' + text::to_hex(crypto::sha256(url)).substr(0, 32) + ".list";
}

std::string url_cache::note_of(std::string const& url) const { return path_of(url) + ".note"; }

url_cache::copy url_cache::find(std::string const& url) const {
    copy found;
    struct stat facts {};
    found.is_there = ::lstat(path_of(url).c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
    auto const note = found.is_there ? read_small_file(note_of(url)) : std::nullopt;
    if (!note) return found;
    auto const lines = text::split(*note, '\n');
    if (lines.size() < 3) return found;
    std::from_chars(lines[0].data(), lines[0].data() + lines[0].size(), found.checked_at);
    found.etag = lines[1];
    found.modified = lines[2];
    return found;
}

std::optional<new_file> url_cache::begin(std::string const& url) const {
    if (!make_folder(folder_)) return std::nullopt;
    return new_file::open(path_of(url));
}

bool url_cache::keep(std::string const& url, new_file& fresh, copy const& as) const {
    // No moment with the new bytes and the old names: the server would call the old ones unchanged.
    ::unlink(note_of(url).c_str());
    return fresh.keep() && note(url, as);
}

bool url_cache::note(std::string const& url, copy const& as) const {
    return replace_file(note_of(url), fmt::format("{:.0f}\n{}\n{}\n", as.checked_at, as.etag, as.modified));
}

} // namespace ccbt::filter
