// Where state files may be written and read: below the folders that are allowed, without a link on the way. A new one is
// made beside its place under another name and put there whole. Any thread, blocking: call it off the loop.
#pragma once

#include "base/beneath.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::executor {

struct file_trouble {
    enum class kind : std::uint8_t { not_allowed, no_permission, not_found, unusable, full };
    kind what = kind::unusable;
    std::string why;    // for people
    std::string reason; // for programs: "path_not_allowed", "not_a_file", …; "" where the kind says it
};

/// A place for a new file: a folder that is there and open, and a name in it.
struct file_place {
    descriptor folder;
    std::string name;
    std::string path; // absolute
};

/// `path` within `folder` (which is made where it is missing); without one, a name of its own. Nothing that is there is
/// taken but what `begins` so: a state file of before.
[[nodiscard]] expected<file_place, file_trouble> place_for(
    std::string const& folder, std::optional<std::string> const& path, std::string_view begins);

/// A file that is being written; gone again unless it was finished, at the latest with this object.
class new_file {
public:
    [[nodiscard]] static expected<new_file, file_trouble> make(file_place at);
    ~new_file() { discard(); }
    new_file(new_file&&) noexcept = default;
    new_file& operator=(new_file&&) = delete;

    [[nodiscard]] expected<void, file_trouble> write(std::string_view bytes);
    /// On stable storage, under its own name.
    [[nodiscard]] expected<void, file_trouble> finish();
    /// Gone when this returns; what is finished stays.
    void discard();
    [[nodiscard]] std::int64_t bytes() const { return bytes_; }
    [[nodiscard]] std::string const& path() const { return at_.path; }

private:
    new_file(file_place at, descriptor file, std::string temporary)
        : at_{std::move(at)}, file_{std::move(file)}, temporary_{std::move(temporary)} {}
    file_place at_;
    descriptor file_;
    std::string temporary_; // its name until it is finished
    std::int64_t bytes_ = 0;
};

/// A regular file of at most `largest` bytes, open for reading; a relative path is below the first folder.
struct found_file {
    descriptor file;
    std::int64_t size = 0;
};
[[nodiscard]] expected<found_file, file_trouble> open_within(
    std::vector<std::string> const& folders, std::string const& path, std::int64_t largest);
/// It is what it was when it was opened: nobody has written to it.
[[nodiscard]] bool is_unchanged(int fd, std::int64_t& ctime_was);

} // namespace ccbt::executor
