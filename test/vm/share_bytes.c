// SPDX-License-Identifier: MIT
//
// OWNS        of share_model.h, the operations on bytes: words, cursors, ranges, pins.
#include "share_model.h"

#include <string.h>

union word {
    uint8_t bytes[8];
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
};

static cairn_vaddr_t somewhere(struct share_model *model)
{
    const uint32_t page = share_below(model, SHARE_PAGES);
    const uint32_t offset = share_below(model, 4) == 0 ? model->page - 1 - share_below(model, 8) : share_below(model, model->page);
    return ((cairn_vaddr_t)page << model->shift) + offset;
}

// One of the pages that are mapped, of a few that are looked at.
static cairn_vaddr_t somewhere_mapped(struct share_model *model, uint32_t i)
{
    cairn_vaddr_t address = somewhere(model);
    for (uint32_t looks = share_below(model, 6); looks != 0 && model->truth[i].page[address >> model->shift].kind == PAGE_NONE; looks--) {
        address = somewhere(model);
    }
    return address;
}

static void any_bytes(struct share_model *model, uint8_t *bytes, uint32_t size)
{
    for (uint32_t b = 0; b < size; b++) {
        bytes[b] = (uint8_t)(share_below(model, 3) == 0 ? 0 : share_below(model, 256));
    }
}

static void word_from(const struct share_model *model, uint32_t i, cairn_vaddr_t address, uint8_t *bytes, uint32_t size)
{
    for (uint32_t b = 0; b < size; b++) {
        bytes[b] = share_bytes_at((struct share_model *)(uintptr_t)model, i, (uint32_t)((address + b) >> model->shift))[(address + b) & (model->page - 1)];
    }
}

static void word_to(struct share_model *model, uint32_t i, cairn_vaddr_t address, const uint8_t *bytes, uint32_t size)
{
    for (uint32_t b = 0; b < size; b++) {
        share_bytes_at(model, i, (uint32_t)((address + b) >> model->shift))[(address + b) & (model->page - 1)] = bytes[b];
    }
}

// What a load or store of a word did: both of its pages first, then the bytes.
static const char *word_done(struct share_model *model, uint32_t i, cairn_vaddr_t address, union word *value, uint32_t size, bool store)
{
    const uint32_t first = (uint32_t)(address >> model->shift);
    const uint32_t last = (uint32_t)((address + size - 1) >> model->shift);
    for (uint32_t page = first; page <= last; page++) {
        const int next = share_follow(model, i, page == first ? address : (cairn_vaddr_t)page << model->shift, store ? CAIRN_WRITE : CAIRN_READ);
        if (next <= 0) {
            return next < 0 ? "its error" : NULL;
        }
        if (store) {
            share_own_it(model, i, page);
        }
    }
    if (model->error != 0) {
        return "an error that is not due";
    }
    union word due;
    if (store) {
        word_to(model, i, address, value->bytes, size);
    } else {
        word_from(model, i, address, due.bytes, size);
    }
    return !store && memcmp(due.bytes, value->bytes, size) != 0 ? "its bytes" : NULL;
}

const char *share_word(struct share_model *model, uint32_t i)
{
    struct cairn_vm *const vm = &model->vm;
    const uint32_t size = 1u << share_below(model, 4);
    const cairn_vaddr_t any = somewhere_mapped(model, i);
    const cairn_vaddr_t address = share_below(model, 3) != 0 ? any & ~(cairn_vaddr_t)(size - 1) : any;
    const bool store = share_below(model, 2) != 0;
    union word value;
    any_bytes(model, value.bytes, sizeof value);
    if (vm->current != &model->spaces[i] || share_below(model, 64) == 0) {
        cairn_space_switch(vm, &model->spaces[i]);
    }
    switch (size) {
    case 1: model->error = store ? cairn_vm_store8(vm, address, value.u8) : cairn_vm_load8(vm, address, &value.u8); break;
    case 2: model->error = store ? cairn_vm_store16(vm, address, value.u16) : cairn_vm_load16(vm, address, &value.u16); break;
    case 4: model->error = store ? cairn_vm_store32(vm, address, value.u32) : cairn_vm_load32(vm, address, &value.u32); break;
    default: model->error = store ? cairn_vm_store64(vm, address, value.u64) : cairn_vm_load64(vm, address, &value.u64); break;
    }
    return word_done(model, i, address, &value, size, store);
}

// A word of each of some pages in a row, so that what is read ahead is used.
const char *share_walk(struct share_model *model, uint32_t i)
{
    const char *wrong = NULL;
    cairn_vaddr_t address = (cairn_vaddr_t)share_below(model, SHARE_PAGES) << model->shift;
    if (model->vm.current != &model->spaces[i]) {
        cairn_space_switch(&model->vm, &model->spaces[i]);
    }
    for (uint32_t pages = share_below(model, 24); pages != 0 && wrong == NULL; pages--, address += model->page) {
        union word value;
        model->faults = 0;
        model->error = cairn_vm_load32(&model->vm, address, &value.u32);
        wrong = word_done(model, i, address, &value, 4, false);
    }
    return wrong;
}

// ---------------------------------------------------------------------------------------------------------------------- cursors

// Follows the cursor to its page. *page: the one that it has, SHARE_PAGES for none. Returns as share_follow.
static int cursor_moves(struct share_model *model, uint32_t i, cairn_vaddr_t address, uint32_t access, uint32_t asked, uint32_t *page)
{
    const uint32_t to = (uint32_t)(address >> model->shift);
    if ((asked & ~access) != 0) {
        return model->error == CAIRN_EACCES ? 0 : -1;
    }
    if (*page == to) {
        return 1;
    }
    *page = SHARE_PAGES;
    const int next = share_follow(model, i, address, access);
    if (next <= 0) {
        return next;
    }
    if (model->error != 0 && model->faults == 0) { // a page that was to become its own
        share_relearn(model, i, to, to + 1);
        return share_is_due(model, 0) ? 0 : -1;
    }
    share_own_it(model, i, to);
    *page = to;
    return 1;
}

static const char *cursor_step(struct share_model *model, uint32_t i, struct cairn_cursor *cursor, cairn_vaddr_t address, uint32_t *page)
{
    const uint32_t size = 1u << share_below(model, 4);
    const bool store = share_below(model, 2) != 0;
    union word value;
    address &= ~(cairn_vaddr_t)(share_below(model, 2) * (size - 1));
    any_bytes(model, value.bytes, sizeof value);
    model->faults = 0;
    switch (size) {
    case 1: model->error = store ? cairn_cursor_store8(cursor, address, value.u8) : cairn_cursor_load8(cursor, address, &value.u8); break;
    case 2: model->error = store ? cairn_cursor_store16(cursor, address, value.u16) : cairn_cursor_load16(cursor, address, &value.u16); break;
    case 4: model->error = store ? cairn_cursor_store32(cursor, address, value.u32) : cairn_cursor_load32(cursor, address, &value.u32); break;
    default: model->error = store ? cairn_cursor_store64(cursor, address, value.u64) : cairn_cursor_load64(cursor, address, &value.u64); break;
    }
    const int next = cursor_moves(model, i, address, cursor->access, store ? CAIRN_WRITE : CAIRN_READ, page);
    if (next <= 0) {
        return next < 0 ? "its error" : NULL;
    }
    if ((address & (model->page - 1)) + size > model->page) {
        return word_done(model, i, address, &value, size, store);
    }
    union word due;
    if (store) {
        word_to(model, i, address, value.bytes, size);
    } else {
        word_from(model, i, address, due.bytes, size);
    }
    return model->error != 0 ? "an error that is not due" : !store && memcmp(due.bytes, value.bytes, size) != 0 ? "its bytes" : NULL;
}

const char *share_cursor(struct share_model *model, uint32_t i)
{
    struct cairn_cursor cursor;
    const char *wrong = NULL;
    uint32_t page = SHARE_PAGES;
    cairn_vaddr_t address = somewhere_mapped(model, i);
    cairn_cursor_init(&cursor, &model->spaces[i], share_below(model, 3) == 0 ? CAIRN_READ : CAIRN_READ | CAIRN_WRITE);
    model->pinned++;
    for (uint32_t steps = 1 + share_below(model, 8); steps != 0 && wrong == NULL; steps--) {
        wrong = cursor_step(model, i, &cursor, address, &page);
        address += share_below(model, 2 * model->page / 3);
        address &= ((cairn_vaddr_t)SHARE_PAGES << model->shift) - 1;
    }
    cairn_cursor_deinit(&cursor);
    return wrong;
}

// ----------------------------------------------------------------------------------------------------------------------- ranges

static uint8_t buffer[3 * SHARE_PAGE_MOST];

// Bytes from an address on, in its page.
static uint32_t piece(const struct share_model *model, cairn_vaddr_t address, uint32_t size)
{
    const uint32_t left = model->page - (uint32_t)(address & (model->page - 1));
    return left < size ? left : size;
}

// Whoever stores to a range looks at all of it first: is it mapped, and allowed? Returns as share_follow.
static int range_admitted(struct share_model *model, uint32_t i, cairn_vaddr_t address, uint32_t size, uint32_t access)
{
    for (uint32_t done = 0; done < size; done += piece(model, address + done, size - done)) {
        const uint32_t page = (uint32_t)((address + done) >> model->shift);
        const bool is_mapped = page < SHARE_PAGES && model->truth[i].page[page].kind != PAGE_NONE;
        const int due = share_reach(model, i, page, access);
        if (due != 0 && !(is_mapped && due == CAIRN_EBUSY)) { // it is not brought in yet
            return share_follow(model, i, address + done, access);
        }
    }
    return 1;
}

// What a write (buffer) or a read (into it) of a range did: page by page.
static const char *range_done(struct share_model *model, uint32_t i, cairn_vaddr_t address, uint32_t size, bool store)
{
    const int admitted = store ? range_admitted(model, i, address, size, CAIRN_WRITE) : 1;
    if (admitted <= 0) {
        return admitted < 0 ? "its error" : NULL;
    }
    for (uint32_t done = 0, run; done < size; done += run) {
        const uint32_t page = (uint32_t)((address + done) >> model->shift);
        const int next = share_follow(model, i, address + done, store ? CAIRN_WRITE : CAIRN_READ);
        if (next <= 0) {
            return next < 0 ? "its error" : NULL;
        }
        run = piece(model, address + done, size - done);
        if (store) {
            share_own_it(model, i, page);
        }
        uint8_t *const at = share_bytes_at(model, i, page) + ((address + done) & (model->page - 1));
        if (store) {
            memcpy(at, buffer + done, run);
        } else if (memcmp(at, buffer + done, run) != 0) {
            return "its bytes";
        }
    }
    return model->error != 0 ? "an error that is not due" : NULL;
}

// The bytes of the range that can be read, in the buffer. Returns how many there are.
static uint32_t bytes_of(struct share_model *model, uint32_t i, cairn_vaddr_t address, uint32_t size)
{
    uint32_t done = 0;
    while (done < size) {
        const uint32_t page = (uint32_t)((address + done) >> model->shift);
        if (page >= SHARE_PAGES || model->truth[i].page[page].kind == PAGE_NONE || share_reach(model, i, page, CAIRN_READ) != 0) {
            break;
        }
        const uint32_t run = piece(model, address + done, size - done);
        memcpy(buffer + done, share_bytes_at(model, i, page) + ((address + done) & (model->page - 1)), run);
        done += run;
    }
    return done;
}

static const char *compare(struct share_model *model, uint32_t i, cairn_vaddr_t address, uint32_t size)
{
    struct cairn_space *const space = &model->spaces[i];
    const uint32_t good = bytes_of(model, i, address, size);
    const uint32_t other = share_below(model, 2 * size + 1);
    int order = 0;
    uint8_t was = 0;
    memset(buffer + good, 0, size - good);
    if (other < good) { // this one differs
        was = buffer[other];
        buffer[other] = (uint8_t)(was + 1 + share_below(model, 255));
    }
    model->error = cairn_space_compare(space, address, buffer, size, &order);
    if (other >= good) {
        return model->error == 0 && order != 0 ? "its order" : range_done(model, i, address, size, false);
    }
    if (model->error == 0) {
        return (order < 0) == (was < buffer[other]) && order != 0 ? NULL : "its order";
    }
    buffer[other] = was;
    return range_done(model, i, address, other + 1, false); // it failed before that
}

static const char *string(struct share_model *model, uint32_t i, cairn_vaddr_t address, uint32_t size)
{
    const uint32_t good = bytes_of(model, i, address, size);
    uint32_t due = 0;
    size_t length = 0;
    while (due < good && buffer[due] != 0) {
        due++;
    }
    model->error = cairn_space_string(&model->spaces[i], address, size, &length);
    if (due < good) {
        return model->error == 0 ? (length == due ? NULL : "its length") : range_done(model, i, address, due + 1, false);
    }
    return model->error == 0 && length != size ? "its length" : range_done(model, i, address, size, false);
}

// May a stack grow when the range is read?
static bool may_grow(const struct share_model *model, uint32_t i, cairn_vaddr_t address, uint32_t size)
{
    bool may = false;
    for (uint32_t page = (uint32_t)(address >> model->shift); page <= (address + size) >> model->shift && page < SHARE_PAGES; page++) {
        may |= model->truth[i].page[page].kind == PAGE_NONE;
    }
    return may;
}

// May a stack grow when the range is stored to, and that be in vain? Then who stores has looked at all of it, or is at it: that is not told apart here.
static bool may_grow_in_vain(const struct share_model *model, uint32_t i, cairn_vaddr_t address, uint32_t size)
{
    const struct share_page *const pages = model->truth[i].page;
    bool may = false;
    for (uint32_t page = (uint32_t)(address >> model->shift); page <= (address + size) >> model->shift && page < SHARE_PAGES; page++) {
        uint32_t above = page;
        while (above < SHARE_PAGES && pages[above].kind == PAGE_NONE) {
            above++;
        }
        may |= above != page && above < SHARE_PAGES && pages[above].grow != 0;
    }
    return may && (model->config.fail_every != 0 || share_may_run_out(model, 0));
}

const char *share_bytes(struct share_model *model, uint32_t i)
{
    struct cairn_space *const space = &model->spaces[i];
    const uint32_t size = share_below(model, share_below(model, 4) == 0 ? 3 * model->page : model->page / 2);
    const cairn_vaddr_t address = somewhere_mapped(model, i);
    const uint8_t byte = (uint8_t)(share_below(model, 2) * share_below(model, 256));
    const uint32_t kind = share_below(model, 5);
    switch ((kind > 2 && may_grow(model, i, address, size)) || (kind < 2 && may_grow_in_vain(model, i, address, size)) ? 2 : kind) {
    case 0:
        any_bytes(model, buffer, size);
        model->error = cairn_space_write(space, address, buffer, size);
        return range_done(model, i, address, size, true);
    case 1:
        memset(buffer, byte, size);
        model->error = cairn_space_fill(space, address, byte, size);
        return range_done(model, i, address, size, true);
    case 2:
        model->error = cairn_space_read(space, buffer, address, size);
        return range_done(model, i, address, size, false);
    case 3: return compare(model, i, address, size);
    default: return string(model, i, address, size);
    }
}

const char *share_copy(struct share_model *model, uint32_t i)
{
    const uint32_t j = share_below(model, 3) == 0 ? i : share_below(model, SHARE_SPACES);
    const uint32_t size = share_below(model, 2 * model->page);
    const cairn_vaddr_t from = somewhere_mapped(model, i);
    const cairn_vaddr_t to = i == j && share_below(model, 2) != 0 ? from - share_below(model, 40) : somewhere_mapped(model, j);
    if (!model->truth[j].exists || may_grow_in_vain(model, i, from, size) || may_grow_in_vain(model, j, to, size)) {
        return NULL;
    }
    model->error = cairn_space_copy(&model->spaces[j], to, &model->spaces[i], from, size);
    if (i == j && to > from && to - from < size) {
        return model->error == CAIRN_EINVAL ? NULL : "an overlap";
    }
    int admitted = range_admitted(model, i, from, size, CAIRN_READ);
    admitted = admitted > 0 ? range_admitted(model, j, to, size, CAIRN_WRITE) : admitted;
    if (admitted <= 0) {
        return admitted < 0 ? "its error" : NULL;
    }
    for (uint32_t done = 0, run; done < size; done += run) {
        const uint32_t source = (uint32_t)((from + done) >> model->shift);
        const uint32_t target = (uint32_t)((to + done) >> model->shift);
        int next = share_follow(model, i, from + done, CAIRN_READ);
        if (next > 0) {
            next = share_follow(model, j, to + done, CAIRN_WRITE);
        }
        if (next <= 0) {
            return next < 0 ? "its error" : NULL;
        }
        share_own_it(model, j, target);
        run = piece(model, from + done, piece(model, to + done, size - done));
        const uint8_t *const bytes = share_bytes_at(model, i, source) + ((from + done) & (model->page - 1));
        memmove(share_bytes_at(model, j, target) + ((to + done) & (model->page - 1)), bytes, run);
    }
    return model->error != 0 ? "an error that is not due" : NULL;
}

// ------------------------------------------------------------------------------------------------------------------------- pins

static const char *pin(struct share_model *model, uint32_t i, struct share_pin *pin)
{
    const cairn_vaddr_t address = somewhere_mapped(model, i);
    const uint32_t page = (uint32_t)(address >> model->shift);
    const uint32_t access = share_below(model, 3) == 0 ? CAIRN_READ : CAIRN_READ | CAIRN_WRITE;
    void *at = NULL;
    size_t run = 0;
    model->error = cairn_space_pin(&model->spaces[i], address, access, &at, &run);
    const int next = share_follow(model, i, address, access);
    if (next <= 0) {
        return next < 0 ? "its error" : NULL;
    }
    if (model->error != 0) {
        share_relearn(model, i, page, page + 1);
        return share_is_due(model, 0) && model->faults == 0 ? NULL : "an error that is not due";
    }
    share_own_it(model, i, page);
    if (model->truth[i].page[page].kind == PAGE_DIRECT) { // its pins are the mapping's
        const bool is_there = at == share_bytes_at(model, i, page) + (address & (model->page - 1));
        return !is_there || cairn_space_unpin(&model->spaces[i], address) != 0 ? "where the page is" : NULL;
    }
    *pin = (struct share_pin){true, i, page, access, (uint8_t *)at - (address & (model->page - 1))};
    model->truth[i].page[page].pins++;
    return run != model->page - (address & (model->page - 1)) ? "its run" : NULL;
}

// What is not pinned by its space is not unpinned, be it locked, or pinned by another.
static const char *unpin_none(struct share_model *model, uint32_t i)
{
    const cairn_vaddr_t address = somewhere_mapped(model, i);
    const uint32_t page = (uint32_t)(address >> model->shift);
    const struct share_page *const its = &model->truth[i].page[page];
    if (its->pins != 0 || share_is_held(model, i, page, page + 1)) {
        return NULL;
    }
    return cairn_space_unpin(&model->spaces[i], address) != CAIRN_EINVAL ? "unpinned, and was not pinned" : NULL;
}

const char *share_pin(struct share_model *model, uint32_t i)
{
    if (share_below(model, 6) == 0) {
        return unpin_none(model, i);
    }
    struct share_pin *const its = &model->pins[share_below(model, SHARE_PINS)];
    if (!its->held) {
        return pin(model, i, its);
    }
    its->held = false;
    model->truth[its->space].page[its->page].pins--;
    const cairn_vaddr_t address = ((cairn_vaddr_t)its->page << model->shift) + share_below(model, model->page);
    return cairn_space_unpin(&model->spaces[its->space], address) != 0 ? "unpin" : NULL;
}

// What is pinned is where the pointer says, for as long as it is.
const char *share_poke(struct share_model *model)
{
    for (uint32_t p = 0; p < SHARE_PINS; p++) {
        const struct share_pin *const its = &model->pins[p];
        if (!its->held) {
            continue;
        }
        uint8_t *const bytes = share_bytes_at(model, its->space, its->page);
        const uint32_t offset = share_below(model, model->page);
        if (its->memory[offset] != bytes[offset]) {
            return "what is pinned";
        }
        if ((its->access & CAIRN_WRITE) != 0 && share_below(model, 8) == 0) {
            its->memory[offset] = bytes[offset] = (uint8_t)share_below(model, 256);
        }
    }
    return NULL;
}

// --------------------------------------------------------------------------------------------------------------------- segments

const char *share_segment(struct share_model *model, uint32_t i)
{
    const struct cairn_segment segments[] = {
        {.base = (cairn_vaddr_t)share_below(model, 4096),
         .limit = 1 + share_below(model, 4096),
         .protection = CAIRN_READ | share_below(model, 2) * CAIRN_WRITE},
    };
    struct cairn_space *const space = &model->spaces[i];
    const uint32_t number = share_below(model, 8) == 0;
    const cairn_vaddr_t offset = share_below(model, 5000);
    const uint32_t size = share_below(model, 9);
    const uint32_t access = share_below(model, 2) == 0 ? CAIRN_READ : CAIRN_WRITE;
    cairn_vaddr_t address = 0;
    cairn_space_set_segments(space, segments, 1);
    const int error = cairn_segment_translate(space, number, offset, size, access, &address);
    cairn_space_set_segments(space, NULL, 0);
    const uint32_t wanted = access | (model->truth[i].user ? CAIRN_USER : 0);
    const int due = number != 0 || size == 0 || offset + size > segments[0].limit ? CAIRN_EFAULT : (~segments[0].protection & wanted) != 0 ? CAIRN_EACCES : 0;
    return error != due ? "its error" : error == 0 && address != segments[0].base + offset ? "its address" : NULL;
}
