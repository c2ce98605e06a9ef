// The nouns that several areas share: ids, hashes, revisions, the state of a torrent.
#pragma once

#include "base/shared_text.hpp"
#include "contract/describe.hpp"

#include <array>
#include <atomic>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ccbt::contract {

/// A v1 info-hash (SHA-1, 20 bytes, BEP 3) or a v2 one (SHA-256, 32 bytes, BEP 52). On the wire: hex, lower case.
class info_hash {
public:
    info_hash() = default;                                                     // no hash: size() is 0
    explicit info_hash(std::span<std::uint8_t const> bytes);                   // 20 or 32 bytes; else no hash
    [[nodiscard]] static std::optional<info_hash> parse(std::string_view hex); // either case, 40 or 64 digits

    [[nodiscard]] std::span<std::uint8_t const> bytes() const { return {bytes_.data(), size_}; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool is_v2() const { return size_ == 32; }
    [[nodiscard]] std::string hex() const;
    explicit operator bool() const { return size_ != 0; }
    auto operator<=>(info_hash const&) const = default;

private:
    std::array<std::uint8_t, 32> bytes_{};
    std::uint8_t size_ = 0;
};

/// A torrent's names on the network: at least one; a hybrid has both, the second perhaps learned later.
struct info_hashes {
    info_hash v1, v2;
    [[nodiscard]] info_hash const& canonical() const { return v1 ? v1 : v2; }
    auto operator<=>(info_hashes const&) const = default;
};

/// A torrent's own immutable id, 128 random bits made when it is added. Never on the wire.
struct torrent_id {
    std::uint64_t high = 0, low = 0;
    auto operator<=>(torrent_id const&) const = default;
};
[[nodiscard]] torrent_id make_torrent_id(); // any thread; from the kernel's random source

/// A revision of the truth: comparable inside one incarnation (one run of one daemon on one store), an opaque token
/// outside. The incarnation is random, so that a token never comes back in another meaning, restored backups included.
struct revision {
    std::uint64_t incarnation = 0, number = 0;
    [[nodiscard]] std::string token() const; // "<16 hex digits>-<decimal>"
    [[nodiscard]] static std::optional<revision> parse(std::string_view token);
    auto operator<=>(revision const&) const = default;
};

/// What a torrent is doing, as the wire names it.
enum class torrent_state : std::uint8_t {
    starting,
    downloading,
    seeding,
    paused,
    stopped,
    error,
    checking,
    metadata,
    queued
};
template <> inline constexpr auto names_of<torrent_state> = std::array{
    std::pair{torrent_state::starting, std::string_view{"starting"}},
    std::pair{torrent_state::downloading, std::string_view{"downloading"}},
    std::pair{torrent_state::seeding, std::string_view{"seeding"}},
    std::pair{torrent_state::paused, std::string_view{"paused"}},
    std::pair{torrent_state::stopped, std::string_view{"stopped"}},
    std::pair{torrent_state::error, std::string_view{"error"}},
    std::pair{torrent_state::checking, std::string_view{"checking"}},
    std::pair{torrent_state::metadata, std::string_view{"metadata"}},
    std::pair{torrent_state::queued, std::string_view{"queued"}}};

enum class queue_priority : std::uint8_t { paused, low, normal, high, maximum };
template <> inline constexpr auto names_of<queue_priority> = std::array{
    std::pair{queue_priority::paused, std::string_view{"paused"}},
    std::pair{queue_priority::low, std::string_view{"low"}},
    std::pair{queue_priority::normal, std::string_view{"normal"}},
    std::pair{queue_priority::high, std::string_view{"high"}},
    std::pair{queue_priority::maximum, std::string_view{"maximum"}}};
template <> inline constexpr bool ignores_case<queue_priority> = true;

/// JSON text that is already rendered, written out as it stands; in a request, any JSON value.
struct json_text {
    std::string text = "null";
    bool operator==(json_text const&) const = default;
};

/// A document that is not JSON: its type and its bytes.
struct document {
    std::string content_type;
    std::string text;
};

/// The answer of a route that turns the connection into a WebSocket.
struct upgrade {};

/// Bytes of text that rows and pages hold now, for whoever watches the memory. A value may end on another thread.
inline std::atomic<std::int64_t> prepared_text_bytes{0};

/// A text that is counted in it as long as somebody holds it.
[[nodiscard]] inline shared_text counted_text(std::string text) {
    struct counted {
        explicit counted(std::string t) : text{std::move(t)} { count(1); }
        counted(counted const&) = delete;
        counted& operator=(counted const&) = delete;
        ~counted() { count(-1); }
        void count(int sign) const {
            prepared_text_bytes.fetch_add(
                sign * static_cast<std::int64_t>(text.capacity()), std::memory_order_relaxed);
        }
        std::string const text;
    };
    text.shrink_to_fit();
    auto const held = std::make_shared<counted const>(std::move(text));
    return shared_text{std::shared_ptr<std::string const>{held, &held->text}};
}

/// An immutable value that many answers share, with its JSON text rendered once, by the codec, at first need.
/// Loop thread only. `mask` narrows what is written to the fields whose bit is set (bit i: the i-th described
/// field); 0 writes all. One may stand for several that follow each other in a list: it has their text, and no value;
/// theirs are parts of it from then on.
template <class T> class prepared {
public:
    prepared() = default;
    explicit prepared(T value) : held_{std::make_shared<node>(std::move(value))} {}
    [[nodiscard]] static prepared standing_for(std::vector<prepared> several) {
        prepared made{T{}};
        made.held_->several = std::make_unique<std::vector<prepared> const>(std::move(several));
        return made;
    }
    [[nodiscard]] T const& operator*() const { return held_->value; }
    [[nodiscard]] T const* operator->() const { return &held_->value; }
    explicit operator bool() const { return held_ != nullptr; }
    /// Copies of one, and narrowed alike.
    bool operator==(prepared const&) const = default;

    [[nodiscard]] shared_text const& text() const { return held_->text; } // false until rendered
    void keep_text(shared_text rendered) const { held_->text = std::move(rendered); }
    /// Those that it stands for, until its text is kept: they are in it.
    [[nodiscard]] std::vector<prepared> const* several() const { return held_->several.get(); }
    void forget_several() const { held_->several.reset(); }

    std::uint64_t mask = 0;

private:
    struct node {
        explicit node(T v) : value(std::move(v)) {}
        T value;
        shared_text text;
        std::unique_ptr<std::vector<prepared> const> several;
    };
    std::shared_ptr<node> held_;
};

/// An answer with an entity tag. `unchanged`: the tag that the client sent still holds, `value` is empty, 304.
template <class T> struct tagged {
    std::string etag;
    bool unchanged = false;
    T value{};
};

struct nothing {
    static constexpr described_as<> fields{};
};

} // namespace ccbt::contract

template <> struct std::hash<ccbt::contract::torrent_id> {
    std::size_t operator()(ccbt::contract::torrent_id const& id) const noexcept { return id.low; }
};
template <> struct std::hash<ccbt::contract::info_hash> {
    std::size_t operator()(ccbt::contract::info_hash const& h) const noexcept;
};
