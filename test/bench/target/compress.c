// SPDX-License-Identifier: MIT
//
// Pages of a file through the codec and the compressed store: what they are compressed to, and the instructions.
//
//   compress FILE PAGE [CHUNK]    prints name,calls,average,maximum: encode, decode (of the pages that are accepted), write, read (through the store:
//                                 hash, search, copies, sum and all); and name,pages,bytes: page.encoded (a page that is not accepted counts whole),
//                                 page.held (chunks), page.cost (all but the area)
//
// OWNS        a store of as many slots as there are pages.
// INVARIANTS  1. Counted as all calls are: the BLX, the body, the return (counter.h).
//             2. Each page is read back, by the codec and from the store, and is what it was.
// COST        some ten million instructions for 1,000 pages of 1 KB.
// CALLERS     compress.sh; start-up.
#include <stdlib.h>
#include <string.h>

#include "area.h"
#include "cairn/compressed.h"
#include "counter.h"
#include "print.h"
#include "semihost.h"
#include "tally.h"
#include "vm/codec.h"

enum row { ENCODE, DECODE, WRITE, READ, ROWS };

static const char *const names[ROWS] = {"encode", "decode", "write", "read"};

static _Alignas(4) unsigned char page[4096], back[4096], encoding[4096 + CODEC_SLACK], table[CODEC_TABLE];
static struct cairn_store_compressed compressed;
static struct tally tallies[ROWS];
static uint32_t encoded; // bytes, of all pages

static uint32_t length;
static bool decoded;

// Five arguments are one too many to be counted: the wrappers' own instructions are taken off.
static __attribute__((noinline)) uint32_t encode(uint32_t size)
{
    return length = cairn_codec_encode_(page, size, encoding, size / 4 * 3, table);
}

static __attribute__((noinline)) bool decode(uint32_t size)
{
    return decoded = cairn_codec_decode_(encoding, length, back, size);
}

static void note(enum row row, uint32_t instructions)
{
    tally_add(&tallies[row], instructions);
}

static bool same(uint32_t size)
{
    return memcmp(page, back, size) == 0;
}

static bool run_codec(uint32_t size)
{
    uint32_t instructions;
    (void)counter_call(&instructions, (counter_function)encode, size, 0, 0, 0);
    note(ENCODE, instructions);
    encoded += length == 0 ? size : length;
    if (length == 0) {
        return true;
    }
    memset(back, 0x5A, size);
    (void)counter_call(&instructions, (counter_function)decode, size, 0, 0, 0);
    note(DECODE, instructions);
    return decoded && same(size);
}

static bool run_store(uint32_t slot, uint32_t size)
{
    uint32_t instructions;
    if (counter_call(&instructions, (counter_function)compressed.store.write, (uintptr_t)&compressed, slot, (uintptr_t)page, 0) != 0) {
        return false;
    }
    note(WRITE, instructions);
    memset(back, 0x5A, size);
    if (counter_call(&instructions, (counter_function)compressed.store.read, (uintptr_t)&compressed, slot, (uintptr_t)back, 0) != 0) {
        return false;
    }
    note(READ, instructions);
    return same(size);
}

static bool begin(uint32_t size, uint32_t chunk, uint32_t slots)
{
    struct area area = {board_heap_area()};
    struct cairn_store_compressed_config config = {.page = size, .slots = slots, .chunk = chunk};
    config.size = cairn_store_compressed_size(&config, (size_t)slots * size);
    if (config.size == 0) {
        config.size = cairn_store_compressed_size(&config, 65534u * (chunk == 0 ? 32u : chunk));
    }
    config.memory = area_take(&area, config.size);
    return cairn_store_compressed_init(&compressed, &config) == 0;
}

static void print_bytes(struct line *line, const char *name, uint32_t pages, uint32_t bytes)
{
    line_text(line, name);
    line_text(line, ",");
    line_number(line, pages);
    line_text(line, ",");
    line_number(line, bytes);
    line_end(line);
}

int main(int argc, char **argv)
{
    struct line line = {0};
    struct cairn_store_compressed_stats stats;
    const uint32_t size = argc < 3 ? 0 : (uint32_t)strtoul(argv[2], NULL, 10);
    const int file = size == 0 || size > sizeof page ? -1 : semihost_open(argv[1], SEMIHOST_READ);
    const uint32_t pages = file < 0 ? 0 : (uint32_t)semihost_length(file) / size;

    counter_init();
    if (!counter_is_exact() || pages == 0 || !begin(size, argc < 4 ? 0 : (uint32_t)strtoul(argv[3], NULL, 10), pages)) {
        semihost_print("compress FILE PAGE [CHUNK]: no exact clock (-icount), no pages, or no store\n");
        return 1;
    }
    for (uint32_t slot = 0; slot < pages; slot++) {
        if (semihost_read(file, page, size) != size || !run_codec(size) || !run_store(slot, size)) {
            semihost_print("compress: a page came back changed\n");
            return 1;
        }
    }
    for (int row = 0; row < ROWS; row++) {
        line_tally(&line, names[row], &tallies[row]);
    }
    cairn_store_compressed_stats(&compressed, &stats);
    print_bytes(&line, "page.encoded", pages, encoded);
    print_bytes(&line, "page.held", pages, stats.held);
    print_bytes(&line, "page.cost", pages, stats.cost);
    return 0;
}
