// tracker/scrape: the URL that is made of an announce URL, and what a tracker answers. The first 20 bytes are the hash.
#include "base/text.hpp"
#include "fuzz.hpp"
#include "tracker/scrape.hpp"

#include <algorithm>

namespace ccbt::fuzz {

void look_at(std::string_view bytes) {
    tracker::swarm_hash hash{};
    auto const some = std::min(hash.size(), bytes.size());
    std::copy_n(bytes.begin(), some, hash.begin());
    bytes.remove_prefix(some);

    auto const said = tracker::read_scrape(bytes, hash);
    require(said.found.has_value() == said.failed.empty(), "there are counts or a reason, never both", bytes);
    require(
        text::is_valid_utf8(said.failed) && said.failed.size() <= 900, "a reason is short and UTF-8", bytes);
    require(
        std::all_of(
            said.failed.begin(), said.failed.end(),
            [](char c) { return static_cast<unsigned char>(c) >= 0x20; }),
        "a reason drives no terminal", said.failed);
    if (said.found)
        require(
            said.found->seeders >= 0 && said.found->leechers >= 0 && said.found->completed >= 0,
            "nothing is counted below 0", bytes);

    auto const url = tracker::scrape_url(bytes, hash);
    if (!url) return;
    auto const host_end = [](std::string_view of) {
        auto const at = of.find("://") + 3;
        return std::min(of.find_first_of("/?#\\", at), of.size());
    };
    require(
        std::string_view{*url}.substr(0, host_end(*url)) == bytes.substr(0, host_end(bytes)),
        "the same tracker is asked", *url);
    require(
        url->ends_with("info_hash=" + text::percent_encode({reinterpret_cast<char const*>(hash.data()), 20})),
        "it is asked for that torrent", *url);
    auto const path = url->substr(host_end(*url), url->find('?') - host_end(*url));
    require(path.find("/..") == path.npos, "no path leads elsewhere", *url);
    require(url->find('#') == url->npos, "nothing stands behind the hash", *url);
}

} // namespace ccbt::fuzz
