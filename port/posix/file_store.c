// SPDX-License-Identifier: MIT
//
// A store in a file.
// OWNS: file_store.h says what. CALLERS: through struct cairn_port_store.
#define _GNU_SOURCE // fallocate
#define _FILE_OFFSET_BITS 64
#include "file_store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int last_error(void)
{
    return errno == ENOSPC ? CAIRN_ENOMEM : -errno;
}

static off_t place_of(const struct posix_file_store *store, uint32_t slot)
{
    return (off_t)slot * store->store.page;
}

static int read_slot(void *context, uint32_t slot, void *page)
{
    const struct posix_file_store *const store = context;
    const size_t size = store->store.page;
    size_t done = 0;
    if (slot >= store->store.slots) {
        return CAIRN_EINVAL;
    }
    while (done < size) {
        const ssize_t got = pread(store->file, (unsigned char *)page + done, size - done, place_of(store, slot) + (off_t)done);
        if (got == 0) {
            memset((unsigned char *)page + done, 0, size - done); // behind the end
            return 0;
        }
        if (got < 0 && errno != EINTR) {
            return last_error();
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

static int write_slot(void *context, uint32_t slot, const void *page)
{
    const struct posix_file_store *const store = context;
    const size_t size = store->store.page;
    size_t done = 0;
    if (slot >= store->store.slots) {
        return CAIRN_EINVAL;
    }
    while (done < size) {
        const ssize_t put = pwrite(store->file, (const unsigned char *)page + done, size - done, place_of(store, slot) + (off_t)done);
        if (put < 0 && errno != EINTR) {
            return last_error();
        }
        if (put == 0) {
            return CAIRN_ENOMEM; // a device ends here
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return 0;
}

static void trim_slot(void *context, uint32_t slot)
{
#if defined(FALLOC_FL_PUNCH_HOLE) && defined(FALLOC_FL_KEEP_SIZE)
    const struct posix_file_store *const store = context;
    if (slot < store->store.slots) {
        const int kept = errno;
        (void)fallocate(store->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, place_of(store, slot), (off_t)store->store.page);
        errno = kept; // where it cannot be done nothing is lost
    }
#else
    (void)context;
    (void)slot;
#endif
}

static int sync_file(void *context)
{
    const struct posix_file_store *const store = context;
    int result;
    do {
        result = fsync(store->file);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : last_error();
}

int posix_file_store_init(struct posix_file_store *store, int file, uint32_t page, uint32_t slots)
{
    if (store == NULL || file < 0 || page == 0 || slots == 0) {
        return CAIRN_EINVAL;
    }
    const uint64_t most = sizeof(off_t) == 8 ? (uint64_t)INT64_MAX : (uint64_t)INT32_MAX;
    if ((uint64_t)page * slots > most) {
        return CAIRN_EOVERFLOW;
    }
    store->file = file;
    store->store = (struct cairn_port_store){.context = store,
                                             .read = read_slot,
                                             .write = write_slot,
                                             .trim = trim_slot,
                                             .sync = sync_file,
                                             .page = page,
                                             .slots = slots};
    return 0;
}
