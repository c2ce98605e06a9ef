#include "server/replay_memory.hpp"

#include "contract/signature.hpp"

#include <algorithm>

namespace ccbt::server {

void replay_memory::forget_before(double now) {
    while (!by_second_.empty()) {
        auto const oldest = by_second_.begin();
        auto const end_of_it = static_cast<double>(oldest->first + 1);
        if (end_of_it + contract::signature_window_seconds >= now) return;
        for (auto const& [signer, count] : oldest->second.signers) {
            auto const at = per_signer_.find(signer);
            at->second -= count;
            if (at->second == 0) per_signer_.erase(at);
        }
        size_ -= oldest->second.seen.size();
        forgotten_ = std::max(forgotten_, end_of_it);
        by_second_.erase(oldest);
    }
}

} // namespace ccbt::server
