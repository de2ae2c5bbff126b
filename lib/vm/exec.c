// SPDX-License-Identifier: MIT
//
// exec: from an image to a space in which it can begin.
//
// OWNS: nothing beyond share.h; elf.c says what is to be mapped, stack.c what is on the stack.
// PICTURE: | text: object, private | data: object, private | zeros | the break ->      <- stack, grows | its top |        a guard below where the stack may end
//                                  ^ the rest of the page behind the file's bytes becomes zeros: a copy
// INVARIANTS: the image is judged, and mappings and promises are reserved, before anything changes.
// COST: O(what was mapped), O(headers). CALLERS: the user.
#include "cairn/exec.h"
#include "vm/share.h"

#include <string.h>

#define STACK_PAGES 16u

// Bytes of an object, for elf.c.
static int read_image(void *context, uint32_t offset, void *bytes, size_t size)
{
    struct cairn_object *const object = context;
    const struct cairn_vm *const vm = object->pages.vm;
    unsigned char *to = bytes;
    while (size != 0) {
        const uint32_t at = offset & (page_size(vm) - 1);
        const size_t run = page_size(vm) - at < size ? page_size(vm) - at : size;
        uint32_t frame;
        const int error = cairn_object_page_(object, offset >> page_shift(vm), &frame);
        if (error != 0) {
            return error;
        }
        memcpy(to, frame_memory(vm, frame) + at, run);
        to += run;
        offset += (uint32_t)run;
        size -= run;
    }
    return 0;
}

// Where a part of the space ends: the last is the first address behind the stack.
struct program_plan {
    uint32_t top, lowest, page;
    uint32_t user; // CAIRN_USER, or 0
};

static bool make_plan(const struct cairn_space *space, uint32_t stack, struct program_plan *plan)
{
    const struct cairn_vm *const vm = space->vm;
    plan->page = page_size(vm);
    plan->top = vm->limit >= UINT32_MAX ? UINT32_MAX & ~(plan->page - 1) : (uint32_t)vm->limit + 1;
    stack = stack == 0 ? STACK_PAGES * plan->page : stack;
    plan->lowest = plan->top - stack;
    plan->user = space->user ? CAIRN_USER : 0;
    return (stack & (plan->page - 1)) == 0 && stack < plan->top && plan->lowest > 3 * plan->page;
}

static uint32_t page_up(const struct program_plan *plan, uint32_t address)
{
    return (address + plan->page - 1) & ~(plan->page - 1);
}

// Do zeros begin within the last page that shows the file's bytes? That is written then, whoever else may.
static bool is_cut(const struct program_plan *plan, const struct cairn_elf_segment *segment)
{
    return segment->file_size != 0 && segment->size > segment->file_size && ((segment->address + segment->file_size) & (plan->page - 1)) != 0;
}

// Pages that the image, or the stack, promises to have.
static cairn_vaddr_t pages_promised(const struct program_plan *plan, const struct cairn_elf *elf)
{
    cairn_vaddr_t bytes = plan->top - plan->lowest;
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct cairn_elf_segment *const segment = &elf->segments[i];
        const uint32_t first = segment->address & ~(plan->page - 1);
        const uint32_t size = (segment->protection & CAIRN_WRITE) != 0 ? segment->size : is_cut(plan, segment) ? segment->file_size : 0;
        bytes += size == 0 ? 0 : page_up(plan, segment->address + size) - first;
    }
    return bytes / plan->page;
}

// May the space show of the image what is to be mapped of it?
static bool is_allowed(const struct cairn_space *space, const struct cairn_object *image, const struct cairn_elf *elf)
{
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        wanted |= elf->segments[i].file_size != 0 ? elf->segments[i].protection : 0;
    }
    return object_allows(image, space, 0, wanted);
}

// Have what cannot be had later be there: nodes for mappings, and the promise, in place of what the space has. Returns 0 or CAIRN_ENOMEM.
static int reserve(struct cairn_space *space, const struct program_plan *plan, const struct cairn_elf *elf)
{
    struct cairn_vm *const vm = space->vm;
    const uint32_t wanted_nodes = 2 * elf->segment_count + 2;
    struct cairn_mapping *nodes = NULL;
    uint32_t count = 0;
    cairn_vaddr_t promised = 0;
    for (const struct cairn_mapping *mapping = space->mappings; mapping != NULL; mapping = mapping->next) {
        promised += (mapping->flags & MAP_CHARGED) != 0 ? mapping->pages : 0;
        count += (mapping->flags & MAP_NODE) != 0;
    }
    for (; count < wanted_nodes; count++) { // those that the space has come back
        struct cairn_mapping *const node = cairn_table_take_(vm, TABLE_LIST_MAPPINGS, NODE_BYTES);
        if (node == NULL) {
            break;
        }
        node->next = nodes;
        nodes = node;
    }
    while (nodes != NULL) {
        struct cairn_mapping *const next = nodes->next;
        cairn_table_give_(vm, TABLE_LIST_MAPPINGS, nodes);
        nodes = next;
    }
    if (count < wanted_nodes) {
        return CAIRN_ENOMEM;
    }
    cairn_commit_give_(vm, promised);
    const cairn_vaddr_t wanted = pages_promised(plan, elf);
    const bool may = cairn_commit_take_(vm, wanted);
    cairn_commit_give_(vm, may ? wanted : 0);
    vm->committed += promised;
    return may ? 0 : CAIRN_ENOMEM;
}

static int map_segment(struct cairn_space *space, const struct program_plan *plan, struct cairn_object *image, const struct cairn_elf_segment *segment)
{
    const uint32_t first = segment->address & ~(plan->page - 1);
    const uint32_t file_end = segment->address + segment->file_size;
    const uint32_t shown = segment->file_size == 0 ? first : page_up(plan, file_end);
    const uint32_t end = page_up(plan, segment->address + segment->size);
    const uint32_t protection = segment->protection | plan->user;
    const bool has_cut = is_cut(plan, segment);
    int error = 0;
    if (shown != first) {
        const struct cairn_map map = {.address = first,
                                      .size = shown - first,
                                      .protection = has_cut ? protection | CAIRN_READ | CAIRN_WRITE : protection,
                                      .flags = CAIRN_MAP_FIXED,
                                      .object = image,
                                      .offset = segment->offset & ~(plan->page - 1)};
        error = cairn_space_map_range(space, &map, NULL);
    }
    if (error == 0 && has_cut) {
        error = cairn_space_fill(space, file_end, 0, shown - file_end);
        if (error == 0 && (protection & CAIRN_WRITE) == 0) {
            error = cairn_space_protect_range(space, first, shown - first, protection);
        }
    }
    if (error == 0 && end != shown) {
        const struct cairn_map map = {.address = shown, .size = end - shown, .protection = protection, .flags = CAIRN_MAP_FIXED};
        error = cairn_space_map_range(space, &map, NULL);
    }
    return error;
}

static int map_stack(struct cairn_space *space, const struct program_plan *plan)
{
    const struct cairn_map guard = {.address = plan->lowest - 2 * plan->page, .size = plan->page, .flags = CAIRN_MAP_FIXED};
    const struct cairn_map stack = {.address = plan->top - plan->page,
                                    .size = plan->page,
                                    .protection = CAIRN_READ | CAIRN_WRITE | plan->user,
                                    .flags = CAIRN_MAP_FIXED | CAIRN_MAP_GROWS_DOWN,
                                    .grow = plan->top - plan->page - plan->lowest};
    const int error = cairn_space_map_range(space, &guard, NULL);
    return error != 0 ? error : cairn_space_map_range(space, &stack, NULL);
}

static int unmap_all(struct cairn_space *space)
{
    return cairn_space_unmap_range(space, page_size(space->vm), space->vm->limit & ~space->vm->offset_mask);
}

// The image is good, and what can run out is reserved.
static int load(struct cairn_space *space, const struct program_plan *plan, struct cairn_object *image, const struct cairn_stack_config *stack, struct cairn_exec *program)
{
    const struct cairn_elf *const elf = &program->elf;
    int error = 0;
    for (uint32_t i = 0; error == 0 && i < elf->segment_count; i++) {
        error = map_segment(space, plan, image, &elf->segments[i]);
    }
    error = error == 0 ? map_stack(space, plan) : error;
    error = error == 0 ? cairn_stack_build(space, stack, &program->sp) : error;
    return error == 0 ? cairn_space_set_break(space, page_up(plan, elf->end)) : error;
}

// The image takes the place of what the space has mapped.
static int replace(struct cairn_space *space, const struct program_plan *plan, struct cairn_object *image, const struct cairn_stack_config *stack, struct cairn_exec *program)
{
    const bool is_removed = image->removed;
    image->removed = false; // it is not to end with the mappings that go
    int error = unmap_all(space);
    if (error == 0) {
        space->break_start = space->break_end = space->heap = 0;
        error = load(space, plan, image, stack, program);
        if (error != 0) {
            (void)!unmap_all(space); // nothing of it is pinned
        }
    }
    image->removed = is_removed;
    if (is_removed && image->mappings == NULL) {
        (void)!cairn_object_deinit(image); // it has no store: that cannot fail
    }
    return error;
}

int cairn_space_exec(struct cairn_space *space, const struct cairn_exec_config *config, struct cairn_exec *program)
{
    struct program_plan plan;
    if (space == NULL || space->vm == NULL || config == NULL || program == NULL || config->image == NULL || config->image->pages.vm != space->vm ||
        config->size > config->image->count << space->vm->page_shift || !make_plan(space, config->stack, &plan)) {
        return CAIRN_EINVAL;
    }
    const struct cairn_elf_config elf = {.read = read_image,
                                         .context = config->image,
                                         .size = config->size,
                                         .page = plan.page,
                                         .limit = plan.lowest - 2 * plan.page,
                                         .machine = config->machine,
                                         .tls = config->tls};
    const struct cairn_stack_config stack = {.top = plan.top,
                                             .lowest = plan.lowest,
                                             .page = plan.page,
                                             .elf = &program->elf,
                                             .arguments = config->arguments,
                                             .environment = config->environment,
                                             .random = config->random};
    int error = object_allows(config->image, space, 0, CAIRN_READ) ? cairn_elf_read(&program->elf, &elf) : CAIRN_EACCES;
    error = error == 0 && !is_allowed(space, config->image, &program->elf) ? CAIRN_EACCES : error;
    error = error == 0 ? cairn_stack_measure(&stack, &program->sp) : error;
    error = error == 0 ? reserve(space, &plan, &program->elf) : error;
    error = error == 0 && space->suspended ? CAIRN_EBUSY : error;
    return error == 0 ? replace(space, &plan, config->image, &stack, program) : error;
}
