// A file that takes its place whole or not at all: written under another name (".part"), synced, renamed; 0600. Of two
// processes that write the same one at once the second is refused. Blocking.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ccbt::filter {

class new_file {
public:
    /// Nothing where it cannot be made, or is being written by another.
    [[nodiscard]] static std::optional<new_file> open(std::string path);
    ~new_file(); // gone, unless it was kept
    new_file(new_file&& other) noexcept;
    new_file& operator=(new_file&&) = delete;

    [[nodiscard]] std::string const& being_written() const { return part_; }
    [[nodiscard]] bool write(std::string_view bytes);
    [[nodiscard]] bool keep(); // it takes its place

private:
    new_file(std::string path, std::string part, int fd);
    std::string path_, part_;
    int fd_;
};

/// The folder and those above it, 0700 where they are new.
[[nodiscard]] bool make_folder(std::string const& path);
[[nodiscard]] bool replace_file(std::string const& path, std::string_view bytes);
/// The whole of a small file of ours.
[[nodiscard]] std::optional<std::string> read_small_file(std::string const& path);

} // namespace ccbt::filter
