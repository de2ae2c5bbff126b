// SPDX-License-Identifier: MIT
//
// OWNS        share_model.h says what.
#include "share_model.h"

#include "vm/share.h"

#include <string.h>

#define MEMORY 65536u
#define GUARD 64u
#define UNTOUCHED 0x5C
#define TABLES_ENOUGH 16384u // bytes

static _Alignas(4096) uint8_t frames[(SHARE_FRAMES_MOST + 2) * SHARE_PAGE_MOST]; // first and last page: nobody's
static _Alignas(8) uint8_t memory[MEMORY];

// ----------------------------------------------------------------------------------------------------------------------- stores

static bool fails(struct share_model *model)
{
    const bool fail = model->config.fail_every != 0 && prng_below(&model->fails, model->config.fail_every) == 0;
    model->failed += fail;
    return fail;
}

static int read_from(struct share_model *model, const uint8_t *from, void *page)
{
    if (fails(model)) {
        memset(page, 0xEE, model->page);
        return CAIRN_EIO;
    }
    memcpy(page, from, model->page);
    return 0;
}

static int write_to(struct share_model *model, uint8_t *to, const void *page)
{
    if (fails(model)) {
        return CAIRN_EIO;
    }
    memcpy(to, page, model->page);
    return 0;
}

static int slot_read(void *context, uint32_t slot, void *page)
{
    struct share_model *const model = context;
    return read_from(model, model->slots + (slot + 1) * model->page, page);
}

static int slot_write(void *context, uint32_t slot, const void *page)
{
    struct share_model *const model = context;
    return write_to(model, model->slots + (slot + 1) * model->page, page);
}

static void slot_trim(void *context, uint32_t slot)
{
    struct share_model *const model = context;
    memset(model->slots + (slot + 1) * model->page, 0xDD, model->page);
}

static int stored_read(void *context, uint32_t slot, void *page)
{
    struct share_object *const its = context;
    return read_from(its->model, its->stored + (slot + 1) * its->model->page, page);
}

static int stored_write(void *context, uint32_t slot, const void *page)
{
    struct share_object *const its = context;
    its->is_synced = false;
    return write_to(its->model, its->stored + (slot + 1) * its->model->page, page);
}

static int stored_sync(void *context)
{
    struct share_object *const its = context;
    its->is_synced = !fails(its->model);
    return its->is_synced ? 0 : CAIRN_EIO;
}

void share_store(struct share_model *model, struct share_object *its, uint32_t slots)
{
    its->model = model;
    its->store = (struct cairn_port_store){its, stored_read, stored_write, NULL, stored_sync, model->page, slots};
    memset(its->stored, UNTOUCHED, sizeof its->stored);
    for (uint32_t b = 0; b < slots * model->page; b++) {
        its->stored[model->page + b] = (uint8_t)share_below(model, 256);
    }
}

static bool is_untouched(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != UNTOUCHED) {
            return false;
        }
    }
    return true;
}

bool share_is_untouched(const struct share_model *model)
{
    const uint32_t page = model->page;
    const uint32_t after = (1 + model->config.frames) * page;
    bool good = is_untouched(frames, page) && is_untouched(frames + after, sizeof frames - after) && is_untouched(memory + sizeof memory - GUARD, GUARD) &&
                is_untouched(model->slots, page) && is_untouched(model->slots + (SHARE_SLOTS + 1) * page, page);
    for (uint32_t o = 0; o <= SHARE_IMAGE; o++) {
        const struct share_object *const its = &model->objects[o];
        good = good && (!its->exists || !its->has_store ||
                        (is_untouched(its->stored, page) && is_untouched(its->stored + (its->first + its->pages + 1) * page, page)));
    }
    return good;
}

// ------------------------------------------------------------------------------------------------------------------------ start

static int handler(void *context, struct cairn_space *space, const struct cairn_vm_fault *fault)
{
    struct share_model *const model = context;
    model->faults++;
    model->fault_space = space;
    model->fault_address = fault->address;
    model->fault_access = fault->access;
    return fault->error;
}

static void reference(void *context, const struct cairn_space *space, cairn_vaddr_t address, bool write)
{
    struct share_model *const model = context;
    model->references += space != NULL && address >> model->shift < SHARE_PAGES && model->config.told;
    (void)write;
}

static bool space_begin(struct share_model *model, uint32_t i)
{
    struct share_truth *const truth = &model->truth[i];
    memset(truth, 0, sizeof *truth);
    model->error = cairn_space_init(&model->spaces[i], &model->vm);
    if (model->error == 0) {
        model->spaces[i].handler = handler;
        model->spaces[i].context = model;
        model->spaces[i].user = truth->user = model->config.user && share_below(model, 2) != 0;
        truth->exists = true;
    }
    return model->error == 0;
}

bool share_model_start(struct share_model *model, const struct share_config *config, uint32_t seed)
{
    static const uint8_t bits[CAIRN_LEVELS_MAX][CAIRN_LEVELS_MAX] = {{6}, {3, 3}, {2, 2, 2}, {1, 2, 1, 2}};
    memset(model, 0, sizeof *model);
    model->config = *config;
    prng_seed(&model->prng, seed);
    prng_seed(&model->fails, seed + 1000);
    model->shift = config->page_shift;
    model->page = 1u << config->page_shift;
    memset(frames, UNTOUCHED, sizeof frames);
    memset(memory, UNTOUCHED, sizeof memory);
    memset(model->slots, UNTOUCHED, sizeof model->slots);
    for (uint32_t b = 0; b < sizeof model->direct; b++) {
        model->direct[b] = (uint8_t)share_below(model, 256);
    }
    model->store = (struct cairn_port_store){model, slot_read, slot_write, slot_trim, NULL, model->page, config->slots};
    struct cairn_vm_config made = {.page_shift = config->page_shift,
                                   .levels = config->levels,
                                   .tlb = config->tlb,
                                   .frames = frames + model->page, // aligned to a page
                                   .frame_count = config->frames,
                                   .memory = memory,
                                   .policy = config->policy,
                                   .store = config->slots == 0 ? NULL : &model->store,
                                   .write_through = config->write_through,
                                   .prefetch = config->prefetch ? &cairn_prefetch_streams : NULL,
                                   .reference = config->told ? reference : NULL,
                                   .context = model};
    memcpy(made.bits, bits[config->levels - 1], sizeof made.bits);
    made.size = cairn_vm_size(&made, config->tables);
    return made.size != 0 && made.size <= MEMORY - GUARD && cairn_vm_init(&model->vm, &made) == 0 && space_begin(model, 0) &&
           (config->tables < TABLES_ENOUGH || share_exec_begin(model));
}

// ---------------------------------------------------------------------------------------------------------------------- what is due

bool share_may_run_out(const struct share_model *model, uint32_t more)
{
    const uint32_t frames_most = model->pinned + more + 3; // a word over two pages that are copied: the first, what the second is copied from, and that
    return model->config.tables < TABLES_ENOUGH || model->config.slots < SHARE_SLOTS || frames_most > model->config.frames;
}

bool share_is_due(const struct share_model *model, uint64_t due)
{
    const int error = model->error;
    return (due & DUE(error)) != 0 || (error == CAIRN_EIO && model->failed != model->failed_before) ||
           (error == CAIRN_ENOMEM && share_may_run_out(model, 0));
}

uint8_t *share_bytes_at(struct share_model *model, uint32_t i, uint32_t page)
{
    const struct share_page *const its = &model->truth[i].page[page];
    return its->own                    ? model->truth[i].bytes + page * model->page
           : its->kind == PAGE_OBJECT ? model->objects[its->object].bytes + its->at * model->page
                                       : model->direct + its->at * model->page;
}

uint32_t share_promised(const struct share_model *model)
{
    uint32_t pages = 0;
    for (uint32_t i = 0; i < SHARE_SPACES; i++) {
        for (uint32_t page = 0; page < SHARE_PAGES; page++) {
            pages += model->truth[i].page[page].charged;
        }
    }
    for (uint32_t o = 0; o < SHARE_OBJECTS; o++) {
        pages += model->objects[o].exists && !model->objects[o].has_store ? model->objects[o].pages : 0;
    }
    return pages;
}

bool share_may_promise(const struct share_model *model, uint32_t pages)
{
    return share_may_promise_for(model, 0, pages);
}

bool share_may_promise_for(const struct share_model *model, uint32_t freed, uint32_t pages)
{
    const uint32_t all = model->config.frames - 1 + model->config.slots;
    const cairn_vaddr_t limit = model->commit_limit != 0 ? model->commit_limit : all;
    return pages == 0 || model->commit_mode == CAIRN_COMMIT_UNLIMITED || (model->commit_mode == CAIRN_COMMIT_HEURISTIC && pages <= all) ||
           (model->commit_mode == CAIRN_COMMIT_STRICT && share_promised(model) - freed + pages <= limit);
}

// A page that is not mapped: is it one to which a stack grows? Returns 0 or an error.
static int grow(struct share_model *model, uint32_t i, uint32_t page, uint32_t access)
{
    struct share_truth *const truth = &model->truth[i];
    uint32_t above = page;
    while (above < SHARE_PAGES && truth->page[above].kind == PAGE_NONE) {
        above++;
    }
    if (page < 2 || above >= SHARE_PAGES || above - page > truth->page[above].grow || truth->page[page - 1].kind != PAGE_NONE) {
        return CAIRN_EFAULT;
    }
    const struct share_page its = truth->page[above];
    if ((~its.protection & access) != 0 || its.protection == 0) {
        return CAIRN_EACCES;
    }
    if (truth->suspended) {
        return CAIRN_EBUSY;
    }
    if (its.charged && !share_may_promise(model, above - page)) {
        return CAIRN_EFAULT;
    }
    truth->page[above].grow = 0;
    for (uint32_t p = page; p < above; p++) {
        truth->page[p] = its;
        truth->page[p].grow = p == page ? (uint8_t)(its.grow - (above - page)) : 0;
        truth->page[p].pins = 0;
        memset(truth->bytes + p * model->page, 0, model->page);
    }
    return 0;
}

int share_reach(struct share_model *model, uint32_t i, uint32_t page, uint32_t access)
{
    const struct share_truth *const truth = &model->truth[i];
    access |= truth->user && access != 0 ? CAIRN_USER : 0;
    if (page >= SHARE_PAGES) {
        return CAIRN_EFAULT;
    }
    const struct share_page *const its = &truth->page[page];
    if (its->kind == PAGE_NONE) {
        return grow(model, i, page, access);
    }
    if ((~its->protection & access) != 0 || its->protection == 0) {
        return CAIRN_EACCES;
    }
    return truth->suspended ? CAIRN_EBUSY : 0;
}

void share_own_it(struct share_model *model, uint32_t i, uint32_t page)
{
    struct share_page *const its = &model->truth[i].page[page];
    if (its->kind == PAGE_OBJECT && !its->shared && !its->own) {
        memcpy(model->truth[i].bytes + page * model->page, share_bytes_at(model, i, page), model->page);
        its->own = true;
    }
}

void share_relearn(struct share_model *model, uint32_t i, uint32_t first, uint32_t end)
{
    for (uint32_t page = first; page < end && page < SHARE_PAGES; page++) {
        const struct cairn_space *const space = &model->spaces[i];
        const pte_t *const pte = cairn_table_walk_(space, page);
        if (pte != NULL && *pte != 0 && (!pte_is_present(*pte) || frame_is_of(&model->vm, *pte, space))) {
            share_own_it(model, i, page);
        }
    }
}

int share_follow(struct share_model *model, uint32_t i, cairn_vaddr_t address, uint32_t access)
{
    const int due = share_reach(model, i, (uint32_t)(address >> model->shift), access);
    const bool is_here = model->faults == 1 && model->fault_space == &model->spaces[i] && model->fault_address == address &&
                         ((model->fault_access ^ access) & (CAIRN_READ | CAIRN_WRITE)) == 0;
    if (due != 0) {
        return model->error == due && is_here ? 0 : -1;
    }
    return model->error == 0 || !is_here ? 1 : share_is_due(model, 0) ? 0 : -1;
}

void share_forget(struct share_model *model, uint32_t i, uint32_t first, uint32_t end)
{
    struct share_truth *const truth = &model->truth[i];
    memset(&truth->page[first], 0, (end - first) * sizeof truth->page[0]);
    memset(truth->bytes + first * model->page, 0, (end - first) * model->page);
}

const char *share_objects_end(struct share_model *model)
{
    for (uint32_t o = 0; o <= SHARE_IMAGE; o++) {
        struct share_object *const its = &model->objects[o];
        bool is_mapped = false;
        for (uint32_t i = 0; i < SHARE_SPACES; i++) {
            for (uint32_t page = 0; page < SHARE_PAGES; page++) {
                is_mapped |= model->truth[i].page[page].kind == PAGE_OBJECT && model->truth[i].page[page].object == o;
            }
        }
        its->exists = its->exists && (!its->removed || is_mapped);
        if (its->exists != (its->object.pages.vm != NULL)) {
            return "an object that was removed";
        }
    }
    return NULL;
}

// ------------------------------------------------------------------------------------------------------------------------- step

const char *share_model_step(struct share_model *model)
{
    static const struct {
        const char *what;
        const char *(*run)(struct share_model *model, uint32_t i);
        uint32_t weight;
    } operations[] = {
        {"word", share_word, 70},         {"walk", share_walk, 5},                 {"cursor", share_cursor, 8},       {"bytes", share_bytes, 20},
        {"copy", share_copy, 8},         {"pin", share_pin, 8},             {"map_range", share_map, 10},
        {"map", share_map_callers, 5},   {"unmap_range", share_unmap, 5},   {"protect_range", share_protect, 4},
        {"advise", share_advise, 4},     {"lock", share_lock, 4},           {"break", share_break, 4},
        {"fork", share_fork, 3},         {"space", share_space, 2},         {"object", share_object, 4},
        {"shared memory", share_memory, 5}, {"sync", share_sync, 4},        {"upkeep", share_upkeep, 10},
        {"segment", share_segment, 1},    {"exec", share_exec, 1},
    };
    uint32_t sum = 0;
    for (uint32_t o = 0; o < sizeof operations / sizeof operations[0]; o++) {
        sum += operations[o].weight;
    }
    uint32_t at = share_below(model, sum);
    uint32_t o = 0;
    for (; at >= operations[o].weight; o++) {
        at -= operations[o].weight;
    }
    const uint32_t i = share_below(model, SHARE_SPACES);
    model->what = operations[o].what;
    model->faults = 0;
    model->failed_before = model->failed;
    model->error = 0;
    model->pinned = 0;
    for (uint32_t frame = 0; frame < model->vm.frame_count; frame++) {
        model->pinned += model->vm.table[frame].space != NULL && model->vm.table[frame].pins != 0;
    }
    const char *wrong;
    if (model->truth[i].exists) {
        wrong = operations[o].run(model, i);
    } else if (share_below(model, 4) != 0) {
        model->what = "fork";
        wrong = share_fork_to(model, i);
    } else {
        model->what = "init";
        wrong = !space_begin(model, i) && !share_is_due(model, 0) ? "its error" : NULL;
    }
    if (wrong == NULL) {
        wrong = share_poke(model);
    }
    wrong = wrong == NULL ? share_objects_end(model) : wrong;
    return wrong == NULL && model->vm.committed != share_promised(model) ? "what is promised" : wrong;
}
