// SPDX-License-Identifier: MIT
//
// OWNS        isolation.h says what.
#include "isolation.h"

#include "elf_image.h"

#include <string.h>

#define RW (CAIRN_READ | CAIRN_WRITE)
#define AT(page) ((cairn_vaddr_t)(page) * ISO_PAGE)

static struct {
    _Alignas(ISO_PAGE) unsigned char before[ISO_PAGE];
    unsigned char frames[ISO_FRAMES_MOST * ISO_PAGE];
    unsigned char after[ISO_PAGE];
} frames;
static struct {
    _Alignas(8) unsigned char before[ISO_GUARD];
    unsigned char memory[32768];
    unsigned char after[ISO_GUARD];
} memory;
static unsigned char slots[(ISO_SLOTS + 2) * ISO_PAGE]; // first and last: nobody's
static unsigned char file[(ISO_FILE_PAGES + 2) * ISO_PAGE];
static unsigned char own[(ISO_FILE_PAGES + 2) * ISO_PAGE]; // the family's
unsigned char iso_image[3 * ISO_PAGE];
struct iso_rom iso_rom;

static unsigned char file_byte(uint32_t i)
{
    return (unsigned char)(0x30 + i % 61);
}

// ----------------------------------------------------------------------------------------------------------------------- looking

bool iso_leaks(const void *bytes, size_t size)
{
    return memchr(bytes, ISO_SECRET, size) != NULL;
}

static bool is_all(const unsigned char *bytes, size_t size, unsigned char byte)
{
    return bytes[0] == byte && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static bool is_secret(const unsigned char *bytes, size_t size)
{
    return is_all(bytes, size, ISO_SECRET);
}

bool iso_is_rom(const void *place)
{
    return (uintptr_t)place >= (uintptr_t)&iso_rom && (uintptr_t)place < (uintptr_t)(&iso_rom + 1);
}

bool iso_is_place(const struct iso *iso, const void *place, size_t size)
{
    const uintptr_t at = (uintptr_t)place;
    const uintptr_t ours = (uintptr_t)frames.frames;
    const uintptr_t rom = (uintptr_t)iso_rom.bytes;
    return size <= ISO_PAGE && ((at >= ours && at + size <= ours + iso->config.frames * ISO_PAGE) || (at >= rom && at + size <= rom + sizeof iso_rom.bytes));
}

// ------------------------------------------------------------------------------------------------------------------------ stores

static bool fails(struct iso *iso)
{
    return !iso->reliable && iso->config.fail_every != 0 && ++iso->transfers % iso->config.fail_every == 0;
}

static int read_from(struct iso *iso, const unsigned char *from, uint32_t slot, void *page)
{
    const bool fail = fails(iso);
    memset(page, ISO_SECRET, ISO_PAGE);
    if (!fail) {
        memcpy(page, from + (slot + 1) * ISO_PAGE, ISO_PAGE);
    }
    return fail ? CAIRN_ECORRUPT : 0;
}

static int write_to(struct iso *iso, unsigned char *to, uint32_t slot, const void *page)
{
    if (fails(iso)) {
        return CAIRN_EIO;
    }
    memcpy(to + (slot + 1) * ISO_PAGE, page, ISO_PAGE);
    return 0;
}

static int slot_read(void *context, uint32_t slot, void *page)
{
    return read_from(context, slots, slot, page);
}

static int slot_write(void *context, uint32_t slot, const void *page)
{
    return write_to(context, slots, slot, page);
}

static void slot_trim(void *context, uint32_t slot)
{
    (void)context;
    memset(slots + (slot + 1) * ISO_PAGE, ISO_SECRET, ISO_PAGE);
}

static int file_read(void *context, uint32_t slot, void *page)
{
    return read_from(context, file, slot, page);
}

static int file_write(void *context, uint32_t slot, const void *page)
{
    return write_to(context, file, slot, page);
}

static int own_read(void *context, uint32_t slot, void *page)
{
    return read_from(context, own, slot, page);
}

static int own_write(void *context, uint32_t slot, const void *page)
{
    return write_to(context, own, slot, page);
}

static int own_sync(void *context)
{
    return fails(context) ? CAIRN_EIO : 0;
}

// ------------------------------------------------------------------------------------------------------------------------ others

// What a range of the victim's, or the parent's, holds.
static const struct {
    uint8_t first, pages, byte;
    bool parents;
} holds[] = {
    {1, 3, ISO_SECRET, false}, {4, 1, 0x00, false},       {5, 2, 0x11, false},       {20, 3, ISO_SECRET, false}, {30, 2, ISO_SECRET, false},
    {34, 2, 0x22, false},      {40, 2, ISO_SECRET, false}, {50, 2, ISO_SECRET, false}, {1, 2, 0x44, true},         {3, 2, 0x11, true},
    {10, 1, 0x55, true},
};
#define HOLDS (sizeof holds / sizeof holds[0])

static int show(struct cairn_space *space, uint32_t page, uint32_t pages, uint32_t flags, struct cairn_object *object)
{
    const struct cairn_map map = {.address = AT(page),
                                  .size = AT(pages),
                                  .protection = RW,
                                  .flags = flags | CAIRN_MAP_FIXED,
                                  .object = object,
                                  .grow = (flags & CAIRN_MAP_GROWS_DOWN) != 0 ? AT(4) : 0};
    return cairn_space_map_range(space, &map, NULL);
}

static bool make_victim(struct iso *iso)
{
    struct cairn_space *const victim = &iso->victim;
    cairn_vaddr_t at = AT(30), shown_at = AT(34);
    void *place;
    size_t run;
    bool good = cairn_space_init(victim, &iso->vm) == 0 && cairn_space_map(victim, &iso->victim_map, AT(1), AT(6), RW) == 0;
    good = good && show(victim, 20, 3, 0, NULL) == 0 && show(victim, 50, 2, CAIRN_MAP_GROWS_DOWN, NULL) == 0;
    good = good && cairn_shared_create(&iso->secret, victim, ISO_KEY_SECRET, AT(2), RW, 0) == 0 && cairn_shared_attach(victim, ISO_KEY_SECRET, RW, &at) == 0;
    good = good && cairn_shared_create(&iso->shown, victim, ISO_KEY_SHOWN, AT(2), RW, CAIRN_READ) == 0 &&
           cairn_shared_attach(victim, ISO_KEY_SHOWN, RW, &shown_at) == 0;
    good = good && cairn_space_set_break(victim, AT(40)) == 0 && cairn_space_brk(victim, AT(42)) == 0;
    good = good && cairn_space_pin(victim, AT(20), RW, &place, &run) == 0 && cairn_space_lock(victim, AT(21), AT(1)) == 0;
    iso->pinned = good ? place : NULL;
    return good;
}

static bool make_parent(struct iso *iso)
{
    const struct cairn_object_config config = {.size = AT(ISO_FILE_PAGES), .store = &iso->file_store, .read_only = true};
    return cairn_space_init(&iso->parent, &iso->vm) == 0 && cairn_space_map(&iso->parent, &iso->parent_map, AT(1), AT(4), RW) == 0 &&
           cairn_object_init(&iso->file, &iso->vm, &config) == 0 && show(&iso->parent, 10, 2, 0, &iso->file) == 0;
}

static struct cairn_space *holder(struct iso *iso, uint32_t h)
{
    return holds[h].parents ? &iso->parent : &iso->victim;
}

static uint32_t add(uint32_t sum, uint64_t value)
{
    return (sum ^ (uint32_t)value ^ (uint32_t)(value >> 32)) * 16777619u; // FNV-1a, by the word
}

// What the others have mapped, and how.
static uint32_t shape_of(const struct iso *iso)
{
    uint32_t sum = 2166136261u;
    for (uint32_t p = 0; p < 2; p++) {
        const struct cairn_space *const space = p == 0 ? &iso->victim : &iso->parent;
        for (const struct cairn_mapping *its = space->mappings; its != NULL; its = its->next) {
            sum = add(add(add(sum, its->first), its->pages), its->protection);
            sum = add(add(add(sum, (uintptr_t)its->object), its->offset), its->pins);
            sum = add(add(sum, its->flags & (CAIRN_MAP_SHARED | CAIRN_MAP_GROWS_DOWN | CAIRN_MAP_LOCKED)), its->grow);
        }
        sum = add(add(sum, space->figures.virtual_pages), space->break_end);
        sum = add(add(sum, (uintptr_t)space->handler), space->user + 2u * space->suspended + 4u * space->segment_count);
    }
    return add(sum, iso->shown.others + 8 * iso->secret.others + 64 * iso->file.protection);
}

static void make_bytes(struct iso *iso)
{
    memset(&frames, ISO_SECRET, sizeof frames);
    memset(&memory, ISO_SECRET, sizeof memory);
    memset(slots, ISO_SECRET, sizeof slots);
    memset(file, ISO_SECRET, sizeof file);
    memset(own, ISO_SECRET, sizeof own);
    memset(&iso_rom, ISO_SECRET, sizeof iso_rom);
    memset(&iso->buffer, ISO_SECRET, sizeof iso->buffer);
    memset(&iso->answers, ISO_SECRET, sizeof iso->answers);
    for (uint32_t i = 0; i < ISO_FILE_PAGES * ISO_PAGE; i++) {
        file[ISO_PAGE + i] = file_byte(i);
        own[ISO_PAGE + i] = (unsigned char)(i % 100);
    }
    memset(iso_rom.bytes, 0x66, sizeof iso_rom.bytes);
    memset(iso_image, 0x77, sizeof iso_image);
    elf_image_make(iso_image, CAIRN_ELF_ARM);
    for (unsigned char *byte = iso_image; byte < iso_image + sizeof iso_image; byte++) {
        *byte = *byte == ISO_SECRET ? 0 : *byte;
    }
}

static bool is_around(const struct iso *iso)
{
    const struct iso_answers *const answers = &iso->answers;
    const size_t used = iso->config.frames * ISO_PAGE;
    return is_secret(frames.before, sizeof frames.before) && is_secret(frames.frames + used, sizeof frames - sizeof frames.before - used) &&
           is_secret(memory.before, sizeof memory.before) && is_secret(memory.after, sizeof memory.after) && is_secret(slots, ISO_PAGE) &&
           is_secret(slots + (ISO_SLOTS + 1) * ISO_PAGE, ISO_PAGE) && is_secret(file, ISO_PAGE) && is_secret(own, ISO_PAGE) &&
           is_secret(file + (ISO_FILE_PAGES + 1) * ISO_PAGE, ISO_PAGE) && is_secret(own + (ISO_FILE_PAGES + 1) * ISO_PAGE, ISO_PAGE) &&
           is_secret(iso_rom.before, ISO_GUARD) && is_secret(iso_rom.after, ISO_GUARD) && is_secret(iso->buffer.before, ISO_GUARD) &&
           is_secret(iso->buffer.after, ISO_GUARD) && is_secret(answers->before, ISO_GUARD) && is_secret(answers->between[0], 3 * ISO_GUARD) &&
           is_secret(answers->after, ISO_GUARD);
}

// Where the family keeps all frames for itself by pins and locks, what has none cannot be looked at now.
static const char *hold_wrong(struct iso *iso)
{
    unsigned char page[ISO_PAGE];
    for (uint32_t h = 0; h < HOLDS; h++) {
        for (uint32_t at = holds[h].first; at < holds[h].first + holds[h].pages; at++) {
            const int error = cairn_space_read(holder(iso, h), page, AT(at), ISO_PAGE);
            if (error != 0 && error != CAIRN_ENOMEM) {
                return "what others hold is not there";
            }
            if (error == 0 && !is_all(page, ISO_PAGE, holds[h].byte)) {
                return "what others hold has changed";
            }
            iso->looks += error == 0;
        }
    }
    return is_secret(iso->pinned, ISO_PAGE) ? NULL : "what others have pinned has changed";
}

const char *iso_look(struct iso *iso)
{
    uint32_t rule;
    if (cairn_vm_check(&iso->vm, &rule) != 0) {
        return "a rule of the vm is broken";
    }
    if (!is_around(iso)) {
        return "what is around has changed";
    }
    if (shape_of(iso) != iso->shape) {
        return "what others have mapped has changed";
    }
    iso->reliable = true;
    const char *const wrong = hold_wrong(iso);
    iso->reliable = false;
    if (wrong != NULL) {
        return wrong;
    }
    for (uint32_t i = 0; i < ISO_FILE_PAGES * ISO_PAGE; i++) {
        if (file[ISO_PAGE + i] != file_byte(i) || iso_rom.bytes[i] != 0x66) {
            return "what none may write has changed";
        }
    }
    return NULL;
}

// A word of another's, and the byte that it is full of.
struct cairn_space *iso_other(struct iso *iso, cairn_vaddr_t *at, unsigned char *byte)
{
    const uint32_t h = iso_below(iso, HOLDS);
    *at = AT(holds[h].first) + 4 * iso_below(iso, holds[h].pages * ISO_PAGE / 4);
    *byte = holds[h].byte;
    return holder(iso, h);
}

// ---------------------------------------------------------------------------------------------------------------- start and end

int iso_handler(void *context, struct cairn_space *space, const struct cairn_vm_fault *fault)
{
    struct iso *const iso = context;
    const struct cairn_map map = {.address = fault->address & ~(cairn_vaddr_t)(ISO_PAGE - 1), .size = ISO_PAGE, .protection = RW, .flags = CAIRN_MAP_FIXED};
    const bool is_ours = space >= iso->family && space < iso->family + ISO_FAMILY;
    if (is_ours && fault->error == CAIRN_EFAULT && iso_below(iso, 8) == 0 && cairn_space_map_range(space, &map, NULL) == 0) {
        return 0; // once more
    }
    return is_ours ? fault->error : 1; // 1 is no error: it is found
}

const char *iso_start(struct iso *iso, const struct iso_config *config, uint32_t (*draw)(void *context, uint32_t below), void *context)
{
    memset(iso, 0, sizeof *iso);
    make_bytes(iso);
    iso->config = *config;
    iso->draw = draw;
    iso->context = context;
    iso->reliable = true;
    iso->store = (struct cairn_port_store){iso, slot_read, slot_write, slot_trim, NULL, ISO_PAGE, config->slots};
    iso->file_store = (struct cairn_port_store){iso, file_read, file_write, NULL, NULL, ISO_PAGE, ISO_FILE_PAGES};
    iso->own_store = (struct cairn_port_store){iso, own_read, own_write, NULL, own_sync, ISO_PAGE, ISO_FILE_PAGES};
    static const uint8_t bits[CAIRN_LEVELS_MAX][CAIRN_LEVELS_MAX] = {{6}, {3, 3}, {2, 2, 2}, {1, 2, 2, 1}};
    struct cairn_vm_config its = {.page_shift = ISO_SHIFT,
                                  .levels = config->levels,
                                  .tlb = config->tlb,
                                  .frames = frames.frames,
                                  .frame_count = config->frames,
                                  .memory = memory.memory,
                                  .policy = config->policy,
                                  .store = &iso->store,
                                  .write_through = config->write_through,
                                  .prefetch = config->prefetch ? &cairn_prefetch_streams : NULL};
    memcpy(its.bits, bits[config->levels - 1], sizeof its.bits);
    its.size = cairn_vm_size(&its, config->tables);
    if (its.size == 0 || its.size > sizeof memory.memory || cairn_vm_init(&iso->vm, &its) != 0 ||
        cairn_store_ram_init(&iso->image_store, iso_image, sizeof iso_image, ISO_PAGE, 3) != 0 || !make_victim(iso) || !make_parent(iso)) {
        return "start";
    }
    for (uint32_t h = 0; h < HOLDS; h++) {
        if (cairn_space_fill(holder(iso, h), AT(holds[h].first), holds[h].byte, AT(holds[h].pages)) != 0) {
            return "start: contents";
        }
    }
    iso->shape = shape_of(iso);
    memset(memory.memory + its.size, ISO_SECRET, sizeof memory.memory - its.size);
    iso->reliable = false;
    return iso_look(iso);
}

static bool end_objects(struct iso *iso)
{
    bool good = true;
    for (uint32_t o = 0; o < ISO_OBJECTS; o++) {
        good = (iso->objects[o].pages.vm == NULL || cairn_object_deinit(&iso->objects[o]) == 0) && good;
    }
    return good;
}

const char *iso_end(struct iso *iso)
{
    struct cairn_vm_figures figures;
    iso->what = "the end";
    iso->reliable = true;
    if (iso->has_cursor) {
        cairn_cursor_deinit(&iso->cursor);
    }
    for (uint32_t p = 0; p < ISO_PINS; p++) {
        if (iso->pins[p].held && cairn_space_unpin(&iso->family[iso->pins[p].space], iso->pins[p].page << ISO_SHIFT) != 0) {
            return "a pin is gone";
        }
    }
    for (uint32_t i = 0; i < ISO_FAMILY; i++) {
        if (iso->lives[i] && cairn_space_deinit(&iso->family[i]) != 0) {
            return "a space does not end";
        }
    }
    const char *const wrong = iso_look(iso);
    iso->reliable = true;
    if (wrong != NULL) {
        return wrong;
    }
    if (!end_objects(iso) || cairn_space_unpin(&iso->victim, AT(20)) != 0 || cairn_shared_remove(&iso->vm, ISO_KEY_SECRET) != 0 ||
        cairn_shared_remove(&iso->vm, ISO_KEY_SHOWN) != 0 || cairn_space_deinit(&iso->victim) != 0 || cairn_space_deinit(&iso->parent) != 0 ||
        cairn_object_deinit(&iso->file) != 0) {
        return "others do not end";
    }
    cairn_vm_figures(&iso->vm, &figures);
    return figures.frames_free != iso->config.frames || figures.slots_used != 0 || figures.tables != 0 || figures.shared != 0 || iso->vm.committed != 0
               ? "something is left"
               : NULL;
}
