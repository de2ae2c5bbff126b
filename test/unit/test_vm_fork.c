// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/fork.c promises, and lib/vm/share.c of pages that spaces have in common.
// CALLERS     ctest, on every preset.
#include "vm_fixture.h"

#include "cairn/object.h"
#include "vm/share.h"

static struct cairn_space third;

static void fork_to(struct cairn_space *child, struct cairn_space *parent)
{
    assert_int_equal(cairn_space_fork(child, parent), 0);
    vm_sound();
}

static uint32_t copies(const struct cairn_space *space)
{
    return vm_space_figures(space).copies;
}

static void fork_shares_every_page_and_copies_none(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 6, 1); // two of them have left
    const struct cairn_vm_figures before = vm_figures();
    fork_to(OTHER, SPACE);
    const struct cairn_vm_figures after = vm_figures();
    assert_int_equal(after.frames_free, before.frames_free);
    assert_int_equal(after.writes, before.writes);
    assert_int_equal(after.shared, 6);
    assert_int_equal(vm_space_figures(SPACE).resident, 0);
    assert_int_equal(vm_space_figures(SPACE).shared, 6);
    assert_int_equal(vm_space_figures(OTHER).shared, 6);
    vm_expect_pages(OTHER, 1, 6, 1);
    vm_expect_pages(SPACE, 1, 6, 1);
    assert_int_equal(copies(SPACE) + copies(OTHER), 0);
    vm_sound();
}

static void a_write_is_seen_by_the_writer_alone(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 3, 1);
    vm_put(vm_page(2), 22); // it could be stored to at once
    fork_to(OTHER, SPACE);
    vm_put(vm_page(2), 33);
    assert_int_equal(copies(SPACE), 1);
    cairn_space_switch(VM, OTHER);
    assert_int_equal(vm_get(vm_page(2)), 22);
    vm_put(vm_page(1), 11);
    assert_int_equal(copies(OTHER), 1);
    vm_expect_pages(SPACE, 1, 1, 1);
    assert_int_equal(vm_get(vm_page(1)), 11);
    cairn_space_switch(VM, SPACE);
    assert_int_equal(vm_get(vm_page(2)), 33);
    vm_sound();
}

static void the_last_sharer_writes_in_place(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 2, 1);
    fork_to(OTHER, SPACE);
    vm_put(vm_page(1), 5); // a copy
    const uint32_t free_frames = vm_figures().frames_free;
    cairn_space_switch(VM, OTHER);
    vm_put(vm_page(1), 6); // nobody else has the old one
    assert_int_equal(copies(OTHER), 0);
    assert_int_equal(vm_figures().frames_free, free_frames);
    assert_int_equal(vm_figures().shared, 1);
    vm_sound();
}

static void the_last_sharer_gets_a_page_that_is_in_the_store(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 1, 1);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(1)), 0);
    fork_to(OTHER, SPACE);
    assert_int_equal(cairn_space_deinit(OTHER), 0);
    vm_sound();
    vm_put(vm_page(1) + 64, 7);
    assert_int_equal(copies(SPACE), 0);
    assert_int_equal(vm_figures().shared, 0);
    assert_int_equal(vm_space_figures(SPACE).resident, 1);
    assert_int_equal(vm_get(vm_page(1) + 64), 7);
}

// A page of zeros was never written: where it leaves its frame it is known no more, and its record still is.
static void a_page_of_zeros_is_shared_and_found_again(void **state)
{
    (void)state;
    assert_int_equal(vm_get(vm_page(1)), 0);
    fork_to(OTHER, SPACE);
    vm_write_pages(SPACE, 2, FRAMES, 3); // it leaves
    assert_int_equal(vm_figures().shared, 1);
    vm_sound();
    cairn_space_switch(VM, OTHER);
    assert_int_equal(vm_get(vm_page(1)), 0);
    vm_sound();
    vm_write_pages(SPACE, 2, FRAMES, 3);
    vm_put(vm_page(1), 1);
    vm_sound();
    cairn_space_switch(VM, SPACE);
    vm_write_pages(SPACE, 2, FRAMES, 3);
    vm_put(vm_page(1), 2); // the last one, of a page that is nowhere
    assert_int_equal(vm_figures().shared, 0);
    vm_sound();
}

static void forks_of_forks_stand_in_no_chain(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 2, 1);
    for (uint32_t generation = 0; generation < 40; generation++) {
        struct cairn_space *const from = generation % 2 == 0 ? SPACE : OTHER;
        struct cairn_space *const to = generation % 2 == 0 ? OTHER : SPACE;
        fork_to(to, from);
        assert_int_equal(vm_figures().shared, 2);
        assert_int_equal(cairn_space_deinit(from), 0);
        assert_int_equal(vm_figures().tables, 2);
    }
    vm_expect_pages(SPACE, 1, 2, 1);
    cairn_space_switch(VM, SPACE);
}

static void three_spaces_share_and_diverge(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 8, 1);
    fork_to(OTHER, SPACE);
    fork_to(&third, OTHER);
    assert_int_equal(vm_figures().shared, 8);
    assert_int_equal(table_record(VM, pte_number(*cairn_table_walk_(SPACE, 1)))->owners, 3);
    vm_write_pages(SPACE, 1, 2, 2);
    vm_write_pages(OTHER, 2, 2, 3);
    vm_write_pages(&third, 3, 2, 4);
    vm_sound();
    vm_expect_pages(SPACE, 1, 2, 2);
    vm_expect_pages(SPACE, 3, 6, 1);
    vm_expect_pages(OTHER, 1, 1, 1);
    vm_expect_pages(OTHER, 2, 2, 3);
    vm_expect_pages(OTHER, 4, 5, 1);
    vm_expect_pages(&third, 1, 2, 1);
    vm_expect_pages(&third, 3, 2, 4);
    vm_expect_pages(&third, 5, 4, 1);
    assert_int_equal(cairn_space_deinit(OTHER), 0);
    vm_sound();
    vm_expect_pages(SPACE, 3, 6, 1);
    assert_int_equal(cairn_space_deinit(&third), 0);
    vm_expect_pages(SPACE, 3, 6, 1);
}

static void a_pinned_page_stays_with_who_pinned_it(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    vm_write_pages(SPACE, 1, 2, 1);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(1), RW, &memory, &run), 0);
    fork_to(OTHER, SPACE);
    assert_int_equal(vm_figures().shared, 1);
    *(uint32_t *)memory = 99;
    assert_int_equal(vm_get(vm_page(1)), 99);
    vm_expect_pages(OTHER, 1, 2, 1);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(1)), 0);
}

// Else what is stored later by others, or by the space itself, would not be where the pointer leads.
static void a_pin_makes_a_shared_page_the_spaces_own(void **state)
{
    void *memory;
    size_t run;
    uint32_t word;
    (void)state;
    vm_write_pages(SPACE, 1, 1, 1);
    fork_to(OTHER, SPACE);
    assert_int_equal(cairn_space_pin(OTHER, vm_page(1), CAIRN_READ, &memory, &run), 0);
    vm_sound();
    assert_int_equal(copies(OTHER), 1);
    vm_put(vm_page(1), 1234);
    memcpy(&word, memory, sizeof word);
    assert_int_not_equal(word, 1234);
    cairn_space_switch(VM, OTHER);
    vm_put(vm_page(1), 77);
    memcpy(&word, memory, sizeof word);
    assert_int_equal(word, 77);
    assert_int_equal(cairn_space_unpin(OTHER, vm_page(1)), 0);
}

static void a_fork_that_fails_changes_nothing(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 8, 1);
    fork_to(OTHER, SPACE); // so that there is a pool
    assert_int_equal(cairn_space_deinit(OTHER), 0);
    vm_write_pages(SPACE, 1, 8, 2);
    const uint32_t size = VM->table_size;
    uint32_t failed = 0;
    for (uint32_t left = 0; left < 1024; left += 4) {
        uint32_t lists[CAIRN_LEVELS_MAX + 2];
        memcpy(lists, VM->free_node, sizeof lists);
        memset(VM->free_node, 0, sizeof VM->free_node);
        VM->table_size = VM->table_used + left < size ? VM->table_used + left : size;
        const int error = cairn_space_fork(OTHER, SPACE);
        vm_sound();
        if (error == 0) {
            assert_int_equal(cairn_space_deinit(OTHER), 0);
        } else {
            assert_int_equal(error, CAIRN_ENOMEM);
            failed++;
        }
        assert_int_equal(vm_figures().tables, 2);
        vm_expect_pages(SPACE, 1, 8, 2);
        vm_write_pages(SPACE, 1, 8, 2);
        vm_sound();
        if (error == 0) {
            break;
        }
        for (uint32_t list = 0; list < CAIRN_LEVELS_MAX + 2; list++) { // what this run freed goes on top of what there was
            uint32_t *end = &VM->free_node[list];
            while (*end != 0) {
                end = table_below(VM, *end);
            }
            *end = lists[list];
        }
        VM->table_size = size;
    }
    assert_true(failed > 4);
    VM->table_size = size;
}

static void a_copy_needs_a_frame_beside_the_pages_that_stay(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    vm_write_pages(SPACE, 1, 4, 1);
    fork_to(OTHER, SPACE);
    vm_write_pages(SPACE, 2, 3, 1);
    for (uint32_t page = 2; page < 5; page++) {
        assert_int_equal(cairn_space_pin(SPACE, vm_page(page), CAIRN_READ, &memory, &run), 0);
    }
    assert_int_equal(cairn_vm_store32(VM, vm_page(1), 1), CAIRN_ENOMEM);
    vm_sound();
    for (uint32_t page = 2; page < 5; page++) {
        assert_int_equal(cairn_space_unpin(SPACE, vm_page(page)), 0);
    }
    vm_expect_pages(SPACE, 1, 4, 1);
    vm_expect_pages(OTHER, 1, 4, 1);
}

static void segments_handler_and_user_are_the_parents(void **state)
{
    static const struct cairn_segment segments[] = {{.base = 7000, .limit = 1000, .protection = CAIRN_READ}};
    cairn_vaddr_t address;
    (void)state;
    cairn_space_set_segments(SPACE, segments, 1);
    SPACE->handler = vm_handler;
    SPACE->user = true;
    fork_to(OTHER, SPACE);
    assert_true(OTHER->handler == vm_handler);
    assert_true(OTHER->user);
    OTHER->user = SPACE->user = false;
    assert_int_equal(cairn_segment_translate(OTHER, 0, 500, 4, CAIRN_READ, &address), 0);
    assert_int_equal(address, 7500);
}

static void both_sides_suspended_leave_no_common_page_in_a_frame(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 3, 1);
    fork_to(OTHER, SPACE);
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    assert_int_equal(vm_figures().frames_free, FRAMES - 3); // the child runs
    assert_int_equal(cairn_space_suspend(OTHER), 0);
    assert_int_equal(vm_figures().frames_free, FRAMES);
    vm_sound();
    cairn_space_resume(OTHER);
    vm_expect_pages(OTHER, 1, 3, 1);
    assert_int_equal(cairn_space_deinit(OTHER), 0);
    cairn_space_resume(SPACE);
    vm_expect_pages(SPACE, 1, 3, 1);
    assert_int_equal(cairn_space_suspend(SPACE), 0); // nobody else has them
    assert_int_equal(vm_figures().frames_free, FRAMES);
    vm_sound();
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    fork_to(OTHER, SPACE);
    assert_int_equal(cairn_space_fork(OTHER, SPACE), CAIRN_EBUSY);
    assert_int_equal(cairn_space_deinit(OTHER), 0);
    assert_int_equal(cairn_space_fork(NULL, SPACE), CAIRN_EINVAL);
    assert_int_equal(cairn_space_fork(OTHER, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_space_fork(SPACE, SPACE), CAIRN_EINVAL);
    memset(OTHER, 0, sizeof *OTHER);
    assert_int_equal(cairn_space_fork(&third, OTHER), CAIRN_EINVAL); // no space
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        VM_UNIT(fork_shares_every_page_and_copies_none),
        VM_UNIT(a_write_is_seen_by_the_writer_alone),
        VM_UNIT(the_last_sharer_writes_in_place),
        VM_UNIT(the_last_sharer_gets_a_page_that_is_in_the_store),
        VM_UNIT(a_page_of_zeros_is_shared_and_found_again),
        VM_UNIT(forks_of_forks_stand_in_no_chain),
        VM_UNIT(three_spaces_share_and_diverge),
        VM_UNIT(a_pinned_page_stays_with_who_pinned_it),
        VM_UNIT(a_pin_makes_a_shared_page_the_spaces_own),
        VM_UNIT(a_fork_that_fails_changes_nothing),
        VM_UNIT(a_copy_needs_a_frame_beside_the_pages_that_stay),
        VM_UNIT(segments_handler_and_user_are_the_parents),
        VM_UNIT(both_sides_suspended_leave_no_common_page_in_a_frame),
        VM_UNIT(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
