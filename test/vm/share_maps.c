// SPDX-License-Identifier: MIT
//
// OWNS        of share_model.h, the operations that map and unmap.
#include "share_model.h"

#include <string.h>

int share_range(struct share_model *model, cairn_vaddr_t *address, cairn_vaddr_t *size, uint32_t *first, uint32_t *end)
{
    const uint32_t odd = share_below(model, 40);
    *first = share_below(model, SHARE_PAGES);
    *end = *first + 1 + share_below(model, share_below(model, 6) == 0 ? SHARE_PAGES / 2 : 5);
    *address = (cairn_vaddr_t)*first << model->shift;
    *size = (cairn_vaddr_t)(*end - *first) << model->shift;
    if (odd == 0) {
        *address += 1 + share_below(model, model->page - 1);
        return CAIRN_EINVAL;
    }
    if (odd == 1) {
        *size = share_below(model, model->page);
        return CAIRN_EINVAL;
    }
    return *first == 0 || *end > SHARE_PAGES ? CAIRN_EINVAL : 0;
}

bool share_is_mapped(const struct share_model *model, uint32_t i, uint32_t first, uint32_t end)
{
    while (first < end && model->truth[i].page[first].kind != PAGE_NONE) {
        first++;
    }
    return first == end;
}

bool share_is_free(const struct share_model *model, uint32_t i, uint32_t first, uint32_t end)
{
    while (first < end && model->truth[i].page[first].kind == PAGE_NONE) {
        first++;
    }
    return first == end;
}

bool share_is_pinned(const struct share_model *model, uint32_t i, uint32_t first, uint32_t end)
{
    for (; first < end; first++) {
        if (model->truth[i].page[first].pins != 0) {
            return true;
        }
    }
    return false;
}

// Does the page go on where the one before it ends, in what may be one mapping of an object?
static bool goes_on(const struct share_model *model, uint32_t i, uint32_t page)
{
    const struct share_page *const its = &model->truth[i].page[page];
    return page != 0 && page < SHARE_PAGES && its->kind == PAGE_OBJECT && its[-1].kind == PAGE_OBJECT && its->object == its[-1].object &&
           its->at == its[-1].at + 1;
}

bool share_is_held(const struct share_model *model, uint32_t i, uint32_t first, uint32_t end)
{
    uint32_t low = first;
    uint32_t high = end;
    while (goes_on(model, i, low)) {
        low--;
    }
    while (goes_on(model, i, high)) {
        high++;
    }
    return (low != first && share_is_pinned(model, i, low, end)) || (high != end && share_is_pinned(model, i, first, high));
}

bool share_is_allowed(const struct share_model *model, uint32_t i, uint32_t object, bool shared, uint32_t protection)
{
    const struct share_object *const its = &model->objects[object];
    const uint32_t allowed = !its->is_keyed || its->owner == i ? its->protection : its->others;
    return ((shared ? protection : protection & ~CAIRN_WRITE) & ~allowed & (CAIRN_READ | CAIRN_WRITE | CAIRN_EXEC)) == 0;
}

uint32_t share_any_protection(struct share_model *model)
{
    enum { R = CAIRN_READ, RW = CAIRN_READ | CAIRN_WRITE, X = CAIRN_EXEC };
    static const uint8_t some[] = {R, RW, RW, RW, X, R | X, 0};
    return some[share_below(model, sizeof some)] | (model->config.user && share_below(model, 2) != 0 ? CAIRN_USER : 0);
}

// --------------------------------------------------------------------------------------------------------------------- unmapping

uint64_t share_unmap_due(const struct share_model *model, uint32_t i, uint32_t first, uint32_t end)
{
    return share_is_pinned(model, i, first, end) ? DUE(CAIRN_EBUSY) : DUE(0) | (share_is_held(model, i, first, end) ? DUE(CAIRN_EBUSY) : 0);
}

const char *share_unmap(struct share_model *model, uint32_t i)
{
    cairn_vaddr_t address, size;
    uint32_t first, end;
    const int bad = share_range(model, &address, &size, &first, &end);
    const uint64_t due = bad != 0 ? DUE(CAIRN_EINVAL) : share_unmap_due(model, i, first, end);
    model->error = cairn_space_unmap_range(&model->spaces[i], address, size);
    if (!share_is_due(model, due)) {
        return "its error";
    }
    if (model->error == 0) {
        share_forget(model, i, first, end);
    }
    return NULL;
}

// ----------------------------------------------------------------------------------------------------------------------- mapping

// Pages below a stack that are kept for it: what it may grow by, and one that stays free.
static uint32_t kept_below(uint32_t grow)
{
    return grow + (grow != 0);
}

// The highest range that is free, and has so many pages free below it; 0: none.
static uint32_t highest(const struct share_model *model, uint32_t i, uint32_t pages, uint32_t below, uint32_t alignment)
{
    const struct share_truth *const truth = &model->truth[i];
    bool taken[SHARE_PAGES] = {true};
    for (uint32_t page = 1; page < SHARE_PAGES; page++) {
        taken[page] |= truth->page[page].kind != PAGE_NONE;
        for (uint32_t down = 1; down <= kept_below(truth->page[page].grow) && page - down < SHARE_PAGES && truth->page[page - down].kind == PAGE_NONE; down++) {
            taken[page - down] = true;
        }
    }
    for (uint32_t at = SHARE_PAGES; at-- > 1;) {
        bool good = (at & (alignment - 1)) == 0 && at > below && at + pages <= SHARE_PAGES;
        for (uint32_t page = at - below; good && page < at + pages; page++) {
            good = !taken[page];
        }
        if (good) {
            return at;
        }
    }
    return 0;
}

// A mapping that is asked for, in pages.
struct asked {
    struct cairn_map map;
    uint32_t kind, object, at, first, pages, alignment, grow;
    bool bad;
};

static void ask(struct share_model *model, uint32_t i, struct asked *asked)
{
    static const uint8_t flags[] = {0, 0, CAIRN_MAP_FIXED, CAIRN_MAP_FIXED, CAIRN_MAP_REPLACE, CAIRN_MAP_FIXED | CAIRN_MAP_REPLACE};
    const uint32_t kind = share_below(model, 16);
    const uint32_t odd = share_below(model, 40);
    memset(asked, 0, sizeof *asked);
    asked->kind = kind < 7 ? PAGE_OWN : kind < 15 ? PAGE_OBJECT : PAGE_DIRECT;
    asked->object = share_below(model, SHARE_OBJECTS);
    asked->at = asked->kind == PAGE_OWN ? 0 : share_below(model, SHARE_OBJECT_PAGES);
    asked->pages = 1 + share_below(model, asked->kind != PAGE_OWN ? SHARE_OBJECT_PAGES - asked->at : share_below(model, 8) == 0 ? SHARE_PAGES : 6);
    asked->first = share_below(model, SHARE_PAGES);
    asked->alignment = share_below(model, 3) == 0 ? 1u << share_below(model, 4) : 0;
    asked->map.flags = flags[share_below(model, sizeof flags)];
    asked->map.protection = share_any_protection(model);
    asked->map.flags |= asked->kind == PAGE_OBJECT && share_below(model, 2) != 0 ? CAIRN_MAP_SHARED : 0;
    if (asked->kind == PAGE_OWN && share_below(model, 4) == 0) {
        asked->map.flags |= CAIRN_MAP_GROWS_DOWN;
        asked->grow = share_below(model, 7);
    }
    for (uint32_t page = 1; asked->kind == PAGE_OBJECT && (asked->map.flags & CAIRN_MAP_REPLACE) != 0 && page < SHARE_PAGES; page++) {
        const struct share_page *const its = &model->truth[i].page[page];
        if (its->kind == PAGE_OBJECT && its->object == asked->object && its->at == 0) { // all that it shows is replaced
            asked->first = page;
            asked->at = 0;
            asked->pages = model->objects[asked->object].pages;
        }
    }
    asked->map.address = (cairn_vaddr_t)asked->first << model->shift;
    asked->map.size = (cairn_vaddr_t)asked->pages << model->shift;
    asked->map.alignment = (cairn_vaddr_t)asked->alignment << model->shift;
    asked->map.object = asked->kind == PAGE_OBJECT ? &model->objects[asked->object].object : NULL;
    asked->map.offset = (cairn_vaddr_t)(asked->kind == PAGE_OBJECT ? asked->at : 0) << model->shift;
    asked->map.memory = asked->kind == PAGE_DIRECT ? model->direct + asked->at * model->page : NULL;
    asked->map.grow = (cairn_vaddr_t)asked->grow << model->shift;
    switch (odd) {
    case 0: asked->map.size = 0; break;
    case 1: asked->map.size++; break;
    case 2: asked->map.flags |= CAIRN_MAP_LOCKED; break;
    case 3: asked->map.protection = CAIRN_WRITE; break;
    case 4: asked->map.alignment = 3; break;
    case 5: asked->map.offset++; break;
    default: break;
    }
    asked->bad = odd < 6;
}

static bool is_bad(const struct share_model *model, const struct asked *asked)
{
    const bool is_there = (asked->map.flags & (CAIRN_MAP_FIXED | CAIRN_MAP_REPLACE)) != 0;
    const struct share_object *const object = &model->objects[asked->object];
    return asked->bad || asked->pages > SHARE_PAGES || (is_there && (asked->first == 0 || asked->first + asked->pages > SHARE_PAGES)) ||
           (is_there && asked->alignment > 1 && (asked->first & (asked->alignment - 1)) != 0) ||
           (asked->kind == PAGE_DIRECT && (asked->map.protection & CAIRN_WRITE) != 0) ||
           (asked->kind == PAGE_OBJECT && (!object->exists || asked->at + asked->pages > object->pages));
}

bool share_is_charged(uint32_t kind, bool shared, uint32_t protection)
{
    return (kind == PAGE_OWN || (kind == PAGE_OBJECT && !shared)) && (protection & CAIRN_WRITE) != 0;
}

// Errors that are due, or 0; and where it is to be.
static uint64_t map_due(const struct share_model *model, uint32_t i, struct asked *asked)
{
    const bool shared = (asked->map.flags & CAIRN_MAP_SHARED) != 0;
    if (is_bad(model, asked)) {
        return DUE(CAIRN_EINVAL);
    }
    if (asked->kind == PAGE_OBJECT && !share_is_allowed(model, i, asked->object, shared, asked->map.protection)) {
        return DUE(CAIRN_EACCES);
    }
    const bool may = share_may_promise(model, share_is_charged(asked->kind, shared, asked->map.protection) ? asked->pages : 0);
    uint64_t due = may ? 0 : DUE(CAIRN_ENOMEM);
    if ((asked->map.flags & CAIRN_MAP_REPLACE) != 0) {
        const uint64_t unmap = share_unmap_due(model, i, asked->first, asked->first + asked->pages);
        return may ? unmap : due | (unmap & ~DUE(0));
    }
    const bool free = asked->first != 0 && asked->first + asked->pages <= SHARE_PAGES && share_is_free(model, i, asked->first, asked->first + asked->pages);
    if ((asked->map.flags & CAIRN_MAP_FIXED) != 0) {
        return free ? (may ? DUE(0) : due) : due | DUE(CAIRN_EBUSY);
    }
    if (!free || (asked->alignment > 1 && (asked->first & (asked->alignment - 1)) != 0)) {
        asked->first = highest(model, i, asked->pages, kept_below(asked->grow), asked->alignment == 0 ? 1 : asked->alignment);
    }
    return !may || asked->first == 0 ? DUE(CAIRN_ENOMEM) : DUE(0);
}

void share_fill(struct share_model *model, uint32_t i, uint32_t first, uint32_t pages, const struct share_page *page)
{
    share_forget(model, i, first, first + pages);
    for (uint32_t p = 0; p < pages; p++) {
        struct share_page *const its = &model->truth[i].page[first + p];
        *its = *page;
        its->at = (uint8_t)(page->kind == PAGE_OWN ? 0 : page->at + p);
        its->grow = p == 0 ? page->grow : 0;
    }
}

const char *share_map(struct share_model *model, uint32_t i)
{
    struct asked asked;
    cairn_vaddr_t address = 1;
    ask(model, i, &asked);
    const uint64_t due = map_due(model, i, &asked);
    model->error = cairn_space_map_range(&model->spaces[i], &asked.map, share_below(model, 4) == 0 ? NULL : &address);
    if (!share_is_due(model, due)) {
        return "its error";
    }
    if (model->error != 0) {
        return NULL;
    }
    const bool shared = (asked.map.flags & CAIRN_MAP_SHARED) != 0;
    share_fill(model, i, asked.first, asked.pages,
            &(struct share_page){.kind = (uint8_t)asked.kind,
                                 .protection = (uint8_t)asked.map.protection,
                                 .object = (uint8_t)asked.object,
                                 .at = (uint8_t)asked.at,
                                 .grow = (uint8_t)(asked.grow < asked.first ? asked.grow : asked.first - 1),
                                 .shared = shared,
                                 .own = asked.kind == PAGE_OWN,
                                 .counted = true,
                                 .charged = share_is_charged(asked.kind, shared, asked.map.protection)});
    return address != 1 && address != (cairn_vaddr_t)asked.first << model->shift ? "its address" : NULL;
}

// Map shared memory: object o, or SHARE_OBJECTS: there is none.
const char *share_attach(struct share_model *model, uint32_t i, uint32_t key, uint32_t o)
{
    struct asked asked = {.kind = PAGE_OBJECT, .object = o % SHARE_OBJECTS, .pages = model->objects[o % SHARE_OBJECTS].pages};
    asked.first = share_below(model, 2) * share_below(model, SHARE_PAGES);
    asked.map.flags = CAIRN_MAP_SHARED | (asked.first != 0 ? CAIRN_MAP_FIXED : 0);
    asked.map.protection = CAIRN_READ | share_below(model, 2) * CAIRN_WRITE | (model->config.user ? CAIRN_USER : 0);
    cairn_vaddr_t address = (cairn_vaddr_t)asked.first << model->shift;
    const uint64_t due = key == 0 ? DUE(CAIRN_EINVAL) : o == SHARE_OBJECTS ? DUE(CAIRN_ENOENT) : map_due(model, i, &asked);
    model->error = cairn_shared_attach(&model->spaces[i], key, asked.map.protection, &address);
    if (!share_is_due(model, due)) {
        return "attach: its error";
    }
    if (model->error == 0) {
        share_fill(model, i, asked.first, asked.pages,
                &(struct share_page){.kind = PAGE_OBJECT, .protection = (uint8_t)asked.map.protection, .object = (uint8_t)o, .shared = true});
    }
    return model->error == 0 && address != (cairn_vaddr_t)asked.first << model->shift ? "attach: its address" : NULL;
}

// ------------------------------------------------------------------------------------------------------------ the caller's mappings

static bool is_listed(const struct share_model *model, const struct share_map *map)
{
    const struct cairn_mapping *mapping = model->truth[map->space].exists ? model->spaces[map->space].mappings : NULL;
    while (mapping != NULL && mapping != &map->mapping) {
        mapping = mapping->next;
    }
    return mapping != NULL;
}

static const char *unmap_callers(struct share_model *model, struct share_map *its)
{
    struct cairn_space *const space = &model->spaces[its->space];
    struct share_truth *const truth = &model->truth[its->space];
    const uint32_t first = (uint32_t)its->mapping.first;
    const uint32_t end = first + (uint32_t)its->mapping.pages;
    bool is_pinned = share_is_pinned(model, its->space, first, end);
    for (uint32_t page = first; page < end; page++) {
        if (truth->page[page].map != its->number) {
            return "a mapping that is the caller's has others' pages";
        }
        is_pinned |= truth->page[page].locked;
    }
    model->error = cairn_space_unmap(space, &its->mapping);
    if (!share_is_due(model, is_pinned ? DUE(CAIRN_EBUSY) : DUE(0))) {
        return "unmap: its error";
    }
    if (model->error == 0) {
        share_forget(model, its->space, first, end);
        return cairn_space_unmap(space, &its->mapping) != CAIRN_ENOENT ? "unmapped twice" : NULL;
    }
    return NULL;
}

static const char *protect_callers(struct share_model *model, struct share_map *its)
{
    const uint32_t protection = share_any_protection(model);
    model->error = cairn_space_protect(&model->spaces[its->space], &its->mapping, protection);
    for (uint32_t page = 0; page < its->mapping.pages; page++) {
        model->truth[its->space].page[its->mapping.first + page].protection = (uint8_t)protection;
    }
    return model->error != 0 ? "protect: its error" : NULL;
}

const char *share_map_callers(struct share_model *model, uint32_t i)
{
    struct share_map *const its = &model->maps[share_below(model, SHARE_MAPS)];
    const uint32_t what = share_below(model, 4);
    cairn_vaddr_t address, size;
    uint32_t first, end;
    if (is_listed(model, its) && what != 0) {
        return what == 1 ? protect_callers(model, its) : unmap_callers(model, its);
    }
    const bool is_mine = is_listed(model, its) && its->space == i;
    if (is_listed(model, its) && !is_mine) {
        return cairn_space_unmap(&model->spaces[i], &its->mapping) != CAIRN_ENOENT || cairn_space_protect(&model->spaces[i], &its->mapping, 0) != CAIRN_ENOENT
                   ? "a mapping of another space"
                   : NULL;
    }
    const int bad = share_range(model, &address, &size, &first, &end);
    const uint32_t protection = share_any_protection(model);
    const int due = bad != 0 ? bad : is_mine || !share_is_free(model, i, first, end) ? CAIRN_EBUSY : 0;
    model->error = cairn_space_map(&model->spaces[i], &its->mapping, address, size, protection);
    if (model->error != due) {
        return "its error";
    }
    if (due == 0) {
        its->space = i;
        its->number = ++model->numbers == 0 ? ++model->numbers : model->numbers;
        share_fill(model, i, first, end - first, &(struct share_page){.kind = PAGE_OWN, .protection = (uint8_t)protection, .own = true, .map = its->number});
    }
    return NULL;
}
