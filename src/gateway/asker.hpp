// The conversation with the gateway: which protocol it speaks, kept until it does not answer. On the gateway's own
// thread alone; blocking, within the patience given; knows no settings, no loop and nobody's wishes.
#pragma once

#include "gateway/protocol.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ccbt::gateway {

struct granted {
    port_mapping mapping{};
    steady::time_point until{}; // of the lease; max(): it has no end
};

class asker {
public:
    explicit asker(std::vector<std::unique_ptr<protocol>> speaks) : speaks_{std::move(speaks)} {}

    struct sight {
        std::string method{}; // "": there is none
        std::string external_ip{};
    };
    /// Looks for a gateway, unless somebody did since `since`.
    sight look(steady::time_point since, patience const& within);
    /// What is known.
    [[nodiscard]] sight const& known() const { return sight_; }
    /// Asks again for the external address, which changes when the gateway dials in anew.
    void look_at_address(patience const& within);

    outcome<granted> map(port_request const& what, std::chrono::seconds lease, patience const& within);
    outcome<void> unmap(port_request const& what, patience const& within);

    // Of many: where nobody answers for one, the others are not waited for.
    using results = std::vector<outcome<granted>>;
    results map_all(
        std::vector<port_request> const& what, std::chrono::seconds lease, patience const& within);
    void unmap_all(std::vector<port_request> const& what, patience const& within);

private:
    outcome<granted> map_once(port_request const& what, std::chrono::seconds lease, patience const& within);

    std::vector<std::unique_ptr<protocol>> speaks_;
    protocol* with_ = nullptr; // the one that found a gateway
    sight sight_;
    std::optional<steady::time_point> looked_at_; // when the last look began
};

} // namespace ccbt::gateway
