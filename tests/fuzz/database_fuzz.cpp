// store/sqlite_pages and sqlite_wal: a damaged database, read without SQLite. Two bytes: the size of a page, and where
// the log begins, in 64ths of the rest.
#include "fuzz.hpp"
#include "store/sqlite_pages.hpp"

#include <cstdlib>
#include <unistd.h>

namespace ccbt::fuzz {

namespace {

// The log lies beside the database, so these two need names.
class folder {
public:
    folder() {
        require(::mkdtemp(name_.data()) != nullptr, "there is room for a file");
        database = name_ + "/d";
    }
    folder(folder const&) = delete;
    folder& operator=(folder const&) = delete;
    ~folder() {
        std::error_code ignored;
        std::filesystem::remove_all(name_, ignored);
    }
    static void put(std::string const& path, std::string_view bytes) {
        std::ofstream{path, std::ios::binary}.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    std::string database;

private:
    std::string name_ = "/dev/shm/fuzz-XXXXXX";
};

std::size_t bytes_of(store::stored_row const& row) {
    std::size_t n = 0;
    for (auto const& v : row.values) {
        if (auto const* s = std::get_if<std::string>(&v)) n += s->size();
        if (auto const* b = std::get_if<store::blob_value>(&v)) n += b->bytes.size();
    }
    return n;
}

} // namespace

void look_at(std::string_view bytes) {
    static folder const at;
    auto const size = std::uint32_t{512} << take_byte(bytes) % 4;
    auto const split = bytes.size() * (take_byte(bytes) % 65) / 64;
    auto const log = bytes.substr(std::min(split, bytes.size()));
    folder::put(at.database, bytes.substr(0, split));
    folder::put(at.database + "-wal", log);
    (void)store::decode_record(std::string{bytes});

    auto seen = store::read_wal(at.database + "-wal", size);
    for (auto const& [page, place] : seen.pages)
        require(place >= 0 && place + size <= std::int64_t(log.size()), "a page of the log lies in it");
    store::page_file file{at.database, std::move(seen), size};
    std::size_t read = 0;
    auto const take = [&](store::stored_row row) { read = std::max(read, bytes_of(row)); };
    for (auto const& [name, root] : file.tables()) (void)file.walk(root, take);
    (void)file.walk(1, take);
    file.scan_rest(
        take, [](std::uint32_t done, std::uint32_t of) { require(done <= of, "it comes to an end"); });
    require(read <= bytes.size(), "no row has more bytes than there are");
}

} // namespace ccbt::fuzz
