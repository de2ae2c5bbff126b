// SPDX-License-Identifier: MIT
//
// OWNS: nothing beyond input.h.
#include "input.h"

static void note_report(void *context, const struct cairn_report *report)
{
    struct ground *const ground = context;
    ground->report = *report;
    ground->reports++;
}

static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .report = note_report};

bool ground_init(struct ground *ground, struct input *input)
{
    static const uint16_t searches[] = {0, 1, 2, CAIRN_SEARCH_ALL};
    const uint8_t what = input_byte(input);
    const uint8_t more = input_byte(input);
    *ground = (struct ground){.size = 128 + input_half(input) % 4000};
    ground->max_size = ground->size + (more & 1u) * 16u * (more >> 2);
    const size_t lead = (more & 2) != 0 ? more >> 5 : 0;
    struct cairn_heap_config config = {
        .fit = (enum cairn_fit)(what & 3),
        .search = searches[what >> 2 & 3],
        .max_size = ground->max_size,
        .wipe = (what >> 4 & 1) != 0,
        .hooks = &hooks,
        .context = ground,
    };
    if ((what >> 5 & 1) != 0) {
        config.tags_size = cairn_heap_tags_size(ground->max_size);
        config.tags = ground->tags = malloc(config.tags_size);
    }
    ground->memory = malloc(ground->max_size + lead);
    MUST(ground->memory != NULL);
    ground->region = ground->memory + lead;
    memset(ground->memory, what, ground->max_size + lead);
    if (cairn_heap_init(&ground->heap, ground->region, ground->size, &config) != 0) {
        ground_deinit(ground);
        return false;
    }
    MUST(cairn_heap_check(&ground->heap, NULL) == 0);
    return true;
}

void ground_deinit(struct ground *ground)
{
    free(ground->memory);
    free(ground->tags);
}

struct found {
    void *blocks[256];
    uint32_t count;
    size_t used;
};

static int find(void *context, const struct cairn_block *block)
{
    struct found *const found = context;
    MUST(block->size != 0 && block->size % CAIRN_GRANULE == 0);
    if (block->used) {
        found->used += block->size;
        if (found->count < 256) {
            found->blocks[found->count++] = block->address;
        }
    }
    return 0;
}

void exercise(struct cairn_heap *heap, struct input *input, const uint32_t *reports)
{
    const uint32_t before = *reports;
    for (uint32_t round = 0; round < 8; round++) {
        struct found found = {.count = 0};
        struct cairn_heap_stats stats;
        MUST(cairn_heap_walk(heap, find, &found) == 0);
        cairn_heap_stats(heap, &stats);
        MUST(stats.used == found.used && stats.used <= stats.size && stats.largest_free <= stats.free);
        const uint8_t what = input_byte(input);
        void *const block = found.count == 0 ? NULL : found.blocks[what % found.count];
        const size_t size = input_byte(input) * (size_t)(1 + what % 16);
        if (what < 0x40) {
            cairn_heap_free(heap, block);
        } else if (what < 0x80) {
            unsigned char *const fresh = cairn_heap_alloc(heap, size);
            if (fresh != NULL) {
                memset(fresh, what, size);
            }
        } else if (what < 0xC0) {
            (void)cairn_heap_realloc(heap, block, size);
        } else {
            (void)cairn_heap_aligned_alloc(heap, (size_t)1 << what % 9, size);
        }
        MUST(cairn_heap_check(heap, NULL) == 0);
    }
    MUST(*reports == before);
}
