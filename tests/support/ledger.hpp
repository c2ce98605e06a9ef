// What was asked of a daemon, what of it was acknowledged, and whether that is what it holds after a fault (P1, P2).
// Whoever asks keeps to names of his own, so that of each name at most one change is without an answer. Any thread.
#pragma once

#include "support/daemon.hpp"

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace ccbt::support {

/// Name -> what is known of it: "t/<hash>", "order/<client>", "b/<range>", "w/<range>", "c/<setting>", "k/<name>",
/// "f/<file or folder at or below downloads/data-…>". What is not there has no name.
using holdings = std::map<std::string, std::string>;
/// The same with nothing for what goes.
using holding_changes = std::map<std::string, std::optional<std::string>>;

/// What the daemon tells of itself over its API, and the files in its download folder. `settings` are told where they
/// are not 0.
[[nodiscard]] holdings holdings_of(daemon const& of, std::vector<std::string> const& settings = {});

struct findings {
    std::size_t acknowledged = 0; // changes, in all
    std::size_t unanswered = 0;   // at a fault
    std::size_t kept = 0;         // of those
    std::size_t lost = 0;         // names whose acknowledged value is gone or another
    std::size_t resurrected = 0;  // names that are there again
    std::size_t torn = 0;         // changes that are there in part
    std::string first;            // what was wrong first

    [[nodiscard]] bool is_clean() const { return lost + resurrected + torn == 0; }
};

class ledger {
public:
    using ticket = std::size_t;
    /// Before it is sent.
    ticket ask(holding_changes what);
    void acknowledge(ticket which); // answered with success
    void refuse(ticket which);      // answered: nothing changed
    /// What is there before anything was asked.
    void begin(holdings now);
    /// After a fault: what is there must be what was acknowledged, with each change that was not answered as a whole
    /// or not at all. Goes on from what is there.
    void compare(holdings const& now);
    /// As compare, where the files of a removal may still be going: looks again until they are gone.
    void compare(daemon const& of, std::vector<std::string> const& settings = {});
    [[nodiscard]] findings found() const;
    [[nodiscard]] holdings acknowledged() const; // now
    [[nodiscard]] std::size_t asked() const;

private:
    [[nodiscard]] holdings expected(holdings const& now, findings& into) const;
    void judge(holdings const& now, findings& into) const;

    mutable std::mutex mutex_;
    holdings sure_;
    std::map<ticket, holding_changes> open_;
    ticket last_ = 0;
    findings found_;
};

} // namespace ccbt::support
