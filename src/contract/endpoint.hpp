// What an endpoint promises: its route, who may call it, the command line's words for it, the errors it may answer
// and the event it raises. An endpoint is a struct with `route`, `request` and `response`; nothing else.
#pragma once

#include "contract/errors.hpp"
#include "contract/types.hpp"

#include <array>
#include <initializer_list>

namespace ccbt::contract {

enum class verb : std::uint8_t { get, post, put, del };
template <> inline constexpr auto names_of<verb> = std::array{
    std::pair{verb::get, std::string_view{"GET"}}, std::pair{verb::post, std::string_view{"POST"}},
    std::pair{verb::put, std::string_view{"PUT"}}, std::pair{verb::del, std::string_view{"DELETE"}}};

/// What a key must be allowed to do. `open` needs no key.
enum class scope : std::uint8_t { open, read, add, control, remove, files, net, config, metrics, admin };
template <> inline constexpr auto names_of<scope> = std::array{
    std::pair{scope::open, std::string_view{"open"}},
    std::pair{scope::read, std::string_view{"read"}},
    std::pair{scope::add, std::string_view{"add"}},
    std::pair{scope::control, std::string_view{"control"}},
    std::pair{scope::remove, std::string_view{"delete"}},
    std::pair{scope::files, std::string_view{"files"}},
    std::pair{scope::net, std::string_view{"net"}},
    std::pair{scope::config, std::string_view{"config"}},
    std::pair{scope::metrics, std::string_view{"metrics"}},
    std::pair{scope::admin, std::string_view{"admin"}}};

/// What a key may do. Admin has all.
class scope_set {
public:
    constexpr scope_set() = default;
    constexpr scope_set(std::initializer_list<scope> list) {
        for (auto const one : list) add(one);
    }
    constexpr void add(scope one) { bits_ |= 1U << static_cast<unsigned>(one); }
    [[nodiscard]] constexpr bool has(scope one) const {
        return one == scope::open || (bits_ & (1U << static_cast<unsigned>(one))) != 0 ||
               (bits_ & (1U << static_cast<unsigned>(scope::admin))) != 0;
    }
    [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
    /// Those that were added, in the order of the enumeration, by their names.
    template <class Visit> constexpr void each(Visit&& visit) const {
        for (auto const& [one, name] : names_of<scope>)
            if ((bits_ & (1U << static_cast<unsigned>(one))) != 0) visit(one, name);
    }
    bool operator==(scope_set const&) const = default;

private:
    std::uint32_t bits_ = 0;
};

/// A short list that lives in a constant.
template <class T, std::size_t N = 8> struct short_list {
    std::array<T, N> items{};
    std::size_t count = 0;
    constexpr short_list() = default;
    constexpr short_list(std::initializer_list<T> list) {
        for (auto const& item : list) items[count++] = item;
    }
    [[nodiscard]] constexpr auto begin() const { return items.begin(); }
    [[nodiscard]] constexpr auto end() const { return items.begin() + static_cast<std::ptrdiff_t>(count); }
};

inline constexpr std::size_t default_max_body = std::size_t{1} << 20;

struct promise {
    std::string_view name; // "torrents.add": area and deed, unique; OpenAPI's operationId
    verb method = verb::get;
    std::string_view
        path; // below /api/v1 (below / where `at_root`); "{name}" is a path field, a last "{name*}" the rest
    scope needs = scope::admin;
    std::string_view summary;      // one line, for people
    std::string_view command = {}; // the command line's words, "pause", "blacklist add"; "" where it has none
    short_list<errc> errors = {};  // beside the ground rules
    std::string_view event = {};   // the type it raises on success
    std::size_t max_body = default_max_body;
    bool at_root = false;
};

template <class... Endpoint> struct endpoint_list {
    /// Calls `visit.template operator()<Endpoint>()` for each.
    template <class Visit> static constexpr void each(Visit&& visit) {
        (visit.template operator()<Endpoint>(), ...);
    }
};
template <class... List> struct joined;
template <class... A> struct joined<endpoint_list<A...>> {
    using type = endpoint_list<A...>;
};
template <class... A, class... B, class... Rest>
struct joined<endpoint_list<A...>, endpoint_list<B...>, Rest...> {
    using type = typename joined<endpoint_list<A..., B...>, Rest...>::type;
};

/// Who calls and how: what the executor may know of a request beside its struct.
struct caller {
    std::string principal = "local"; // the key's name, "signature:<hex>", "unix:<uid>"
    bool is_admin = false;
    scope_set scopes;
    std::string operation_id; // the Idempotency-Key, or empty
};

} // namespace ccbt::contract
