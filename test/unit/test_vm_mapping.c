// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/mapping.c promises: where a mapping comes to lie, how ranges are split and merged, what is allowed.
// CALLERS     ctest, on every preset.
#include "vm_objects.h"

#include "vm/share.h"

#define R CAIRN_READ
#define LAST 255u // page of the space

static const unsigned char code[4 * PAGE] = {0xC0, 0xDE};
static cairn_vaddr_t where;

static int ask(const struct cairn_map *map)
{
    where = 0x5A5A5A5A;
    return cairn_space_map_range(SPACE, map, &where);
}

// Map pages of a wish, and say where they are, as a page; the wish 0: none.
static uint32_t place(uint32_t wish, uint32_t pages, uint32_t alignment)
{
    assert_int_equal(ask(&(struct cairn_map){.address = vm_page(wish), .size = vm_page(pages), .alignment = vm_page(alignment), .protection = RW}), 0);
    vm_sound();
    return (uint32_t)(where / PAGE);
}

// --------------------------------------------------------------------------------------------------------------------- address

static void a_range_is_chosen_from_above(void **state)
{
    (void)state;
    assert_int_equal(place(0, 4, 0), 252);
    assert_int_equal(place(0, 4, 0), 248);
    EXPECT_MAPS(SPACE, 248, 8, RW); // alike, side by side: one
    assert_int_equal(vm_map(SPACE, 240, 2, R, 0), 0);
    assert_int_equal(place(0, 6, 0), 242); // between
    assert_int_equal(place(0, 1, 0), 239);
    assert_int_equal(vm_unmap(SPACE, 1, LAST), 0);
    EXPECT_NO_MAPS(SPACE);
    assert_int_equal(place(0, LAST, 0), 1);
    REFUSES(CAIRN_ENOMEM, ask(&(struct cairn_map){.size = PAGE, .protection = RW}));
    assert_int_equal(where, 0x5A5A5A5A);
}

static void a_wish_is_granted_where_it_is_free(void **state)
{
    (void)state;
    assert_int_equal(place(10, 4, 0), 10);
    assert_int_equal(place(11, 4, 0), 252);   // it is not free
    assert_int_equal(place(7, 4, 0), 248);    // nor all of it
    assert_int_equal(place(LAST, 4, 0), 244); // reaches over the end
    assert_int_equal(place(6, 4, 0), 6);
    EXPECT_MAPS(SPACE, 6, 8, RW, 244, 12, RW);
    assert_int_equal(ask(&(struct cairn_map){.address = 20 * PAGE + 4, .size = PAGE, .protection = RW}), 0); // no page begins there
    assert_int_equal(where, vm_page(243));
}

static void an_alignment_is_that_of_the_address(void **state)
{
    (void)state;
    assert_int_equal(place(0, 3, 16), 240);
    assert_int_equal(place(0, 1, 64), 192);
    assert_int_equal(place(0, 1, 128), 128);
    REFUSES(CAIRN_ENOMEM, ask(&(struct cairn_map){.size = PAGE, .alignment = vm_page(128), .protection = RW}));
    assert_int_equal(place(36, 1, 8), 248); // the wish is not aligned
    assert_int_equal(place(40, 1, 8), 40);
    REFUSES(CAIRN_EINVAL, ask(&(struct cairn_map){.size = PAGE, .alignment = 3 * PAGE, .protection = RW}));
    REFUSES(CAIRN_EINVAL, ask(&(struct cairn_map){.address = vm_page(9), .size = PAGE, .alignment = 2 * PAGE, .protection = RW, .flags = CAIRN_MAP_FIXED}));
    assert_int_equal(ask(&(struct cairn_map){.address = vm_page(9), .size = PAGE, .alignment = 4, .protection = RW, .flags = CAIRN_MAP_FIXED}), 0);
}

static void a_stack_is_aligned_and_has_room_to_grow_and_a_page_below(void **state)
{
    const struct cairn_map stack = {.size = PAGE, .alignment = vm_page(4), .protection = RW, .flags = CAIRN_MAP_GROWS_DOWN, .grow = vm_page(5)};
    (void)state;
    assert_int_equal(ask(&stack), 0);
    assert_int_equal(where, vm_page(252));
    assert_int_equal(place(0, 3, 0), 253); // above it
    assert_int_equal(place(0, 2, 0), 244); // below where it may grow to, and the page that stays free there
    cairn_space_switch(VM, SPACE);
    vm_put(vm_page(247), 1);
    EXPECT_MAPS(SPACE, 244, 2, RW, 247, 6, RW, 253, 3, RW);
}

static void fixed_ranges_that_overlap_are_refused(void **state)
{
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 4, RW, 0), 0);
    REFUSES(CAIRN_EBUSY, vm_map(SPACE, 10, 4, RW, 0));
    REFUSES(CAIRN_EBUSY, vm_map(SPACE, 9, 2, RW, 0));
    REFUSES(CAIRN_EBUSY, vm_map(SPACE, 13, 1, RW, 0));
    REFUSES(CAIRN_EBUSY, vm_map(SPACE, 1, LAST, RW, 0));
    assert_int_equal(vm_map(SPACE, 14, 1, R, 0), 0);
    assert_int_equal(vm_map(SPACE, 9, 1, R, 0), 0);
    EXPECT_MAPS(SPACE, 9, 1, R, 10, 4, RW, 14, 1, R);
}

static void ranges_that_are_none_are_refused(void **state)
{
    static const struct cairn_map bad[] = {
        {.address = PAGE, .size = 0, .protection = RW},
        {.address = PAGE, .size = PAGE + 1, .protection = RW},
        {.address = PAGE, .size = 256 * PAGE + PAGE, .protection = RW}, // more than a space
        {.address = PAGE, .size = (cairn_vaddr_t)0 - PAGE, .protection = RW},
        {.address = PAGE + 4, .size = PAGE, .protection = RW, .flags = CAIRN_MAP_FIXED},
        {.address = 0, .size = PAGE, .protection = RW, .flags = CAIRN_MAP_FIXED},
        {.address = 0, .size = PAGE, .protection = RW, .flags = CAIRN_MAP_REPLACE},
        {.address = LAST * PAGE, .size = 2 * PAGE, .protection = RW, .flags = CAIRN_MAP_FIXED},
        {.address = 256 * PAGE, .size = PAGE, .protection = RW, .flags = CAIRN_MAP_FIXED},
        {.address = (cairn_vaddr_t)0 - PAGE, .size = 2 * PAGE, .protection = RW, .flags = CAIRN_MAP_FIXED}, // wraps
        {.address = PAGE, .size = PAGE, .protection = CAIRN_WRITE},
        {.address = PAGE, .size = PAGE, .protection = RW | 16},
        {.address = PAGE, .size = PAGE, .protection = RW, .flags = CAIRN_MAP_LOCKED},
        {.address = PAGE, .size = PAGE, .protection = RW, .flags = 32},
        {.address = PAGE, .size = PAGE, .protection = RW, .flags = CAIRN_MAP_SHARED}, // what?
        {.address = PAGE, .size = PAGE, .protection = RW, .offset = PAGE},
        {.address = PAGE, .size = PAGE, .protection = RW, .grow = PAGE},
        {.address = PAGE, .size = PAGE, .protection = RW, .flags = CAIRN_MAP_GROWS_DOWN, .grow = 4},
        {.address = PAGE, .size = PAGE, .protection = RW, .memory = code},
        {.address = PAGE, .size = PAGE, .protection = R, .flags = CAIRN_MAP_GROWS_DOWN, .memory = code},
    };
    (void)state;
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REFUSES(CAIRN_EINVAL, ask(&bad[i]));
    }
    for (uint32_t bit = 5; bit < 32; bit++) { // flags that are none, and those that the library has for itself
        REFUSES(CAIRN_EINVAL, ask(&(struct cairn_map){.size = PAGE, .protection = RW, .flags = (uint32_t)1 << bit}));
    }
    REFUSES(CAIRN_EINVAL, cairn_space_map_range(NULL, &bad[0], NULL));
    REFUSES(CAIRN_EINVAL, cairn_space_map_range(SPACE, NULL, NULL));
    REFUSES(CAIRN_EINVAL, cairn_space_unmap_range(SPACE, 0, PAGE));
    REFUSES(CAIRN_EINVAL, cairn_space_unmap_range(SPACE, PAGE, 0));
    REFUSES(CAIRN_EINVAL, cairn_space_unmap_range(SPACE, PAGE + 1, PAGE));
    REFUSES(CAIRN_EINVAL, cairn_space_unmap_range(SPACE, vm_page(LAST), 2 * PAGE));
    REFUSES(CAIRN_EINVAL, cairn_space_unmap_range(NULL, PAGE, PAGE));
    REFUSES(CAIRN_EINVAL, cairn_space_protect_range(SPACE, PAGE, 0, R));
    REFUSES(CAIRN_EINVAL, cairn_space_protect_range(SPACE, PAGE, PAGE, CAIRN_WRITE));
    REFUSES(CAIRN_EINVAL, cairn_space_protect_range(NULL, PAGE, PAGE, R));
    EXPECT_NO_MAPS(SPACE);
}

static void the_last_page_of_a_space_is_as_any(void **state)
{
    (void)state;
    assert_int_equal(vm_map(SPACE, LAST, 1, RW, 0), 0);
    vm_put(vm_page(LAST) + PAGE - 4, 5);
    assert_int_equal(vm_get(vm_page(LAST) + PAGE - 4), 5);
    assert_int_equal(vm_protect(SPACE, LAST, 1, R), 0);
    assert_int_equal(vm_unmap(SPACE, LAST, 1), 0);
    EXPECT_NO_MAPS(SPACE);
}

static void replace_takes_the_place_of_what_is_there(void **state)
{
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 6, RW, 0), 0);
    vm_write_pages(SPACE, 10, 6, 1);
    assert_int_equal(vm_map(SPACE, 12, 2, R, CAIRN_MAP_REPLACE), 0);
    EXPECT_MAPS(SPACE, 10, 2, RW, 12, 2, R, 14, 2, RW);
    assert_int_equal(vm_get(vm_page(12)), 0);
    vm_expect_pages(SPACE, 10, 2, 1);
    vm_expect_pages(SPACE, 14, 2, 1);
    assert_int_equal(vm_map(SPACE, 9, 8, RW, CAIRN_MAP_REPLACE), 0);
    EXPECT_MAPS(SPACE, 9, 8, RW);
    assert_int_equal(vm_get(vm_page(10)), 0);
    assert_int_equal(vm_map(SPACE, 30, 2, RW, CAIRN_MAP_REPLACE), 0); // nothing is there
    EXPECT_MAPS(SPACE, 9, 8, RW, 30, 2, RW);
}

static void replace_of_a_pinned_page_is_refused(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 6, RW, 0), 0);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(12), RW, &memory, &run), 0);
    REFUSES(CAIRN_EBUSY, vm_map(SPACE, 12, 2, R, CAIRN_MAP_REPLACE));
    REFUSES(CAIRN_EBUSY, vm_unmap(SPACE, 1, 20));
    assert_int_equal(vm_unmap(SPACE, 13, 1), 0); // its neighbour may go
    assert_int_equal(vm_protect(SPACE, 12, 1, R), 0);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(12)), 0);
    EXPECT_MAPS(SPACE, 10, 2, RW, 12, 1, R, 14, 2, RW);
}

// ----------------------------------------------------------------------------------------------------------- splitting, merging

static void unmapping_splits_at_front_back_and_in_the_middle(void **state)
{
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 8, RW, 0), 0);
    vm_write_pages(SPACE, 10, 8, 1);
    assert_int_equal(vm_unmap(SPACE, 10, 1), 0);
    EXPECT_MAPS(SPACE, 11, 7, RW);
    assert_int_equal(vm_unmap(SPACE, 17, 1), 0);
    EXPECT_MAPS(SPACE, 11, 6, RW);
    assert_int_equal(vm_unmap(SPACE, 13, 2), 0);
    EXPECT_MAPS(SPACE, 11, 2, RW, 15, 2, RW);
    vm_expect_pages(SPACE, 11, 2, 1);
    vm_expect_pages(SPACE, 15, 2, 1);
    assert_int_equal(vm_space_figures(SPACE).virtual_pages, 4);
    assert_int_equal(vm_space_figures(SPACE).resident + vm_space_figures(SPACE).swapped, 4);
    uint32_t word;
    assert_int_equal(cairn_vm_load32(VM, vm_page(13), &word), CAIRN_EFAULT);
    assert_int_equal(vm_unmap(SPACE, 12, 4), 0); // of two
    EXPECT_MAPS(SPACE, 11, 1, RW, 16, 1, RW);
    assert_int_equal(vm_unmap(SPACE, 12, 4), 0); // nothing is there
    assert_int_equal(vm_unmap(SPACE, 11, 6), 0);
    EXPECT_NO_MAPS(SPACE);
    assert_int_equal(vm_figures().slots_used, 0);
}

static void what_was_unmapped_is_zeros_when_it_is_mapped_again(void **state)
{
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 8, RW, 0), 0);
    vm_write_pages(SPACE, 10, 8, 1); // some of it is in the store
    assert_int_equal(vm_unmap(SPACE, 11, 6), 0);
    assert_int_equal(vm_map(SPACE, 11, 6, RW, 0), 0);
    EXPECT_MAPS(SPACE, 10, 8, RW); // one again
    for (uint32_t page = 11; page < 17; page++) {
        assert_int_equal(vm_get(vm_page(page) + 8), 0);
    }
    vm_expect_pages(SPACE, 10, 1, 1);
    vm_expect_pages(SPACE, 17, 1, 1);
}

static void protection_of_a_part_splits_and_the_same_again_merges(void **state)
{
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 8, RW, 0), 0);
    const struct cairn_mapping *const whole = SPACE->mappings;
    vm_write_pages(SPACE, 10, 8, 1);
    assert_int_equal(vm_protect(SPACE, 12, 2, R), 0);
    EXPECT_MAPS(SPACE, 10, 2, RW, 12, 2, R, 14, 4, RW);
    vm_put(vm_page(11), vm_get(vm_page(11)));
    assert_int_equal(cairn_vm_store32(VM, vm_page(12), 1), CAIRN_EACCES);
    assert_int_equal(cairn_vm_store32(VM, vm_page(13) + 4, 1), CAIRN_EACCES);
    vm_put(vm_page(14), vm_get(vm_page(14)));
    vm_expect_pages(SPACE, 10, 8, 1);
    assert_int_equal(vm_protect(SPACE, 10, 2, R), 0);
    EXPECT_MAPS(SPACE, 10, 4, R, 14, 4, RW);
    assert_int_equal(vm_protect(SPACE, 13, 3, 0), 0);
    EXPECT_MAPS(SPACE, 10, 3, R, 13, 3, 0, 16, 2, RW);
    assert_int_equal(vm_protect(SPACE, 10, 8, RW), 0);
    EXPECT_MAPS(SPACE, 10, 8, RW);
    assert_ptr_equal(SPACE->mappings, whole);
    vm_expect_pages(SPACE, 10, 8, 1);
}

static void protection_reaches_what_the_tlb_holds(void **state)
{
    uint32_t word;
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 3, RW, 0), 0);
    vm_put(vm_page(11), 1);
    assert_int_equal(vm_protect(SPACE, 11, 1, R), 0);
    assert_int_equal(cairn_vm_store32(VM, vm_page(11), 2), CAIRN_EACCES);
    assert_int_equal(vm_get(vm_page(11)), 1);
    assert_int_equal(vm_protect(SPACE, 11, 1, 0), 0);
    assert_int_equal(cairn_vm_load32(VM, vm_page(11), &word), CAIRN_EACCES);
    assert_int_equal(vm_protect(SPACE, 11, 1, RW), 0);
    assert_int_equal(vm_get(vm_page(11)), 1);
}

static void protection_of_what_is_not_all_mapped_is_refused(void **state)
{
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 4, RW, 0), 0);
    assert_int_equal(vm_map(SPACE, 15, 2, RW, 0), 0);
    REFUSES(CAIRN_EFAULT, vm_protect(SPACE, 9, 2, R));
    REFUSES(CAIRN_EFAULT, vm_protect(SPACE, 12, 4, R));
    REFUSES(CAIRN_EFAULT, vm_protect(SPACE, 16, 2, R));
    REFUSES(CAIRN_EFAULT, vm_protect(SPACE, 40, 1, R));
}

// What is reserved is opened part by part.
static void a_guard_may_not_be_touched_until_it_is_opened(void **state)
{
    uint32_t word;
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 100, 0, 0), 0);
    assert_int_equal(cairn_vm_load32(VM, vm_page(10), &word), CAIRN_EACCES);
    assert_int_equal(cairn_vm_store32(VM, vm_page(109), 1), CAIRN_EACCES);
    assert_int_equal(cairn_space_will_need(SPACE, vm_page(50)), CAIRN_EACCES);
    assert_int_equal(vm_figures().frames_free, FRAMES);
    assert_int_equal(VM->committed, 0);
    assert_int_equal(vm_protect(SPACE, 10, 2, RW), 0);
    assert_int_equal(vm_protect(SPACE, 12, 2, RW), 0);
    EXPECT_MAPS(SPACE, 10, 4, RW, 14, 96, 0);
    vm_put(vm_page(13), 1);
    assert_true(SPACE->mappings->plain != 0); // as fast as if it had been mapped so
    assert_int_equal(vm_protect(SPACE, 10, 4, 0), 0);
    EXPECT_MAPS(SPACE, 10, 4, 0, 14, 96, 0); // what was written is promised still
    assert_int_equal(cairn_space_will_need(SPACE, vm_page(12)), CAIRN_EACCES);
}

static void mappings_of_an_object_that_go_on_are_one(void **state)
{
    (void)state;
    vm_object_of_file(6);
    assert_int_equal(vm_show(SPACE, 10, 2, R, 0, OBJECT, 1), 0);
    assert_int_equal(vm_show(SPACE, 12, 2, R, 0, OBJECT, 3), 0);
    EXPECT_MAPS(SPACE, 10, 4, R);
    assert_int_equal(vm_show(SPACE, 14, 1, R, 0, OBJECT, 1), 0); // does not go on
    assert_int_equal(vm_show(SPACE, 15, 1, R, CAIRN_MAP_SHARED, OBJECT, 2), 0);
    EXPECT_MAPS(SPACE, 10, 4, R, 14, 1, R, 15, 1, R);
    assert_int_equal(vm_unmap(SPACE, 11, 1), 0);
    EXPECT_MAPS(SPACE, 10, 1, R, 12, 2, R, 14, 1, R, 15, 1, R);
    assert_int_equal(vm_get(vm_page(10)), FILE_WORD(1, 0));
    assert_int_equal(vm_get(vm_page(12)), FILE_WORD(3, 0));
    assert_int_equal(vm_get(vm_page(13) + 8), FILE_WORD(4, 2));
}

static void memory_that_goes_on_is_one(void **state)
{
    (void)state;
    assert_int_equal(ask(&(struct cairn_map){.address = vm_page(10), .size = 4 * PAGE, .protection = R, .memory = code}), 0);
    assert_int_equal(vm_get(vm_page(10)) & 0xFF, code[0] == 0xC0 ? vm_look(SPACE, vm_page(10)) & 0xFF : 0);
    assert_int_equal(vm_protect(SPACE, 11, 2, 0), 0);
    EXPECT_MAPS(SPACE, 10, 1, R, 11, 2, 0, 13, 1, R);
    assert_ptr_equal(SPACE->mappings->next->next->memory, code + 3 * PAGE);
    assert_int_equal(vm_protect(SPACE, 11, 2, R), 0);
    EXPECT_MAPS(SPACE, 10, 4, R);
    REFUSES(CAIRN_EACCES, vm_protect(SPACE, 10, 1, RW));
}

static void a_mapping_of_the_callers_is_split_and_stays_the_callers(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(10), 8 * PAGE, RW), 0);
    vm_write_pages(SPACE, 10, 8, 1);
    assert_int_equal(vm_protect(SPACE, 12, 2, R), 0);
    assert_ptr_equal(SPACE->mappings, MAP);
    EXPECT_MAPS(SPACE, 10, 2, RW, 12, 2, R, 14, 4, RW);
    assert_int_equal(vm_protect(SPACE, 12, 2, RW), 0);
    EXPECT_MAPS(SPACE, 10, 8, RW);
    assert_int_equal(VM->committed, 0); // cairn_space_map is not counted
    assert_int_equal(vm_unmap(SPACE, 10, 2), 0); // the caller's own ends, the rest is the vm's
    EXPECT_MAPS(SPACE, 12, 6, RW);
    assert_int_equal(cairn_space_unmap(SPACE, MAP), CAIRN_ENOENT);
    assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(10), 2 * PAGE, RW), 0); // it is free again
    EXPECT_MAPS(SPACE, 10, 2, RW, 12, 6, RW);
    assert_int_equal(cairn_space_unmap(SPACE, MAP), 0);
    vm_expect_pages(SPACE, 12, 6, 1);
}

// ----------------------------------------------------------------------------------------------------- memory that does not reach

// Have the vm no more memory than `left` bytes beyond what it uses, and no free node of a mapping.
static uint32_t starve(uint32_t left, uint32_t *list)
{
    const uint32_t size = VM->table_size;
    *list = VM->free_node[CAIRN_LEVELS_MAX + 1];
    VM->free_node[CAIRN_LEVELS_MAX + 1] = 0;
    VM->table_size = VM->table_used + left;
    return size;
}

static void feed(uint32_t size, uint32_t list)
{
    assert_int_equal(VM->free_node[CAIRN_LEVELS_MAX + 1], 0);
    VM->free_node[CAIRN_LEVELS_MAX + 1] = list;
    VM->table_size = size;
}

static int unmap_two(void)
{
    return vm_unmap(SPACE, 11, 2);
}

static int unmap_one(void)
{
    return vm_unmap(SPACE, 11, 3);
}

static int protect_two(void)
{
    return vm_protect(SPACE, 11, 2, R);
}

static int replace_two(void)
{
    return vm_map(SPACE, 11, 2, R, CAIRN_MAP_REPLACE);
}

static int map_one(void)
{
    return vm_map(SPACE, 20, 1, R, 0);
}

static int lock_two(void)
{
    return cairn_space_lock(SPACE, vm_page(11), 2 * PAGE);
}

static int unlock_two(void)
{
    return cairn_space_unlock(SPACE, vm_page(11), 2 * PAGE);
}

static void a_call_without_the_nodes_it_needs_changes_nothing(void **state)
{
    static const struct {
        int (*call)(void);
        uint32_t nodes;
    } calls[] = {{unmap_two, 2}, {unmap_one, 1}, {protect_two, 2}, {replace_two, 3}, {map_one, 1}, {lock_two, 2}, {unlock_two, 2}};
    (void)state;
    for (uint32_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        assert_int_equal(vm_map(SPACE, 10, 4, RW, 0), 0);
        vm_write_pages(SPACE, 10, 4, 1);
        for (uint32_t nodes = 0; nodes <= calls[i].nodes; nodes++) {
            uint32_t list;
            const uint32_t size = starve(nodes * NODE_BYTES, &list);
            if (nodes < calls[i].nodes) {
                REFUSES(CAIRN_ENOMEM, calls[i].call());
                VM->free_node[CAIRN_LEVELS_MAX + 1] = 0; // those that it took and gave back
                feed(size, list);
                continue;
            }
            assert_int_equal(calls[i].call(), 0);
            vm_sound();
            assert_int_equal(vm_unmap(SPACE, 1, LAST), 0);
            VM->free_node[CAIRN_LEVELS_MAX + 1] = list;
            VM->table_size = size;
        }
    }
}

static void a_promise_is_taken_back_where_there_is_no_node(void **state)
{
    uint32_t list;
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 4, R, 0), 0);
    const uint32_t size = starve(0, &list);
    REFUSES(CAIRN_ENOMEM, vm_protect(SPACE, 11, 2, RW));
    feed(size, list);
    assert_int_equal(VM->committed, 0);
}

static void a_vm_without_memory_to_share_refuses_and_pages_go_on(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(10), 8 * PAGE, RW), 0);
    vm_write_pages(SPACE, 10, 1, 1);
    VM->table_size = VM->table_used + 64;
    REFUSES(CAIRN_ENOMEM, vm_map(SPACE, 20, 1, RW, 0));
    REFUSES(CAIRN_ENOMEM, vm_protect(SPACE, 10, 1, R));
    assert_null(VM->sharing);
    vm_expect_pages(SPACE, 10, 1, 1);
    VM->table_size = 2048;
}

// ------------------------------------------------------------------------------------------------------------- a large space

static void the_length_of_a_range_costs_nothing(void **state)
{
    (void)state;
    const uint32_t tables = vm_tables();
    assert_int_equal(vm_map(SPACE, 1, LAST, RW, 0), 0);
    assert_int_equal(vm_protect(SPACE, 100, 50, R), 0);
    assert_int_equal(vm_unmap(SPACE, 120, 10), 0);
    assert_int_equal(vm_tables(), tables);
    assert_int_equal(vm_space_figures(SPACE).resident, 0);
}

static void memory_protection(void **state)
{
    uint32_t word;
    void *memory;
    size_t run;
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 1, R, 0), 0);
    assert_int_equal(vm_map(SPACE, 11, 1, R | CAIRN_USER, 0), 0);
    assert_int_equal(vm_map(SPACE, 12, 1, R | CAIRN_EXEC, 0), 0);
    assert_int_equal(cairn_vm_store32(VM, vm_page(10), 1), CAIRN_EACCES);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(10), CAIRN_EXEC, &memory, &run), CAIRN_EACCES);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(12), CAIRN_EXEC, &memory, &run), 0);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(12)), 0);
    SPACE->user = true;
    cairn_space_switch(VM, SPACE);
    assert_int_equal(cairn_vm_load32(VM, vm_page(10), &word), CAIRN_EACCES);
    assert_int_equal(cairn_vm_load32(VM, vm_page(11), &word), 0);
    SPACE->user = false;
}

static void isolation_of_spaces(void **state)
{
    uint32_t word;
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 4, RW, 0), 0);
    assert_int_equal(vm_map(OTHER, 10, 2, RW, 0), 0);
    vm_write_pages(SPACE, 10, 4, 1);
    vm_write_pages(OTHER, 10, 2, 2);
    vm_expect_pages(SPACE, 10, 4, 1);
    vm_expect_pages(OTHER, 10, 2, 2);
    cairn_space_switch(VM, OTHER);
    assert_int_equal(cairn_vm_load32(VM, vm_page(12), &word), CAIRN_EFAULT);
    assert_int_equal(vm_unmap(OTHER, 1, LAST), 0);
    vm_expect_pages(SPACE, 10, 4, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        OBJECTS_UNIT(a_range_is_chosen_from_above),
        OBJECTS_UNIT(a_wish_is_granted_where_it_is_free),
        OBJECTS_UNIT(an_alignment_is_that_of_the_address),
        OBJECTS_UNIT(a_stack_is_aligned_and_has_room_to_grow_and_a_page_below),
        OBJECTS_UNIT(fixed_ranges_that_overlap_are_refused),
        OBJECTS_UNIT(ranges_that_are_none_are_refused),
        OBJECTS_UNIT(the_last_page_of_a_space_is_as_any),
        OBJECTS_UNIT(replace_takes_the_place_of_what_is_there),
        OBJECTS_UNIT(replace_of_a_pinned_page_is_refused),
        OBJECTS_UNIT(unmapping_splits_at_front_back_and_in_the_middle),
        OBJECTS_UNIT(what_was_unmapped_is_zeros_when_it_is_mapped_again),
        OBJECTS_UNIT(protection_of_a_part_splits_and_the_same_again_merges),
        OBJECTS_UNIT(protection_reaches_what_the_tlb_holds),
        OBJECTS_UNIT(protection_of_what_is_not_all_mapped_is_refused),
        OBJECTS_UNIT(a_guard_may_not_be_touched_until_it_is_opened),
        OBJECTS_UNIT(mappings_of_an_object_that_go_on_are_one),
        OBJECTS_UNIT(memory_that_goes_on_is_one),
        OBJECTS_UNIT(a_mapping_of_the_callers_is_split_and_stays_the_callers),
        OBJECTS_UNIT(a_call_without_the_nodes_it_needs_changes_nothing),
        OBJECTS_UNIT(a_promise_is_taken_back_where_there_is_no_node),
        OBJECTS_UNIT(a_vm_without_memory_to_share_refuses_and_pages_go_on),
        OBJECTS_UNIT(the_length_of_a_range_costs_nothing),
        OBJECTS_UNIT(memory_protection),
        OBJECTS_UNIT(isolation_of_spaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
