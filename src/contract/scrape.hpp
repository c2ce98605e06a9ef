// What trackers say of a torrent's swarm, its peers never told of us: BEP 48 over HTTP, BEP 15 over UDP.
#pragma once

#include "contract/session.hpp"
#include "contract/torrents.hpp"

namespace ccbt::contract {

struct scrape_result {
    std::string info_hash;
    std::int64_t seeders = 0, leechers = 0, completed = 0;
    double last_scrape_time = 0;
    std::int64_t scrape_count = 0;
    static constexpr auto fields = described_as{
        field<&scrape_result::info_hash>{"The torrent"},
        field<&scrape_result::seeders>{"Peers that have all of it", {.min = 0}},
        field<&scrape_result::leechers>{"Peers that lack something", {.min = 0}},
        field<&scrape_result::completed>{
            "How often it was downloaded whole, as the tracker counts; 0 where it does not", {.min = 0}},
        field<&scrape_result::last_scrape_time>{"When the tracker said so, Unix seconds"},
        field<&scrape_result::scrape_count>{"How often trackers have answered since the start", {.min = 0}}};
};

struct run_scrape {
    static constexpr promise route{
        .name = "scrape.run",
        .method = verb::post,
        .path = "/scrape/{info_hash}",
        .needs = scope::control,
        .summary =
            "Ask a torrent's trackers how many seed and download it; without a torrent: what was answered",
        .command = "scrape",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash, errc::scrape_failed}};
    struct request {
        contract::info_hash info_hash;
        bool force = false;
        static constexpr auto fields = described_as{
            field<&request::info_hash>{
                "The torrent", {.required = true, .in = place::path, .positional = true}},
            field<&request::force>{"Ask also where an answer is kept"}};
    };
    using response = scrape_result;
};

struct list_scrapes {
    static constexpr promise route{
        .name = "scrape.list",
        .method = verb::get,
        .path = "/scrape",
        .needs = scope::read,
        .summary = "What trackers answered, of every torrent that was scraped since the start"};
    using request = asks_nothing<list_scrapes>;
    struct response {
        std::vector<scrape_result> results;
        static constexpr auto fields =
            described_as{field<&response::results>{"One of each torrent that was scraped"}};
    };
};

struct get_scrape {
    static constexpr promise route{
        .name = "scrape.get",
        .method = verb::get,
        .path = "/scrape/{info_hash}",
        .needs = scope::read,
        .summary = "What a torrent's trackers answered when it was last scraped",
        .errors = {errc::scrape_not_found, errc::invalid_info_hash}};
    using request = names_a_torrent<get_scrape>;
    using response = scrape_result;
};

using scrape_endpoints = endpoint_list<run_scrape, list_scrapes, get_scrape>;

} // namespace ccbt::contract
