#include "executor/roots.hpp"

#include "base/beneath.hpp"
#include "base/safeguard.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace ccbt::executor {

namespace fs = std::filesystem;
using contract::errc;
using contract::fails;
using model::storage_root;
using model::torrent_id;

namespace {

std::string marker_text(torrent_id id) {
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[i] = static_cast<std::uint8_t>(id.high >> (56 - 8 * i));
        bytes[8 + i] = static_cast<std::uint8_t>(id.low >> (56 - 8 * i));
    }
    return text::to_hex(bytes);
}

std::optional<torrent_id> read_marker(std::string const& folder, int& error) {
    auto const path = folder + '/' + root_marker_name;
    descriptor const file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    error = file ? 0 : errno;
    if (!file) return std::nullopt;
    std::array<char, 64> buffer{};
    auto const got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 32) return std::nullopt;
    auto const bytes = text::from_hex(std::string_view{buffer.data(), 32});
    if (!bytes) return std::nullopt;
    torrent_id id;
    for (std::size_t i = 0; i < 8; ++i) {
        id.high = id.high << 8 | (*bytes)[i];
        id.low = id.low << 8 | (*bytes)[8 + i];
    }
    return id;
}

bool write_marker(std::string const& folder, torrent_id id) {
    auto const path = folder + '/' + root_marker_name;
    descriptor const file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644)};
    if (!file) return false;
    auto const line = marker_text(id) + '\n';
    bool const whole = ::write(file.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                       ::fsync(file.get()) == 0;
    descriptor const above{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return whole && above && (!in_force(safeguard::directory_fsync) || ::fsync(above.get()) == 0);
}

// The folder, and what is missing above it, each synced where its name is: one that a power cut took away would be taken
// for a drive that is not mounted.
bool make_folder(fs::path const& folder) {
    std::vector<fs::path> above;
    std::error_code failed;
    for (auto at = folder; !fs::exists(at, failed) && at.has_relative_path(); at = at.parent_path())
        above.push_back(at.parent_path());
    fs::create_directories(folder, failed);
    return std::all_of(above.begin(), above.end(), [](auto const& one) {
        descriptor const open{::open(one.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        return !in_force(safeguard::directory_fsync) || (open && ::fsync(open.get()) == 0);
    });
}

// What exists of `relative` must lie beneath the root without a link on the way; what does not exist yet is made later
// by the engine, below what was looked at here. What is in the way, or 0.
int hindrance_to(std::string const& root, std::string const& relative) {
    auto const top = open_folder(root);
    if (!top) return errno == ENOENT ? 0 : errno;
    fs::path existing{relative};
    while (!existing.empty()) {
        if (open_beneath(top.get(), existing.string(), O_PATH | O_DIRECTORY)) return 0;
        if (errno != ENOENT) return errno;
        existing = existing.parent_path();
    }
    return 0;
}

} // namespace

std::string plain_path(std::string const& path) {
    auto out = fs::path{path}.lexically_normal().string();
    while (out.size() > 1 && out.ends_with('/')) out.pop_back();
    return out;
}

bool lies_below(std::string_view path, std::string_view folder) {
    if (folder == "/") return true;
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

std::string relative_to(std::string const& folder, std::string const& path) {
    if (path == folder) return {};
    return folder == "/" ? path.substr(1) : path.substr(folder.size() + 1);
}

root_check check_root(storage_root const& root) {
    if (!in_force(safeguard::root_marker)) return {root, root_state::online, {}};
    int error = 0;
    auto const found = read_marker(root.path, error);
    if (found && *found == root.id) return {root, root_state::online, {}};
    if (found) return {root, root_state::offline, "its marker is another folder's"};
    // A file system mounted read-only cannot be marked, nor written into by mistake. (A bare mount point that only
    // root may write says EACCES: that is offline.)
    if (error == ENOENT && ::access(root.path.c_str(), F_OK) == 0 && ::access(root.path.c_str(), W_OK) != 0 &&
        errno == EROFS)
        return {root, root_state::online, {}};
    return {
        root, root_state::offline,
        std::string{"its marker file "} + root_marker_name +
            " cannot be read: " + (error == 0 ? "it is damaged" : std::strerror(error))};
}

root_check adopt_root(std::string const& path) {
    bool const is_made = make_folder(path);
    storage_root root{{}, path};
    int error = 0;
    if (auto const found = read_marker(path, error)) {
        root.id = *found;
        return {root, root_state::online, {}};
    }
    root.id = contract::make_torrent_id();
    if (is_made && write_marker(path, root.id)) return {root, root_state::online, {}};
    return check_root(root);
}

roots::opened roots::open(std::vector<storage_root> stored, std::vector<std::string> const& allowed) {
    opened out;
    for (auto const& root : stored) out.known.push_back(check_root(root));
    all_ = std::move(stored);
    for (auto const& wanted : allowed) {
        auto const path = plain_path(wanted);
        auto at = std::find_if(all_.begin(), all_.end(), [&](auto const& r) { return r.path == path; });
        if (at == all_.end()) {
            auto made = adopt_root(path);
            auto const same_id =
                std::find_if(all_.begin(), all_.end(), [&](auto const& r) { return r.id == made.root.id; });
            if (same_id != all_.end() && check_root(*same_id).state == root_state::offline) {
                // The folder was moved, its marker with it: the same root at a new path.
                same_id->path = path;
                for (auto& known : out.known)
                    if (known.root.id == same_id->id) known = made;
                out.fresh.push_back(*same_id);
                allowed_.push_back(*same_id);
                continue;
            }
            if (same_id != all_.end()) { // a copy of a marked folder
                made.root.id = contract::make_torrent_id();
                made.state = root_state::offline;
                made.why = "its marker is that of " + same_id->path + ": remove the file " +
                           root_marker_name + " here";
            } else if (made.state == root_state::online) {
                out.fresh.push_back(made.root);
            } // else it could not be marked: the next start tries again, since nothing can be asked of it until then
            all_.push_back(made.root);
            at = all_.end() - 1;
            out.known.push_back(std::move(made));
        }
        allowed_.push_back(*at);
    }
    return out;
}

contract::result<roots::place> roots::resolve(std::optional<std::string> const& output_dir) const {
    if (allowed_.empty()) return fails(errc::add_torrent_forbidden, "no storage folder is configured");
    if (!output_dir || output_dir->empty()) return place{allowed_.front().id, {}};
    auto const refuse = [&] {
        return unexpected<contract::failure>{contract::failure{
            errc::add_torrent_forbidden,
            "output_dir is not within disk.allowed_paths of the daemon's configuration"}
                                                 .with("field", std::string{"output_dir"})
                                                 .with("reason", std::string{"path_not_allowed"})};
    };
    if (output_dir->find('\0') != std::string::npos) return refuse();
    auto const path =
        plain_path(output_dir->front() == '/' ? *output_dir : allowed_.front().path + '/' + *output_dir);
    storage_root const* best = nullptr;
    for (auto const& root : allowed_)
        if (lies_below(path, root.path) && (best == nullptr || root.path.size() > best->path.size()))
            best = &root;
    if (best == nullptr && !in_force(safeguard::confined_output_dir))
        return place{allowed_.front().id, fs::path{path}.lexically_relative(allowed_.front().path).string()};
    if (best == nullptr) return refuse();
    auto relative = relative_to(best->path, path);
    auto const hindrance = hindrance_to(best->path, relative);
    if (hindrance == ENOTDIR)
        return fails(
            errc::add_torrent_error, "output_dir is no folder", {{"field", std::string{"output_dir"}}});
    if (hindrance != 0) return refuse();
    return place{best->id, std::move(relative)};
}

} // namespace ccbt::executor
