#include "support/payload.hpp"

#include "base/text.hpp"

#include <array>
#include <fstream>
#include <memory>
#include <openssl/evp.h>
#include <stdexcept>

namespace ccbt::support {

namespace fs = std::filesystem;

namespace {

class stream { // splitmix64
public:
    explicit stream(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        auto z = state_ += 0x9e3779b97f4a7c15U;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }

private:
    std::uint64_t state_;
};

} // namespace

void make_file(fs::path const& path, std::uint64_t size, std::uint64_t seed) {
    fs::create_directories(path.parent_path());
    std::ofstream out{path, std::ios::binary | std::ios::trunc};
    stream from{seed};
    std::array<std::uint64_t, 8192> block{};
    for (std::uint64_t left = size; left > 0;) {
        for (auto& word : block) word = from.next();
        auto const part = std::min<std::uint64_t>(left, sizeof block);
        out.write(
            static_cast<char const*>(static_cast<void const*>(block.data())),
            static_cast<std::streamsize>(part));
        left -= part;
    }
    if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

void make_files(
    fs::path const& folder, std::vector<std::pair<std::string, std::uint64_t>> const& sizes,
    std::uint64_t seed) {
    for (auto const& [name, size] : sizes) make_file(folder / name, size, ++seed * 0x1000003U);
}

void make_mixed_files(fs::path const& folder, std::uint64_t bulk, std::uint64_t seed) {
    make_files(
        folder,
        {{"bulk.bin", bulk},
         {"empty.dat", 0},
         {"one.byte", 1},
         {"a piece.bin", 65536},
         {"a piece and one.bin", 65537},
         {"deep/er/and deeper/file.txt", 4321},
         {"deep/grüße – 文件.txt", 1234},
         {"zz last.bin", 300'000}},
        seed);
}

std::string sha256_of(fs::path const& file) {
    std::ifstream in{file, std::ios::binary};
    if (!in) throw std::runtime_error("cannot read " + file.string());
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> const sum{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    EVP_DigestInit_ex(sum.get(), EVP_sha256(), nullptr);
    std::vector<char> block(1U << 18);
    while (in.read(block.data(), static_cast<std::streamsize>(block.size())), in.gcount() > 0)
        EVP_DigestUpdate(sum.get(), block.data(), static_cast<std::size_t>(in.gcount()));
    std::array<std::uint8_t, 32> digest{};
    EVP_DigestFinal_ex(sum.get(), digest.data(), nullptr);
    return text::to_hex(digest);
}

digests digests_of(fs::path const& folder) {
    digests out;
    for (auto const& entry : fs::recursive_directory_iterator{folder})
        if (entry.is_regular_file())
            out.emplace(entry.path().lexically_relative(folder).string(), sha256_of(entry.path()));
    return out;
}

std::uint64_t bytes_in(fs::path const& folder) {
    std::uint64_t out = 0;
    for (auto const& entry : fs::recursive_directory_iterator{folder})
        if (entry.is_regular_file()) out += entry.file_size();
    return out;
}

std::vector<std::string> torrent::tracker_hashes() const {
    std::vector<std::string> out;
    if (!v1.empty()) out.push_back(v1);
    if (!v2.empty()) out.push_back(v2.substr(0, 40)); // BEP 52: cut to 20 bytes
    return out;
}

std::string torrent::magnet() const {
    std::string out = "magnet:?";
    if (!v1.empty()) out += "xt=urn:btih:" + v1 + '&';
    if (!v2.empty()) out += "xt=urn:btmh:1220" + v2 + '&';
    out += "dn=" + text::percent_encode(name);
    for (auto const& url : trackers) out += "&tr=" + text::percent_encode(url);
    return out;
}

} // namespace ccbt::support
