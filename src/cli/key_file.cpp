#include "cli/key_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ccbt::cli {

namespace fs = std::filesystem;

namespace {

class open_file {
public:
    explicit open_file(int fd) : fd_{fd} {}
    ~open_file() {
        if (fd_ >= 0) ::close(fd_);
    }
    open_file(open_file const&) = delete;
    open_file& operator=(open_file const&) = delete;
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

} // namespace

fs::path key_file_of(std::string const& written, std::string const& home) {
    if (written.starts_with("~/")) return fs::path{home} / written.substr(2);
    if (written.find('/') != std::string::npos) return written;
    return fs::path{home} / ".config/ccbt/keys" / written;
}

expected<crypto::secret_key, std::string> read_key_file(fs::path const& file) {
    auto const wrong = [&](std::string const& why) {
        return unexpected<std::string>{file.string() + ": " + why};
    };
    open_file const in{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (in.get() < 0) return wrong(std::strerror(errno));
    struct stat facts {};
    if (::fstat(in.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return wrong("is no file");
    if ((facts.st_mode & 077) != 0) return wrong("other users may read this key: chmod 600 it");
    std::array<char, 4096> text{};
    auto const n = ::read(in.get(), text.data(), text.size());
    if (n < 0) return wrong(std::strerror(errno));
    auto const read = crypto::from_pem({text.data(), static_cast<std::size_t>(n)});
    if (!read) return wrong("holds no Ed25519 key in PEM");
    return *read;
}

expected<void, std::string> write_key_file(fs::path const& file, crypto::secret_key const& secret) {
    auto const wrong = [&](std::string const& why) {
        return unexpected<std::string>{file.string() + ": " + why};
    };
    fs::path so_far;
    for (auto const& part : file.parent_path()) {
        so_far /= part;
        ::mkdir(so_far.c_str(), 0700); // what is missing; the open below says where that was not possible
    }
    open_file const out{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (out.get() < 0) return wrong(errno == EEXIST ? "is there already" : std::strerror(errno));
    auto const text = crypto::to_pem(secret);
    auto const n = ::write(out.get(), text.data(), text.size());
    if (text.empty() || n != static_cast<ssize_t>(text.size()) || ::fsync(out.get()) != 0) {
        ::unlink(file.c_str());
        return wrong("could not be written");
    }
    return {};
}

} // namespace ccbt::cli
