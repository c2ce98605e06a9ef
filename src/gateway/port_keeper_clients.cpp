#include "gateway/port_keeper.hpp"

#include <algorithm>

// What clients ask of it; the rest is in port_keeper.cpp.
namespace ccbt::gateway {

namespace {

constexpr std::size_t wishes_at_most = 64;

refusal stopping() { return {trouble::stopping, "the daemon is shutting down"}; }

} // namespace

void port_keeper::discover(unique_function<void(bool)> done) {
    auto const held = std::make_shared<unique_function<void(bool)>>(std::move(done));
    auto const asked = steady::now();
    auto const queued = enqueue([this, asked, held] {
        if (!is_on() || stopping_) {
            (*held)(false);
            return next();
        }
        ask(
            asked + answers_within,
            [asked](asker& by, patience const& within) { return by.look(asked, within); },
            [this, held](asker::sight seen) {
                see(seen);
                tell();
                (*held)(!seen.method.empty());
            });
    });
    if (!queued) loop_.post([held] { (*held)(false); });
}

void port_keeper::map(port_request what, unique_function<void(outcome<port_mapping>)> done) {
    auto const held = std::make_shared<unique_function<void(outcome<port_mapping>)>>(std::move(done));
    auto const until = steady::now() + answers_within;
    auto const queued = enqueue([this, what, until, held] { do_map(what, until, std::move(*held)); });
    if (!queued) loop_.post([held] { (*held)(refuses(trouble::busy, "too much is being asked at once")); });
}

void port_keeper::do_map(
    port_request what, steady::time_point until, unique_function<void(outcome<port_mapping>)> done) {
    auto const refuse = [&](trouble why, std::string message) {
        done(refuses(why, std::move(message)));
        next();
    };
    if (stopping_) return refuse(trouble::stopping, stopping().message);
    if (!is_on()) return refuse(trouble::off, "NAT traversal is switched off");
    if (auto const* one = find(what.protocol, what.internal_port)) {
        // A port of ours has one port of the gateway's. NAT-PMP knows no other way.
        if (what.exactly && one->held && one->held->mapping.external_port != what.external_port)
            return refuse(trouble::taken, "that port of ours is mapped already: unmap it first");
        if (!what.exactly) what.external_port = one->what.external_port;
    } else if (wishes_.size() >= wishes_at_most) {
        return refuse(trouble::too_many, "there are too many mappings: unmap one first");
    }
    for (auto const& one : wishes_) // UPnP would lead it elsewhere without a word
        if (one.held && what.exactly && one.what.internal_port != what.internal_port &&
            one.what.protocol == what.protocol && one.held->mapping.external_port == what.external_port)
            return refuse(trouble::taken, "that port of the gateway leads to another of ours");
    struct reply {
        outcome<granted> got;
        asker::sight seen;
    };
    asked_now_ = what;
    ask(
        until,
        [what, lease = lease()](asker& by, patience const& within) {
            auto got = by.map(what, lease, within);
            return reply{std::move(got), by.known()};
        },
        [this, what, done = std::move(done)](reply came) mutable {
            asked_now_ = {};
            see(came.seen);
            if (!came.got) {
                tell();
                return done(unexpected<refusal>{std::move(came.got.error())});
            }
            auto* one = find(what.protocol, what.internal_port);
            if (one == nullptr) {
                wishes_.push_back({what});
                one = &wishes_.back();
            }
            if (!one->of_listening) one->what = what;
            auto const mapping = came.got->mapping;
            take(*one, std::move(came.got));
            tell();
            done(mapping);
        });
}

void port_keeper::unmap(transport protocol, int external_port, unique_function<void(outcome<bool>)> done) {
    auto const held = std::make_shared<unique_function<void(outcome<bool>)>>(std::move(done));
    auto const until = steady::now() + answers_within;
    auto const queued = enqueue([this, protocol, external_port, until, held] {
        auto const is_it = [&](wish const& one) {
            return one.held && one.what.protocol == protocol &&
                   one.held->mapping.external_port == external_port;
        };
        auto const at = std::find_if(wishes_.begin(), wishes_.end(), is_it);
        if (at == wishes_.end() || stopping_) {
            (*held)(stopping_ ? outcome<bool>{unexpected<refusal>{stopping()}} : outcome<bool>{false});
            return next();
        }
        ask(
            until, [what = at->what](asker& by, patience const& within) { return by.unmap(what, within); },
            [this, what = at->what, held](outcome<void> gone) {
                if (!gone) return (*held)(unexpected<refusal>{std::move(gone.error())});
                std::erase_if(wishes_, [&](wish const& one) {
                    return one.what.protocol == what.protocol && one.what.internal_port == what.internal_port;
                });
                tell();
                (*held)(true);
            });
    });
    if (!queued) loop_.post([held] { (*held)(refuses(trouble::busy, "too much is being asked at once")); });
}

void port_keeper::refresh(unique_function<void(outcome<refreshed>)> done) {
    auto const held = std::make_shared<unique_function<void(outcome<refreshed>)>>(std::move(done));
    auto const until = steady::now() + answers_within;
    auto const queued = enqueue([this, until, held] { do_refresh(until, std::move(*held)); });
    if (!queued) loop_.post([held] { (*held)(refuses(trouble::busy, "too much is being asked at once")); });
}

void port_keeper::do_refresh(steady::time_point until, unique_function<void(outcome<refreshed>)> done) {
    if (stopping_ || !is_on()) {
        done(
            stopping_ ? unexpected<refusal>{stopping()}
                      : refuses(trouble::off, "NAT traversal is switched off"));
        return next();
    }
    auto all = std::make_shared<std::vector<port_request>>();
    for (auto const& one : wishes_) all->push_back(one.what);
    ask(
        until,
        [all, until, lease = lease()](asker& by, patience const& within) {
            news out{{}, by.look(until - answers_within, within)};
            if (!out.seen.method.empty()) out.got = by.map_all(*all, lease, within);
            out.seen = by.known();
            return out;
        },
        [this, all, done = std::move(done)](news const& came) mutable {
            take_all(*all, came);
            refreshed out;
            out.failed =
                std::count_if(came.got.begin(), came.got.end(), [](auto const& one) { return !one; });
            out.mappings = mappings();
            if (came.seen.method.empty()) return done(refuses(trouble::no_gateway, "no gateway was found"));
            done(std::move(out));
        });
}

} // namespace ccbt::gateway
