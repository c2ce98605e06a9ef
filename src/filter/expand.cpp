#include "filter/expand.hpp"

#include <algorithm>
#include <array>
#include <bzlib.h>
#include <cstdint>
#include <lzma.h>
#include <stdexcept>
#include <vector>
#include <zlib.h>

namespace ccbt::filter {

namespace {

constexpr std::uint64_t xz_memory = std::uint64_t{96} << 20; // xz -9 takes 65 MiB

enum class state : std::uint8_t { goes_on, at_end, damaged };

struct step {
    std::size_t used = 0, made = 0;
    state is = state::goes_on;
};

// What the three have in common: members one after the other, NUL padding between them, text in pieces.
template <class Codec> class member_stream final : public expander {
public:
    bool feed(std::string_view bytes, sink const& to) override {
        for (bool more_to_come = true; more_to_come;) {
            if (at_end_) {
                bytes.remove_prefix(std::min(bytes.find_first_not_of('\0'), bytes.size()));
                if (bytes.empty()) return true;
                codec_.emplace();
                at_end_ = false;
            }
            auto const did = codec_->take(bytes, buffer_);
            bytes.remove_prefix(did.used);
            if (did.made > 0 && !to({buffer_.data(), did.made})) return false;
            if (did.is == state::damaged || (!bytes.empty() && did.used == 0 && did.made == 0)) return false;
            at_end_ = did.is == state::at_end;
            more_to_come = !bytes.empty() || did.made == buffer_.size();
        }
        return true;
    }
    [[nodiscard]] bool is_whole() const override { return at_end_; }

private:
    // A codec stays where it was made: the libraries point back into it.
    struct holder {
        std::unique_ptr<Codec> held = std::make_unique<Codec>();
        void emplace() { held = std::make_unique<Codec>(); }
        Codec* operator->() const { return held.get(); }
    };
    holder codec_;
    std::vector<char> buffer_ = std::vector<char>(std::size_t{128} << 10);
    bool at_end_ = false;
};

// The libraries read the input but take it without const.
template <class Byte> Byte* as_bytes(char const* at) {
    return const_cast<Byte*>(reinterpret_cast<Byte const*>(at)); // NOLINT(*-const-cast,*-reinterpret-cast)
}

class gzip_codec {
public:
    gzip_codec() {
        if (::inflateInit2(&z_, 15 + 16) != Z_OK) throw std::bad_alloc{};
    }
    ~gzip_codec() { ::inflateEnd(&z_); }
    gzip_codec(gzip_codec const&) = delete;
    gzip_codec& operator=(gzip_codec const&) = delete;

    step take(std::string_view in, std::vector<char>& out) {
        z_.next_in = as_bytes<Bytef>(in.data());
        z_.avail_in = static_cast<uInt>(in.size());
        z_.next_out = as_bytes<Bytef>(out.data());
        z_.avail_out = static_cast<uInt>(out.size());
        auto const said = ::inflate(&z_, Z_NO_FLUSH);
        step did{in.size() - z_.avail_in, out.size() - z_.avail_out};
        if (said == Z_STREAM_END)
            did.is = state::at_end;
        else if (said != Z_OK && said != Z_BUF_ERROR)
            did.is = state::damaged;
        return did;
    }

private:
    z_stream z_{};
};

class bzip2_codec {
public:
    bzip2_codec() {
        if (::BZ2_bzDecompressInit(&z_, 0, 0) != BZ_OK) throw std::bad_alloc{};
    }
    ~bzip2_codec() { ::BZ2_bzDecompressEnd(&z_); }
    bzip2_codec(bzip2_codec const&) = delete;
    bzip2_codec& operator=(bzip2_codec const&) = delete;

    step take(std::string_view in, std::vector<char>& out) {
        z_.next_in = as_bytes<char>(in.data());
        z_.avail_in = static_cast<unsigned>(in.size());
        z_.next_out = out.data();
        z_.avail_out = static_cast<unsigned>(out.size());
        auto const said = ::BZ2_bzDecompress(&z_);
        step did{in.size() - z_.avail_in, out.size() - z_.avail_out};
        if (said == BZ_STREAM_END)
            did.is = state::at_end;
        else if (said != BZ_OK)
            did.is = state::damaged;
        return did;
    }

private:
    bz_stream z_{};
};

class xz_codec {
public:
    xz_codec() {
        if (::lzma_stream_decoder(&z_, xz_memory, 0) != LZMA_OK) throw std::bad_alloc{};
    }
    ~xz_codec() { ::lzma_end(&z_); }
    xz_codec(xz_codec const&) = delete;
    xz_codec& operator=(xz_codec const&) = delete;

    step take(std::string_view in, std::vector<char>& out) {
        z_.next_in = as_bytes<std::uint8_t>(in.data());
        z_.avail_in = in.size();
        z_.next_out = as_bytes<std::uint8_t>(out.data());
        z_.avail_out = out.size();
        auto const said = ::lzma_code(&z_, LZMA_RUN);
        step did{in.size() - z_.avail_in, out.size() - z_.avail_out};
        if (said == LZMA_STREAM_END)
            did.is = state::at_end;
        else if (said != LZMA_OK && said != LZMA_BUF_ERROR)
            did.is = state::damaged;
        return did;
    }

private:
    lzma_stream z_ = LZMA_STREAM_INIT;
};

} // namespace

std::unique_ptr<expander> expander_for(std::string_view head) {
    using namespace std::string_view_literals;
    if (head.starts_with("\x1f\x8b"sv)) return std::make_unique<member_stream<gzip_codec>>();
    if (head.starts_with("BZh"sv)) return std::make_unique<member_stream<bzip2_codec>>();
    if (head.starts_with("\xfd"
                         "7zXZ\0"sv))
        return std::make_unique<member_stream<xz_codec>>();
    return nullptr;
}

} // namespace ccbt::filter
