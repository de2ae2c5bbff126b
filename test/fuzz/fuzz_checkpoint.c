// SPDX-License-Identifier: MIT
//
// Fuzz target: bytes from outside as a checkpoint. It must be refused with nothing changed, or there is a space that works and ends.
//
// PICTURE: a checkpoint of two objects, five mappings and a heap in the break, of which the input changes: fields of the head and the directory, and keys, in an image that is whole; then, if
// its first byte is odd, bytes of the slots, with the sums of the index right if bit 1 is set. Bit 2: the first object was there before.
// OWNS: the checkpoint, made once. CALLERS: libFuzzer; replay.c.
#include "cairn/access.h"
#include "cairn/checkpoint.h"
#include "cairn/space_heap.h"
#include "cairn/store.h"
#include "input.h"
#include "test/support/image_seal.h"

#define PAGE 128u
#define FRAMES 10u
#define SLOTS 48u
#define SWAP 40u
#define HEAD 40u
#define RW (CAIRN_READ | CAIRN_WRITE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A vm with a space; all in memory of its own, so that what is read or written beside it is found.
struct bed {
    struct cairn_vm vm;
    struct cairn_space space;
    struct cairn_object objects[2];
    struct cairn_store_ram swap, card;
    struct cairn_checkpoint checkpoint;
    unsigned char *frames, *memory, *swapped, *slots, *index;
};

static unsigned char made[SLOTS * PAGE];
static bool is_made;

static void bed_init(struct bed *bed)
{
    memset(bed, 0, sizeof *bed);
    bed->frames = aligned_alloc(PAGE, FRAMES * PAGE);
    bed->memory = malloc(6144);
    bed->swapped = malloc(SWAP * PAGE);
    bed->slots = malloc(SLOTS * PAGE);
    MUST(bed->frames != NULL && bed->memory != NULL && bed->swapped != NULL && bed->slots != NULL);
    memcpy(bed->slots, made, sizeof made);
    MUST(cairn_store_ram_init(&bed->swap, bed->swapped, SWAP * PAGE, PAGE, SWAP) == 0);
    MUST(cairn_store_ram_init(&bed->card, bed->slots, SLOTS * PAGE, PAGE, SLOTS) == 0);
    const struct cairn_vm_config config = {
        .page_shift = 7, .levels = 2, .bits = {4, 4}, .tlb = 4, .frames = bed->frames, .frame_count = FRAMES, .memory = bed->memory, .size = 6144, .store = &bed->swap.store};
    MUST(cairn_vm_init(&bed->vm, &config) == 0 && cairn_space_init(&bed->space, &bed->vm) == 0);
    cairn_space_switch(&bed->vm, &bed->space);
}

// Take up what the slots hold. Returns what that answers.
static int mount(struct bed *bed)
{
    const struct cairn_image_config config = {.store = &bed->card.store, .chain = 4, .index = 24};
    const size_t size = cairn_checkpoint_size(&config);
    free(bed->index);
    bed->index = malloc(size);
    MUST(bed->index != NULL);
    return cairn_checkpoint_init(&bed->checkpoint, &config, bed->index, size);
}

static void bed_deinit(struct bed *bed)
{
    struct cairn_vm_figures figures;
    MUST(cairn_space_deinit(&bed->space) == 0);
    for (uint32_t i = 0; i < 2; i++) {
        MUST(bed->objects[i].pages.vm == NULL || cairn_object_deinit(&bed->objects[i]) == 0);
    }
    cairn_vm_figures(&bed->vm, &figures);
    MUST(figures.frames_free == FRAMES && figures.slots_used == 0 && figures.tables == 0 && bed->vm.committed == 0);
    free(bed->frames);
    free(bed->memory);
    free(bed->swapped);
    free(bed->slots);
    free(bed->index);
}

static void map(struct bed *bed, uint32_t page, uint32_t pages, uint32_t flags, struct cairn_object *object)
{
    const struct cairn_map its = {.address = page * PAGE, .size = pages * PAGE, .protection = RW, .flags = flags | CAIRN_MAP_FIXED, .object = object};
    MUST(cairn_space_map_range(&bed->space, &its, NULL) == 0);
}

static void make_heap(struct cairn_space *space)
{
    const struct cairn_space_heap_config config = {.max = 8 * PAGE, .threshold = 4 * PAGE, .step = PAGE};
    cairn_vaddr_t blocks[4];
    MUST(cairn_space_heap_init(space, &config) == 0);
    for (uint32_t i = 0; i < 4; i++) {
        MUST(cairn_space_malloc(space, 20 + 30 * i, &blocks[i]) == 0);
    }
    MUST(cairn_space_free(space, blocks[1]) == 0 && cairn_space_malloc(space, 5 * PAGE, &blocks[1]) == 0);
}

static void make(void)
{
    struct bed bed;
    const struct cairn_object_config config = {.size = 4 * PAGE};
    bed_init(&bed);
    struct cairn_object *const objects[] = {&bed.objects[0], &bed.objects[1]};
    MUST(cairn_object_init(objects[0], &bed.vm, &config) == 0 && cairn_shared_create(objects[1], &bed.space, 5, 4 * PAGE, RW, CAIRN_READ) == 0);
    map(&bed, 2, 4, 0, NULL);
    map(&bed, 8, 4, CAIRN_MAP_SHARED, objects[0]);
    map(&bed, 14, 4, 0, objects[0]);
    map(&bed, 20, 3, CAIRN_MAP_SHARED, objects[1]);
    map(&bed, 30, 2, CAIRN_MAP_GROWS_DOWN, NULL);
    MUST(cairn_space_set_break(&bed.space, 40 * PAGE) == 0);
    make_heap(&bed.space);
    for (uint32_t page = 2; page < 23; page += 2) {
        (void)!cairn_space_fill(&bed.space, page * PAGE + 5, (uint8_t)page, 40);
    }
    MUST(mount(&bed) == 0 && cairn_checkpoint_save(&bed.checkpoint, &bed.space, objects, 2) == 0);
    memcpy(made, bed.slots, sizeof made);
    bed_deinit(&bed);
    is_made = true;
}

// A number of some size, by the input.
static uint64_t number_of(struct input *input)
{
    const uint8_t what = input_byte(input);
    return (uint64_t)input_byte(input) << what % 64 | (what >= 192 ? UINT64_MAX << what % 64 : 0);
}

// Fields and keys become others, in an image that is whole.
static void change_fields(struct bed *bed, struct input *input)
{
    static const uint8_t sizes[] = {8, 8, 8, 8, 4, 1, 1, 2};
    static const uint8_t offsets[] = {0, 8, 16, 24, 32, 36, 37, 38};
    struct cairn_image *const image = &bed->checkpoint.image;
    unsigned char head[HEAD], page[PAGE];
    MUST(cairn_image_head(image, head, HEAD) == (int)HEAD && cairn_image_begin(image, false) == 0);
    for (uint32_t left = input_byte(input) % 6; left != 0; left--) {
        const uint8_t what = input_byte(input);
        const uint64_t number = number_of(input);
        if (what < 160) { // a field of the directory
            const uint32_t record = what % 7;
            const uint32_t field = input_byte(input) % sizeof sizes;
            MUST(cairn_image_get(image, record / 3, page) == 0);
            for (uint32_t i = 0; i < sizes[field]; i++) {
                page[record % 3 * 40 + offsets[field] + i] = (unsigned char)(number >> 8 * i);
            }
            MUST(cairn_image_put(image, record / 3, page) == 0);
        } else if (what < 200) {
            head[what - 160] = (unsigned char)number;
        } else {
            const uint64_t key = (uint64_t)(what % 4) << 57 | number;
            memset(page, what, sizeof page);
            if (key > 2 && key != CAIRN_IMAGE_NO_KEY) {
                MUST(cairn_image_put(image, key, page) == 0);
            }
        }
    }
    MUST(cairn_image_commit(image, head, HEAD) == 0);
}

static void change_bytes(struct bed *bed, struct input *input, bool seal)
{
    for (uint32_t left = input_byte(input) % 8; left != 0; left--) {
        const uint32_t at = input_half(input) % (SLOTS * PAGE);
        bed->slots[at] = input_byte(input);
    }
    if (seal) {
        seal_all(bed->slots, PAGE, SLOTS);
    }
}

// Its heap does what it can with what it finds.
static void use_heap(struct cairn_space *space, cairn_vaddr_t address, uint32_t what)
{
    struct cairn_space_heap_stats stats;
    cairn_vaddr_t block = address & ~(cairn_vaddr_t)7;
    switch (what) {
    case 0: (void)!cairn_space_malloc(space, address % 300, &block); break;
    case 1: (void)!cairn_space_free(space, block); break;
    case 2: (void)!cairn_space_realloc(space, &block, address % 500); break;
    default: (void)!cairn_space_malloc_trim(space, address % 300); break;
    }
    (void)!cairn_space_heap_stats(space, &stats);
}

// A space that was restored works.
static void use(struct bed *bed, struct input *input)
{
    struct cairn_object *const objects[] = {&bed->objects[0], &bed->objects[1]};
    uint32_t rule;
    for (uint32_t page = 1; page < 64; page++) {
        uint32_t word;
        (void)!cairn_vm_load32(&bed->vm, page * PAGE, &word);
        (void)!cairn_vm_store32(&bed->vm, page * PAGE + 4, word);
    }
    for (uint32_t i = 0; i < 8; i++) {
        const cairn_vaddr_t address = input_byte(input) * (PAGE / 2);
        const uint32_t what = input_byte(input) % 8;
        switch (what) {
        case 0: (void)!cairn_space_unmap_range(&bed->space, address, 2 * PAGE); break;
        case 1: (void)!cairn_space_protect_range(&bed->space, address, PAGE, CAIRN_READ); break;
        case 2: (void)!cairn_space_brk(&bed->space, bed->space.break_start + address); break;
        case 3: (void)!cairn_space_fill(&bed->space, address, 1, 3 * PAGE); break;
        default: use_heap(&bed->space, bed->space.heap + 16 * input_byte(input), what - 4); break;
        }
    }
    MUST(cairn_vm_check(&bed->vm, &rule) == 0);
    const int error = cairn_checkpoint_save(&bed->checkpoint, &bed->space, objects, 2);
    MUST(error == 0 || error == CAIRN_ENOMEM || error == CAIRN_ECORRUPT);
    MUST(cairn_vm_check(&bed->vm, &rule) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct bed bed;
    uint32_t rule;
    if (!is_made) {
        make();
    }
    bed_init(&bed);
    struct cairn_object *const objects[] = {&bed.objects[0], &bed.objects[1]};
    const uint8_t what = input_byte(&input);
    MUST(mount(&bed) == 0);
    change_fields(&bed, &input);
    if (what % 2 != 0) {
        change_bytes(&bed, &input, (what & 2) != 0);
    }
    if (mount(&bed) == 0) {
        const struct cairn_object_config config = {.size = 4 * PAGE};
        if ((what & 4) != 0) {
            MUST(cairn_object_init(objects[0], &bed.vm, &config) == 0);
        }
        const int error = cairn_checkpoint_restore(&bed.checkpoint, &bed.space, objects, 2);
        MUST(cairn_vm_check(&bed.vm, &rule) == 0);
        if (error == 0) {
            use(&bed, &input);
        } else {
            MUST(bed.space.mappings == NULL && bed.objects[1].pages.vm == NULL && (bed.objects[0].pages.vm != NULL) == ((what & 4) != 0));
        }
    }
    bed_deinit(&bed);
    return 0;
}
