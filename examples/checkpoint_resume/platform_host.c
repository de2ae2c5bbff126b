// SPDX-License-Identifier: MIT
//
// OWNS        nothing. CALLERS: as platform.h says.
#include "platform.h"

#include <stdio.h>

size_t platform_load(const char *path, void *bytes, size_t size)
{
    FILE *const file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    const size_t got = fread(bytes, 1, size, file);
    (void)fclose(file);
    return got;
}

bool platform_save(const char *path, const void *bytes, size_t size)
{
    FILE *const file = fopen(path, "wb");
    if (file == NULL)
        return false;
    const bool is_whole = fwrite(bytes, 1, size, file) == size;
    return fclose(file) == 0 && is_whole;
}
