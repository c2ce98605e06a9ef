// Runs the files of folders through a target: as they are, cut at every byte, and with bytes changed by a chance that is
// the same each time. So the seeds, and whatever a fuzzer found once, are tests of every build.
//     fuzz_json [--few] FOLDER...      with --few a tenth of the cuts and changes: for targets that take their time
#include "fuzz.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

namespace fs = std::filesystem;
using ccbt::fuzz::look_at;

namespace {

std::string read(fs::path const& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

void vary(std::string const& whole, bool few) {
    std::size_t const cuts = few ? 40 : 400, changes = cuts / 2;
    auto const step = whole.size() / cuts + 1;
    for (std::size_t at = 0; at < whole.size(); at += step) look_at(std::string{whole.substr(0, at)});
    if (whole.empty()) return;
    std::minstd_rand chance{7};
    std::uniform_int_distribution<std::size_t> place{0, whole.size() - 1};
    std::uniform_int_distribution<int> byte{0, 255};
    for (std::size_t i = 0; i < changes; ++i) {
        auto other = whole;
        for (std::size_t n = 0; n <= i % 3; ++n) other[place(chance)] = static_cast<char>(byte(chance));
        look_at(other);
    }
}

} // namespace

int main(int argc, char** argv) {
    std::vector<fs::path> files;
    bool const few = argc > 1 && std::string_view{argv[1]} == "--few";
    for (int i = 1; i < argc; ++i)
        if (fs::is_directory(argv[i]))
            for (auto const& one : fs::directory_iterator{argv[i]}) files.push_back(one.path());
    std::sort(files.begin(), files.end());
    for (auto const& file : files) {
        std::fprintf(stderr, "%s\n", file.c_str()); // the last one told is the one that broke it
        auto const bytes = read(file);
        look_at(bytes);
        vary(bytes, few);
    }
    std::fprintf(stderr, "%zu files\n", files.size());
    return files.empty() ? 1 : 0; // seeds that are not found are no test
}
