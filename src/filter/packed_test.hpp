// Text packed in the three ways, and folders, for the tests of this room. Test code only.
#pragma once

#include "base/temporary_folder_test.hpp"

#include <bzlib.h>
#include <filesystem>
#include <fstream>
#include <lzma.h>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <string_view>
#include <zlib.h>

namespace ccbt::filter::testing {

inline std::string gz(std::string text) {
    z_stream z{};
    if (::deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::runtime_error{"zlib"};
    std::string out(::deflateBound(&z, text.size()), '\0');
    z.next_in = reinterpret_cast<Bytef*>(text.data());
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    ::deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    ::deflateEnd(&z);
    return out;
}
inline std::string bz2(std::string text) {
    std::string out(text.size() + text.size() / 50 + 1000, '\0');
    auto size = static_cast<unsigned>(out.size());
    if (::BZ2_bzBuffToBuffCompress(
            out.data(), &size, text.data(), static_cast<unsigned>(text.size()), 9, 0, 0) != BZ_OK)
        throw std::runtime_error{"bzip2"};
    out.resize(size);
    return out;
}
inline std::string xz(std::string const& text) {
    std::string out(::lzma_stream_buffer_bound(text.size()), '\0');
    std::size_t size = 0;
    if (::lzma_easy_buffer_encode(
            6, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<std::uint8_t const*>(text.data()), text.size(),
            reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size()) != LZMA_OK)
        throw std::runtime_error{"xz"};
    out.resize(size);
    return out;
}

class folder {
public:
    [[nodiscard]] std::string operator/(std::string_view name) const { return (at_ / name).string(); }
    std::string write(std::string_view name, std::string_view bytes) const {
        auto const path = *this / name;
        std::ofstream{path, std::ios::binary} << bytes;
        return path;
    }

private:
    ccbt::temporary_folder at_;
};

} // namespace ccbt::filter::testing
