// SPDX-License-Identifier: MIT
//
// Fuzz target: bytes from outside as the slots of an image. It must refuse them and harm nothing, or yield an image that works.
//
// PICTURE: first byte 128 and more: the rest is the slots. Below: the rest changes an image of this library's, and then bytes of it. Bit 0: the sums are
// put right.
// OWNS: nothing. CALLERS: libFuzzer; replay.c.
#include "cairn/image.h"
#include "cairn/store.h"
#include "input.h"
#include "test/support/image_seal.h"

#define PAGE 96u
#define SLOTS 24u
#define KEYS 20u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bed {
    struct cairn_store_ram ram;
    struct cairn_image image;
    unsigned char *slots;
    void *memory; // of the image, just as much as it takes
};

static bool is_answer(int error)
{
    return error == 0 || error == CAIRN_ECORRUPT || error == CAIRN_ENOMEM || error == CAIRN_ENOENT;
}

static int mount(struct bed *bed)
{
    const struct cairn_image_config config = {.store = &bed->ram.store, .chain = 4};
    const size_t size = cairn_image_size(&config);
    free(bed->memory);
    bed->memory = malloc(size);
    MUST(bed->memory != NULL);
    const int error = cairn_image_init(&bed->image, &config, bed->memory, size);
    MUST(error == 0 || error == CAIRN_ECORRUPT || error == CAIRN_ENOMEM);
    return error;
}

// One change of an image, and maybe a commit. Returns its answer.
static int change(struct cairn_image *image, struct input *input)
{
    unsigned char page[PAGE];
    const uint8_t what = input_byte(input);
    const uint64_t key = (uint64_t)(what % KEYS) << (what & 32);
    int error = image->open ? 0 : cairn_image_begin(image, (what & 0xE0) == 0xE0);
    if (error != 0) {
        return error;
    }
    memset(page, what, sizeof page);
    switch (what >> 6) {
    case 0: error = cairn_image_drop_range(image, key, key + input_byte(input)); break;
    case 1: error = cairn_image_commit(image, page, what % (PAGE - CAIRN_IMAGE_RECORD)); break;
    default: error = cairn_image_put(image, key, page); break;
    }
    return error;
}

// Every key and the head are read, and some changed.
static void use(struct bed *bed, struct input *input)
{
    unsigned char page[PAGE];
    uint32_t keys = 0;
    MUST(cairn_image_head(&bed->image, page, sizeof page) <= (int)(PAGE - CAIRN_IMAGE_RECORD));
    for (uint64_t key = 0; cairn_image_next(&bed->image, &key) == 0; key++) {
        MUST(is_answer(cairn_image_get(&bed->image, key, page)));
        keys++;
    }
    MUST(keys == bed->image.keys);
    for (uint32_t i = 0; i < 24; i++) {
        MUST(is_answer(change(&bed->image, input)));
    }
    cairn_image_abort(&bed->image);
    MUST(mount(bed) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct bed bed = {.slots = calloc(SLOTS, PAGE)};
    const uint8_t what = input_byte(&input);
    MUST(bed.slots != NULL && cairn_store_ram_init(&bed.ram, bed.slots, SLOTS * PAGE, PAGE, SLOTS) == 0);
    if (what >= 128) {
        memcpy(bed.slots, input.at, input.left < SLOTS * PAGE ? input.left : SLOTS * PAGE);
        input.left = 0;
    } else {
        MUST(mount(&bed) == 0);
        const uint32_t changes = input_byte(&input) % 64;
        for (uint32_t i = 0; i < changes; i++) {
            MUST(is_answer(change(&bed.image, &input)));
        }
        for (uint32_t i = 0; i < what / 16u; i++) {
            const uint32_t at = input_half(&input);
            bed.slots[at % (SLOTS * PAGE)] = input_byte(&input);
        }
    }
    if (what % 2 != 0) {
        seal_all(bed.slots, PAGE, SLOTS);
    }
    if (mount(&bed) == 0) {
        use(&bed, &input);
    }
    free(bed.memory);
    free(bed.slots);
    return 0;
}
