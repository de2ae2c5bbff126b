// SPDX-License-Identifier: MIT
//
// OWNS        of isolation.h, the calls on bytes: words, cursors, ranges, pins, segments.
#include "isolation.h"

#include <string.h>

// A size that the buffer has, or one that only a space would bound.
static size_t any_size(struct iso *iso)
{
    const cairn_vaddr_t size = iso_size(iso);
    return iso_below(iso, 32) == 0 ? (size_t)0 - size : size;
}

static void any_bytes(struct iso *iso)
{
    const uint32_t at = iso_below(iso, ISO_PAGE);
    memset(iso->buffer.bytes, iso_byte(iso), sizeof iso->buffer.bytes);
    iso->buffer.bytes[at] = iso_byte(iso);
}

// What was read into the buffer.
static const char *was_read(struct iso *iso)
{
    return iso_leaks(iso->buffer.bytes, sizeof iso->buffer.bytes) ? "it read a secret" : NULL;
}

static void become_current(struct iso *iso, uint32_t i)
{
    if (iso->vm.current != &iso->family[i]) {
        cairn_space_switch(&iso->vm, &iso->family[i]);
    }
}

// ----------------------------------------------------------------------------------------------------------------------- words

static int load(struct cairn_vm *vm, cairn_vaddr_t address, uint32_t size, void *word)
{
    switch (size) {
    case 0: return cairn_vm_load8(vm, address, word);
    case 1: return cairn_vm_load16(vm, address, word);
    case 2: return cairn_vm_load32(vm, address, word);
    default: return cairn_vm_load64(vm, address, word);
    }
}

const char *iso_load(struct iso *iso, uint32_t i)
{
    const uint32_t size = iso_below(iso, 4);
    const cairn_vaddr_t address = iso_address(iso);
    const uint64_t before = iso->answers.word = 0x0102030405060708u;
    become_current(iso, i);
    const int error = load(&iso->vm, address, size, &iso->answers.word);
    if (iso_leaks(&iso->answers.word, sizeof iso->answers.word)) {
        return "it read a secret";
    }
    return error != 0 && iso->answers.word != before ? "a load that failed has loaded" : iso_answered(iso, error);
}

const char *iso_store(struct iso *iso, uint32_t i)
{
    const uint32_t size = iso_below(iso, 4);
    const cairn_vaddr_t address = iso_address(iso);
    const uint64_t word = iso_byte(iso) * (uint64_t)0x0101010101010101;
    struct cairn_vm *const vm = &iso->vm;
    become_current(iso, i);
    switch (size) {
    case 0: return iso_answered(iso, cairn_vm_store8(vm, address, (uint8_t)word));
    case 1: return iso_answered(iso, cairn_vm_store16(vm, address, (uint16_t)word));
    case 2: return iso_answered(iso, cairn_vm_store32(vm, address, (uint32_t)word));
    default: return iso_answered(iso, cairn_vm_store64(vm, address, word));
    }
}

// ---------------------------------------------------------------------------------------------------------------------- ranges

const char *iso_read(struct iso *iso, uint32_t i)
{
    const cairn_vaddr_t address = iso_address(iso);
    memset(iso->buffer.bytes, 0, sizeof iso->buffer.bytes);
    const int error = cairn_space_read(&iso->family[i], iso->buffer.bytes, address, any_size(iso));
    const char *const wrong = was_read(iso);
    return wrong != NULL ? wrong : iso_answered(iso, error);
}

const char *iso_write(struct iso *iso, uint32_t i)
{
    const cairn_vaddr_t address = iso_address(iso);
    any_bytes(iso);
    return iso_answered(iso, cairn_space_write(&iso->family[i], address, iso->buffer.bytes, any_size(iso)));
}

const char *iso_fill(struct iso *iso, uint32_t i)
{
    const cairn_vaddr_t address = iso_address(iso);
    const unsigned char byte = iso_byte(iso);
    return iso_answered(iso, cairn_space_fill(&iso->family[i], address, byte, any_size(iso)));
}

const char *iso_copy(struct iso *iso, uint32_t i)
{
    const cairn_vaddr_t to = iso_address(iso);
    const cairn_vaddr_t from = iso_address(iso);
    const uint32_t j = iso_below(iso, ISO_FAMILY);
    return iso_answered(iso, cairn_space_copy(&iso->family[i], to, &iso->family[iso->lives[j] ? j : i], from, any_size(iso)));
}

const char *iso_compare(struct iso *iso, uint32_t i)
{
    const cairn_vaddr_t address = iso_address(iso);
    any_bytes(iso);
    iso->answers.order = 7;
    const int error = cairn_space_compare(&iso->family[i], address, iso->buffer.bytes, any_size(iso), &iso->answers.order);
    if (error == 0 && iso->answers.order == 7) {
        return "it does not say which";
    }
    iso->answers.order = 0;
    return iso_answered(iso, error);
}

const char *iso_string(struct iso *iso, uint32_t i)
{
    const cairn_vaddr_t address = iso_address(iso);
    const size_t most = any_size(iso);
    iso->answers.size = 0;
    const int error = cairn_space_string(&iso->family[i], address, most, &iso->answers.size);
    return error == 0 && iso->answers.size > most ? "it is longer than was asked for" : iso_answered(iso, error);
}

// ------------------------------------------------------------------------------------------------------------------------ pins

const char *iso_pin(struct iso *iso, uint32_t i)
{
    const cairn_vaddr_t address = iso_address(iso);
    const uint32_t access = iso_below(iso, 8) == 0 ? iso_below(iso, 1024) : 1 + iso_below(iso, 3);
    struct iso_pin *const pin = &iso->pins[iso_below(iso, ISO_PINS)];
    if (pin->held) {
        return NULL;
    }
    const int error = cairn_space_pin(&iso->family[i], address, access, &iso->answers.place, &iso->answers.size);
    if (error != 0) {
        return iso_answered(iso, error);
    }
    const bool is_rom = iso_is_rom(iso->answers.place);
    *pin = (struct iso_pin){true, i, address >> ISO_SHIFT, iso->answers.place, iso->answers.size};
    if (pin->run != ISO_PAGE - address % ISO_PAGE || !iso_is_place(iso, pin->memory, pin->run)) {
        return "it leads elsewhere";
    }
    if ((access & CAIRN_WRITE) != 0 && is_rom) {
        return "it allows a write to memory in place";
    }
    if ((access & CAIRN_WRITE) != 0) {
        memset(pin->memory, iso_byte(iso), pin->run);
    }
    return iso_leaks(pin->memory, pin->run) ? "it shows a secret" : iso_answered(iso, 0);
}

static const struct cairn_mapping *mapping_at(const struct iso *iso, uint32_t i, cairn_vaddr_t page)
{
    const struct cairn_mapping *its = iso->family[i].mappings;
    while (its != NULL && (page < its->first || page - its->first >= its->pages)) {
        its = its->next;
    }
    return its;
}

// Is a pin of the one page a pin of the other? The mapping shows the first: pins of memory in place are counted for all its pages together.
static bool is_shared_pin(const struct cairn_mapping *mapping, cairn_vaddr_t page, cairn_vaddr_t other)
{
    return page == other || (mapping != NULL && mapping->memory != NULL && other >= mapping->first && other - mapping->first < mapping->pages);
}

// A pin that covers the page: of itself, if there is one; NULL for none.
static const struct iso_pin *pin_of(const struct iso *iso, uint32_t i, const struct cairn_mapping *mapping, cairn_vaddr_t page)
{
    const struct iso_pin *found = NULL;
    for (const struct iso_pin *pin = iso->pins; pin < iso->pins + ISO_PINS; pin++) {
        if (pin->held && pin->space == i && is_shared_pin(mapping, page, pin->page) && (found == NULL || pin->page == page)) {
            found = pin;
        }
    }
    return found;
}

// A page that it has pinned, or any at all.
const char *iso_unpin(struct iso *iso, uint32_t i)
{
    const struct iso_pin *const pin = &iso->pins[iso_below(iso, ISO_PINS)];
    const bool any = iso_below(iso, 3) == 0 || !pin->held;
    const cairn_vaddr_t address = iso_address(iso);
    i = any ? i : pin->space;
    const cairn_vaddr_t page = any ? address >> ISO_SHIFT : pin->page;
    const struct cairn_mapping *const mapping = mapping_at(iso, i, page);
    // A cursor's pin is the cursor's, as a pointer that is used is its user's: nobody else may take it.
    const bool is_cursors = iso->has_cursor && i == iso->cursor_of && iso->cursor.tag != CAIRN_TAG_NONE && is_shared_pin(mapping, page, iso->cursor.tag >> ISO_SHIFT);
    if (is_cursors) {
        return NULL;
    }
    const struct iso_pin *const held = pin_of(iso, i, mapping, page);
    const int error = cairn_space_unpin(&iso->family[i], any ? address : page << ISO_SHIFT);
    if (error == 0 && (held == NULL || !iso_forget_pin(iso, i, held->page))) {
        return "nobody had pinned it";
    }
    return iso_answered(iso, error);
}

static int use_cursor(struct iso *iso, cairn_vaddr_t address)
{
    uint32_t word;
    const uint32_t value = iso_byte(iso) * 0x01010101u;
    if (iso_below(iso, 2) == 0) {
        return cairn_cursor_store32(&iso->cursor, address, value);
    }
    const int error = cairn_cursor_load32(&iso->cursor, address, &word);
    iso->answers.word = error == 0 ? word : 0;
    return error;
}

const char *iso_cursor(struct iso *iso, uint32_t i)
{
    if (iso->has_cursor && iso_below(iso, 8) == 0) {
        cairn_cursor_deinit(&iso->cursor);
        iso->has_cursor = false;
        return NULL;
    }
    if (!iso->has_cursor) {
        cairn_cursor_init(&iso->cursor, &iso->family[i], iso_below(iso, 3) != 0 ? CAIRN_READ | CAIRN_WRITE : CAIRN_READ);
        iso->cursor_of = i;
        iso->has_cursor = true;
    }
    iso->answers.word = 0;
    const int error = use_cursor(iso, iso_address(iso));
    return iso_leaks(&iso->answers.word, sizeof iso->answers.word) ? "it read a secret" : iso_answered(iso, error);
}

// -------------------------------------------------------------------------------------------------------------------- segments

const char *iso_segment(struct iso *iso, uint32_t i)
{
    struct cairn_space *const space = &iso->family[i];
    struct cairn_segment *const segment = &iso->segments[iso_below(iso, 3)];
    segment->base = iso_address(iso);
    segment->limit = iso_address(iso);
    segment->protection = iso_protection(iso);
    segment->grows_down = iso_below(iso, 2) != 0;
    cairn_space_set_segments(space, iso->segments, iso_below(iso, 4));
    const cairn_vaddr_t offset = iso_address(iso);
    const uint32_t access = iso_protection(iso) & 7;
    const uint32_t which = iso_below(iso, 5);
    const int error = cairn_segment_translate(space, which, offset, any_size(iso), access, &iso->answers.address);
    if (error == 0) {
        iso->answers.word = 0;
        become_current(iso, i);
        if (load(&iso->vm, iso->answers.address, 2, &iso->answers.word) == 0 && iso_leaks(&iso->answers.word, sizeof iso->answers.word)) {
            return "it leads to a secret";
        }
    }
    return iso_answered(iso, error);
}
