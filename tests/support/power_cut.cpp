#include "support/power_cut.hpp"

#include "support/process.hpp"

#include <cstring>
#include <map>
#include <set>
#include <stdexcept>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;
using power_cut::kind;

constexpr std::size_t sector = 4096;

std::string parent_of(std::string const& path) { return fs::path{path}.parent_path().string(); }
std::string leaf_of(std::string const& path) { return fs::path{path}.filename().string(); }

/// A file or folder, with all that happened to it in order.
struct node {
    struct change {
        std::size_t index;
        kind what;
        std::uint64_t at;
        std::string const* data; // of a write
        std::string gone, made;  // in a folder: names
        int child;
    };
    bool is_folder = false;
    std::size_t synced = 0; // changes before this index are safe
    std::vector<change> changes;
};

struct disk {
    std::vector<node> nodes{{.is_folder = true}};
    std::map<std::string, int> names{{"", 0}}; // as the process sees them
    std::map<std::uint64_t, int> by_inode{{power_cut::root_inode, 0}};
    std::map<std::uint64_t, std::size_t> begun; // syncs

    int made(std::string const& path, bool is_folder) {
        nodes.push_back({.is_folder = is_folder});
        auto const id = static_cast<int>(nodes.size()) - 1;
        names[path] = id;
        return id;
    }
    node& at(int id) { return nodes[static_cast<std::size_t>(id)]; }
    /// A folder that was there before the log began.
    int folder(std::string const& path) {
        if (auto const known = names.find(path); known != names.end()) return known->second;
        auto const above = folder(parent_of(path));
        auto const id = made(path, true);
        at(above).synced = std::max<std::size_t>(at(above).synced, 1);
        at(above).changes.insert(
            at(above).changes.begin(), {0, kind::create, 0, nullptr, {}, leaf_of(path), id});
        return id;
    }
    void name(std::size_t index, std::string const& gone, std::string const& made, int child) {
        auto const in = folder(parent_of(made.empty() ? gone : made));
        at(in).changes.push_back(
            {index, kind::rename, 0, nullptr, gone.empty() ? "" : leaf_of(gone),
             made.empty() ? "" : leaf_of(made), child});
    }
};

std::string content_of(node const& of, chances survives, std::mt19937_64& random) {
    std::bernoulli_distribution stays{survives.data}, size_stays{survives.sizes};
    std::string out;
    for (auto const& one : of.changes) {
        auto const is_safe = one.index < of.synced;
        if (one.what == kind::resize) {
            if (is_safe || size_stays(random)) out.resize(one.at);
            continue;
        }
        for (std::size_t from = 0; from < one.data->size();) {
            auto const until =
                std::min(one.data->size(), (one.at + from) / sector * sector + sector - one.at);
            if (is_safe || stays(random)) {
                out.resize(std::max(out.size(), one.at + until));
                std::memcpy(out.data() + one.at + from, one.data->data() + from, until - from);
            }
            from = until;
        }
    }
    return out;
}

void build(disk const& from, int id, fs::path const& at, chances survives, std::mt19937_64& random) {
    auto const& of = from.nodes[static_cast<std::size_t>(id)];
    if (!of.is_folder) {
        write_file(at, content_of(of, survives, random));
        fs::permissions(at, fs::perms::owner_read | fs::perms::owner_write);
        return;
    }
    fs::create_directories(at);
    fs::permissions(at, fs::perms::owner_all);
    std::map<std::string, int> left;
    std::bernoulli_distribution stays{survives.names};
    for (auto const& one : of.changes) {
        if (one.index >= of.synced && !stays(random)) break; // what follows is journaled behind it
        left.erase(one.gone);
        if (!one.made.empty()) left[one.made] = one.child;
    }
    for (auto const& [name, child] : left) build(from, child, at / name, survives, random);
}

} // namespace

power_cut_log::power_cut_log(fs::path const& log) {
    auto const all = read_file(log);
    for (std::size_t at = 0; at < all.size();) {
        auto& one = records_.emplace_back();
        if (all.size() - at < sizeof one.what) throw std::runtime_error("the log of the shim is cut");
        std::memcpy(&one.what, all.data() + at, sizeof one.what);
        at += sizeof one.what;
        one.name = all.substr(at, one.what.name_bytes);
        one.data = all.substr(at + one.what.name_bytes, one.what.data_bytes);
        at += one.what.name_bytes + one.what.data_bytes;
        while (one.name.ends_with('/')) one.name.pop_back(); // mkdir("a/") makes a
    }
}

std::vector<std::size_t> power_cut_log::behind_answers() const {
    std::vector<std::size_t> out;
    for (std::size_t n = 0; n < records_.size(); ++n)
        if (records_[n].what.what == kind::answer && records_[n].what.at / 100 == 2) out.push_back(n + 1);
    return out;
}

void power_cut_log::leave(
    fs::path const& root, std::size_t cut, chances survives, std::mt19937_64& random) const {
    disk now;
    for (std::size_t n = 0; n < cut; ++n) {
        auto const index = n + 1; // 0: before the log began
        auto const& [what, name, data] = records_[n];
        auto const known = now.by_inode.find(what.inode);
        switch (what.what) {
        case kind::create:
        case kind::make_folder: {
            auto const id = now.made(name, what.what == kind::make_folder);
            now.by_inode[what.inode] = id;
            now.name(index, {}, name, id);
            break;
        }
        case kind::write:
        case kind::resize:
            if (known != now.by_inode.end())
                now.at(known->second).changes.push_back({index, what.what, what.at, &data, {}, {}, 0});
            break;
        case kind::sync_begin: now.begun[what.at] = index; break;
        case kind::sync_end:
            for (std::size_t id = 0; id < now.nodes.size(); ++id)
                if (what.inode == power_cut::every_inode ||
                    (known != now.by_inode.end() && known->second == static_cast<int>(id)))
                    now.nodes[id].synced = std::max(now.nodes[id].synced, now.begun[what.at]);
            break;
        case kind::rename:
        case kind::link: {
            auto const id = now.names.at(name);
            if (what.what == kind::rename) now.names.erase(name);
            now.names[data] = id;
            auto const gone = what.what == kind::rename ? name : std::string{};
            if (parent_of(name) == parent_of(data)) {
                now.name(index, gone, data, id);
            } else {
                if (!gone.empty()) now.name(index, gone, {}, 0);
                now.name(index, {}, data, id);
            }
            break;
        }
        case kind::unlink:
            now.names.erase(name);
            now.name(index, name, {}, 0);
            break;
        case kind::answer: break;
        }
    }
    std::set<std::string> tops;
    for (auto const& one : now.nodes[0].changes) tops.insert(one.made);
    for (auto const& one : records_)
        if (!one.name.empty()) tops.insert(one.name.substr(0, one.name.find('/')));
    for (auto const& top : tops)
        if (!top.empty()) fs::remove_all(root / top);
    build(now, 0, root, survives, random);
}

} // namespace ccbt::support
