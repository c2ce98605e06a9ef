#include "gateway/asker.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

namespace ccbt::gateway {

namespace {

// Requests that come while no gateway is known do not each wait for a search of their own.
constexpr std::chrono::seconds no_gateway_holds{3};

} // namespace

std::string_view name_of(trouble why) {
    constexpr std::array<std::string_view, 8> names{"off",   "no_gateway", "no_answer", "refused",
                                                    "taken", "too_many",   "busy",      "stopping"};
    return names[static_cast<std::size_t>(why)];
}

std::string address_or_nothing(std::string const& text) {
    in_addr address{};
    if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return {};
    auto const first = ntohl(address.s_addr) >> 24;
    if (first == 0 || first == 127 || first >= 224) return {};
    return text;
}

asker::sight asker::look(steady::time_point since, patience const& within) {
    if ((looked_at_ && *looked_at_ >= since) || within.is_over()) return sight_;
    looked_at_ = steady::now();
    with_ = nullptr;
    sight_ = {};
    for (auto const& one : speaks_) {
        auto said = one->find(within);
        if (!said) continue;
        with_ = one.get();
        sight_ = {std::string{one->name()}, std::move(*said)};
        break;
    }
    return sight_;
}

void asker::look_at_address(patience const& within) {
    if (with_ == nullptr) return;
    if (auto said = with_->external_ip(within)) sight_.external_ip = std::move(*said);
}

outcome<granted> asker::map_once(
    port_request const& what, std::chrono::seconds lease, patience const& within) {
    auto const asked_at = steady::now();
    auto got = with_->map(what, lease, within);
    if (!got) return unexpected<refusal>{std::move(got.error())};
    granted out;
    out.mapping = {what.protocol, what.internal_port, got->external_port, std::string{with_->source()}, {}};
    out.until = steady::time_point::max();
    if (got->lease.count() > 0) {
        out.until = asked_at + got->lease;
        auto const left = std::chrono::duration<double>(out.until - steady::now()).count();
        out.mapping.expires_at = unix_now() + left;
    }
    return out;
}

outcome<granted> asker::map(port_request const& what, std::chrono::seconds lease, patience const& within) {
    // What is sent too late to be heard of would be mapped without anybody knowing.
    if (within.is_over()) return refuses(trouble::busy, "the gateway is busy with what was asked before");
    bool const was_known = with_ != nullptr;
    if (!was_known) look(steady::now() - no_gateway_holds, within);
    for (bool again = was_known;; again = false) {
        if (with_ == nullptr) return refuses(trouble::no_gateway, "no gateway was found");
        auto got = map_once(what, lease, within);
        if (got || !again || got.error().why != trouble::no_answer || within.is_over()) return got;
        look(steady::now(), within); // it may have moved, or speak another protocol since it restarted
    }
}

outcome<void> asker::unmap(port_request const& what, patience const& within) {
    if (within.is_over()) return refuses(trouble::busy, "the gateway is busy with what was asked before");
    if (with_ == nullptr) look(steady::now() - no_gateway_holds, within);
    if (with_ == nullptr) return refuses(trouble::no_gateway, "no gateway was found");
    return with_->unmap(what, within);
}

asker::results asker::map_all(
    std::vector<port_request> const& what, std::chrono::seconds lease, patience const& within) {
    results out;
    for (auto const& one : what) {
        bool const silent = !out.empty() && !out.back() && is_silence(out.back().error().why);
        out.push_back(silent ? out.back() : map(one, lease, within));
    }
    return out;
}

void asker::unmap_all(std::vector<port_request> const& what, patience const& within) {
    for (auto const& one : what) {
        auto const gone = unmap(one, within);
        if (!gone && is_silence(gone.error().why)) return;
    }
}

} // namespace ccbt::gateway
