#include "load/standing.hpp"

#include <filesystem>
#include <sstream>
#include <unistd.h>

namespace ccbt::load {

standing standing_of(support::daemon& one) {
    auto const proc = std::filesystem::path{"/proc"} / std::to_string(one.running().pid());
    standing out;
    std::istringstream status{support::read_file(proc / "status")};
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) out.rss_kib = std::stoull(line.substr(6));
        if (line.starts_with("Threads:")) out.threads = std::stoi(line.substr(8));
    }
    auto const stat = support::read_file(proc / "stat");
    std::istringstream fields{stat.substr(stat.rfind(')') + 2)};
    std::string word;
    double user = 0, system = 0;
    for (int i = 0; i < 11; ++i) fields >> word; // up to utime
    fields >> user >> system;
    out.cpu_seconds = (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    std::istringstream schedule{support::read_file(proc / "task" / proc.filename() / "schedstat")};
    std::uint64_t ran = 0, waited = 0;
    schedule >> ran >> waited;
    out.waited_seconds = static_cast<double>(waited) / 1e9;
    for (auto const& fd : std::filesystem::directory_iterator{proc / "fd"}) {
        std::error_code gone;
        auto const to = std::filesystem::read_symlink(fd, gone).string();
        if (!gone && !to.starts_with(one.downloads().string() + '/')) ++out.descriptors;
    }
    return out;
}

double sample(std::string const& page, std::string const& name) {
    auto const line = '\n' + name + ' ';
    auto const at = page.find(line);
    return at == std::string::npos ? 0 : std::stod(page.substr(at + line.size()));
}

std::uint64_t refused(std::string const& page, std::string const& code) {
    return static_cast<std::uint64_t>(sample(page, "ccbt_api_refused_total{code=\"" + code + "\"}"));
}

} // namespace ccbt::load
