// Beast, beside base/net.hpp. Few units may pay for it: a coroutine over Beast costs 20 s and 800 MB to compile.
#pragma once

#include "base/net.hpp"

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

namespace ccbt {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

} // namespace ccbt
