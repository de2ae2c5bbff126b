// SPDX-License-Identifier: MIT
#include "flash.h"

#include <string.h>

static unsigned char blocks[FLASH_BLOCKS][FLASH_BLOCK];
static uint32_t erasures[FLASH_BLOCKS];
static uint32_t left;        // operations until the power goes
static uint32_t tear, noise; // what becomes of that one
static bool off;

// Returns false where the power goes now, or is off.
static bool operation(void)
{
    return !off && left-- != 0;
}

// Is this byte of the operation done on which the cut falls? None is, all are, or some.
static bool is_done(void)
{
    noise = noise * 1664525u + 1013904223u;
    return tear == 0 ? false : tear == 1 ? true : noise >> 31 != 0;
}

static int flash_read(void *context, uint32_t block, uint32_t offset, void *bytes, size_t size)
{
    (void)context;
    memcpy(bytes, &blocks[block][offset], size);
    return off ? CAIRN_EIO : 0;
}

static int flash_program(void *context, uint32_t block, uint32_t offset, const void *bytes, size_t size)
{
    const unsigned char *const from = bytes;
    const bool whole = operation();
    (void)context;
    for (size_t i = 0; i < size && !off; i++)
        if (whole || is_done())
            blocks[block][offset + i] &= from[i]; // ones become zeros, and never back
    off = !whole;
    return off ? CAIRN_EIO : 0;
}

static int flash_erase(void *context, uint32_t block)
{
    const bool whole = operation();
    (void)context;
    erasures[block] += !off;
    for (size_t i = 0; i < FLASH_BLOCK && !off; i++)
        if (whole || is_done())
            blocks[block][i] = 0xFF;
    off = !whole;
    return off ? CAIRN_EIO : 0;
}

const struct cairn_port_flash flash = {
    .read = flash_read, .program = flash_program, .erase = flash_erase, .erase_size = FLASH_BLOCK, .program_size = 4, .blocks = FLASH_BLOCKS};

void flash_make(void)
{
    memset(blocks, 0xFF, sizeof blocks);
}

void flash_power(uint32_t operations, uint32_t seed)
{
    left = operations;
    tear = seed % 3;
    noise = seed;
    off = false;
}

bool flash_is_off(void)
{
    return off;
}

uint32_t flash_erasures(uint32_t block)
{
    return erasures[block];
}
