// Lists the torrents of the daemon on this machine, or of the one whose URL and key are given:
//     list_torrents [URL [KEY]]
#include <ccbt/client.hpp>

#include <cstdio>

int main(int count, char** words) {
    ccbt::client::local_search search;
    if (count > 1) search.url = words[1];
    if (count > 2) search.api_key = words[2];
    auto const found = ccbt::client::find_local_daemon(search);

    ccbt::client::client daemon{found.how};
    auto const torrents = daemon.torrents();
    if (!torrents) {
        auto const& error = torrents.error();
        if (error.kind == ccbt::client::error_kind::unreachable)
            std::fprintf(stderr, "no daemon answers at %s\n", found.how.url.c_str());
        else
            std::fprintf(stderr, "%s %s\n", error.code.c_str(), error.message.c_str());
        return 1;
    }
    for (auto const& row : *torrents)
        std::printf("%s  %5.1f %%  %s\n", row.info_hash.c_str(), row.progress * 100, row.name.c_str());
    std::printf("%zu torrents at revision %s\n", torrents->size(), daemon.last_revision().c_str());
    return 0;
}
