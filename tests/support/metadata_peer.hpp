// A peer by hand that has all of a torrent, whatever that is: it dials, serves the metadata (BEP 9) and the pieces
// (BEP 3) exactly as it was given them, and dials again when it is hung up on. A thread of its own, until its object is gone.
#pragma once

#include "support/socket.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

namespace ccbt::support {

struct served {
    std::string hash;                  // 40 hex digits
    std::string info;                  // the info dictionary; "" serves pieces only
    std::string payload;               // of all files, in order
    std::size_t piece_size = 16 << 10; // what the payload is cut into
    std::size_t claimed_size = 0;      // of the metadata, where that is a lie
};

class metadata_peer {
public:
    metadata_peer(std::string const& from, std::string const& to, std::uint16_t port, served what);
    metadata_peer(metadata_peer const&) = delete;
    metadata_peer& operator=(metadata_peer const&) = delete;
    ~metadata_peer();

    [[nodiscard]] int asked_for_metadata() const { return metadata_; }
    [[nodiscard]] int asked_for_pieces() const { return blocks_; }
    [[nodiscard]] bool has_shaken_hands() const { return hands_; }

private:
    void serve();
    void serve_once();
    void answer_to(std::string_view message);
    void say(std::string_view message) const;

    served what_;
    std::string from_, to_;
    std::uint16_t port_;
    std::optional<socket> line_;
    std::atomic<int> metadata_ = 0, blocks_ = 0;
    std::atomic<bool> over_ = false, hands_ = false;
    int their_metadata_ = 0; // the id that they gave ut_metadata
    std::thread thread_;
};

/// SHA-1, raw: what a v1 info-hash and piece hash is.
[[nodiscard]] std::string sha1(std::string_view bytes);

} // namespace ccbt::support
