// The log of power_cut_shim: records, each followed by its name and its data.
#pragma once

#include <cstdint>

namespace power_cut {

enum class kind : std::uint32_t {
    create,      // inode, name
    write,       // inode, at, data
    resize,      // inode, at: the size now
    sync_begin,  // inode, at: the number of the sync
    sync_end,    // the same
    rename,      // inode, name, data: the new name
    link,        // the same
    unlink,      // inode, name; an empty folder too
    make_folder, // inode, name
    answer       // at: the HTTP status, as it leaves
};

constexpr std::uint64_t root_inode = 0;                  // of the folder that all lies in
constexpr std::uint64_t every_inode = ~std::uint64_t{0}; // of a sync of the whole file system

struct record {
    kind what;
    std::uint64_t inode = 0;
    std::uint64_t at = 0;
    std::uint64_t name_bytes = 0, data_bytes = 0; // behind it
};

} // namespace power_cut
