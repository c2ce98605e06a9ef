#include "base/gzip.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

namespace ccbt {
namespace {

// What the gzip holds, and nothing behind it; else "damaged".
std::string inflated(std::string const& packed, std::size_t at_most) {
    z_stream stream{};
    if (inflateInit2(&stream, 15 + 16) != Z_OK) return "damaged";
    std::string out(at_most + 1, '\0');
    std::string from = packed;
    stream.next_in = reinterpret_cast<Bytef*>(from.data());
    stream.avail_in = static_cast<uInt>(from.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    bool const whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0;
    out.resize(out.size() - stream.avail_out);
    inflateEnd(&stream);
    return whole ? out : "damaged";
}

TEST(gzip, holds_the_same_bytes_at_every_level) {
    std::string mixed;
    for (unsigned i = 0, x = 1; i < 300'000; ++i) {
        x = x * 1103515245U + 12345U;
        mixed += static_cast<char>(i % 3 == 0 ? x >> 16 : i / 100);
    }
    for (std::string const& bytes :
         {std::string{}, std::string{"a"}, std::string(1, '\0'), mixed, std::string(1'000'000, 'z')})
        for (int const level : {-5, 0, 1, 6, 9, 99})
            EXPECT_EQ(inflated(gzip(bytes, level), bytes.size()), bytes) << bytes.size() << " at " << level;
}

TEST(gzip, is_gzip_without_time_or_name_and_small) {
    auto const packed = gzip(std::string(1'000'000, 'z'));
    ASSERT_GE(packed.size(), 10U);
    EXPECT_EQ(packed.substr(0, 8), std::string("\x1f\x8b\x08\0\0\0\0\0", 8));
    EXPECT_LT(packed.size(), 5000U);
}

} // namespace
} // namespace ccbt
