// When an executor keeps what the contract promises: it has a deed for every endpoint of the table. What is forgotten
// is a compile error that names the endpoint.
#pragma once

#include "base/task.hpp"
#include "contract/endpoint.hpp"

#include <concepts>

namespace ccbt::contract {

template <class Executor, class Endpoint>
concept serves = requires(Executor& x, typename Endpoint::request request, caller const& who) {
    { x.handle(std::move(request), who) } -> std::same_as<task<result<typename Endpoint::response>>>;
};

} // namespace ccbt::contract
