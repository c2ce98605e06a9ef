#include "base/gzip.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <zlib.h>

namespace ccbt {

std::string gzip(std::string_view bytes, int level) {
    constexpr int gzip_window = 15 + 16;
    constexpr int memory_level = 8; // zlib's own default
    z_stream stream{};
    // Only memory can be lacking: every parameter is in range.
    if (deflateInit2(
            &stream, std::clamp(level, 1, 9), Z_DEFLATED, gzip_window, memory_level, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        throw std::bad_alloc{};
    std::string out;
    std::array<char, 65536> part{};
    int state = Z_OK;
    while (state != Z_STREAM_END) {
        if (stream.avail_in == 0 && !bytes.empty()) { // avail_in counts 32 bits
            auto const now = std::min<std::size_t>(bytes.size(), std::numeric_limits<uInt>::max());
            stream.next_in =
                const_cast<Bytef*>(reinterpret_cast<Bytef const*>(bytes.data())); // zlib only reads it
            stream.avail_in = static_cast<uInt>(now);
            bytes.remove_prefix(now);
        }
        stream.next_out = reinterpret_cast<Bytef*>(part.data());
        stream.avail_out = static_cast<uInt>(part.size());
        state = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
        out.append(part.data(), part.size() - stream.avail_out);
    }
    deflateEnd(&stream);
    return out;
}

} // namespace ccbt
