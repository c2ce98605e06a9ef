// A folder that goes with its object, for the unit tests of every room.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <stdlib.h> // mkdtemp is POSIX's
#include <string>
#include <string_view>
#include <system_error>

namespace ccbt {

class temporary_folder {
public:
    explicit temporary_folder(std::filesystem::path const& in = std::filesystem::temp_directory_path()) {
        auto name = (in / "ccbt-unit-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
        path_ = std::filesystem::canonical(name);
    }
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_folder(temporary_folder const&) = delete;
    temporary_folder& operator=(temporary_folder const&) = delete;

    [[nodiscard]] std::filesystem::path operator/(std::string_view below) const { return path_ / below; }
    [[nodiscard]] std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

} // namespace ccbt
