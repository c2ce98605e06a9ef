#include "gateway/nat_pmp.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fcntl.h>
#include <fmt/core.h>
#include <natpmp.h>
#include <poll.h>
#include <unistd.h>

namespace ccbt::gateway {

namespace {

constexpr std::chrono::milliseconds find_within{800}; // sent at 0, 250 and 750 ms
constexpr std::chrono::milliseconds answer_within{1600};
constexpr std::chrono::seconds longest_lease{7200}; // what RFC 6886 recommends, where none is asked for

refusal why_not(int code) {
    switch (code) {
    case NATPMP_ERR_CANNOTGETGATEWAY: return {trouble::no_gateway, "this machine has no default gateway"};
    case NATPMP_ERR_NOTAUTHORIZED: return {trouble::refused, "the gateway does not allow it"};
    case NATPMP_ERR_OUTOFRESOURCES: return {trouble::refused, "the gateway has no room for it"};
    case NATPMP_ERR_NETWORKFAILURE: return {trouble::refused, "the gateway has no external address"};
    case NATPMP_ERR_UNSUPPORTEDVERSION:
    case NATPMP_ERR_UNSUPPORTEDOPCODE: return {trouble::refused, "the gateway does not know this request"};
    case NATPMP_ERR_UNDEFINEDERROR: return {trouble::refused, "the gateway refused, and did not say why"};
    default: return {trouble::no_answer, "the gateway does not answer"};
    }
}

// One question and its answer, by a socket of its own: what comes late for one is never taken for another's.
class conversation {
public:
    explicit conversation(nat_pmp_options const& how)
        : opened_{::initnatpmp(&with_, how.at ? 1 : 0, how.at ? how.at->s_addr : 0)} {
        if (opened_ == 0 && how.from && !speak_from(*how.from)) opened_ = NATPMP_ERR_SOCKETERROR;
    }
    ~conversation() {
        if (with_.s > 0) ::closenatpmp(&with_); // also where it could not be opened whole
    }
    conversation(conversation const&) = delete;
    conversation& operator=(conversation const&) = delete;

    outcome<natpmpresp_t> ask_address(patience const& within) {
        if (opened_ != 0) return unexpected<refusal>{why_not(opened_)};
        return answer(::sendpublicaddressrequest(&with_), NATPMP_RESPTYPE_PUBLICADDRESS, within);
    }
    outcome<natpmpresp_t> ask_mapping(
        port_request const& what, std::chrono::seconds lease, patience const& within) {
        if (opened_ != 0) return unexpected<refusal>{why_not(opened_)};
        bool const tcp = what.protocol == transport::tcp;
        auto const sent = ::sendnewportmappingrequest(
            &with_, tcp ? NATPMP_PROTOCOL_TCP : NATPMP_PROTOCOL_UDP,
            static_cast<std::uint16_t>(what.internal_port), static_cast<std::uint16_t>(what.external_port),
            static_cast<std::uint32_t>(lease.count()));
        auto got =
            answer(sent, tcp ? NATPMP_RESPTYPE_TCPPORTMAPPING : NATPMP_RESPTYPE_UDPPORTMAPPING, within);
        if (got && got->pnu.newportmapping.privateport != what.internal_port)
            return refuses(trouble::refused, "the gateway answered for another port");
        return got;
    }

private:
    // libnatpmp lets the kernel choose; and the gateway maps to whom it hears.
    bool speak_from(in_addr own) const {
        descriptor const socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        auto there = at(in_addr{with_.gateway}, NATPMP_PORT);
        return socket && bind_to(socket.get(), own) &&
               ::connect(socket.get(), reinterpret_cast<sockaddr*>(&there), sizeof there) == 0 &&
               ::dup3(socket.get(), with_.s, O_CLOEXEC) >= 0;
    }
    outcome<natpmpresp_t> answer(int sent, int type, patience const& within) {
        if (sent < 0) return unexpected<refusal>{why_not(sent)};
        for (;;) {
            timeval until_retry{};
            ::getnatpmprequesttimeout(&with_, &until_retry);
            auto const span =
                std::chrono::seconds{until_retry.tv_sec} + std::chrono::microseconds{until_retry.tv_usec};
            auto const slice = std::chrono::ceil<std::chrono::milliseconds>(span);
            if (within.is_over()) return unexpected<refusal>{why_not(NATPMP_TRYAGAIN)};
            (void)within.at_most(std::max(slice, std::chrono::milliseconds{1})).wait(with_.s, POLLIN);
            natpmpresp_t got{};
            auto const how = ::readnatpmpresponseorretry(&with_, &got); // sends again where it is time to
            if (how == NATPMP_TRYAGAIN) continue;
            if (how != 0) return unexpected<refusal>{why_not(how)};
            if (got.type != type) return refuses(trouble::refused, "the gateway answered something else");
            return got;
        }
    }

    natpmp_t with_{};
    int opened_ = -1;
};

} // namespace

outcome<std::string> nat_pmp::external_ip(patience const& within) {
    conversation with{with_};
    auto const got = with.ask_address(within.at_most(answer_within));
    if (!got) return unexpected<refusal>{got.error()};
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &got->pnu.publicaddress.addr, text.data(), text.size());
    return address_or_nothing(text.data());
}

outcome<std::string> nat_pmp::find(patience const& within) {
    return external_ip(within.at_most(find_within));
}

outcome<grant> nat_pmp::map(port_request const& what, std::chrono::seconds lease, patience const& within) {
    auto const asked = lease.count() > 0 ? lease : longest_lease;
    auto wanted = what;
    if (wanted.external_port == 0) wanted.external_port = what.internal_port;
    conversation with{with_};
    auto const got = with.ask_mapping(wanted, asked, within.at_most(answer_within));
    if (!got) return unexpected<refusal>{got.error()};
    auto const& granted = got->pnu.newportmapping;
    if (granted.mappedpublicport == 0 || granted.lifetime == 0)
        return refuses(trouble::refused, "the gateway granted nothing");
    if (what.exactly && granted.mappedpublicport != wanted.external_port) {
        // It gives another rather than none. Whoever named a port wants that one.
        (void)unmap(what, within);
        return refuses(
            trouble::taken,
            fmt::format("the gateway would give port {} in its place", granted.mappedpublicport));
    }
    return grant{granted.mappedpublicport, std::min(std::chrono::seconds{granted.lifetime}, asked)};
}

outcome<void> nat_pmp::unmap(port_request const& what, patience const& within) {
    auto gone = what;
    gone.external_port = 0;
    conversation with{with_};
    auto const got = with.ask_mapping(gone, std::chrono::seconds{0}, within.at_most(answer_within));
    if (!got) return unexpected<refusal>{got.error()};
    return {};
}

} // namespace ccbt::gateway
