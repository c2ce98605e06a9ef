// The public client of a daemon: blocking, typed, for users without coroutines. One object holds one connection and
// belongs to one thread at a time. Every endpoint of the contract can be called by its struct:
//
//     ccbt::client::client daemon{{.url = "http://127.0.0.1:64124", .api_key = key}};
//     auto listed = daemon.call<ccbt::contract::list_torrents>({});
//     if (!listed) std::cerr << listed.error().message;
//
// No header of this library includes Boost.
#pragma once

#include "base/crypto.hpp"
#include "client/error.hpp"
#include "contract/table.hpp"
#include "wire/catalogue.hpp"
#include "wire/codec.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ccbt::client {

struct options {
    std::string url = "http://127.0.0.1:64124"; // or https://HOST:PORT, or unix:///PATH of a socket
    std::string api_key{};
    /// Signs every request instead of sending the key. The daemon trusts its public key: POST /keys/trust.
    std::optional<crypto::secret_key> signing_key{};
    std::chrono::milliseconds timeout{30'000}; // for a whole answer
    std::chrono::milliseconds connect_timeout{5'000};
    std::string idempotency_key{}; // client::repeat_safely of the first change
    /// For https, a PEM file each. Authorities to trust beside the system's …
    std::string ca_file{};
    /// … or the very certificate that the daemon must show, whatever names stand in it: a local daemon tells of its own.
    std::string certificate_file{};
};

/// An answer as it came. Status 304 has no text.
struct answer {
    int status = 0;
    std::string etag{};
    std::string content_type{};
    std::string text{};
};

/// A request taken apart into the places where its fields travel.
struct outgoing {
    std::vector<std::pair<std::string, std::string>> path{}, query{}, headers{}; // name, value
    std::string body{};                                                          // JSON, or empty
};

namespace sending {

[[nodiscard]] std::string text_of(wire::value const& v); // of a path, query or header field

template <class T> std::string text_of_member(T const& v) {
    if constexpr (std::same_as<T, std::string>)
        return v;
    else
        return text_of(
            wire::parse(wire::to_json(v), {.string_bytes = std::size_t{1} << 30}).value_or(wire::value{}));
}

template <class T> bool is_absent(T const& v) {
    if constexpr (wire::is_optional<T>)
        return !v.has_value();
    else
        return false;
}

template <class T> outgoing take_apart(T const& request) {
    outgoing made;
    wire::writer body;
    bool any_body = false;
    body.begin_object();
    T::fields.each([&](auto const& f) {
        auto const& member = request.*(std::remove_cvref_t<decltype(f)>::member);
        if (is_absent(member)) return;
        std::string const name{f.name()};
        switch (f.rule.in) {
        case contract::place::body:
            body.key(name);
            wire::encode(body, member); // not as a member: a secret travels, it is only never shown
            any_body = true;
            break;
        case contract::place::path: made.path.emplace_back(name, text_of_member(member)); break;
        case contract::place::query: made.query.emplace_back(name, text_of_member(member)); break;
        case contract::place::header: made.headers.emplace_back(name, text_of_member(member)); break;
        }
    });
    body.end_object();
    if (any_body) made.body = body.take_text();
    return made;
}

template <class T> inline constexpr bool is_tagged = false;
template <class T> inline constexpr bool is_tagged<contract::tagged<T>> = true;

template <class T> result<T> read(answer&& from) {
    if constexpr (std::same_as<T, contract::document>) {
        return contract::document{std::move(from.content_type), std::move(from.text)};
    } else if constexpr (is_tagged<T>) {
        T made{.etag = std::move(from.etag), .unchanged = from.status == 304};
        if (made.unchanged) return made;
        auto held = read<decltype(made.value)>(std::move(from));
        if (!held) return unexpected<client_error>{std::move(held.error())};
        made.value = std::move(*held);
        return made;
    } else {
        auto held = wire::from_json<T>(from.text);
        if (!held)
            return fails(error_kind::broken, "the daemon's answer is not what was promised: " + held.error());
        return std::move(*held);
    }
}

} // namespace sending

class client {
public:
    explicit client(options how = {});
    ~client();
    client(client&&) noexcept;
    client& operator=(client&&) noexcept;

    /// Any endpoint of the contract, by its struct.
    template <class E> [[nodiscard]] result<typename E::response> call(typename E::request const& request) {
        static_assert(!std::same_as<typename E::response, contract::upgrade>, "events: see client/watch.hpp");
        auto got = exchange(E::route, sending::take_apart(request));
        if (!got) return unexpected<client_error>{std::move(got.error())};
        return sending::read<typename E::response>(std::move(*got));
    }

    /// Any endpoint of the catalogue, by the wire names of its fields; those left out are the daemon's defaults.
    [[nodiscard]] result<answer> call(
        wire::endpoint_facts const& endpoint, wire::value::object const& request);

    // The common ones by the names that the plan of the API gives them.
    [[nodiscard]] result<contract::get_status::response> status();
    [[nodiscard]] result<std::vector<contract::torrent_status>> torrents();
    [[nodiscard]] result<contract::torrent_status> torrent(std::string_view info_hash);
    [[nodiscard]] result<std::string> add_torrent(
        contract::add_torrent::request const& what); // the info-hash
    [[nodiscard]] result<std::string> add_torrent(std::string path_or_magnet);
    [[nodiscard]] result<void> remove_torrent(std::string_view info_hash, bool delete_files = false);
    [[nodiscard]] result<void> pause(std::string_view info_hash);
    [[nodiscard]] result<void> resume(std::string_view info_hash);
    [[nodiscard]] result<contract::get_peers::response> get_peers_for_torrent(std::string_view info_hash);
    [[nodiscard]] result<contract::set_rate_limits::response> set_rate_limits(
        std::string_view info_hash, std::int64_t download_kib, std::int64_t upload_kib); // 0: no limit
    [[nodiscard]] result<contract::force_announce::response> force_announce(std::string_view info_hash);
    [[nodiscard]] result<contract::get_files::response> get_torrent_files(std::string_view info_hash);
    [[nodiscard]] result<void> select_files(
        std::string_view info_hash, std::vector<std::int64_t> file_indices);
    [[nodiscard]] result<void> deselect_files(
        std::string_view info_hash, std::vector<std::int64_t> file_indices);
    [[nodiscard]] result<void> set_file_priority(
        std::string_view info_hash, std::int64_t file_index, contract::file_priority priority);
    /// Hashes what lies on the daemon's disk: give the client a timeout that fits.
    [[nodiscard]] result<contract::verify_files::response> verify_files(std::string_view info_hash);
    [[nodiscard]] result<contract::get_global_stats::response> get_global_stats();
    /// The file that was written, on the daemon's machine.
    [[nodiscard]] result<std::string> export_session_state(std::optional<std::string> path = std::nullopt);
    [[nodiscard]] result<contract::import_state::response> import_session_state(std::string path);
    /// `checkpoint` is a JSON object; the info-hash comes back.
    [[nodiscard]] result<std::string> resume_from_checkpoint(
        std::string_view info_hash, std::string checkpoint,
        std::optional<std::string> torrent_path = std::nullopt);
    [[nodiscard]] result<contract::checkpoint> get_checkpoint(std::string_view info_hash);
    [[nodiscard]] result<contract::listed_addresses> get_blacklist();
    [[nodiscard]] result<contract::listed_addresses> get_whitelist();
    // An address, a CIDR block or "first-last"; in force when it is answered.
    [[nodiscard]] result<void> add_to_blacklist(std::string ip, std::string reason = "");
    [[nodiscard]] result<void> add_to_whitelist(std::string ip, std::string reason = "");
    [[nodiscard]] result<void> remove_from_blacklist(std::string ip);
    [[nodiscard]] result<void> remove_from_whitelist(std::string ip);
    [[nodiscard]] result<contract::get_queue::response> get_queue();
    /// `priority`: paused, low, normal, high or maximum. One that is in it already gets that priority.
    [[nodiscard]] result<void> add_to_queue(std::string_view info_hash, std::string_view priority = "normal");
    [[nodiscard]] result<void> remove_from_queue(std::string_view info_hash);
    [[nodiscard]] result<void> move_in_queue(std::string_view info_hash, std::int64_t new_position); // from 0
    [[nodiscard]] result<void> clear_queue();
    [[nodiscard]] result<void> pause_torrent_in_queue(std::string_view info_hash);
    [[nodiscard]] result<void> resume_torrent_in_queue(std::string_view info_hash);
    [[nodiscard]] result<contract::get_nat_status::response> nat_status();
    [[nodiscard]] result<bool> discover_nat(); // was a gateway found
    /// `external_port` 0: the same, or another where that is taken.
    [[nodiscard]] result<contract::port_mapping> map_port(
        int internal_port, std::string_view protocol = "tcp", int external_port = 0);
    [[nodiscard]] result<bool> unmap_port(int external_port, std::string_view protocol = "tcp");
    [[nodiscard]] result<contract::refresh_nat::outcome> refresh_nat();
    [[nodiscard]] result<contract::get_external_ip::response> get_external_ip();
    [[nodiscard]] result<contract::get_external_port::response> get_external_port(
        int internal_port, std::string_view protocol = "tcp");
    [[nodiscard]] result<contract::load_ip_filter::response> load_ip_filter();
    [[nodiscard]] result<contract::get_ip_filter_stats::response> get_ip_filter_stats();
    /// Asks the torrent's trackers, unless an answer is kept and not `force`.
    [[nodiscard]] result<contract::scrape_result> scrape_torrent(
        std::string_view info_hash, bool force = false);
    [[nodiscard]] result<std::vector<contract::scrape_result>> list_scrape_results();
    [[nodiscard]] result<contract::scrape_result> get_scrape_result(std::string_view info_hash);
    [[nodiscard]] result<contract::protocol_info> get_xet_protocol();
    [[nodiscard]] result<contract::protocol_info> get_ipfs_protocol();
    // Many at once, at most 1,000; an outcome each, in their order.
    using batch_results = std::vector<contract::batch_result>;
    [[nodiscard]] result<batch_results> batch_add(std::vector<contract::add_torrent::request> torrents);
    [[nodiscard]] result<batch_results> batch_pause(std::vector<std::string> info_hashes);
    [[nodiscard]] result<batch_results> batch_resume(std::vector<std::string> info_hashes);
    [[nodiscard]] result<batch_results> batch_remove(
        std::vector<std::string> info_hashes, bool remove_data = false);
    /// The events after a number; `wait`: for one, where there is none. Shorter than the options' timeout.
    [[nodiscard]] result<contract::get_event_log::response> get_event_log(
        std::optional<std::int64_t> since = std::nullopt, std::chrono::seconds wait = {},
        std::int64_t limit = 1000);
    [[nodiscard]] result<std::vector<contract::named_key>> get_keys();
    /// The secret is in this answer only. `scopes`: "read", "add", …; `expires_in` 0: never.
    [[nodiscard]] result<contract::create_key::response> create_key(
        std::string name, std::vector<std::string> const& scopes,
        std::chrono::seconds expires_in = std::chrono::seconds{0});
    [[nodiscard]] result<contract::trust_key::response> trust_key(
        std::string public_key, std::string name, std::vector<std::string> const& scopes);
    [[nodiscard]] result<void> revoke_key(std::string name);
    [[nodiscard]] result<contract::settings> get_config(); // secrets are "***"
    /// `part`: a JSON object, nested as the configuration is; null takes a key back to what the file says.
    [[nodiscard]] result<contract::update_config::response> update_config(std::string_view part);
    [[nodiscard]] result<std::string> metrics(); // Prometheus text
    [[nodiscard]] result<void> shutdown();       // answered before the daemon is gone

    /// The revision of the truth at which the last answer holds: a token, to compare and to send back. "" before.
    [[nodiscard]] std::string const& last_revision() const;
    [[nodiscard]] options const& how() const;

    /// The next POST or DELETE carries this Idempotency-Key, 16 to 64 characters. Sent again with it within a day, the
    /// same request is answered as the first time and not done twice: for who does not know whether it was done.
    void repeat_safely(std::string idempotency_key);

private:
    [[nodiscard]] result<answer> exchange(contract::promise const& route, outgoing request);

    struct state;
    std::unique_ptr<state> state_;
};

} // namespace ccbt::client
