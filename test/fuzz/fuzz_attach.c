// SPDX-License-Identifier: MIT
//
// Fuzz target: bytes from outside as an image for cairn_heap_attach. It must refuse them and change nothing, or yield a heap that works.
//
// PICTURE: first byte 128 and more: the rest is the image. Below: the rest makes a heap, uses it, and then changes bytes of its image.
// OWNS: nothing. CALLERS: libFuzzer; replay.c.
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note_report(void *context, const struct cairn_report *report)
{
    (void)report;
    ++*(uint32_t *)context;
}

static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .report = note_report};

// Attach to `image`, whose tags are at `tags` or inside.
static void attach(const unsigned char *image, size_t lead, size_t size, const void *tags, size_t tags_size, struct input *input)
{
    uint32_t reports = 0;
    unsigned char *const region = malloc(size + lead);
    unsigned char *const outside = tags == NULL ? NULL : malloc(tags_size);
    MUST(region != NULL);
    memcpy(region + lead, image, size);
    if (tags != NULL) {
        memcpy(outside, tags, tags_size);
    }
    struct cairn_heap heap = {0};
    const struct cairn_heap_config config = {.tags = outside, .tags_size = tags_size, .hooks = &hooks, .context = &reports};
    const int error = cairn_heap_attach(&heap, region + lead, size, &config);
    MUST(error == 0 || error == CAIRN_ECORRUPT || error == CAIRN_EINVAL || error == CAIRN_ENOMEM);
    MUST(memcmp(region + lead, image, size) == 0 && (tags == NULL || memcmp(outside, tags, tags_size) == 0));
    if (error == 0) {
        struct cairn_heap_stats stats;
        cairn_heap_stats(&heap, &stats);
        MUST(cairn_heap_check(&heap, NULL) == 0);
        uint32_t cursor = 0;
        do {
            MUST(cairn_heap_check_step(&heap, &cursor, 1, NULL) == 0);
        } while (cursor != 0);
        exercise(&heap, input, &reports);
        cairn_heap_deinit(&heap);
    } else {
        MUST(heap.control == NULL);
    }
    free(region);
    free(outside);
}

static void attach_changed(struct input *input)
{
    struct ground ground;
    if (!ground_init(&ground, input)) {
        return;
    }
    exercise(&ground.heap, input, &ground.reports);
    const size_t tags_size = ground.tags == NULL ? 0 : cairn_heap_tags_size(ground.max_size);
    const uint32_t changes = input_byte(input) % 5;
    for (uint32_t i = 0; i < changes; i++) {
        const uint32_t where = input_half(input);
        const uint8_t mask = input_byte(input);
        if (ground.tags != NULL && (where & 1) != 0) {
            ((unsigned char *)ground.tags)[where / 2 % tags_size] ^= mask;
        } else {
            // mostly the front of the image, where all but the links is
            ground.region[where / 4 % ((where & 2) != 0 && ground.size > 200 ? 200 : ground.size)] ^= mask;
        }
    }
    attach(ground.region, (size_t)((uintptr_t)ground.region & 15), ground.size, ground.tags, tags_size, input);
    ground_deinit(&ground);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    if (input_byte(&input) < 128) {
        attach_changed(&input);
    } else {
        struct input tail = {data + size / 2, size / 2};
        attach(input.at, 0, input.left, NULL, 0, &tail);
    }
    return 0;
}
