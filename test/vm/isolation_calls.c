// SPDX-License-Identifier: MIT
//
// OWNS        of isolation.h, which call is made, with what numbers; and what others do meanwhile.
#include "isolation.h"

#include <string.h>

#define RW (CAIRN_READ | CAIRN_WRITE)
#define AT(page) ((cairn_vaddr_t)(page) * ISO_PAGE)

// ---------------------------------------------------------------------------------------------------------------------- numbers

// A page that the space has mapped, if there is one.
static cairn_vaddr_t mapped(struct iso *iso)
{
    const struct cairn_mapping *its = iso->family[iso->who].mappings;
    for (uint32_t skip = iso_below(iso, 8); skip != 0 && its != NULL && its->next != NULL; skip--) {
        its = its->next;
    }
    return its == NULL ? iso_below(iso, ISO_PAGES) : its->first + iso_below(iso, 8) % its->pages;
}

cairn_vaddr_t iso_address(struct iso *iso)
{
    const cairn_vaddr_t low = iso_below(iso, 65536);
    const cairn_vaddr_t any = low * (~(cairn_vaddr_t)0 / 65535) ^ low << 3;
    switch (iso_below(iso, 16)) {
    case 0: return any;
    case 1: return 0 - low % 300;
    case 2: return AT(ISO_PAGES) - low % 20;
    case 3: return low % (AT(ISO_PAGES) + 300);
    case 4: return low % AT(ISO_PAGES) & ~(cairn_vaddr_t)3;
    default: return mapped(iso) * ISO_PAGE + low % ISO_PAGE / 4 * 4;
    }
}

cairn_vaddr_t iso_size(struct iso *iso)
{
    const cairn_vaddr_t low = iso_below(iso, 65536);
    switch (iso_below(iso, 16)) {
    case 0: return low << 16 ^ low;
    case 1: return 0 - low % 300;
    case 2: return low % AT(ISO_PAGES);
    default: return low % (3 * ISO_PAGE);
    }
}

cairn_vaddr_t iso_page(struct iso *iso)
{
    const uint32_t what = iso_below(iso, 24);
    return what == 0 ? iso_address(iso) : AT(what < 14 ? iso_below(iso, ISO_PAGES) : mapped(iso));
}

cairn_vaddr_t iso_pages(struct iso *iso)
{
    const uint32_t what = iso_below(iso, 32);
    return what == 0 ? iso_size(iso) : what < 4 ? AT(iso_below(iso, ISO_PAGES + 2)) : AT(1 + what % 5);
}

uint32_t iso_protection(struct iso *iso)
{
    const uint32_t what = iso_below(iso, 32);
    return what == 0 ? iso_below(iso, 65536) : what < 16 ? what : RW | (what < 20 ? CAIRN_USER : 0);
}

unsigned char iso_byte(struct iso *iso)
{
    const uint32_t byte = iso_below(iso, 256);
    return (unsigned char)(byte == ISO_SECRET || byte < 64 ? 0 : byte < 128 ? 0x11 : byte);
}

// ------------------------------------------------------------------------------------------------------------------------ calls

bool iso_forget_pin(struct iso *iso, uint32_t i, cairn_vaddr_t page)
{
    for (uint32_t p = 0; p < ISO_PINS; p++) {
        if (iso->pins[p].held && iso->pins[p].space == i && iso->pins[p].page == page) {
            iso->pins[p].held = false;
            return true;
        }
    }
    return false;
}

const char *iso_answered(struct iso *iso, int error)
{
    iso->error = error;
    return error <= 0 && strcmp(cairn_error_name(error), "unknown error") != 0 ? NULL : "an error that is none";
}

// Others work, too: what they store is what is there. In the current space again afterwards.
static const char *others_work(struct iso *iso)
{
    struct cairn_space *const current = iso->vm.current;
    cairn_vaddr_t at;
    unsigned char byte;
    struct cairn_space *const space = iso_other(iso, &at, &byte);
    const uint32_t due = byte * 0x01010101u;
    uint32_t word = due;
    cairn_space_switch(&iso->vm, space);
    const int error = iso_below(iso, 2) == 0 ? cairn_vm_store32(&iso->vm, at, due) : cairn_vm_load32(&iso->vm, at, &word);
    cairn_space_switch(&iso->vm, current);
    return word != due ? "another reads what it did not write" : iso_answered(iso, error);
}

static const struct {
    const char *name;
    const char *(*call)(struct iso *iso, uint32_t i);
    uint32_t weight;
} calls[] = {
    {"load", iso_load, 8},           {"store", iso_store, 8},     {"read", iso_read, 6},         {"write", iso_write, 6},
    {"fill", iso_fill, 4},           {"copy", iso_copy, 4},       {"compare", iso_compare, 2},   {"string", iso_string, 2},
    {"pin", iso_pin, 4},             {"unpin", iso_unpin, 5},     {"cursor", iso_cursor, 6},     {"segment", iso_segment, 3},
    {"map", iso_map, 4},             {"unmap", iso_unmap, 3},     {"protect", iso_protect, 3},   {"map_range", iso_map_range, 16},
    {"unmap_range", iso_unmap_range, 3}, {"protect_range", iso_protect_range, 4}, {"advise", iso_advise, 4}, {"sync", iso_sync, 4},
    {"lock", iso_lock, 2},           {"unlock", iso_unlock, 3},   {"break", iso_break, 4},       {"create", iso_create, 3},
    {"attach", iso_attach, 4},       {"detach", iso_detach, 3},   {"object", iso_object, 4},     {"fork", iso_fork, 3},
    {"begin", iso_begin, 2},         {"exec", iso_exec, 3},       {"suspend", iso_suspend, 3},   {"upkeep", iso_upkeep, 6},
};
#define CALLS (sizeof calls / sizeof calls[0])
_Static_assert(CALLS <= ISO_CALLS, "isolation.h says how many");

const char *iso_name(uint32_t call)
{
    return call < CALLS ? calls[call].name : NULL;
}

// Somebody of the family that lives; ISO_FAMILY: nobody does.
static uint32_t anybody(struct iso *iso)
{
    const uint32_t first = iso_below(iso, ISO_FAMILY);
    for (uint32_t i = 0; i < ISO_FAMILY; i++) {
        if (iso->lives[(first + i) % ISO_FAMILY]) {
            return (first + i) % ISO_FAMILY;
        }
    }
    return ISO_FAMILY;
}

// One begins, empty; where there is no memory for that, objects of the family end first.
static const char *somebody_begins(struct iso *iso)
{
    int error = cairn_space_init(&iso->family[0], &iso->vm);
    for (uint32_t o = 0; error != 0 && o < ISO_OBJECTS; o++) {
        if (iso->objects[o].pages.vm != NULL) {
            iso->reliable = true;
            (void)!cairn_object_deinit(&iso->objects[o]);
            iso->reliable = false;
            error = cairn_space_init(&iso->family[0], &iso->vm);
        }
    }
    iso->lives[0] = error == 0;
    return error == 0 ? NULL : "nobody can begin";
}

const char *iso_call(struct iso *iso)
{
    uint32_t i = anybody(iso);
    iso->what = "begin";
    if (i == ISO_FAMILY) {
        return somebody_begins(iso);
    }
    if (iso->family[i].handler == NULL) {
        iso->family[i].handler = iso_handler;
        iso->family[i].context = iso;
        iso->family[i].user = iso_below(iso, 4) == 0;
    }
    iso->who = i;
    uint32_t call = 0;
    for (uint32_t at = iso_below(iso, 146); call < CALLS && at >= calls[call].weight; call++) {
        at -= calls[call].weight;
    }
    iso->what = call < CALLS ? calls[call].name : "others' work";
    iso->error = 1;
    const char *wrong = call < CALLS ? calls[call].call(iso, i) : others_work(iso);
    if (call < CALLS && iso->error <= 0) {
        iso->made[call]++;
        iso->done[call] += iso->error == 0;
    }
    for (uint32_t p = 0; wrong == NULL && p < ISO_PINS; p++) {
        wrong = iso->pins[p].held && iso_leaks(iso->pins[p].memory, iso->pins[p].run) ? "a pin shows a secret" : NULL;
    }
    return wrong;
}
