// SPDX-License-Identifier: MIT
//
// Prints a trace of the pages of a vm that does a little work: record_pages.sh has cairn-pages read it.
//
// OWNS        the vm.
// CALLERS     record_pages.sh, on the host.
#include <stdio.h>

#include "cairn/access.h"
#include "cairn/page_recorder.h"

#define FRAMES 8u
#define PAGES 40u

static _Alignas(256) unsigned char frames[FRAMES * 256];
static _Alignas(8) unsigned char memory[16384];
static unsigned char slots[PAGES][256];
static char buffer[100];

static int slot_read(void *context, uint32_t slot, void *page)
{
    (void)context;
    for (unsigned at = 0; at < 256; at++) {
        ((unsigned char *)page)[at] = slots[slot][at];
    }
    return 0;
}

static int slot_write(void *context, uint32_t slot, const void *page)
{
    (void)context;
    for (unsigned at = 0; at < 256; at++) {
        slots[slot][at] = ((const unsigned char *)page)[at];
    }
    return 0;
}

static int print(void *context, const char *text, size_t size)
{
    return fwrite(text, 1, size, context) == size ? 0 : CAIRN_EIO;
}

int main(void)
{
    static const struct cairn_port_store store = {.read = slot_read, .write = slot_write, .page = 256, .slots = PAGES};
    struct cairn_page_recorder recorder;
    struct cairn_vm vm;
    struct cairn_space space;
    struct cairn_mapping mapping;
    const struct cairn_vm_config config = {.page_shift = 8,
                                           .levels = 2,
                                           .bits = {4, 4},
                                           .frames = frames,
                                           .frame_count = FRAMES,
                                           .memory = memory,
                                           .size = sizeof memory,
                                           .store = &store,
                                           .reference = cairn_page_recorder_reference,
                                           .context = &recorder};
    int error = cairn_vm_init(&vm, &config);
    error = error == 0 ? cairn_space_init(&space, &vm) : error;
    error = error == 0 ? cairn_space_map(&space, &mapping, 256, PAGES * 256, CAIRN_READ | CAIRN_WRITE) : error;
    error = error == 0 ? cairn_page_recorder_init(&recorder, &space, 8, "record_pages", buffer, sizeof buffer, print, stdout) : error;
    if (error != 0) {
        return 1;
    }
    cairn_space_switch(&vm, &space);
    uint32_t random = 1;
    uint32_t word;
    for (uint32_t turn = 0; turn < 5000 && error == 0; turn++) {
        random = random * 1664525 + 1013904223;
        const cairn_vaddr_t address = 256 + (random >> 8) % (PAGES * 64) * 4;
        error = random >> 31 != 0 ? cairn_vm_store32(&vm, address, turn) : cairn_vm_load32(&vm, address, &word);
    }
    error = error == 0 ? cairn_page_recorder_flush(&recorder) : error;
    return error != 0 || recorder.lost != 0 || fflush(stdout) != 0;
}
