// Peers of another make, from Debian: aria2c and transmission-cli. Each listens at a loopback address of its own and
// finds others by the torrent's trackers only.
#pragma once

#include "support/payload.hpp"
#include "support/process.hpp"

#include <memory>

namespace ccbt::support {

enum class part : std::uint8_t { seeds, downloads };

struct peer_plan {
    std::filesystem::path
        folder;          // its torrent file, settings and log; "files" below it is where the data lies
    std::string address; // 127.0.0.x
    torrent const* of = nullptr;
    part plays = part::downloads;
};

class foreign_peer {
public:
    virtual ~foreign_peer() = default;
    [[nodiscard]] std::filesystem::path files() const { return plan_.folder / "files"; }
    [[nodiscard]] std::string log() const { return process_->log_text(); }
    /// It has the whole torrent; throws where it does not get there.
    virtual void wait_until_complete(milliseconds within) = 0;

protected:
    explicit foreign_peer(peer_plan plan);
    [[nodiscard]] std::filesystem::path torrent_file() const { return plan_.folder / "the.torrent"; }

    peer_plan plan_;
    std::unique_ptr<process> process_;
};

class aria2 : public foreign_peer {
public:
    explicit aria2(peer_plan plan);
    void wait_until_complete(milliseconds within) override; // it ends then
};

/// It dials no peer at 127/8 that a tracker names, so the other side has to dial it: start that one after the
/// tracker knows this one.
class transmission : public foreign_peer {
public:
    explicit transmission(peer_plan plan);
    void wait_until_complete(milliseconds within) override;

private:
    std::unique_ptr<process> finished_; // writes a line when it is told
};

} // namespace ccbt::support
