// Key pairs for signing, as files: PKCS#8 in PEM, 0600, in ~/.config/ccbt/keys. Blocking.
#pragma once

#include "base/crypto.hpp"
#include "base/result.hpp"

#include <filesystem>
#include <string>

namespace ccbt::cli {

/// "NAME" lies below the home folder; what has a '/' in it is a path.
[[nodiscard]] std::filesystem::path key_file_of(std::string const& written, std::string const& home);
/// The error is a sentence for people. A file that others may read is refused.
[[nodiscard]] expected<crypto::secret_key, std::string> read_key_file(std::filesystem::path const& file);
/// Folders are made 0700; a file that is there is left as it is.
[[nodiscard]] expected<void, std::string> write_key_file(
    std::filesystem::path const& file, crypto::secret_key const& secret);

} // namespace ccbt::cli
