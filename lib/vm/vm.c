// SPDX-License-Identifier: MIT
//
// Making a vm: where its parts lie in the caller's memory.
//
// OWNS: the layout of `memory`.
// PICTURE: memory | frame table | TLB | policy's state | bits of the slots | streams | page tables to the end |
// INVARIANTS: what can be refused is refused before anything is written, but for what lies in `memory`.
// COST: O(frames + slots / 32 + memory for tables). CALLERS: the user.
#include "vm/frame.h"
#include "vm/tlb.h"

#include <string.h>

#define TLB_MAX 1024u
#define TLB_MIN CAIRN_VICTIMS // an entry and its victim's place have the same low bits of the page
#define BITS_MAX 12u

// A configuration with its defaults filled in, and where its parts go.
struct plan {
    uint32_t page_shift;
    uint32_t levels;
    uint8_t bits[CAIRN_LEVELS_MAX];
    uint32_t tlb;
    const struct cairn_policy *policy;
    uint32_t slots;
    size_t table_at, tlb_at, policy_at, slots_at, streams_at, tables_at;
};

CAIRN_INLINE size_t to_8(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

// Bytes of `count` things of a size, so that what follows them is aligned. A frame's are no multiple of 8 where words of 64 bits are aligned to 4.
CAIRN_INLINE size_t all_of(size_t size, size_t count)
{
    return size % 8 == 0 ? size * count : to_8(size * count);
}

#if CAIRN_TABLE_LEVELS != 0
// The levels, which are fixed: false where others are asked for.
static bool plan_levels(struct plan *plan, const struct cairn_vm_config *config)
{
    bool is_same = config->levels == 0 || config->levels == CAIRN_TABLE_LEVELS;
    for (uint32_t level = 0; level < CAIRN_TABLE_LEVELS; level++) {
        plan->bits[level] = level == 0 ? CAIRN_TABLE_TOP_BITS : CAIRN_TABLE_BITS;
        is_same = is_same && (config->levels == 0 || plan->bits[level] == config->bits[level]);
    }
    plan->levels = CAIRN_TABLE_LEVELS;
    return is_same;
}
#else
// The levels: as they are given; or the fewest of at most 12 bits, and for long addresses 4 of 10.
static bool plan_levels(struct plan *plan, const struct cairn_vm_config *config)
{
    uint32_t left = CAIRN_VADDR_BITS - plan->page_shift;
    plan->levels = config->levels;
    if (plan->levels > CAIRN_LEVELS_MAX) {
        return false;
    }
    if (plan->levels == 0) {
        plan->levels = CAIRN_VADDR_BITS == 64 ? CAIRN_LEVELS_MAX : left <= 2 * BITS_MAX ? 2 : 3;
        left = CAIRN_VADDR_BITS == 64 ? 40 : left;
    }
    for (uint32_t level = 0; level < plan->levels; level++) {
        const uint32_t bits = config->levels == 0 ? left / (plan->levels - level) : config->bits[level];
        if (bits == 0 || bits > BITS_MAX || bits > left) {
            return false;
        }
        plan->bits[level] = (uint8_t)bits;
        left -= bits;
    }
    return true;
}
#endif

static bool plan_make(struct plan *plan, const struct cairn_vm_config *config)
{
    if (config == NULL || config->frame_count == 0 || config->frame_count > CAIRN_FRAMES_MAX) {
        return false;
    }
    plan->page_shift = config->page_shift == 0 ? (CAIRN_PAGE_SHIFT != 0 ? CAIRN_PAGE_SHIFT : 10) : config->page_shift;
    plan->tlb = config->tlb == 0 ? (CAIRN_TLB_SHIFT != 0 ? 1u << CAIRN_TLB_SHIFT : 16) : config->tlb;
    plan->policy = config->policy == NULL ? &cairn_policy_clock : config->policy;
    const struct cairn_port_store *const store = config->store;
    plan->slots = store == NULL ? 0 : store->slots;
    if (store != NULL && (store->page != (uint32_t)1 << plan->page_shift || store->write == NULL)) {
        return false;
    }
    if (plan->page_shift < 7 || plan->page_shift > 12 || !is_power_of_two(plan->tlb) || plan->tlb > TLB_MAX || plan->tlb < TLB_MIN ||
        (CAIRN_PAGE_SHIFT != 0 && plan->page_shift != CAIRN_PAGE_SHIFT) || (CAIRN_TLB_SHIFT != 0 && plan->tlb != 1u << CAIRN_TLB_SHIFT) ||
        plan->slots > PTE_NUMBERS) {
        return false;
    }
    plan->table_at = 0;
    plan->tlb_at = all_of(sizeof(struct cairn_frame), config->frame_count);
    plan->policy_at = plan->tlb_at + all_of(sizeof(struct cairn_tlb_entry), plan->tlb);
    plan->slots_at = plan->policy_at + to_8(plan->policy->bytes(config->frame_count));
    plan->streams_at = plan->slots_at + to_8(sizeof(uint32_t) * (plan->slots / 32 + 1));
    plan->tables_at = plan->streams_at + (config->prefetch != NULL ? to_8(config->prefetch->bytes) : 0);
    return plan_levels(plan, config);
}

size_t cairn_vm_size(const struct cairn_vm_config *config, size_t table_bytes)
{
    struct plan plan = {0};
    return plan_make(&plan, config) ? plan.tables_at + table_bytes : 0;
}

static void set_levels(struct cairn_vm *vm, const struct plan *plan)
{
    uint32_t below = 0;
    uint32_t list = 0;
    uint32_t bits = 0; // of the level below
    for (uint32_t level = plan->levels; level-- != 0; below += bits) {
        list = plan->bits[level] == bits ? list : level;
        bits = plan->bits[level];
        vm->node_list[level] = (uint8_t)list;
        vm->shift[level] = (uint8_t)below;
        vm->mask[level] = (uint16_t)((1u << bits) - 1);
    }
    vm->levels = (uint8_t)plan->levels;
    vm->last_mask = vm->mask[plan->levels - 1];
    vm->limit = ~(cairn_vaddr_t)0 >> (CAIRN_VADDR_BITS - below - plan->page_shift);
}

int cairn_vm_init(struct cairn_vm *vm, const struct cairn_vm_config *config)
{
    struct plan plan = {0};
    if (vm == NULL || !plan_make(&plan, config) || config->frames == NULL || config->memory == NULL || ((uintptr_t)config->memory & 7) != 0 ||
        ((uintptr_t)config->frames & (((uintptr_t)1 << plan.page_shift) - 1)) != 0) {
        return CAIRN_EINVAL;
    }
    if (config->size < plan.tables_at) {
        return CAIRN_ENOMEM;
    }
    const size_t table_size = config->size - plan.tables_at;
    unsigned char *const memory = config->memory;
    memset(vm, 0, sizeof *vm); // and field by field: by a literal the compiler computes all before it writes any
    vm->page_shift = plan.page_shift;
    vm->offset_mask = ((cairn_vaddr_t)1 << plan.page_shift) - 1;
    vm->tlb_mask = plan.tlb - 1;
    vm->frame_count = config->frame_count;
    vm->free_frame = CAIRN_FRAME_NONE;
    vm->write_through = config->write_through;
    vm->policy = plan.policy;
    vm->touch = plan.policy->touch;
    vm->store = config->store;
    vm->reference = config->reference;
    vm->thrashing = config->thrashing;
    vm->context = config->context;
    vm->frames = config->frames;
    vm->table = (struct cairn_frame *)(void *)(memory + plan.table_at);
    vm->tlb = (struct cairn_tlb_entry *)(void *)(memory + plan.tlb_at);
    vm->policy_state = memory + plan.policy_at;
    vm->slots = (uint32_t *)(void *)(memory + plan.slots_at);
    vm->table_base = memory + plan.tables_at;
    vm->table_size = table_size < UINT32_MAX ? (uint32_t)table_size : UINT32_MAX;
    set_levels(vm, &plan);
    memset(vm->slots, 0, config->size - plan.slots_at); // and what the tables are made of: now, so that no fault and no fork has to
    if (plan.tables_at != plan.streams_at) {
        vm->streams = (struct stream_table *)(void *)(memory + plan.streams_at);
        vm->prefetch = config->prefetch;
        vm->prefetch->init(vm->streams, vm->frame_count);
    }
    for (uint32_t frame = vm->frame_count; frame-- != 0;) {
        cairn_frame_free_(vm, frame);
    }
    vm->policy->init(vm->policy_state, vm->frame_count);
    cairn_vm_flush(vm);
    cairn_space_switch(vm, NULL);
    return 0;
}

void cairn_vm_figures(const struct cairn_vm *vm, struct cairn_vm_figures *figures)
{
    *figures = vm->figures;
    figures->reads = figures->major + figures->prefetches;
    for (const struct cairn_space *space = vm->spaces; space != NULL; space = space->next) {
        figures->virtual_pages += space->figures.virtual_pages;
        figures->resident += space->figures.resident;
        figures->swapped += space->figures.swapped;
    }
}
