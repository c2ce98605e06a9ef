#include "support/many_torrents.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

namespace ccbt::support {

namespace {

constexpr int piece = 16384;
constexpr std::string_view digest_of_zeros = "897256b6709e1a4da9daba92b6bde39ccfccd8c1"; // SHA-1 of a piece

std::string bencoded(std::string_view text) { return std::to_string(text.size()) + ':' + std::string{text}; }

void make_hole(std::filesystem::path const& path) {
    auto const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || ::ftruncate(fd, piece) != 0) throw std::runtime_error("no file " + path.string());
    ::close(fd);
}

} // namespace

std::string name_of_many(int number) {
    auto const digits = std::to_string(number);
    return "many-" + std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits;
}

std::string file_of_many(int number, std::string const& tracker) {
    auto const hash = text::from_hex(digest_of_zeros).value();
    return 'd' + (tracker.empty() ? std::string{} : bencoded("announce") + bencoded(tracker)) +
           bencoded("info") + "d6:lengthi" + std::to_string(piece) + "e4:name" +
           bencoded(name_of_many(number)) + "12:piece lengthi" + std::to_string(piece) +
           "e6:pieces20:" + std::string{hash.begin(), hash.end()} + "ee";
}

std::string batch_of_many(many_plan const& plan) {
    std::string out = R"({"torrents":[)";
    for (int n = plan.first; n < plan.first + plan.count; ++n) {
        auto const bytes = file_of_many(n, plan.tracker);
        out += n == plan.first ? "" : ",";
        out += R"({"torrent_data":")" +
               text::to_base64(std::vector<std::uint8_t>(bytes.begin(), bytes.end())) + R"(","paused":)" +
               (plan.paused ? "true" : "false") + '}';
    }
    return out + "]}";
}

std::vector<std::string> add_many(daemon const& to, many_plan const& plan) {
    std::vector<std::string> out;
    for (auto some = plan; some.first < plan.first + plan.count; some.first += some.count) {
        some.count = std::min(500, plan.first + plan.count - some.first);
        for (int n = some.first; plan.with_data && n < some.first + some.count; ++n)
            make_hole(to.downloads() / name_of_many(n));
        auto const said = to.post("/torrents/batch/add", batch_of_many(some));
        for (auto const& one : said.json.list_or_empty("results"))
            if (one.text_or("error", "").empty()) out.emplace_back(one.text_or("info_hash", ""));
        if (out.size() != static_cast<std::size_t>(some.first + some.count - plan.first))
            throw std::runtime_error("not added: " + said.body.substr(0, 1000));
    }
    return out;
}

std::map<std::string, std::string> statuses_of(daemon const& of) {
    std::map<std::string, std::string> out;
    auto const said = of.get("/torrents?fields=info_hash,status");
    for (auto const& row : said.json.list_or_empty("torrents"))
        out.emplace(row.text_or("info_hash", ""), row.text_or("status", ""));
    return out;
}

void wait_until_loaded(daemon const& of, milliseconds within) {
    deadline const until{within};
    auto told = of.events({"torrents_changed"});
    for (;;) {
        auto const all = statuses_of(of);
        if (std::none_of(all.begin(), all.end(), [](auto const& one) {
                return one.second == "starting" || one.second == "checking";
            }))
            return;
        if (!told.next(until)) throw std::runtime_error("torrents are still being loaded");
    }
}

} // namespace ccbt::support
