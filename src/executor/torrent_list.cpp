#include "base/text.hpp"
#include "executor/torrents.hpp"

#include <algorithm>

namespace ccbt::executor {

namespace {

using contract::torrent_row_view;
using contract::torrent_state;
using contract::torrent_status;

failure invalid(std::string field, std::string message) {
    std::vector<contract::problem> const problems{{field, message}};
    return failure{errc::validation_error, field + ' ' + message}
        .with("field", field)
        .with("problems", problems);
}

struct choice {
    std::uint64_t mask = 0;        // fields to write; 0: all
    std::uint16_t states = 0xffff; // bit by torrent_state
    std::optional<std::string> label;
    std::string sort; // a field's name; empty: in order of adding
    bool descending = false;

    [[nodiscard]] bool takes(torrent_status const& row) const {
        return (states >> static_cast<unsigned>(row.status) & 1U) != 0 &&
               (!label || std::find(row.labels.begin(), row.labels.end(), *label) != row.labels.end());
    }
    [[nodiscard]] bool takes_all() const { return states == 0xffff && !label; }
};

result<std::uint64_t> read_fields(std::string_view wanted) {
    std::uint64_t mask = 1; // info_hash, the first: a row without it could not be told from another
    for (auto const piece : text::split(wanted, ',')) {
        auto const name = text::trim(piece);
        std::uint64_t bit = 1;
        bool found = false;
        torrent_status::fields.each([&](auto const& f) {
            if (f.name() == name) {
                mask |= bit;
                found = true;
            }
            bit <<= 1;
        });
        if (!found)
            return unexpected<failure>{invalid("fields", "names no field: \"" + std::string{name} + '"')};
    }
    return mask;
}

result<std::uint16_t> read_states(std::string_view wanted) {
    std::uint16_t states = 0;
    for (auto const piece : text::split(wanted, ',')) {
        bool found = false;
        for (auto const& [state, name] : contract::names_of<torrent_state>)
            if (name == text::trim(piece)) {
                states = static_cast<std::uint16_t>(states | 1U << static_cast<unsigned>(state));
                found = true;
            }
        if (!found)
            return unexpected<failure>{invalid("status", "names no status: \"" + std::string{piece} + '"')};
    }
    return states;
}

// Sorts by the described field of that name; false where there is none that can be ordered.
bool sort_by(std::string_view name, bool descending, std::vector<torrent_row_view>& rows) {
    bool found = false;
    torrent_status::fields.each([&](auto const& f) {
        if (f.name() != name) return;
        found = true;
        auto const key = f.member;
        std::stable_sort(rows.begin(), rows.end(), [&](torrent_row_view const& a, torrent_row_view const& b) {
            return descending ? (*b).*key < (*a).*key : (*a).*key < (*b).*key;
        });
    });
    return found;
}

result<choice> read_choice(contract::list_torrents::request const& request) {
    choice out;
    out.label = request.label;
    if (request.fields_wanted) {
        auto const mask = read_fields(*request.fields_wanted);
        if (!mask) return unexpected<failure>{mask.error()};
        out.mask = *mask;
    }
    if (request.status) {
        auto const states = read_states(*request.status);
        if (!states) return unexpected<failure>{states.error()};
        out.states = *states;
    }
    if (request.sort && !request.sort->empty()) {
        out.descending = request.sort->front() == '-';
        out.sort = request.sort->substr(out.descending ? 1 : 0);
        std::vector<torrent_row_view> none;
        if (!sort_by(out.sort, false, none))
            return unexpected<failure>{invalid("sort", "names no field: \"" + out.sort + '"')};
    }
    return out;
}

} // namespace

bool etag_matches(std::optional<std::string> const& if_none_match, std::string_view etag) {
    if (!if_none_match) return false;
    for (auto piece : text::split(*if_none_match, ',')) {
        piece = text::trim(piece);
        if (piece.starts_with("W/")) piece.remove_prefix(2);
        if (piece == "*" || piece == etag) return true;
    }
    return false;
}

result<contract::list_torrents::response> list(
    model::state const& state, contract::list_torrents::request const& request) {
    auto const wanted = read_choice(request);
    if (!wanted) return unexpected<failure>{wanted.error()};
    auto const& table = state.torrents();

    contract::list_torrents::response out;
    contract::revision const changed{state.revision().incarnation, table.changed()};
    out.etag = '"' + changed.token() + '"';
    if (etag_matches(request.if_none_match, out.etag)) {
        out.unchanged = true;
        return out;
    }
    auto& answer = out.value;
    auto const take = [&](model::torrent_row const& row) {
        auto view = row.view;
        view.mask = wanted->mask;
        answer.torrents.push_back(std::move(view));
    };

    std::optional<model::torrent_table::delta> delta;
    if (request.since) {
        auto const since = contract::revision::parse(*request.since);
        if (since && since->incarnation == changed.incarnation && since->number <= state.revision().number)
            delta = table.changes_since(since->number);
        answer.revision = state.revision().token();
        answer.full = !delta;
        answer.removed.emplace();
    }
    if (delta) {
        answer.removed = std::move(delta->removed);
        for (auto row = delta->rows.rbegin(); row != delta->rows.rend(); ++row) {
            if (wanted->takes(*(*row)->view))
                take(**row);
            else
                answer.removed->push_back(
                    (*row)->view->info_hash); // it may have been among the chosen before
        }
        if (!wanted->sort.empty()) sort_by(wanted->sort, wanted->descending, answer.torrents);
        return out; // never cut: who follows by `since` would not hear of the rest
    }

    auto const most = static_cast<std::size_t>(request.limit.value_or(1'000'000'000));
    auto left_out = static_cast<std::size_t>(request.offset);
    bool const is_in_order = wanted->sort.empty();
    if (request.as_text && is_in_order && wanted->takes_all() && wanted->mask == 0 && left_out == 0 &&
        most >= table.size()) {
        answer.torrents = table.pages();
        return out;
    }
    if (wanted->takes_all())
        answer.torrents.reserve(is_in_order ? std::min(most, table.size()) : table.size());
    for (auto const* row = table.first(); row != nullptr; row = row->added_after) {
        if (is_in_order && answer.torrents.size() == most) break;
        if (!wanted->takes(*row->view)) continue;
        if (is_in_order && left_out > 0)
            --left_out;
        else
            take(*row);
    }
    if (is_in_order) return out;

    sort_by(wanted->sort, wanted->descending, answer.torrents);
    auto const from = std::min(left_out, answer.torrents.size());
    auto const begin = answer.torrents.begin() + static_cast<std::ptrdiff_t>(from);
    auto const count = std::min(most, answer.torrents.size() - from);
    answer.torrents = std::vector<torrent_row_view>(begin, begin + static_cast<std::ptrdiff_t>(count));
    return out;
}

} // namespace ccbt::executor
