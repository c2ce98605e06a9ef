// A folder of the test's own, gone at its end; kept where the test failed and CCBT_KEEP is set.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ccbt::support {

class temp_folder {
public:
    temp_folder();
    ~temp_folder();
    temp_folder(temp_folder const&) = delete;
    temp_folder& operator=(temp_folder const&) = delete;

    [[nodiscard]] std::filesystem::path const& path() const { return path_; }
    [[nodiscard]] std::filesystem::path operator/(std::string_view below) const { return path_ / below; }

private:
    std::filesystem::path path_;
};

} // namespace ccbt::support
