#include "support/signer.hpp"

#include "base/text.hpp"

#include <atomic>
#include <chrono>
#include <fmt/core.h>
#include <stdexcept>

namespace ccbt::support {

namespace {

void must(std::vector<std::string> argv) {
    auto const how = run(std::move(argv), milliseconds{10'000});
    if (how.code != 0) throw std::runtime_error("openssl: " + how.err);
}

std::string hex_of(std::string const& bytes) {
    return text::to_hex({reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()});
}

} // namespace

signer::signer(std::filesystem::path const& folder, std::string const& name)
    : folder_{folder}, pem_{folder / (name + ".pem")} {
    std::filesystem::create_directories(folder);
    must({"openssl", "genpkey", "-algorithm", "ed25519", "-out", pem_});
    auto const der = folder / (name + ".der");
    must({"openssl", "pkey", "-in", pem_, "-pubout", "-outform", "DER", "-out", der});
    auto const bytes = read_file(der);
    public_key_ = hex_of(bytes.substr(bytes.size() - 32));
}

std::string signer::sign_text(std::string const& text) const {
    auto const in = folder_ / "signed", out = folder_ / "signature";
    write_file(in, text);
    must({"openssl", "pkeyutl", "-sign", "-rawin", "-inkey", pem_, "-in", in, "-out", out});
    return hex_of(read_file(out));
}

headers signer::sign(
    std::string_view method, std::string_view target, std::string_view body,
    std::string const& timestamp) const {
    auto const in = folder_ / "body", out = folder_ / "digest";
    write_file(in, body);
    must({"openssl", "dgst", "-sha256", "-binary", "-out", out, in});
    auto const text = fmt::format("{} {}\n{}\n{}", method, target, timestamp, hex_of(read_file(out)));
    return {
        {"X-CCBT-Public-Key", public_key_},
        {"X-CCBT-Timestamp", timestamp},
        {"X-CCBT-Signature", sign_text(text)}};
}

std::string signer::now_text(double shifted_by) {
    static std::atomic<int> count{0};
    auto const now = std::chrono::system_clock::now().time_since_epoch();
    auto const seconds = std::chrono::duration<double>(now).count() + shifted_by;
    return fmt::format("{:.6f}{:03}", seconds, ++count % 1000);
}

} // namespace ccbt::support
