// A disk for tests below SQLite: full past a size, failing at fsync, or holding an fsync until it is let go.
// It is SQLite's default file system while one lives; one at a time, and it outlives the stores upon it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <mutex>
#include <new>
#include <sqlite3.h>
#include <stdexcept>

namespace ccbt::store::test {

class faulty_disk {
public:
    faulty_disk() : below_{sqlite3_vfs_find(nullptr)}, mine_{*below_} {
        mine_.pNext = nullptr;
        mine_.zName = "faulty";
        mine_.pAppData = this;
        mine_.szOsFile = static_cast<int>(sizeof(file)) + below_->szOsFile;
        mine_.xOpen = [](sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* at, int flags, int* out) {
            auto* const self = static_cast<faulty_disk*>(vfs->pAppData);
            auto* const made =
                ::new (at) file{{nullptr}, reinterpret_cast<sqlite3_file*>(at + file_slots), self, flags};
            auto const code = self->below_->xOpen(self->below_, name, made->below, flags, out);
            if (made->below->pMethods) made->base.pMethods = &methods();
            return code;
        };
        sqlite3_vfs_register(&mine_, 1);
    }
    ~faulty_disk() {
        sqlite3_vfs_unregister(&mine_);
        sqlite3_vfs_register(below_, 1);
    }
    faulty_disk(faulty_disk const&) = delete;
    faulty_disk& operator=(faulty_disk const&) = delete;

    static constexpr std::int64_t endless = std::numeric_limits<std::int64_t>::max();
    std::atomic<std::int64_t> file_limit{endless}; // no file can be written past this size
    std::atomic<int> sync_fails_of{0};             // SQLITE_OPEN_WAL: the log; SQLITE_OPEN_MAIN_DB: the file
    std::atomic<int> syncs{0};

    void hold_syncs() {
        std::lock_guard const held{mutex_};
        holding_ = true;
    }
    void wait_until_one_is_held() {
        std::unique_lock held{mutex_};
        if (!changed_.wait_for(held, std::chrono::seconds{20}, [this] { return waiting_; }))
            throw std::runtime_error{"nothing was synced"};
    }
    void let_go() {
        std::lock_guard const held{mutex_};
        holding_ = false;
        changed_.notify_all();
    }

private:
    struct file {
        sqlite3_file base;
        sqlite3_file* below;
        faulty_disk* disk;
        int kind;
    };
    static constexpr std::size_t file_slots = sizeof(file) / sizeof(sqlite3_file);

    static sqlite3_file* below(sqlite3_file* f) { return reinterpret_cast<file*>(f)->below; }

    int sync(file* of, int flags) {
        ++syncs;
        {
            std::unique_lock held{mutex_};
            waiting_ = holding_;
            changed_.notify_all();
            changed_.wait(held, [this] { return !holding_; });
            waiting_ = false;
        }
        return (sync_fails_of & of->kind) != 0 ? SQLITE_IOERR_FSYNC
                                               : of->below->pMethods->xSync(of->below, flags);
    }

    static sqlite3_io_methods const& methods() {
        static sqlite3_io_methods const all = [] {
            sqlite3_io_methods m{};
            m.iVersion = 1;
            m.xClose = [](sqlite3_file* f) { return below(f)->pMethods->xClose(below(f)); };
            m.xRead = [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
                return below(f)->pMethods->xRead(below(f), to, n, at);
            };
            m.xWrite = [](sqlite3_file* f, void const* from, int n, sqlite3_int64 at) {
                if (at + n > reinterpret_cast<file*>(f)->disk->file_limit) return SQLITE_FULL;
                return below(f)->pMethods->xWrite(below(f), from, n, at);
            };
            m.xTruncate = [](sqlite3_file* f, sqlite3_int64 n) {
                return below(f)->pMethods->xTruncate(below(f), n);
            };
            m.xSync = [](sqlite3_file* f, int flags) {
                auto* const of = reinterpret_cast<file*>(f);
                return of->disk->sync(of, flags);
            };
            m.xFileSize = [](sqlite3_file* f, sqlite3_int64* n) {
                return below(f)->pMethods->xFileSize(below(f), n);
            };
            m.xLock = [](sqlite3_file* f, int how) { return below(f)->pMethods->xLock(below(f), how); };
            m.xUnlock = [](sqlite3_file* f, int how) { return below(f)->pMethods->xUnlock(below(f), how); };
            m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
                return below(f)->pMethods->xCheckReservedLock(below(f), out);
            };
            m.xFileControl = [](sqlite3_file* f, int op, void* with) {
                return below(f)->pMethods->xFileControl(below(f), op, with);
            };
            m.xSectorSize = [](sqlite3_file* f) { return below(f)->pMethods->xSectorSize(below(f)); };
            m.xDeviceCharacteristics = [](sqlite3_file* f) {
                return below(f)->pMethods->xDeviceCharacteristics(below(f));
            };
            return m;
        }();
        return all;
    }

    sqlite3_vfs* below_;
    sqlite3_vfs mine_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool holding_ = false, waiting_ = false;
};

} // namespace ccbt::store::test
