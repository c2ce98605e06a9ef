// Answers for people: any JSON as lines and tables, with units told from the names of the fields. Pure.
#pragma once

#include "cli/terminal.hpp"
#include "wire/json.hpp"

#include <iosfwd>
#include <string>
#include <string_view>

namespace ccbt::cli {

/// A scalar, or a list of scalars, as people read it: "download_rate" 1536.0 is "1.5 KiB/s". Printable.
[[nodiscard]] std::string human(std::string_view field, wire::value const& v);

/// Scalars as "key: value", objects below their name, lists of objects as tables.
void print_answer(std::ostream& out, wire::value const& v, terminal const& where);

/// JSON as it came; on a terminal laid out, and with nothing in it that drives one.
void print_json(std::ostream& out, std::string_view json, terminal const& where);

/// The entries of the blacklist or the whitelist as a table for people.
void print_addresses(std::ostream& out, wire::value::array const& entries, terminal const& where);

/// The colour in which a status is told.
[[nodiscard]] tint colour_of(std::string_view status);

/// The list of torrents as a table for people.
void print_torrents(std::ostream& out, wire::value::array const& rows, terminal const& where);

/// The peers of a torrent, and what its trackers answered.
void print_peers(std::ostream& out, wire::value const& answer, terminal const& where);
void print_trackers(std::ostream& out, wire::value const& answer, terminal const& where);
/// The files of a torrent; those that were changed; what came of hashing them.
void print_files(std::ostream& out, wire::value const& answer, terminal const& where);
void print_changed_files(std::ostream& out, wire::value const& answer, terminal const& where);
void print_verified(std::ostream& out, wire::value const& answer, terminal const& where);
/// What was answered to scrapes.
void print_scrapes(std::ostream& out, wire::value const& answer, terminal const& where);
/// Keys of the configuration: one with all that is known, several as a table.
void print_explained(std::ostream& out, wire::value const& answer, terminal const& where);
/// The limits that a torrent has now, in a sentence a direction.
void print_limits(std::ostream& out, wire::value const& answer, terminal const& where);

/// The queue as a table, and below it how many do what.
void print_queue(std::ostream& out, wire::value const& answer, terminal const& where);

} // namespace ccbt::cli
