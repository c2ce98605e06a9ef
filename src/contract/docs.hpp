// The reference of this API for people: a page and its two files, served from the binary.
#pragma once

#include "contract/session.hpp"

namespace ccbt::contract {

struct get_docs {
    static constexpr promise route{
        .name = "session.docs",
        .method = verb::get,
        .path = "/docs",
        .needs = scope::open,
        .summary = "This API as a page to read and search (+)",
        .at_root = true};
    using request = asks_nothing<get_docs>;
    using response = document; // text/html
};

struct get_docs_file {
    static constexpr promise route{
        .name = "session.docs_file",
        .method = verb::get,
        .path = "/docs/{asset}",
        .needs = scope::open,
        .summary = "What that page is made with: docs.js and docs.css (+)",
        .errors = {errc::not_found},
        .at_root = true};
    struct request {
        std::string asset;
        static constexpr auto fields = described_as{field<&request::asset>{
            "docs.js or docs.css", {.required = true, .max_length = 64, .in = place::path}}};
    };
    using response = document;
};

using docs_endpoints = endpoint_list<get_docs, get_docs_file>;

} // namespace ccbt::contract
