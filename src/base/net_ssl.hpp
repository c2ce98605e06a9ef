// Asio's TLS, beside base/net.hpp: for base/net_tls.cpp, which shows the others a few plain types.
#pragma once

#include "base/net.hpp"

#include <boost/asio/ssl.hpp>
