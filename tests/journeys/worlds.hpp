// The worlds that a journey runs in, from one source: asked in process, without a door between; through the public
// client over HTTP; and through the same door by the catalogue alone, with each reply held against its description.
#pragma once

#include "client/client.hpp"
#include "journeys/house.hpp"
#include "journeys/schema.hpp"
#include "support/http.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ccbt::journeys {

using contract::event_type;

/// What came back: a value, or the status and the code of a refusal.
template <class T> struct reply {
    std::optional<T> value{};
    int status = 200;
    std::string code{};
    wire::value details{};

    [[nodiscard]] T const* operator->() const { return &value.value(); }
    [[nodiscard]] std::string said() const { return value ? "ok" : std::to_string(status) + ' ' + code; }
    [[nodiscard]] std::string detail(std::string_view name) const {
        return std::string{details.text_or(name, "")};
    }
};

/// The events that one watcher asked for, in order.
class watching {
public:
    virtual ~watching() = default;
    /// Nothing when none came in time.
    virtual std::optional<contract::event> next(std::chrono::milliseconds within) = 0;
};

class in_process {
public:
    explicit in_process(house& in) : house_{in} {}

    template <class E> reply<typename E::response> call(typename E::request request) {
        using answer = contract::result<typename E::response>;
        auto const promise = std::make_shared<std::promise<answer>>();
        auto future = promise->get_future();
        house_.turning().post([this, promise, &request] {
            auto asked = ask<answer>(house_.running().deeds(), std::move(request), who_, promise);
            spawn(house_.turning(), std::move(asked));
        });
        if (future.wait_for(std::chrono::seconds{60}) != std::future_status::ready)
            std::abort(); // the request is on our stack
        auto got = future.get();
        if (got) {
            if constexpr (requires { got->http_status(); })
                if (got->http_status() >= 400) return {.status = got->http_status()};
            return {.value = std::move(*got)};
        }
        auto const& row = contract::row_of(got.error().code);
        wire::value::object details;
        for (auto const& one : got.error().details)
            if (auto const* text = std::get_if<std::string>(&one.value))
                details.emplace_back(one.name, *text);
        return {.status = row.status, .code = std::string{row.name}, .details = std::move(details)};
    }

    /// One at a time: it takes the place of the server.
    std::unique_ptr<watching> watch(std::vector<event_type> types = {}) {
        auto made = std::make_unique<tap>(std::move(types));
        house_.on_loop([&] {
            house_.running().state().events().listen(
                [into = made->shared](contract::event_view const& e) { into->take(*e); });
        });
        return made;
    }

private:
    template <class Answer, class Request> static task<> ask(
        executor::executor& deeds, Request request, contract::caller const& who,
        std::shared_ptr<std::promise<Answer>> into) {
        auto got = co_await deeds.handle(std::move(request), who);
        into->set_value(std::move(got));
    }

    struct queue {
        explicit queue(std::vector<event_type> t) : types{std::move(t)} {}
        void take(contract::event const& e) {
            bool const wanted = types.empty() ? contract::is_original(e.type)
                                              : std::find(types.begin(), types.end(), e.type) != types.end();
            if (!wanted) return;
            std::lock_guard const held{lock};
            waiting.push_back(e);
            some.notify_one();
        }
        std::vector<event_type> const types;
        std::mutex lock;
        std::condition_variable some;
        std::deque<contract::event> waiting;
    };
    struct tap final : watching {
        explicit tap(std::vector<event_type> types) : shared{std::make_shared<queue>(std::move(types))} {}
        std::optional<contract::event> next(std::chrono::milliseconds within) override {
            std::unique_lock held{shared->lock};
            if (!shared->some.wait_for(held, within, [&] { return !shared->waiting.empty(); }))
                return std::nullopt;
            auto one = std::move(shared->waiting.front());
            shared->waiting.pop_front();
            return one;
        }
        std::shared_ptr<queue> shared;
    };

    house& house_;
    contract::caller const who_;
};

/// A WebSocket that has its subscription before it is handed out.
class socket_watch final : public watching {
public:
    socket_watch(house const& of, std::vector<event_type> const& types)
        : socket_{"127.0.0.1", of.port(), "/api/v1/events", {{"X-CCBT-API-Key", house::key}}} {
        if (types.empty()) {
            settle();
            return;
        }
        std::string names;
        for (auto const type : types)
            names += (names.empty() ? "\"" : ",\"") + std::string{contract::name_of(type)} + '"';
        send(R"({"action":"subscribe","data":{"event_types":[)" + names + "]}}");
        expect_action("subscribed");
    }
    void send(std::string_view text) { socket_.send(text); }
    /// The next message of any kind.
    std::optional<wire::value> message(std::chrono::milliseconds within) { return socket_.next(within); }
    void expect_action(std::string_view wanted) {
        auto const got = message(std::chrono::seconds{20});
        ASSERT_TRUE(got);
        ASSERT_EQ(got->text_or("action", ""), wanted);
    }
    /// What was sent to the server has been taken there.
    void settle() {
        send(R"({"action":"ping"})");
        expect_action("pong");
    }
    std::optional<contract::event> next(std::chrono::milliseconds within) override {
        support::deadline const until{within};
        while (auto got = socket_.next(until)) {
            if (got->find("type") == nullptr) continue; // a heartbeat
            expect_shape(*got, {&wire::event_facts()}, "event");
            if (auto event = wire::from_json<contract::event>(wire::to_text(*got))) return std::move(*event);
            ADD_FAILURE() << "no event: " << wire::to_text(*got);
        }
        return std::nullopt;
    }
    [[nodiscard]] std::optional<std::pair<int, std::string>> const& closing() const {
        return socket_.closing();
    }

private:
    support::web_socket socket_;
};

class through_client {
public:
    explicit through_client(house& in) : house_{in} {}

    template <class E> reply<typename E::response> call(typename E::request const& request) {
        auto got = client_.call<E>(request);
        if (got) return {.value = std::move(*got)};
        return refused<typename E::response>(got.error());
    }
    std::unique_ptr<watching> watch(std::vector<event_type> types = {}) {
        return std::make_unique<socket_watch>(house_, types);
    }

protected:
    template <class T> static reply<T> refused(client::client_error const& why) {
        auto details = wire::parse(why.details);
        return {
            .status = why.status, .code = why.code, .details = details ? std::move(*details) : wire::value{}};
    }
    house& house_;
    client::client client_{{.url = house_.url(), .api_key = house::key}};
};

class by_catalogue : public through_client {
public:
    using through_client::through_client;

    template <class E> reply<typename E::response> call(typename E::request const& request) {
        using response = typename E::response;
        auto const& facts = *wire::find_endpoint(E::route.name);
        auto const members = members_of(wire::to_json(request));
        auto got = client_.call(facts, members);
        if (!got) return refused<response>(got.error());
        if constexpr (std::same_as<response, contract::document>) {
            return {.value = response{got->content_type, got->text}};
        } else if (got->status == 304) {
            EXPECT_TRUE(facts.is_tagged);
            return tag_of<response>(*got);
        } else {
            auto const read = wire::parse(got->text);
            EXPECT_TRUE(read) << got->text;
            if (!read) return {.status = 0};
            auto const is_part = std::any_of(
                members.begin(), members.end(), [](auto const& m) { return m.first == "fields"; });
            expect_shape(
                *read, {&facts.response, facts.omits_absent, false, is_part}, std::string{facts.route.name});
            return decoded<response>(std::move(*got));
        }
    }

private:
    static wire::value::object members_of(std::string const& json) {
        auto read = wire::parse(json, {.string_bytes = std::size_t{1} << 26});
        wire::value::object out;
        for (auto& [name, v] : *read->template get_if<wire::value::object>())
            if (!v.is_null()) out.emplace_back(name, std::move(v)); // absent, as a client leaves it out
        return out;
    }
    template <class T> static reply<T> tag_of(client::answer const& got) {
        T out{};
        if constexpr (requires { out.unchanged; }) {
            out.etag = got.etag;
            out.unchanged = true;
        }
        return {.value = std::move(out)};
    }
    template <class T> static reply<T> decoded(client::answer&& got) {
        auto read = client::sending::read<T>(std::move(got));
        EXPECT_TRUE(read);
        if (!read) return {.status = 0};
        return {.value = std::move(*read)};
    }
};

} // namespace ccbt::journeys
