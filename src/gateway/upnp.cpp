#include "gateway/upnp.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fmt/core.h>
#include <memory>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpreplyparse.h>
#include <netinet/ip.h>
#include <poll.h>
#include <random>
#include <sys/socket.h>

namespace ccbt::gateway {

namespace {

constexpr std::chrono::milliseconds search_again_after{400};
constexpr std::chrono::milliseconds describe_within{800};
constexpr std::chrono::milliseconds act_within{1500};
constexpr std::size_t devices_at_most = 8;
constexpr int other_ports_tried = 4;

enum upnp_error : int {
    no_such_entry = 714,
    conflict = 718,
    same_ports_required = 724,
    only_permanent = 725,
    conflict_with_other = 729
};

// What the device says of itself goes into requests to it: only names as the standard has them.
bool is_service_name(std::string_view type) {
    auto const plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
               c == '-' || c == '_' || c == '.';
    };
    return (type.starts_with("urn:schemas-upnp-org:service:WANIPConnection:") ||
            type.starts_with("urn:schemas-upnp-org:service:WANPPPConnection:")) &&
           std::all_of(type.begin(), type.end(), plain);
}

std::string text_of(in_addr address) {
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &address, text.data(), text.size());
    return text.data();
}

std::string_view protocol_name(transport t) { return t == transport::tcp ? "TCP" : "UDP"; }

} // namespace

std::string upnp::location_in(std::string_view answer, in_addr from) {
    for (auto line : text::split(answer, '\n')) {
        auto const colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        if (!text::equal_ignoring_case(text::trim(line.substr(0, colon)), "location")) continue;
        auto const url = text::trim(line.substr(colon + 1));
        auto const where = place::parse(url);
        if (where && where->address.s_addr == from.s_addr) return std::string{url};
    }
    return {};
}

std::vector<upnp::service> upnp::services_in(std::string const& xml, std::string const& url) {
    std::vector<service> out;
    auto const device = place::parse(url);
    if (!device) return out;
    IGDdatas data{};
    ::parserootdesc(xml.data(), static_cast<int>(xml.size()), &data);
    for (auto const& one : {data.first, data.second}) {
        data.first = one; // what GetUPNPUrls makes absolute
        UPNPUrls urls{};
        ::GetUPNPUrls(&urls, &data, url.c_str(), 0);
        auto const control = place::parse(urls.controlURL != nullptr ? urls.controlURL : "");
        ::FreeUPNPUrls(&urls);
        std::string type{one.servicetype};
        if (control && control->address.s_addr == device->address.s_addr && is_service_name(type))
            out.push_back({*control, std::move(type)});
    }
    return out;
}

// The default gateway's answer ends the search: it is the one that stands between us and the world. Others, of second
// routers or of liars, are what is left when it says nothing.
std::vector<std::string> upnp::search(patience const& within) const {
    descriptor const socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    std::vector<std::string> found;
    auto const router = default_gateway();
    auto from = with_.from; // else the address towards the default gateway
    if (!from && router) from = own_address_towards(*router);
    if (!socket) return found;
    if (from) {
        if (!bind_to(socket.get(), *from)) return found;
        ::setsockopt(socket.get(), IPPROTO_IP, IP_MULTICAST_IF, &*from, sizeof *from);
    }
    unsigned char const hops = 2;
    ::setsockopt(socket.get(), IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof hops);
    auto everybody = at({htonl(0xefff'fffa)}, 1900);
    if (with_.search_at) everybody = *with_.search_at;
    auto const ask_all = [&] {
        for (std::string_view const what :
             {"device:InternetGatewayDevice:1", "device:InternetGatewayDevice:2", "service:WANIPConnection:1",
              "service:WANPPPConnection:1"}) {
            auto const text = fmt::format(
                "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n"
                "ST: urn:schemas-upnp-org:{}\r\n\r\n",
                what);
            (void)::sendto(
                socket.get(), text.data(), text.size(), MSG_NOSIGNAL,
                reinterpret_cast<sockaddr const*>(&everybody), sizeof everybody);
        }
    };
    auto const until = within.at_most(with_.search_within);
    auto const first_until = until.at_most(search_again_after);
    bool asked_again = false;
    ask_all();
    while (found.size() < devices_at_most) {
        if (!(asked_again ? until : first_until).wait(socket.get(), POLLIN)) {
            if (asked_again || until.is_over()) break;
            asked_again = true;
            ask_all();
            continue;
        }
        std::array<char, 2048> datagram{};
        sockaddr_in who{};
        socklen_t size = sizeof who;
        auto const got = ::recvfrom(
            socket.get(), datagram.data(), datagram.size(), 0, reinterpret_cast<sockaddr*>(&who), &size);
        if (got <= 0) continue;
        auto url = location_in({datagram.data(), static_cast<std::size_t>(got)}, who.sin_addr);
        if (url.empty() || std::find(found.begin(), found.end(), url) != found.end()) continue;
        bool const is_the_gateway = router && who.sin_addr.s_addr == router->s_addr;
        found.insert(is_the_gateway ? found.begin() : found.end(), std::move(url));
        if (is_the_gateway) break;
    }
    return found;
}

outcome<std::string> upnp::try_device(std::string const& url, patience const& within) {
    auto const where = place::parse(url);
    if (!where) return refuses(trouble::no_gateway, "its address cannot be used");
    auto const described = ask_http(
        *where, with_.from, fmt::format("GET {} HTTP/1.1\r\n", where->path), "",
        within.at_most(describe_within));
    if (!described) return unexpected<refusal>{described.error()};
    if (described->status != 200) return refuses(trouble::no_gateway, "it does not describe itself");
    auto const services = services_in(described->body, url);
    if (services.empty()) return refuses(trouble::no_gateway, "it maps no ports");
    outcome<std::string> said = std::string{};
    for (auto const& one : services) { // of two, the one that is connected knows an address
        found_ = one;
        said = external_ip(within);
        if (said && !said->empty()) return said;
    }
    found_ = services.front();
    if (!said && said.error().why == trouble::no_answer) return said;
    return std::string{};
}

outcome<std::string> upnp::find(patience const& within) {
    found_.reset();
    for (auto const& url : search(within)) {
        auto said = try_device(url, within);
        if (said) return said;
        found_.reset();
    }
    return refuses(trouble::no_gateway, "no gateway answered");
}

outcome<upnp::action_reply> upnp::act(
    std::string_view action, arguments const& with, patience const& within) const {
    if (!found_) return refuses(trouble::no_gateway, "no gateway has been found");
    auto body = fmt::format(
        "<?xml version=\"1.0\"?>\r\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
        "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body><u:{} xmlns:u=\"{}\">",
        action, found_->type);
    for (auto const& [name, value] : with) body += fmt::format("<{0}>{1}</{0}>", name, value);
    body += fmt::format("</u:{}></s:Body></s:Envelope>\r\n", action);
    auto const head = fmt::format(
        "POST {} HTTP/1.1\r\nContent-Type: text/xml; charset=\"utf-8\"\r\nSOAPAction: \"{}#{}\"\r\n",
        found_->control.path, found_->type, action);
    auto const got = ask_http(found_->control, with_.from, head, body, within.at_most(act_within));
    if (!got) return unexpected<refusal>{got.error()};

    NameValueParserData read{};
    ::ParseNameValue(got->body.data(), static_cast<int>(got->body.size()), &read);
    action_reply out;
    for (auto const* at = read.l_head; at != nullptr; at = at->l_next)
        out.values.emplace(at->name, at->value);
    ::ClearNameValueList(&read);
    out.own_address = got->own_address;
    if (auto const code = out.values.find("errorCode"); code != out.values.end())
        out.error = std::max(1, std::atoi(code->second.c_str()));
    else if (got->status != 200 || got->body.find(fmt::format("{}Response", action)) == std::string::npos)
        out.error = 501; // "action failed": whatever it is, it is no answer to this
    return out;
}

outcome<std::string> upnp::external_ip(patience const& within) {
    auto const got = act("GetExternalIPAddress", {}, within);
    if (!got) return unexpected<refusal>{got.error()};
    auto const address = got->values.find("NewExternalIPAddress");
    if (got->error != 0 || address == got->values.end()) return std::string{};
    return address_or_nothing(address->second);
}

// An entry of our own host is overwritten without a word, and of any host deleted by some gateways: so it is looked at
// first. What it names, and where that leads.
outcome<upnp::entry> upnp::look_up(port_request const& what, patience const& within) const {
    entry out{
        {{"NewRemoteHost", ""},
         {"NewExternalPort", std::to_string(what.external_port)},
         {"NewProtocol", std::string{protocol_name(what.protocol)}}}};
    auto const there = act("GetSpecificPortMappingEntry", out.name, within);
    if (!there) return unexpected<refusal>{there.error()};
    out.own_address = text_of(there->own_address); // the only host that we ever map to
    if (there->error != 0) return out;
    auto const at = [&](char const* name) {
        auto const v = there->values.find(name);
        return v == there->values.end() ? std::string{} : v->second;
    };
    bool const ours = at("NewInternalClient") == out.own_address &&
                      at("NewInternalPort") == std::to_string(what.internal_port);
    out.leads = ours ? leading::to_us : leading::elsewhere;
    return out;
}

outcome<grant> upnp::add(port_request const& what, std::chrono::seconds lease, patience const& within) const {
    auto there = look_up(what, within);
    if (!there) return unexpected<refusal>{std::move(there.error())};
    if (there->leads == leading::elsewhere)
        return refuses(trouble::taken, "the gateway's port leads elsewhere");
    auto& wanted = there->name;
    wanted.emplace_back("NewInternalPort", std::to_string(what.internal_port));
    wanted.emplace_back("NewInternalClient", there->own_address);
    wanted.emplace_back("NewEnabled", "1");
    wanted.emplace_back("NewPortMappingDescription", "ccbtd");
    wanted.emplace_back("NewLeaseDuration", std::to_string(lease.count()));
    auto const got = act("AddPortMapping", wanted, within);
    if (!got) return unexpected<refusal>{got.error()};
    switch (got->error) {
    case 0: return grant{what.external_port, lease};
    case conflict:
    case conflict_with_other: return refuses(trouble::taken, "the gateway's port leads elsewhere");
    case same_ports_required:
        return refuses(trouble::refused, "the gateway leads a port only to the same port");
    case only_permanent:
        return refuses(
            trouble::refused, "the gateway knows only mappings without an end; nat.port_mapping_lease_time "
                              "= 0 asks for one");
    default: return refuses(trouble::refused, fmt::format("the gateway refused (UPnP error {})", got->error));
    }
}

outcome<grant> upnp::map(port_request const& what, std::chrono::seconds lease, patience const& within) {
    auto wanted = what;
    if (wanted.external_port == 0) wanted.external_port = what.internal_port;
    auto got = add(wanted, lease, within);
    std::random_device chance;
    std::uniform_int_distribution<int> any{20'000, 60'000};
    for (int i = 0; i < other_ports_tried; ++i) {
        if (got || what.exactly || got.error().why != trouble::taken) break;
        wanted.external_port = any(chance);
        got = add(wanted, lease, within);
    }
    return got;
}

outcome<void> upnp::unmap(port_request const& what, patience const& within) {
    auto const there = look_up(what, within);
    if (!there) return unexpected<refusal>{there.error()};
    if (there->leads != leading::to_us) return {};
    auto const got = act("DeletePortMapping", there->name, within);
    if (!got) return unexpected<refusal>{got.error()};
    if (got->error == 0 || got->error == no_such_entry) return {};
    return refuses(trouble::refused, fmt::format("the gateway refused (UPnP error {})", got->error));
}

} // namespace ccbt::gateway
