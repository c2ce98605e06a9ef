// Moved: base/worker.hpp.
#pragma once

#include "base/worker.hpp"
