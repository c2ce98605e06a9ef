#include "engine/lt_address_filter.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <malloc.h>

namespace ccbt::engine {

namespace lt = libtorrent;

namespace {

constexpr std::size_t many_ranges = 100'000;

} // namespace

lt::address to_lt(ip_address const& a) {
    if (a.is_v4()) return lt::address_v4{a.number_v4()};
    return lt::address_v6{a.bytes()};
}

ip_address from_lt(lt::address const& a) {
    if (a.is_v4()) return ip_address::v4(a.to_v4().to_uint());
    return ip_address::v6(a.to_v6().to_bytes());
}

lt::ip_filter make_ip_filter(ip_range_set const& blocked) {
    lt::ip_filter out;
    for (auto const& r : blocked.v4())
        out.add_rule(lt::address_v4{r.first}, lt::address_v4{r.last}, lt::ip_filter::blocked);
    auto const all = blocked.ranges();
    for (auto at = blocked.count_v4(); at < all.size(); ++at)
        out.add_rule(to_lt(all[at].first), to_lt(all[at].last), lt::ip_filter::blocked);
    return out;
}

void lt_address_filter::set(std::shared_ptr<ip_range_set const> blocked, job done) {
    auto work = [session = session_, blocked = std::move(blocked)]() mutable {
        try {
            session.set_ip_filter(make_ip_filter(*blocked));
        } catch (std::exception const& e) {
            // Nobody comes in until it can be told: a filter that fails must not be none.
            log::error("the addresses to block could not be told to libtorrent, so all are: {}", e.what());
            session.set_ip_filter(make_ip_filter(ip_range_set{}.complement()));
        }
        static_cast<void>(session.is_paused()); // answered behind it
        // What went with the filter of before is given back.
        if (blocked->ranges().size() > many_ranges) ::malloc_trim(0);
    };
    // Who asks waits for the answer before asking again: it is never full.
    if (!worker_.run(std::move(work), std::move(done)))
        log::error("the addresses to block are not in force: too many changes wait");
}

} // namespace ccbt::engine
