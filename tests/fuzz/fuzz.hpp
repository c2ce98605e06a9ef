// What every fuzz target has: its entry, the breaking of a promise, and ways to cut its input into parts. A target is a
// file NAME_fuzz.cpp with look_at(); the build with clang gives it to libFuzzer, the ordinary one to replay.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ccbt::fuzz {

/// One input, whatever it is. What escapes it, and a promise that is broken, ends the process.
void look_at(std::string_view bytes);

[[noreturn]] void broken(std::string_view promise, std::string_view by);
inline void require(bool holds, std::string_view promise, std::string_view by = {}) {
    if (!holds) broken(promise, by);
}

/// The front of it, as a number: nothing left is 0.
[[nodiscard]] inline std::size_t take_byte(std::string_view& from) {
    if (from.empty()) return 0;
    auto const first = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    return first;
}
/// What stands before the next `end`, which goes with it; all where there is none.
[[nodiscard]] inline std::string_view take_until(std::string_view& from, char end) {
    auto const part = from.substr(0, from.find(end));
    from.remove_prefix(part.size() < from.size() ? part.size() + 1 : part.size());
    return part;
}

/// A file in memory for those who read by path; its bytes are `of` until the next look.
class memory_file {
public:
    memory_file();
    memory_file(memory_file const&) = delete;
    memory_file& operator=(memory_file const&) = delete;
    ~memory_file();
    void hold(std::string_view bytes) const;
    [[nodiscard]] std::string const& path() const { return path_; }

private:
    int fd_;
    std::string path_;
};

} // namespace ccbt::fuzz
