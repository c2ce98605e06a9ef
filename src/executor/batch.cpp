// The deeds to many torrents: what they do to each is what the single ones do, in torrents.cpp.
#include "executor/torrents.hpp"

namespace ccbt::executor {

namespace {

contract::batch_result outcome_of(std::optional<std::string> hash, result<void> const& how) {
    contract::batch_result out;
    out.info_hash = std::move(hash);
    out.success = how.has_value();
    if (how) return out;
    out.error = how.error().message;
    out.code = std::string{contract::row_of(how.error().code).name};
    if (!out.info_hash)
        for (auto const& one : how.error().details)
            if (one.name == "info_hash")
                if (auto const* known = std::get_if<std::string>(&one.value)) out.info_hash = *known;
    return out;
}

/// Those of a batch that are info-hashes, and which item each is of.
struct parsed {
    std::vector<contract::info_hash> hashes;
    std::vector<std::size_t> at;
    contract::batch_answer answer;
};
parsed parse(std::vector<std::string> const& written) {
    parsed out;
    out.answer.results.resize(written.size());
    for (std::size_t i = 0; i < written.size(); ++i) {
        if (auto const hash = contract::info_hash::parse(written[i])) {
            out.hashes.push_back(*hash);
            out.at.push_back(i);
        } else {
            out.answer.results[i] = outcome_of(
                std::nullopt,
                fails(errc::invalid_info_hash, "an info-hash is 40 hex digits (v1) or 64 (v2)"));
        }
    }
    return out;
}

contract::batch_answer fill(parsed what, std::vector<result<void>> const& how) {
    for (std::size_t i = 0; i < how.size(); ++i)
        what.answer.results[what.at[i]] = outcome_of(what.hashes[i].hex(), how[i]);
    return std::move(what.answer);
}

// A failure of the house is no single torrent's: it is the answer, as the single routes give it.
std::optional<failure> of_the_house(std::vector<result<void>> const& how) {
    for (auto const& one : how)
        if (!one && contract::row_of(one.error().code).status >= 500) return one.error();
    return std::nullopt;
}

} // namespace

task<result<contract::batch_answer>> torrents::handle(
    contract::batch_add::request request, caller const& who) {
    contract::batch_answer out;
    out.results.resize(request.torrents.size());
    std::vector<candidate> good;
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i < request.torrents.size(); ++i) {
        auto one = co_await prepare(std::move(request.torrents[i]));
        if (!one) {
            out.results[i] = outcome_of(std::nullopt, unexpected<failure>{std::move(one.error())});
            continue;
        }
        good.push_back(std::move(*one));
        at.push_back(i);
    }
    std::vector<std::string> hashes;
    for (auto const& one : good) hashes.push_back(one.what.facts.hashes.canonical().hex());
    auto const added = co_await take_in_all(std::move(good), who.operation_id);
    std::vector<result<void>> how;
    for (auto const& one : added) {
        if (one)
            how.emplace_back();
        else
            how.emplace_back(unexpected<failure>{one.error()});
    }
    if (auto const failed = of_the_house(how)) co_return unexpected<failure>{*failed};
    for (std::size_t i = 0; i < how.size(); ++i) out.results[at[i]] = outcome_of(hashes[i], how[i]);
    co_return out;
}

task<result<contract::batch_answer>> torrents::handle(
    contract::batch_pause::request request, caller const& who) {
    auto what = parse(request.info_hashes);
    auto hashes = what.hashes;
    auto const how = co_await set_paused(std::move(hashes), true, who.operation_id);
    if (auto const failed = of_the_house(how)) co_return unexpected<failure>{*failed};
    co_return fill(std::move(what), how);
}

task<result<contract::batch_answer>> torrents::handle(
    contract::batch_resume::request request, caller const& who) {
    auto what = parse(request.info_hashes);
    auto hashes = what.hashes;
    auto const how = co_await set_paused(std::move(hashes), false, who.operation_id);
    if (auto const failed = of_the_house(how)) co_return unexpected<failure>{*failed};
    co_return fill(std::move(what), how);
}

task<result<contract::batch_answer>> torrents::handle(
    contract::batch_remove::request request, caller const& who) {
    auto what = parse(request.info_hashes);
    auto hashes = what.hashes;
    auto const how = co_await remove(std::move(hashes), request.remove_data, who.operation_id);
    if (auto const failed = of_the_house(how)) co_return unexpected<failure>{*failed};
    co_return fill(std::move(what), how);
}

} // namespace ccbt::executor
