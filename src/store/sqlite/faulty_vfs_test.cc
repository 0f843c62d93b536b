#include "store/sqlite/faulty_vfs.h"

#include "base/assert.h"

#include <cstddef>

namespace tagout::store {

namespace {

sqlite3_vfs* base_vfs() {
    return sqlite3_vfs_find(nullptr);
}

/// Our file in front, the real one behind it in the same allocation.
struct FaultyFile {
    sqlite3_file head;
    FaultyVfs* vfs;
    sqlite3_file* real() {
        return reinterpret_cast<sqlite3_file*>(reinterpret_cast<std::byte*>(this) + size);
    }
    static const std::size_t size;
};
constexpr std::size_t rounded = (sizeof(sqlite3_file) + sizeof(void*) + 15) / 16 * 16;
const std::size_t FaultyFile::size = rounded;

FaultyFile& faulty(sqlite3_file* file) {
    return *reinterpret_cast<FaultyFile*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
    return faulty(file).real();
}

int close_file(sqlite3_file* f) {
    return real(f)->pMethods->xClose(real(f));
}
int read_file(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
    return real(f)->pMethods->xRead(real(f), to, size, at);
}
int write_file(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
    const int code = faulty(f).vfs->next_change();
    return code != SQLITE_OK ? code : real(f)->pMethods->xWrite(real(f), from, size, at);
}
int truncate_file(sqlite3_file* f, sqlite3_int64 size) {
    const int code = faulty(f).vfs->next_change();
    return code != SQLITE_OK ? code : real(f)->pMethods->xTruncate(real(f), size);
}
int sync_file(sqlite3_file* f, int flags) {
    const int code = faulty(f).vfs->next_change();
    return code != SQLITE_OK ? code : real(f)->pMethods->xSync(real(f), flags);
}
int file_size(sqlite3_file* f, sqlite3_int64* size) {
    return real(f)->pMethods->xFileSize(real(f), size);
}
int lock_file(sqlite3_file* f, int kind) {
    return real(f)->pMethods->xLock(real(f), kind);
}
int unlock_file(sqlite3_file* f, int kind) {
    return real(f)->pMethods->xUnlock(real(f), kind);
}
int check_lock(sqlite3_file* f, int* held) {
    return real(f)->pMethods->xCheckReservedLock(real(f), held);
}
int control(sqlite3_file* f, int operation, void* argument) {
    return real(f)->pMethods->xFileControl(real(f), operation, argument);
}
int sector_size(sqlite3_file* f) {
    return real(f)->pMethods->xSectorSize(real(f));
}
int characteristics(sqlite3_file* f) {
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}
int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** to) {
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, to);
}
int shm_lock(sqlite3_file* f, int offset, int n, int flags) {
    return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}
void shm_barrier(sqlite3_file* f) {
    real(f)->pMethods->xShmBarrier(real(f));
}
int shm_unmap(sqlite3_file* f, int remove) {
    return real(f)->pMethods->xShmUnmap(real(f), remove);
}

const sqlite3_io_methods methods{
    2,          close_file,   read_file,   write_file, truncate_file, sync_file,
    file_size,  lock_file,    unlock_file, check_lock, control,       sector_size,
    characteristics, shm_map, shm_lock,    shm_barrier, shm_unmap,    nullptr,
    nullptr,
};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    FaultyFile& wrapped = faulty(file);
    wrapped.vfs = static_cast<FaultyVfs*>(vfs->pAppData);
    wrapped.head.pMethods = nullptr;
    const int code = base_vfs()->xOpen(base_vfs(), name, wrapped.real(), flags, out_flags);
    if (wrapped.real()->pMethods != nullptr) {
        wrapped.head.pMethods = &methods;
    }
    return code;
}

}  // namespace

FaultyVfs::FaultyVfs(std::string name) : name_(std::move(name)), vfs_(*base_vfs()) {
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.xOpen = open_file;
    vfs_.szOsFile = base_vfs()->szOsFile + static_cast<int>(rounded);
    vfs_.pNext = nullptr;
    // The other calls take the VFS they are given only for its pAppData, which unix uses to choose
    // its lock style in xOpen; that call goes to the real one.
    TAGOUT_ASSERT(sqlite3_vfs_register(&vfs_, 0) == SQLITE_OK, "a VFS may be added at any time");
}

FaultyVfs::~FaultyVfs() {
    sqlite3_vfs_unregister(&vfs_);
}

void FaultyVfs::fail_from(int n, int code) {
    failed_ = false;
    code_ = code;
    left_ = n;
}

void FaultyVfs::heal() {
    left_ = 0;
}

int FaultyVfs::next_change() {
    if (left_ == 0) {
        return SQLITE_OK;
    }
    if (left_ > 1) {
        --left_;
        return SQLITE_OK;
    }
    failed_ = true;
    return code_;
}

}  // namespace tagout::store
