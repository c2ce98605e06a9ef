// The commands as data: one for each endpoint that has words for the command line, and the few of the tool's own.
// Parsing (app.cpp), completion and help are made from this table; a new endpoint needs no edit here.
#pragma once

#include "wire/catalogue.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::cli {

struct argument {
    std::string word; // "--output"'s is "output"; of a positional: what stands for it in the help
    std::string doc{};
    bool positional = false;
    bool required = false;
    bool is_flag = false;
    bool on_by_default = false; // a flag that is taken back with --no-WORD
    bool repeats = false;
    bool is_file = false; // for completion
    std::string value_name = "TEXT";
    std::vector<std::string> choices{};
    std::string default_text{};
    wire::field_facts const* field = nullptr; // null: the tool's own
};

/// What stood on the command line for one command, by the arguments' words. A flag holds "true" or "false".
class given {
public:
    void put(std::string const& word, std::vector<std::string> values) { held_[word] = std::move(values); }
    [[nodiscard]] bool has(std::string_view word) const { return held_.contains(std::string{word}); }
    [[nodiscard]] std::vector<std::string> const& all(std::string_view word) const;
    [[nodiscard]] std::string one(std::string_view word, std::string_view otherwise = "") const;
    [[nodiscard]] bool flag(std::string_view word) const { return one(word) == "true"; }

private:
    std::map<std::string, std::vector<std::string>> held_;
};

class session;
struct command;
using deed = int (*)(session&, command const&, given const&);

struct command {
    std::string words; // "add", "daemon start"
    std::string summary;
    std::vector<argument> arguments{};
    wire::endpoint_facts const* endpoint = nullptr;
    deed run = nullptr;
};

/// All commands, in the order of the catalogue, then the tool's own.
[[nodiscard]] std::vector<command> const& commands();
/// The command of an endpoint; for tests with endpoints of their own.
[[nodiscard]] command command_for(wire::endpoint_facts const& endpoint);
/// The words that go before or after any command.
[[nodiscard]] std::vector<argument> const& global_arguments();

/// The request that was written, by the wire names of its fields; the error is a sentence for people.
[[nodiscard]] expected<wire::value::object, std::string> request_of(command const& what, given const& words);

} // namespace ccbt::cli
