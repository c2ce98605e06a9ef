// engine/lt_source: a magnet link.
#include "base/text.hpp"
#include "engine/engine.hpp"
#include "fuzz.hpp"

namespace ccbt::fuzz {

void look_at(std::string_view bytes) {
    auto const source = engine::read_magnet(bytes);
    if (!source) {
        require(source.error().code == contract::errc::add_torrent_error, "a refusal has its code", bytes);
        require(text::is_valid_utf8(source.error().message), "a refusal is told in UTF-8", bytes);
        return;
    }
    require(bytes.size() <= contract::max_magnet_length, "a link keeps within its length");
    require(source->hashes.v1 || source->hashes.v2, "a link has a hash", bytes);
    require(!source->hashes.v1 || source->hashes.v1.size() == 20, "of v1 in 20 bytes", bytes);
    require(!source->hashes.v2 || source->hashes.v2.size() == 32, "of v2 in 32 bytes", bytes);
    require(text::is_valid_utf8(source->name), "a name is UTF-8", bytes);
    require(
        source->num_trackers <= 64 && source->num_web_seeds <= 16, "trackers and seeds are bounded", bytes);
    require(source->trackers.size() == source->num_trackers, "trackers are told", bytes);
}

} // namespace ccbt::fuzz
