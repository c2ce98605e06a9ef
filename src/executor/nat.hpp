// The deeds of NAT traversal. Loop thread. What is asked is read from the model; what changes goes to the gateway's port.
#pragma once

#include "contract/nat.hpp"
#include "executor/context.hpp"

namespace ccbt::executor {

class nat {
public:
    explicit nat(context& house) : house_{house} {}

    task<result<contract::get_nat_status::response>> handle(
        contract::get_nat_status::request request, caller const& who);
    task<result<contract::discover_nat::response>> handle(
        contract::discover_nat::request request, caller const& who);
    task<result<contract::map_port::response>> handle(contract::map_port::request request, caller const& who);
    task<result<contract::unmap_port::response>> handle(
        contract::unmap_port::request request, caller const& who);
    task<result<contract::refresh_nat::response>> handle(
        contract::refresh_nat::request request, caller const& who);
    task<result<contract::get_external_ip::response>> handle(
        contract::get_external_ip::request request, caller const& who);
    task<result<contract::get_external_port::response>> handle(
        contract::get_external_port::request request, caller const& who);

private:
    [[nodiscard]] bool is_on() const;
    context& house_;
};

} // namespace ccbt::executor
