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

contract::batch_answer fill(parsed const& what, std::vector<result<void>> const& how) {
    auto out = what.answer;
    for (std::size_t i = 0; i < how.size(); ++i)
        out.results[what.at[i]] = outcome_of(what.hashes[i].hex(), how[i]);
    return out;
}

// A failure of the house is no single torrent's: it is the answer, as the single routes give it.
template <class T> std::optional<failure> of_the_house(std::vector<result<T>> const& how) {
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
    using outcomes = std::vector<result<contract::add_torrent::response>>;
    auto const answer_of = [out, at, hashes](outcomes const& added) {
        auto filled = out;
        for (std::size_t i = 0; i < added.size(); ++i) {
            result<void> how;
            if (!added[i]) how = unexpected<failure>{added[i].error()};
            filled.results[at[i]] = outcome_of(hashes[i], how);
        }
        return filled;
    };
    auto const foresee = [this, &who, &answer_of](outcomes const& added) {
        house_.once.foresee(who.operation_id, answer_of(added));
    };
    auto const added = co_await take_in_all(std::move(good), who.operation_id, foresee);
    if (auto const failed = of_the_house(added)) co_return unexpected<failure>{*failed};
    co_return answer_of(added);
}

template <class Deed> task<result<contract::batch_answer>> torrents::do_to_all(
    std::vector<std::string> const& written, caller const& who, Deed deed) {
    auto const what = parse(written);
    foresight const foresee = [this, &what, &who](std::vector<result<void>> const& how) {
        house_.once.foresee(who.operation_id, fill(what, how));
    };
    auto const how = co_await deed(what.hashes, foresee);
    if (auto const failed = of_the_house(how)) co_return unexpected<failure>{*failed};
    co_return fill(what, how);
}

task<result<contract::batch_answer>> torrents::handle(
    contract::batch_pause::request request, caller const& who) {
    auto const deed = [this, &who](std::vector<contract::info_hash> which, foresight foresee) {
        return set_paused(std::move(which), true, who.operation_id, std::move(foresee));
    };
    auto out = co_await do_to_all(request.info_hashes, who, deed);
    co_return out;
}

task<result<contract::batch_answer>> torrents::handle(
    contract::batch_resume::request request, caller const& who) {
    auto const deed = [this, &who](std::vector<contract::info_hash> which, foresight foresee) {
        return set_paused(std::move(which), false, who.operation_id, std::move(foresee));
    };
    auto out = co_await do_to_all(request.info_hashes, who, deed);
    co_return out;
}

task<result<contract::batch_answer>> torrents::handle(
    contract::batch_remove::request request, caller const& who) {
    auto const deed = [this, &who, with_data = request.remove_data](
                          std::vector<contract::info_hash> which, foresight foresee) {
        return remove(std::move(which), with_data, who.operation_id, std::move(foresee));
    };
    auto out = co_await do_to_all(request.info_hashes, who, deed);
    co_return out;
}

} // namespace ccbt::executor
