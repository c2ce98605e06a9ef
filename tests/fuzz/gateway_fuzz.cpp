// gateway/http_ask and gateway/upnp: the answer to a search, the address in it (also as the first line), and what a device
// says of itself.
#include "fuzz.hpp"
#include "gateway/http_ask.hpp"
#include "gateway/upnp.hpp"

#include <algorithm>
#include <arpa/inet.h>

namespace ccbt::fuzz {

void look_at(std::string_view bytes) {
    in_addr const router{htonl(0xc0000201)}; // 192.0.2.1
    if (auto const found = gateway::upnp::location_in(bytes, router); !found.empty()) {
        auto const there = gateway::place::parse(found);
        require(there && there->address.s_addr == router.s_addr, "only who answers is asked", found);
    }
    std::string const url{take_until(bytes, '\n')};
    auto const at = gateway::place::parse(url);
    if (at) {
        require(at->port >= 1 && at->port <= 65535, "a port is one", url);
        require(at->path.starts_with('/'), "a path begins at the root", url);
        require(
            std::all_of(at->path.begin(), at->path.end(), [](char c) { return c > ' ' && c < '\x7f'; }),
            "a path is of one line", url);
        auto const again = gateway::place::parse("http://" + at->host() + at->path);
        require(
            again && again->address.s_addr == at->address.s_addr && again->port == at->port &&
                again->path == at->path,
            "an address reads back", url);
    }
    auto const host = at ? url : std::string{"http://192.0.2.1:5000/root.xml"};
    for (auto const& one : gateway::upnp::services_in(std::string{bytes}, host)) {
        require(
            one.control.address.s_addr == gateway::place::parse(host)->address.s_addr,
            "nobody sends us to another host", bytes);
        require(
            one.type.find_first_of("\"<>#\r\n ") == one.type.npos, "a service's name is put into requests",
            one.type);
    }
}

} // namespace ccbt::fuzz
