// SPDX-License-Identifier: MIT
//
// OWNS        of share_model.h, the operations on spaces, objects and the vm: fork, ends, shared memory, what is to be safe, upkeep.
#include "share_model.h"

#include <string.h>

// ------------------------------------------------------------------------------------------------------------------------- fork

const char *share_fork_to(struct share_model *model, uint32_t j)
{
    const uint32_t i = share_below(model, SHARE_SPACES);
    const struct share_truth *const parent = &model->truth[i];
    struct share_truth *const child = &model->truth[j];
    uint32_t charge = 0, pins = 0;
    if (!parent->exists) {
        return NULL;
    }
    for (uint32_t page = 0; page < SHARE_PAGES; page++) {
        charge += parent->page[page].charged;
        pins += parent->page[page].own && (parent->page[page].pins != 0 || parent->page[page].locked);
    }
    const bool may = share_may_promise(model, charge);
    const bool one_by_one = model->commit_mode == CAIRN_COMMIT_HEURISTIC; // mapping by mapping
    model->error = cairn_space_fork(&model->spaces[j], &model->spaces[i]);
    if (!share_is_due(model, (may || one_by_one ? DUE(0) : 0) | (may ? 0 : DUE(CAIRN_ENOMEM)) | (share_may_run_out(model, pins) ? DUE(CAIRN_ENOMEM) : 0))) {
        return "its error";
    }
    if (model->error != 0) {
        return NULL;
    }
    *child = *parent;
    child->suspended = false;
    for (uint32_t page = 0; page < SHARE_PAGES; page++) {
        struct share_page *const its = &child->page[page];
        its->grow = its->locked ? 0 : its->grow;
        its->locked = false;
        its->pins = 0;
    }
    const struct cairn_space *const space = &model->spaces[j];
    return space->handler != model->spaces[i].handler || space->context != model || space->user != parent->user ? "handler or user" : NULL;
}

// ----------------------------------------------------------------------------------------------------------------------- spaces

static const char *space_end(struct share_model *model, uint32_t i)
{
    struct share_truth *const truth = &model->truth[i];
    model->error = cairn_space_deinit(&model->spaces[i]);
    if (model->error != (share_is_pinned(model, i, 0, SHARE_PAGES) ? CAIRN_EBUSY : 0)) {
        return "deinit: its error";
    }
    if (model->error != 0) {
        return NULL;
    }
    share_forget(model, i, 0, SHARE_PAGES);
    truth->exists = false;
    for (uint32_t o = 0; o < SHARE_OBJECTS; o++) {
        model->objects[o].owner = model->objects[o].owner == i ? SHARE_SPACES : model->objects[o].owner;
    }
    for (uint32_t others = share_below(model, 40); others < 16; others++) { // they come and go, so that ASIDs run out
        struct cairn_space other;
        model->error = cairn_space_init(&other, &model->vm);
        if (!share_is_due(model, DUE(0)) || (model->error == 0 && cairn_space_deinit(&other) != 0)) {
            return "a space comes and goes";
        }
    }
    return NULL;
}

// A space ends, so that another can be its place's: share_fork_to.
const char *share_fork(struct share_model *model, uint32_t i)
{
    return cairn_space_fork(&model->spaces[i], &model->spaces[i]) != CAIRN_EINVAL ? "of itself" : space_end(model, i);
}

static const char *suspend(struct share_model *model, uint32_t i)
{
    struct share_truth *const truth = &model->truth[i];
    uint64_t due = DUE(0);
    for (uint32_t page = 0; page < SHARE_PAGES; page++) {
        const struct share_page *const its = &truth->page[page];
        due = its->pins != 0 || (its->locked && its->kind != PAGE_DIRECT) ? DUE(CAIRN_EBUSY) : due;
    }
    if (share_below(model, 2) == 0 || truth->suspended) {
        cairn_space_resume(&model->spaces[i]);
        truth->suspended = false;
        return NULL;
    }
    model->error = cairn_space_suspend(&model->spaces[i]);
    truth->suspended = model->error == 0;
    return share_is_due(model, due) ? NULL : "suspend: its error";
}

const char *share_space(struct share_model *model, uint32_t i)
{
    switch (share_below(model, 4)) {
    case 0: return space_end(model, i);
    case 1: cairn_space_flush(&model->spaces[i]); return NULL;
    case 2: cairn_space_switch(&model->vm, share_below(model, 4) == 0 ? NULL : &model->spaces[i]); return NULL;
    default: return suspend(model, i);
    }
}

// ---------------------------------------------------------------------------------------------------------------------- objects

static uint32_t free_object(struct share_model *model)
{
    uint32_t o = share_below(model, SHARE_OBJECTS);
    for (uint32_t looks = 0; looks < SHARE_OBJECTS && model->objects[o].exists; looks++) {
        o = (o + 1) % SHARE_OBJECTS;
    }
    return o;
}

static bool is_mapped(const struct share_model *model, uint32_t o)
{
    bool mapped = false;
    for (uint32_t i = 0; i < SHARE_SPACES; i++) {
        for (uint32_t page = 0; page < SHARE_PAGES; page++) {
            mapped |= model->truth[i].page[page].kind == PAGE_OBJECT && model->truth[i].page[page].object == o;
        }
    }
    return mapped;
}

static void object_begin(struct share_model *model, struct share_object *its, uint32_t pages)
{
    its->exists = true;
    its->is_keyed = its->removed = its->has_store = false;
    its->key = 0;
    its->pages = pages;
    its->owner = SHARE_SPACES;
    its->model = model;
    memset(its->bytes, 0, sizeof its->bytes);
}

static const char *object_init(struct share_model *model, struct share_object *its)
{
    const uint32_t pages = 1 + share_below(model, SHARE_OBJECT_PAGES);
    const uint32_t skipped = share_below(model, 3);
    const uint32_t odd = share_below(model, 20);
    const bool has_store = share_below(model, 3) != 0;
    const bool read_only = share_below(model, 4) == 0;
    share_store(model, its, skipped + pages);
    struct cairn_object_config config = {
        .size = (cairn_vaddr_t)pages << model->shift, .store = has_store ? &its->store : NULL, .slot = has_store ? skipped : 0, .read_only = read_only};
    config.size += odd == 0;
    config.size = odd == 1 ? 0 : config.size;
    config.slot += odd == 2 && has_store;
    const bool bad = odd < 2 || (odd == 2 && has_store);
    const uint64_t due = bad ? DUE(CAIRN_EINVAL) : has_store || share_may_promise(model, pages) ? DUE(0) : DUE(CAIRN_ENOMEM);
    model->error = cairn_object_init(&its->object, &model->vm, &config);
    if (!share_is_due(model, due)) {
        return "init: its error";
    }
    if (model->error != 0) {
        its->object.pages.vm = NULL;
        return NULL;
    }
    object_begin(model, its, pages);
    its->has_store = has_store;
    its->first = skipped;
    its->protection = its->others = CAIRN_READ | CAIRN_EXEC | (read_only ? 0 : CAIRN_WRITE);
    for (uint32_t b = 0; has_store && b < pages * model->page; b++) {
        its->bytes[b] = its->stored[(1 + skipped) * model->page + b];
    }
    return NULL;
}

// All that was stored to so many pages of an object is safe.
static bool is_safe(const struct share_model *model, const struct share_object *its, uint32_t page, uint32_t pages)
{
    const size_t at = page * model->page;
    return !its->has_store || (its->is_synced && memcmp(its->stored + (1 + its->first) * model->page + at, its->bytes + at, pages * model->page) == 0);
}

const char *share_object(struct share_model *model, uint32_t i)
{
    struct share_object *its = &model->objects[free_object(model)];
    (void)i;
    if (share_below(model, 16) == 0) {
        const uint32_t mode = share_below(model, 4);
        const uint32_t pages = share_below(model, 3) * share_below(model, 200);
        if (cairn_vm_commit(&model->vm, (enum cairn_commit)mode, (cairn_vaddr_t)pages << model->shift) != (mode > CAIRN_COMMIT_STRICT ? CAIRN_EINVAL : 0)) {
            return "commit";
        }
        model->commit_mode = mode > CAIRN_COMMIT_STRICT ? model->commit_mode : mode;
        model->commit_limit = mode > CAIRN_COMMIT_STRICT ? model->commit_limit : pages;
        return NULL;
    }
    if (!its->exists) {
        return object_init(model, its);
    }
    its = &model->objects[share_below(model, SHARE_OBJECTS)];
    if (share_below(model, 2) == 0) {
        model->error = cairn_object_sync(&its->object);
        return !share_is_due(model, DUE(0)) || (model->error == CAIRN_ENOMEM) ? "sync: its error"
               : model->error == 0 && !is_safe(model, its, 0, its->pages)     ? "sync: its store"
                                                                                : NULL;
    }
    const bool mapped = is_mapped(model, (uint32_t)(its - model->objects));
    model->error = cairn_object_deinit(&its->object);
    if (!share_is_due(model, mapped ? DUE(CAIRN_EBUSY) : DUE(0)) || model->error == CAIRN_ENOMEM) {
        return "deinit: its error";
    }
    its->exists = model->error != 0;
    return model->error == 0 && !is_safe(model, its, 0, its->pages) ? "deinit: its store" : NULL;
}

// ---------------------------------------------------------------------------------------------------------------- shared memory

static uint32_t object_of(const struct share_model *model, uint32_t key)
{
    uint32_t o = 0;
    while (o < SHARE_OBJECTS && (!model->objects[o].exists || model->objects[o].key != key || key == 0)) {
        o++;
    }
    return o;
}

static const char *create(struct share_model *model, uint32_t i, uint32_t key)
{
    struct share_object *const its = &model->objects[free_object(model)];
    const uint32_t pages = 1 + share_below(model, SHARE_OBJECT_PAGES);
    const uint32_t protection = CAIRN_READ | share_below(model, 2) * CAIRN_WRITE;
    const uint32_t others = share_below(model, 5) == 0 ? 0 : CAIRN_READ | share_below(model, 2) * CAIRN_WRITE;
    if (its->exists) {
        return NULL;
    }
    const uint64_t due = key == 0                                   ? DUE(CAIRN_EINVAL)
                         : object_of(model, key) != SHARE_OBJECTS ? DUE(CAIRN_EBUSY)
                         : share_may_promise(model, pages)          ? DUE(0)
                                                                    : DUE(CAIRN_ENOMEM);
    model->error = cairn_shared_create(&its->object, &model->spaces[i], key, (cairn_vaddr_t)pages << model->shift, protection, others);
    if (!share_is_due(model, due)) {
        return "create: its error";
    }
    if (model->error != 0) {
        its->object.pages.vm = NULL;
        return NULL;
    }
    object_begin(model, its, pages);
    its->is_keyed = true;
    its->key = key;
    its->owner = i;
    its->protection = protection;
    its->others = others;
    return NULL;
}

// Is the page a part of what was attached with its first page at `first`?
static bool is_attached(const struct share_truth *truth, uint32_t first, uint32_t page)
{
    const struct share_page *const its = &truth->page[page];
    return its->kind == PAGE_OBJECT && its->shared && its->object == truth->page[first].object && its->at == page - first;
}

static const char *detach(struct share_model *model, uint32_t i)
{
    const uint32_t first = share_below(model, SHARE_PAGES);
    const struct share_truth *const truth = &model->truth[i];
    uint64_t due = DUE(CAIRN_EINVAL);
    if (is_attached(truth, first, first) && model->objects[truth->page[first].object].is_keyed) {
        due = DUE(0);
        for (uint32_t page = first; page < SHARE_PAGES; page++) {
            due = is_attached(truth, first, page) && share_unmap_due(model, i, page, page + 1) != DUE(0) ? DUE(CAIRN_EBUSY) : due;
        }
    }
    model->error = cairn_shared_detach(&model->spaces[i], (cairn_vaddr_t)first << model->shift);
    if (!share_is_due(model, due)) {
        return "detach: its error";
    }
    for (uint32_t page = SHARE_PAGES; model->error == 0 && page-- > first;) { // the first, which says of what, goes last
        if (is_attached(truth, first, page)) {
            share_forget(model, i, page, page + 1);
        }
    }
    return NULL;
}

const char *share_memory(struct share_model *model, uint32_t i)
{
    const uint32_t key = share_below(model, 4);
    const uint32_t o = object_of(model, key);
    switch (share_below(model, 8)) {
    case 0:
    case 1: return create(model, i, key);
    case 2:
        model->error = cairn_shared_remove(&model->vm, key);
        if (model->error != (o == SHARE_OBJECTS ? CAIRN_ENOENT : 0)) {
            return "remove: its error";
        }
        if (model->error == 0) {
            model->objects[o].key = 0;
            model->objects[o].removed = true;
        }
        return NULL;
    case 3:
    case 4: return detach(model, i);
    default: return share_attach(model, i, key, o);
    }
}

// ------------------------------------------------------------------------------------------------------------------------- sync

const char *share_sync(struct share_model *model, uint32_t i)
{
    cairn_vaddr_t address, size;
    uint32_t first, end;
    const int bad = share_range(model, &address, &size, &first, &end);
    const int due = bad != 0 ? bad : share_is_mapped(model, i, first, end) ? 0 : CAIRN_EFAULT;
    model->error = cairn_space_sync(&model->spaces[i], address, size);
    if (!share_is_due(model, DUE(due)) || model->error == CAIRN_ENOMEM) {
        return "its error";
    }
    for (uint32_t page = first; model->error == 0 && page < end; page++) {
        const struct share_page *const its = &model->truth[i].page[page];
        if (its->kind == PAGE_OBJECT && its->shared && !is_safe(model, &model->objects[its->object], its->at, 1)) {
            return "what is to be safe";
        }
    }
    return NULL;
}

// ----------------------------------------------------------------------------------------------------------------------- upkeep

const char *share_upkeep(struct share_model *model, uint32_t i)
{
    (void)i;
    switch (share_below(model, 5)) {
    case 0: (void)cairn_vm_tick(&model->vm); return NULL;
    case 1: cairn_vm_flush(&model->vm); return NULL;
    case 2: {
        const uint32_t most = share_below(model, 4);
        model->error = cairn_vm_clean(&model->vm, most);
        return model->error >= 0 ? ((uint32_t)model->error > most ? "clean: too many" : NULL) : share_is_due(model, 0) ? NULL : "clean: its error";
    }
    default: {
        const uint32_t before = model->vm.figures.frames_free;
        model->error = cairn_vm_merge(&model->vm, share_below(model, model->config.frames + 2), model->seen, sizeof model->seen / sizeof model->seen[0]);
        return model->error < 0                                                     ? (share_is_due(model, 0) ? NULL : "merge: its error")
               : before + (uint32_t)model->error != model->vm.figures.frames_free ? "merge: how many"
                                                                                    : NULL;
    }
    }
}
