// Beast, beside base/net.hpp. Few units may pay for it: a coroutine over Beast costs 20 s and 800 MB to compile.
#pragma once

#include "base/net_stream.hpp"

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

namespace ccbt {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

// What Beast asks of a stream of another kind than its own: to be ended after a WebSocket's last frame, and at once.
template <class Handler> void async_teardown(beast::role_type role, stream& which, Handler&& then) {
    which.say_goodbye();
    websocket::async_teardown(role, which.socket(), std::forward<Handler>(then));
}
inline void beast_close_socket(stream& which) {
    error_code ignored;
    which.close(ignored);
}

} // namespace ccbt
