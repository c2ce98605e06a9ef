// The page of GET /docs and its files, as they stand in the binary. Loop thread.
#pragma once

#include "base/web_files.hpp"
#include "contract/docs.hpp"
#include "executor/context.hpp"

namespace ccbt::executor {

class docs {
public:
    task<result<contract::document>> handle(contract::get_docs::request, caller const&) {
        co_return file_of("docs.html");
    }
    task<result<contract::document>> handle(contract::get_docs_file::request request, caller const&) {
        if (request.asset == "docs.html") request.asset.clear(); // the page stands at /docs alone
        co_return file_of(request.asset);
    }

private:
    static result<contract::document> file_of(std::string const& name) {
        auto const* found = find_web_file("docs/" + name);
        if (found == nullptr) return contract::fails(contract::errc::not_found, "there is no such file");
        return contract::document{std::string{found->type}, std::string{found->text}};
    }
};

} // namespace ccbt::executor
