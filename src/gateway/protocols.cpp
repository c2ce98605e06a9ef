#include "gateway/nat_pmp.hpp"
#include "gateway/upnp.hpp"

#include <arpa/inet.h>

namespace ccbt::gateway {

std::vector<std::unique_ptr<protocol>> protocols_of(contract::settings const& s) {
    std::vector<std::unique_ptr<protocol>> out;
    in_addr own{};
    std::optional<in_addr> from; // where peers connect is what the gateway is to lead to
    if (::inet_pton(AF_INET, s.network.listen_interface.c_str(), &own) == 1 && own.s_addr != INADDR_ANY &&
        ntohl(own.s_addr) >> 24 != 127)
        from = own;
    if (s.nat.enable_nat_pmp) out.push_back(std::make_unique<nat_pmp>(nat_pmp_options{.from = from}));
    if (s.nat.enable_upnp) out.push_back(std::make_unique<upnp>(upnp_options{.from = from}));
    return out;
}

} // namespace ccbt::gateway
