// SPDX-License-Identifier: MIT
//
// OWNS        nothing. CALLERS: as platform.h says.
#include "platform.h"

#include "semihost.h"

size_t platform_load(const char *path, void *bytes, size_t size)
{
    const int file = semihost_open(path, SEMIHOST_READ);
    if (file <= 0)
        return 0;
    const size_t got = semihost_read(file, bytes, size);
    (void)!semihost_close(file);
    return got;
}

bool platform_save(const char *path, const void *bytes, size_t size)
{
    const int file = semihost_open(path, SEMIHOST_WRITE);
    if (file <= 0)
        return false;
    const bool is_whole = semihost_write(file, bytes, size) == size;
    return semihost_close(file) == 0 && is_whole;
}
