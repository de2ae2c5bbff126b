// SPDX-License-Identifier: MIT
//
// OWNS: flash.h says what. CALLERS: flash.h says who.
#include "flash.h"

#include <string.h>

enum { BROKEN = 1, MARKED = 2 };

static unsigned char *at(const struct flash *flash, uint32_t block, uint32_t offset)
{
    return flash->bytes + (size_t)block * flash->port.erase_size + offset;
}

static bool is_inside(struct flash *flash, uint32_t block, uint32_t offset, size_t size)
{
    const bool inside = block < flash->port.blocks && offset <= flash->port.erase_size && size <= flash->port.erase_size - offset;
    flash->breaches += !inside;
    return inside;
}

static int flash_read(void *context, uint32_t block, uint32_t offset, void *bytes, size_t size)
{
    struct flash *const flash = context;
    if (!is_inside(flash, block, offset, size) || flash->reads++ == flash->fail_read_at) {
        return FLASH_ERROR;
    }
    memcpy(bytes, at(flash, block, offset), size);
    return 0;
}

// A byte of an operation of `size` bytes as the cut leaves it.
static unsigned char torn(const struct flash *flash, size_t i, size_t size, unsigned char old, unsigned char new)
{
    const size_t front = flash->torn_bytes != 0 ? flash->torn_bytes : size / 2;
    switch (flash->tear) {
    case TEAR_FRONT: return i < front ? new : old;
    case TEAR_BACK: return i < size / 2 ? old : new;
    case TEAR_BITS: return (unsigned char)((old & 0x55) | (new & 0xAA));
    case TEAR_ALL: return new;
    default: return old;
    }
}

// Put the bytes, NULL for an erasure, there. Returns what the operation answers.
static int operate(struct flash *flash, uint32_t block, uint32_t offset, const unsigned char *bytes, size_t size)
{
    unsigned char *const to = at(flash, block, offset);
    if (flash->dead) {
        return FLASH_ERROR;
    }
    const uint32_t number = flash->operations++;
    if (number == flash->fail_at) {
        flash->flags[block] |= BROKEN;
    }
    flash->dead = number == flash->cut_at;
    const bool broken = (flash->flags[block] & BROKEN) != 0;
    for (size_t i = 0; i < size; i++) {
        const unsigned char new = bytes != NULL ? bytes[i] & to[i] : 0xFF;
        if (flash->dead) {
            to[i] = torn(flash, i, size, to[i], new);
        } else if (!broken || i < size / 2) {
            to[i] = new;
        }
    }
    return flash->dead || broken ? FLASH_ERROR : 0;
}

static int flash_program(void *context, uint32_t block, uint32_t offset, const void *bytes, size_t size)
{
    struct flash *const flash = context;
    if (!is_inside(flash, block, offset, size)) {
        return FLASH_ERROR;
    }
    flash->breaches += (offset | size) % flash->port.program_size != 0;
    for (size_t i = 0; i < size && !flash->dead; i++) {
        flash->breaches += at(flash, block, offset)[i] != 0xFF;
    }
    return operate(flash, block, offset, bytes, size);
}

static int flash_erase(void *context, uint32_t block)
{
    struct flash *const flash = context;
    if (!is_inside(flash, block, 0, flash->port.erase_size)) {
        return FLASH_ERROR;
    }
    flash->erases[block] += !flash->dead;
    return operate(flash, block, 0, NULL, flash->port.erase_size);
}

static bool flash_is_bad(void *context, uint32_t block)
{
    const struct flash *const flash = context;
    return (flash->flags[block] & MARKED) != 0;
}

static void flash_mark_bad(void *context, uint32_t block)
{
    struct flash *const flash = context;
    flash->flags[block] |= flash->dead ? 0 : MARKED;
}

void flash_init(struct flash *flash, unsigned char *bytes, uint32_t *erases, unsigned char *flags, uint32_t blocks, uint32_t erase_size, uint32_t program_size,
                bool remembers)
{
    memset(bytes, 0xFF, (size_t)blocks * erase_size);
    memset(erases, 0, blocks * sizeof *erases);
    memset(flags, 0, blocks);
    *flash = (struct flash){.port = {.context = flash,
                                     .read = flash_read,
                                     .program = flash_program,
                                     .erase = flash_erase,
                                     .is_bad = remembers ? flash_is_bad : NULL,
                                     .mark_bad = remembers ? flash_mark_bad : NULL,
                                     .erase_size = erase_size,
                                     .program_size = program_size,
                                     .blocks = blocks},
                            .bytes = bytes,
                            .erases = erases,
                            .flags = flags,
                            .fail_read_at = FLASH_NEVER};
    flash_power(flash);
}

void flash_power(struct flash *flash)
{
    flash->dead = false;
    flash->operations = 0;
    flash->cut_at = FLASH_NEVER;
    flash->fail_at = FLASH_NEVER;
}

void flash_break(struct flash *flash, uint32_t block)
{
    flash->flags[block] |= BROKEN;
}

uint32_t flash_spread(const struct flash *flash)
{
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;
    for (uint32_t block = 0; block < flash->port.blocks; block++) {
        least = flash->erases[block] < least ? flash->erases[block] : least;
        most = flash->erases[block] > most ? flash->erases[block] : most;
    }
    return most - least;
}
