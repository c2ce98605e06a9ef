#include "support/temp_folder.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <system_error>

namespace ccbt::support {

temp_folder::temp_folder() {
    auto name = (std::filesystem::temp_directory_path() / "ccbt-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
    ::chmod(name.c_str(), 0755); // opentracker gives up its rights before it reads what lies here
    path_ = name;
}

temp_folder::~temp_folder() {
    if (testing::Test::HasFailure() && std::getenv("CCBT_KEEP") != nullptr) {
        std::fprintf(stderr, "kept: %s\n", path_.c_str());
        return;
    }
    std::error_code ignored; // a destructor has nobody to tell
    std::filesystem::remove_all(path_, ignored);
}

} // namespace ccbt::support
