// SPDX-License-Identifier: MIT
//
// The contract, entry by entry.
// OWNS: nothing. CALLERS: contract.h says who.
#include "contract.h"

#include <string.h>

#define MAPS 6u

static bool holds(const unsigned char *bytes, size_t size, unsigned char value)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

static unsigned char *break_at(const struct cairn_port_region *port)
{
    return port->brk(port->context, 0);
}

// Up and down again in steps of several sizes; what is below stays as it is.
static const char *steps(const struct cairn_port_region *port, unsigned char *start)
{
    static const ptrdiff_t sizes[] = {1, 8, 100, 64};
    unsigned char *at = start;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (port->brk(port->context, sizes[i]) != (void *)at || break_at(port) != at + sizes[i]) {
            return "brk up: it must return where the break was, and move it by just so much";
        }
        memset(at, (int)i + 1, (size_t)sizes[i]);
        at += sizes[i];
    }
    for (size_t i = sizeof sizes / sizeof sizes[0]; i-- != 0;) {
        if (!holds(at - sizes[i], (size_t)sizes[i], (unsigned char)(i + 1))) {
            return "brk: bytes below the break changed";
        }
        if (port->brk(port->context, -sizes[i]) != (void *)at || break_at(port) != at - sizes[i]) {
            return "brk down: it must return where the break was, and move it by just so much";
        }
        at -= sizes[i];
    }
    return NULL;
}

const char *contract_break(const struct cairn_port_region *port, bool alone)
{
    if (port->brk == NULL) {
        return port->room == NULL ? NULL : "room without brk";
    }
    if (port->room == NULL) {
        return "brk without room";
    }
    unsigned char *const start = break_at(port);
    if (start == NULL || break_at(port) != start) {
        return "brk(0): it must say where the break is, and leave it there";
    }
    const char *const wrong = steps(port, start);
    if (wrong != NULL || !alone) {
        return wrong;
    }
    static const ptrdiff_t far[] = {PTRDIFF_MAX, PTRDIFF_MIN + 1};
    for (size_t i = 0; i < 2; i++) {
        if (port->brk(port->context, far[i]) != NULL || break_at(port) != start) {
            return "brk: a break that cannot be there must be refused, and stay";
        }
    }
    const size_t room = port->room(port->context);
    if (room < PTRDIFF_MAX && port->brk(port->context, (ptrdiff_t)room + 1) != NULL) {
        return "room: the break moved farther";
    }
    return break_at(port) == start ? NULL : "brk: the break is not where it was";
}

static void *get(const struct cairn_port_region *port, size_t pages, size_t alignment)
{
    return port->map(port->context, pages * port->page, alignment * port->page);
}

static const char *fill(const struct cairn_port_region *port, unsigned char *maps[MAPS])
{
    for (size_t i = 0; i < MAPS; i++) {
        const size_t alignment = (size_t)1 << i % 3;
        maps[i] = get(port, i % 3 + 1, alignment);
        if (maps[i] == NULL) {
            return "map: no room for a dozen pages";
        }
        if ((uintptr_t)maps[i] % (alignment * port->page) != 0) {
            return "map: not aligned as asked for";
        }
        if (port->zeroed && !holds(maps[i], (i % 3 + 1) * port->page, 0)) {
            return "map: not zeros, though the port says so";
        }
        memset(maps[i], (int)i + 1, (i % 3 + 1) * port->page);
    }
    for (size_t i = 0; i < MAPS; i++) {
        if (!holds(maps[i], (i % 3 + 1) * port->page, (unsigned char)(i + 1))) {
            return "map: two maps overlap";
        }
    }
    return NULL;
}

// Two pages become five, with another map behind them, so that they may have to move.
static const char *longer(const struct cairn_port_region *port)
{
    const size_t page = port->page;
    unsigned char *const map = get(port, 2, 1);
    unsigned char *const behind = get(port, 1, 1);
    if (map == NULL || behind == NULL) {
        return "map: no room for three pages";
    }
    memset(map, 0x5A, 2 * page);
    memset(behind, 0x77, page);
    unsigned char *const to = port->remap(port->context, map, 2 * page, 5 * page);
    if (to == NULL || (uintptr_t)to % page != 0 || !holds(to, 2 * page, 0x5A)) {
        return "remap: the bytes did not come along";
    }
    if (port->zeroed && !holds(to + 2 * page, 3 * page, 0)) {
        return "remap: what is new is not zeros, though the port says so";
    }
    memset(to, 0x33, 5 * page);
    if (!holds(behind, page, 0x77)) {
        return "remap: it overlaps another map";
    }
    return port->unmap(port->context, to, 5 * page) == 0 && port->unmap(port->context, behind, page) == 0 ? NULL : "unmap: a map was not taken back";
}

const char *contract_maps(const struct cairn_port_region *port)
{
    unsigned char *maps[MAPS];
    if (port->map == NULL) {
        return port->unmap == NULL ? NULL : "unmap without map";
    }
    if (port->unmap == NULL || port->page < 16 || (port->page & (port->page - 1)) != 0) {
        return "map without unmap, or without a page size";
    }
    const char *const wrong = fill(port, maps);
    if (wrong != NULL) {
        return wrong;
    }
    const size_t page = port->page;
    // The last page of one, the first of another, then what is left; the others stay.
    if (port->unmap(port->context, maps[2] + 2 * page, page) != 0 || port->unmap(port->context, maps[5], page) != 0) {
        return "unmap: a part of a map must be taken back";
    }
    if (!holds(maps[2], 2 * page, 3) || !holds(maps[5] + page, 2 * page, 6) || !holds(maps[4], 2 * page, 5)) {
        return "unmap: it took more than it was given";
    }
    const int errors[] = {port->unmap(port->context, maps[2], 2 * page), port->unmap(port->context, maps[5] + page, 2 * page),
                          port->unmap(port->context, maps[0], page),     port->unmap(port->context, maps[1], 2 * page),
                          port->unmap(port->context, maps[3], page),     port->unmap(port->context, maps[4], 2 * page)};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (errors[i] != 0) {
            return "unmap: a map was not taken back";
        }
    }
    const char *const remap_wrong = port->remap == NULL ? NULL : longer(port);
    if (remap_wrong != NULL) {
        return remap_wrong;
    }
    const size_t most = SIZE_MAX & ~(2 * page - 1);
    return port->map(port->context, most, page) == NULL ? NULL : "map: all of the address space was given out";
}

const char *contract_system(const struct cairn_port_system *system)
{
    if ((system->lock == NULL) != (system->unlock == NULL)) {
        return "lock and unlock: both, or none";
    }
    for (unsigned i = 0; system->lock != NULL && i < 3; i++) {
        const uint32_t key = system->lock(system->context);
        system->unlock(system->context, key);
    }
    if (system->cycles != NULL) {
        const uint32_t before = system->cycles(system->context);
        uint32_t after = before;
        for (unsigned long i = 0; i < 100000000ul && after == before; i++) {
            after = system->cycles(system->context);
        }
        if (after == before) {
            return "cycles: the clock does not run";
        }
    }
    return NULL;
}
