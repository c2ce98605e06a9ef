// A key pair that signs requests as a stranger would: with the program openssl, and nothing of our own in it.
#pragma once

#include "support/http.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace ccbt::support {

class signer {
public:
    /// Makes a key pair in `folder`.
    signer(std::filesystem::path const& folder, std::string const& name);

    [[nodiscard]] std::string const& public_key() const { return public_key_; } // 64 hex digits
    [[nodiscard]] std::filesystem::path const& pem() const { return pem_; }

    /// Signs "<METHOD> <target>\n<timestamp>\n<sha256(body) hex>"; the three headers.
    [[nodiscard]] headers sign(
        std::string_view method, std::string_view target, std::string_view body = {},
        std::string const& timestamp = now_text(0)) const;
    /// Signs any text: 128 hex digits.
    [[nodiscard]] std::string sign_text(std::string const& text) const;
    /// Unix seconds with their fraction: no two calls the same.
    [[nodiscard]] static std::string now_text(double shifted_by = 0);

private:
    std::filesystem::path folder_, pem_;
    std::string public_key_;
};

} // namespace ccbt::support
