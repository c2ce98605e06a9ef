// <ccbt/client.hpp> of the installed library: everything that a user of a daemon may want.
#pragma once

#include "client/client.hpp"
#include "client/local.hpp"
#include "client/watch.hpp"
