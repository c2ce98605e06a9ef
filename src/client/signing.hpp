// The headers by which a request proves who sends it: the key, or a signature. Any thread.
#pragma once

#include "client/client.hpp"
#include "contract/signature.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ccbt::client {

/// `text_at`: what is signed, with that timestamp in it. Each call takes another timestamp: a signature is good once.
[[nodiscard]] result<std::vector<std::pair<std::string, std::string>>> proof_of(
    options const& how, std::function<std::string(std::string_view timestamp)> const& text_at);

} // namespace ccbt::client
