// A real tracker: Debian's opentracker on loopback. It serves the info-hashes that it is told at its start, no others.
#pragma once

#include "support/process.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ccbt::support {

class tracker {
public:
    /// `folder` is the tracker's own. `hashes`: 40 hex digits each; more can come by let_in().
    explicit tracker(std::filesystem::path folder, std::vector<std::string> const& hashes = {});

    [[nodiscard]] std::string http() const; // its announce URL
    [[nodiscard]] std::string udp() const;
    /// Serves these too, from the return on; those who announced stay known.
    void let_in(std::vector<std::string> const& hashes);
    /// How many peers of a torrent it knows, seeds included: what it tells by scrape.
    [[nodiscard]] int peers_of(std::string const& hash) const;
    void wait_for_peers(std::string const& hash, int count, milliseconds within = milliseconds{20'000}) const;
    /// Announces a peer that lacks data and listens at that address.
    void announce(std::string const& hash, std::string const& peer_address, std::uint16_t peer_port) const;
    [[nodiscard]] bool stop(); // as a manager would; false when it did not end

private:
    [[nodiscard]] bool serves(std::string const& hash) const;

    std::filesystem::path folder_;
    std::vector<std::string> hashes_;
    std::uint16_t port_;
    std::unique_ptr<process> process_;
};

} // namespace ccbt::support
