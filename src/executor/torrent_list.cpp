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

struct chosen {
    model::torrent_row const* row;
    std::size_t at; // in order of adding, which decides between equals
};

// Puts those that come in the first `most` places there, by the described field of that name; false where there is none
// that can be ordered.
bool sort_by(std::string_view name, bool descending, std::size_t most, std::vector<chosen>& rows) {
    bool found = false;
    torrent_status::fields.each([&](auto const& f) {
        if (f.name() != name) return;
        found = true;
        auto const is_before = [key = f.member, descending](chosen const& a, chosen const& b) {
            auto const& mine = (*a.row->view).*key;
            auto const& other = (*b.row->view).*key;
            if (mine < other) return !descending;
            if (other < mine) return descending;
            return a.at < b.at;
        };
        auto const middle = rows.begin() + static_cast<std::ptrdiff_t>(std::min(most, rows.size()));
        if (middle == rows.end())
            std::sort(rows.begin(), rows.end(), is_before);
        else
            std::partial_sort(rows.begin(), middle, rows.end(), is_before);
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
        std::vector<chosen> none;
        if (!sort_by(out.sort, false, 0, none))
            return unexpected<failure>{invalid("sort", "names no field: \"" + out.sort + '"')};
    }
    return out;
}

// Narrowed rows that are only to be written, some in one: they are rendered some at a time. Whole rows have their text.
void join(std::vector<torrent_row_view>& rows) {
    constexpr std::size_t together = 64;
    if (rows.size() <= together) return;
    std::vector<torrent_row_view> out;
    out.reserve(rows.size() / together + 1);
    for (auto from = rows.begin(); from != rows.end();) {
        auto const to = from + std::min(static_cast<std::ptrdiff_t>(together), rows.end() - from);
        out.push_back(torrent_row_view::standing_for({from, to}));
        from = to;
    }
    rows = std::move(out);
}

// The rows that it takes, in order of adding, after `skip` and at most `most` of them. `take_page` is asked first where
// that is all of a page; says it no, and elsewhere, each goes to `take`.
template <class TakePage, class Take> void choose(
    model::torrent_table const& table, choice const& wanted, std::size_t skip, std::size_t most,
    TakePage take_page, Take take) {
    for (auto const& page : table.pages()) {
        if (most == 0) break;
        auto const states = page.states();
        if ((states & wanted.states) == 0) continue;
        bool const all_of_it = !wanted.label && (states & ~wanted.states) == 0;
        if (all_of_it && skip >= page.count) {
            skip -= page.count;
            continue;
        }
        if (all_of_it && skip == 0 && page.count <= most && take_page(page)) {
            most -= page.count;
            continue;
        }
        auto const* row = page.first;
        for (std::size_t n = 0; n < page.count && most > 0; ++n, row = row->added_after) {
            if (!wanted.takes(*row->view)) continue;
            if (skip > 0) {
                --skip;
                continue;
            }
            --most;
            take(*row);
        }
    }
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
    auto const add = [&](model::torrent_row const& row) {
        answer.torrents.push_back(row.view);
        answer.torrents.back().mask = wanted->mask;
    };
    auto const take = [&](std::vector<chosen> const& rows) {
        answer.torrents.reserve(rows.size());
        for (auto const& one : rows) add(*one.row);
        if (request.as_text && wanted->mask != 0) join(answer.torrents);
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
    bool const is_in_order = wanted->sort.empty();
    if (delta) {
        answer.removed = std::move(delta->removed);
        std::vector<chosen> rows;
        for (auto row = delta->rows.rbegin(); row != delta->rows.rend(); ++row) {
            if (wanted->takes(*(*row)->view))
                rows.push_back({*row, rows.size()});
            else
                answer.removed->push_back(
                    (*row)->view->info_hash); // it may have been among the chosen before
        }
        if (!is_in_order) sort_by(wanted->sort, wanted->descending, rows.size(), rows);
        take(rows); // never cut: who follows by `since` would not hear of the rest
        return out;
    }

    auto const most = static_cast<std::size_t>(request.limit.value_or(1'000'000'000));
    auto const skip = static_cast<std::size_t>(request.offset);
    if (is_in_order) {
        auto const add_page = [&](model::row_page const& page) {
            if (request.as_text) answer.torrents.push_back(model::torrent_table::joined(page, wanted->mask));
            return request.as_text;
        };
        choose(table, *wanted, skip, most, add_page, add);
        return out;
    }
    std::vector<chosen> rows;
    choose(
        table, *wanted, 0, table.size(), [](auto const&) { return false; },
        [&](model::torrent_row const& row) {
            rows.push_back({&row, rows.size()});
        });
    auto const from = std::min(skip, rows.size());
    auto const to = from + std::min(most, rows.size() - from);
    sort_by(wanted->sort, wanted->descending, to, rows);
    take({rows.begin() + static_cast<std::ptrdiff_t>(from), rows.begin() + static_cast<std::ptrdiff_t>(to)});
    return out;
}

} // namespace ccbt::executor
