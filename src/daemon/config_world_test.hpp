// A folder with a home and a working directory, for the tests of the configuration.
#pragma once

#include "base/temporary_folder_test.hpp"
#include "daemon/config.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace ccbt::daemon {

namespace fs = std::filesystem;

struct config : testing::Test {
    config() {
        fs::create_directories(here());
        fs::create_directories(home());
    }

    [[nodiscard]] fs::path here() const { return root_ / "here"; }
    [[nodiscard]] fs::path home() const { return root_ / "home"; }
    static void put(fs::path const& path, std::string_view text) {
        fs::create_directories(path.parent_path());
        std::ofstream{path} << text;
        fs::permissions(path, fs::perms{0600});
    }
    void file(std::string_view text) { put(here() / "ccbt.toml", text); }

    [[nodiscard]] config_sources sources() const {
        config_sources out;
        out.here = here();
        out.home = home();
        out.environment = environment;
        out.flags = flags;
        return out;
    }
    [[nodiscard]] loaded_config load() const {
        auto made = load_config(sources());
        if (made) return *made;
        ADD_FAILURE() << made.error().message();
        return {};
    }
    [[nodiscard]] std::vector<std::string> problems() const {
        auto const made = load_config(sources());
        if (made) ADD_FAILURE() << "was accepted";
        return made ? std::vector<std::string>{} : made.error().problems;
    }

    std::vector<std::pair<std::string, std::string>> environment;
    std::vector<flag_setting> flags;

private:
    ccbt::temporary_folder root_;
};

inline contract::settings const defaults;

inline std::string of_file(int line, std::string_view rest) {
    return "ccbt.toml:" + std::to_string(line) + ": " + std::string{rest};
}

} // namespace ccbt::daemon
