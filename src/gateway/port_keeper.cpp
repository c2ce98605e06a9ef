#include "gateway/port_keeper.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <tuple>

namespace ccbt::gateway {

namespace {

constexpr std::size_t errands_at_most = 256;
constexpr std::chrono::milliseconds look_often{1000};
constexpr std::chrono::milliseconds errand_within{
    3000}; // of our own, so that those asked for meanwhile get their turn
constexpr std::chrono::seconds first_wait{30}, longest_wait{900};

bool is_loopback(std::string const& interface) {
    in_addr v4{};
    if (::inet_pton(AF_INET, interface.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
    return interface == "::1" || interface == "lo";
}

} // namespace

port_keeper::port_keeper(loop& on, contract::settings settings, fact_sink facts, protocol_maker protocols)
    : loop_{on},
      settings_{std::move(settings)},
      facts_{std::move(facts)},
      protocols_{std::move(protocols)},
      self_{std::make_shared<port_keeper*>(this)},
      asker_{std::make_shared<asker>(protocols_(settings_))} {
    ticker_ = loop_.every(look_often, [this] { tick(); });
}

port_keeper::~port_keeper() {
    *self_ = nullptr;
    cut_short_.call_off();
    cut_goodbye_.call_off();
}

bool port_keeper::is_on() const { return settings_.nat.enable_upnp || settings_.nat.enable_nat_pmp; }
std::chrono::seconds port_keeper::lease() const {
    return std::chrono::seconds{settings_.nat.port_mapping_lease_time};
}

port_keeper::wish* port_keeper::find(transport protocol, int internal_port) {
    auto const at = std::find_if(wishes_.begin(), wishes_.end(), [&](wish const& one) {
        return one.what.protocol == protocol && one.what.internal_port == internal_port;
    });
    return at == wishes_.end() ? nullptr : &*at;
}

// ---- errands

bool port_keeper::enqueue(errand what) {
    if (waiting_.size() >= errands_at_most) return false;
    waiting_.push_back(std::move(what));
    // Later, and never from within the call of whoever asks.
    if (!under_way_) {
        under_way_ = true;
        loop_.post([self = self_] {
            if (*self != nullptr) (*self)->next();
        });
    }
    return true;
}

void port_keeper::next() {
    under_way_ = !waiting_.empty();
    if (!under_way_) return;
    auto what = std::move(waiting_.front());
    waiting_.pop_front();
    what();
}

// Before the next look, that is.
bool port_keeper::is_due(wish const& one) { return one.due <= steady::now() + look_often; }

void port_keeper::tick() {
    if (stopping_ || renewing_ || settling_ || !is_on()) return;
    auto const now = steady::now();
    bool any = false;
    for (auto& one : wishes_) {
        if (one.held && one.held->until <= now) {
            log::warning("the mapping of port {} has ended", one.what.internal_port);
            one.held.reset();
        }
        any = any || is_due(one);
    }
    tell();
    if (!any) return;
    renewing_ = enqueue([this] {
        std::vector<port_request> due;
        for (auto const& one : wishes_)
            if (is_due(one)) due.push_back(one.what);
        renew(std::move(due));
    });
}

void port_keeper::renew(std::vector<port_request> what) {
    auto shared = std::make_shared<std::vector<port_request> const>(std::move(what));
    ask(
        steady::now() + errand_within,
        [shared, lease = lease()](asker& by, patience const& within) {
            news out{by.map_all(*shared, lease, within), {}};
            by.look_at_address(within);
            out.seen = by.known();
            return out;
        },
        [this, shared](news const& came) {
            renewing_ = false;
            take_all(*shared, came);
        });
}

void port_keeper::take_all(std::vector<port_request> const& asked, news const& came) {
    see(came.seen);
    for (std::size_t i = 0; i < came.got.size(); ++i)
        if (auto* one = find(asked[i].protocol, asked[i].internal_port)) take(*one, came.got[i]);
    tell();
}

// What came of asking for it, and when it is asked for again.
void port_keeper::take(wish& of, outcome<granted> got) {
    auto const now = steady::now();
    if (got) {
        if (!of.held || of.held->mapping.external_port != got->mapping.external_port)
            log::info(
                "the gateway leads its {} port {} to our port {} ({})",
                contract::name_of(got->mapping.protocol), got->mapping.external_port,
                got->mapping.internal_port, got->mapping.source);
        if (of.of_listening && got->mapping.external_port != of.what.internal_port)
            log::warning(
                "the gateway has another external port for our listen port {}, which trackers are told: choose "
                "another network.listen_port_tcp",
                of.what.internal_port);
        of.wait = std::chrono::seconds{0};
        bool const ends = got->until != steady::time_point::max();
        of.due = ends ? now + (got->until - now) / 2 : now + longest_wait;
        of.what.external_port = static_cast<int>(got->mapping.external_port);
        of.held = std::move(*got);
        return;
    }
    if (of.wait.count() == 0)
        log::warning("port {} is not mapped: {}", of.what.internal_port, got.error().message);
    if (!is_silence(got.error().why)) of.held.reset();
    of.wait = of.wait.count() == 0 ? first_wait : std::min(of.wait * 2, longest_wait);
    of.due = now + of.wait;
    if (of.held && of.held->until != steady::time_point::max())
        of.due = std::min(of.due, now + std::max<steady::duration>((of.held->until - now) / 2, look_often));
}

void port_keeper::see(asker::sight const& what) {
    if (what.method != sight_.method) {
        if (what.method.empty())
            log::info("no gateway answers");
        else
            log::info("the gateway speaks {}; its external address is {}", what.method, what.external_ip);
    }
    sight_ = what;
}

void port_keeper::tell() {
    model::nat_seen now{sight_.method, sight_.external_ip, 0, mappings()};
    for (auto const& one : wishes_)
        if (one.of_listening && one.held && (now.mapped_port == 0 || one.what.protocol == transport::tcp))
            now.mapped_port = static_cast<int>(one.held->mapping.external_port);
    if (now == told_) return;
    told_ = now;
    facts_(std::move(now));
}

std::vector<port_mapping> port_keeper::mappings() const {
    std::vector<port_mapping> out;
    for (auto const& one : wishes_)
        if (one.held) out.push_back(one.held->mapping);
    return out;
}

// ---- what the settings want

void port_keeper::configure(contract::settings const& to) {
    auto const protocols = [](contract::settings const& s) {
        return std::tie(s.nat.enable_upnp, s.nat.enable_nat_pmp, s.network.listen_interface);
    };
    auto const wishes = [](contract::settings const& s) {
        return std::tie(
            s.nat.auto_map_ports, s.nat.map_tcp_port, s.nat.map_udp_port, s.nat.port_mapping_lease_time);
    };
    bool const by_others = protocols(settings_) != protocols(to);
    bool const others = wishes(settings_) != wishes(to);
    bool const for_another_time = settings_.nat.port_mapping_lease_time != to.nat.port_mapping_lease_time;
    settings_ = to;
    if (by_others || others) settle(by_others, for_another_time);
}

void port_keeper::listens_at(int port) {
    if (port == listen_port_) return;
    listen_port_ = port;
    settle(false, false);
}

// Lets go of what is not wanted any more, and asks for what is. `anew`: by other protocols, so lets go of all first.
// `renews`: asks for what is mapped too; only then, since gateways replace a mapping by taking it away for a moment.
void port_keeper::settle(bool anew, bool renews) {
    if (stopping_) return;
    settling_ = true;
    auto const queued = enqueue([this, anew, renews] {
        auto before = std::move(wishes_);
        wishes_.clear();
        rewish();
        std::vector<port_request> gone;
        for (auto& one : before) {
            auto* kept = find(one.what.protocol, one.what.internal_port);
            if (kept == nullptr && !one.of_listening && is_on()) {
                wishes_.push_back({one.what}); // a client's stays
                kept = &wishes_.back();
            }
            if (kept != nullptr && !anew) {
                kept->held = one.held;
                kept->what.external_port = one.what.external_port;
                if (one.held && !renews) kept->due = one.due;
            } else if (one.held) {
                gone.push_back(one.what);
            }
        }
        auto to_be = anew ? std::make_shared<asker>(protocols_(settings_)) : asker_;
        bool const looks = is_on() && listen_port_ != 0 && !is_loopback(settings_.network.listen_interface);
        ask(
            steady::now() + errand_within,
            [gone, to_be, looks](asker& by, patience const& within) {
                by.unmap_all(gone, within);
                // Whoever switched it off is not looked for; nor does one on loopback reach out by itself.
                return looks ? to_be->look(steady::time_point::min(), within) : to_be->known();
            },
            [this](asker::sight seen) {
                settling_ = false;
                see(seen);
                tell();
                tick();
            });
        asker_ = std::move(to_be);
    });
    if (!queued) settling_ = false;
}

void port_keeper::rewish() {
    if (!is_on() || !settings_.nat.auto_map_ports || listen_port_ == 0 ||
        is_loopback(settings_.network.listen_interface))
        return;
    if (settings_.nat.map_tcp_port) wishes_.push_back({{transport::tcp, listen_port_}, true});
    if (settings_.nat.map_udp_port) wishes_.push_back({{transport::udp, listen_port_}, true});
}

// ---- the end

void port_keeper::stop(std::chrono::milliseconds within, unique_function<void()> done) {
    stopping_ = true;
    ticker_.reset();
    cut_short_.call_off(); // whatever waits for a gateway now; it may be mapped all the same, unheard
    std::vector<port_request> gone;
    for (auto const& one : wishes_)
        if (one.held || under_way_) gone.push_back(one.what);
    if (asked_now_.internal_port != 0) gone.push_back(asked_now_);
    for (auto& one : gone)
        if (one.external_port == 0) one.external_port = one.internal_port;
    auto const held = std::make_shared<unique_function<void()>>(std::move(done));
    auto const finish = [self = self_, held] {
        if (*self != nullptr) (*held)();
    };
    auto say_goodbye = [this, gone, by = asker_, until = steady::now() + within] {
        by->unmap_all(gone, patience{cut_goodbye_, until});
    };
    if (gone.empty() || !worker_.run(std::move(say_goodbye), finish)) loop_.post(finish);
}

} // namespace ccbt::gateway
