// NAT-PMP (RFC 6886), by libnatpmp: twelve bytes to the default gateway, and its answer. Knows no other host.
#pragma once

#include "gateway/lan.hpp"
#include "gateway/protocol.hpp"

namespace ccbt::gateway {

struct nat_pmp_options {
    std::optional<in_addr> from{}; // our own address, where it matters which
    std::optional<in_addr> at{};   // instead of the default gateway, for tests
};

class nat_pmp final : public protocol {
public:
    explicit nat_pmp(nat_pmp_options with = {}) : with_{with} {}
    [[nodiscard]] std::string_view name() const override { return "NAT-PMP"; }
    [[nodiscard]] std::string_view source() const override { return "natpmp"; }
    outcome<std::string> find(patience const& within) override;
    outcome<std::string> external_ip(patience const& within) override;
    outcome<grant> map(port_request const& what, std::chrono::seconds lease, patience const& within) override;
    outcome<void> unmap(port_request const& what, patience const& within) override;

private:
    nat_pmp_options with_;
};

} // namespace ccbt::gateway
