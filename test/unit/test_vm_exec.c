// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/exec.c promises: a space becomes that of the image, page by page when they are touched; what is refused changes nothing.
// CALLERS     ctest, on every preset.
#include "vm_fixture.h"

#include "cairn/exec.h"
#include "cairn/store.h"
#include "elf_image.h"

#define TOP 0x8000u
#define STACK (16 * PAGE)
#define TEXT 0x1000u
#define DATA 0x1190u
#define ZEROS 0x11B0u
#define END 0x1220u

static struct cairn_store_ram ram;
static struct cairn_object object;
static struct cairn_exec program;
static unsigned char image[3 * PAGE]; // whole pages
static const char *const arguments[] = {"prog", "-v", NULL};
static struct cairn_exec_config config;

static int setup(void **state)
{
    if (vm_setup(state) != 0) {
        return -1;
    }
    memset(image, 0x77, sizeof image); // behind the image, too
    elf_image_make(image, CAIRN_ELF_ARM);
    assert_int_equal(cairn_store_ram_init(&ram, image, sizeof image, PAGE, 3), 0);
    const struct cairn_object_config its = {.size = sizeof image, .store = &ram.store, .read_only = true};
    assert_int_equal(cairn_object_init(&object, VM, &its), 0);
    config = (struct cairn_exec_config){.image = &object, .size = IMAGE_SIZE, .arguments = arguments};
    memset(&program, 0x5A, sizeof program);
    return 0;
}

static int teardown(void **state)
{
    if (SPACE->vm != NULL) {
        assert_int_equal(cairn_space_deinit(SPACE), 0);
    }
    assert_int_equal(cairn_object_deinit(&object), 0);
    return vm_teardown(state);
}

static void expect_bytes(uint32_t address, const void *bytes, size_t size)
{
    int order = 1;
    assert_int_equal(cairn_space_compare(SPACE, address, bytes, size, &order), 0);
    assert_int_equal(order, 0);
}

static void text_and_data_come_from_the_image_when_they_are_touched(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, PAGES, 1);
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), 0);
    vm_sound();
    assert_int_equal(program.elf.entry, elf_image_get(image, E_ENTRY, 4));
    const uint32_t resident = vm_space_figures(SPACE).resident + vm_space_figures(SPACE).shared;
    assert_int_equal(resident, 2); // the end of the data, and the stack's top
    expect_bytes(TEXT, image, 256);
    expect_bytes(DATA, image + elf_image_get(image, IMAGE_FIELD(IMAGE_DATA, P_OFFSET), 4), 32);
    assert_int_equal(cairn_vm_store32(VM, TEXT, 1), CAIRN_EACCES);
    assert_int_equal(cairn_vm_load32(VM, vm_page(1), &(uint32_t){0}), CAIRN_EFAULT); // what was mapped before
    vm_sound();
}

static void behind_the_files_bytes_all_is_zeros(void **state)
{
    static const unsigned char zeros[2 * PAGE];
    (void)state;
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), 0);
    expect_bytes(ZEROS, zeros, 0x1280 - ZEROS);
    assert_int_equal(cairn_vm_load32(VM, 0x1280, &(uint32_t){0}), CAIRN_EFAULT);
}

static void data_are_private_and_the_image_stays(void **state)
{
    unsigned char before[sizeof image];
    (void)state;
    memcpy(before, image, sizeof image);
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), 0);
    assert_int_equal(cairn_space_fill(SPACE, DATA, 0xEE, END - DATA), 0);
    assert_int_equal(cairn_object_sync(&object), 0);
    assert_memory_equal(image, before, sizeof image);
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), 0);
    expect_bytes(DATA, image + elf_image_get(image, IMAGE_FIELD(IMAGE_DATA, P_OFFSET), 4), 32);
}

static void two_spaces_run_one_image(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), 0);
    assert_int_equal(cairn_space_exec(OTHER, &config, &program), 0);
    expect_bytes(TEXT, image, 64);
    int order = 1;
    assert_int_equal(cairn_space_compare(OTHER, TEXT, image, 64, &order), 0);
    assert_int_equal(order, 0);
    vm_put(DATA, 0x01020304);
    assert_int_equal(cairn_space_compare(OTHER, DATA, image + elf_image_get(image, IMAGE_FIELD(IMAGE_DATA, P_OFFSET), 4), 32, &order), 0);
    assert_int_equal(order, 0);
    vm_sound();
    assert_int_equal(cairn_space_deinit(OTHER), 0);
}

// A word of the program's, whose machine is little-endian.
static uint32_t word_of(uint32_t address)
{
    unsigned char bytes[4];
    assert_int_equal(cairn_space_read(SPACE, bytes, address, 4), 0);
    return elf_image_get(bytes, 0, 4);
}

static void the_stack_holds_the_arguments_and_grows_down_to_its_guard(void **state)
{
    char name[5];
    uint32_t argv;
    (void)state;
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), 0);
    assert_int_equal(word_of(program.sp), 2);
    argv = word_of(program.sp + 4);
    assert_int_equal(cairn_space_read(SPACE, name, argv, sizeof name), 0);
    assert_string_equal(name, "prog");
    for (uint32_t at = TOP - 4; at >= TOP - STACK; at -= 64) {
        if (at < program.sp) {
            vm_put(at, at);
        }
    }
    vm_put(TOP - STACK, 9);
    vm_sound();
    assert_int_equal(cairn_vm_store32(VM, TOP - STACK - 4, 1), CAIRN_EFAULT);
    assert_int_equal(cairn_vm_store32(VM, TOP - STACK - PAGE - 4, 1), CAIRN_EACCES); // the guard
    assert_int_equal(cairn_vm_store32(VM, TOP - STACK - 2 * PAGE - 4, 1), CAIRN_EFAULT);
}

static void the_break_begins_behind_the_data(void **state)
{
    cairn_vaddr_t old;
    (void)state;
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), 0);
    assert_int_equal(cairn_space_sbrk(SPACE, 100, &old), 0);
    assert_int_equal(old, 0x1280);
    vm_put(0x1280, 1);
    assert_int_equal(cairn_vm_store32(VM, 0x1300, 1), CAIRN_EFAULT);
    vm_sound();
}

static void a_hostile_image_is_refused_and_nothing_changes(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, PAGES, 1);
    const struct cairn_space before = *SPACE;
    for (uint32_t at = 0; at < 244; at++) {
        for (uint32_t bit = 0; bit < 8; bit += 3) {
            elf_image_make(image, CAIRN_ELF_ARM);
            image[at] ^= (unsigned char)(1u << bit);
            assert_int_equal(cairn_object_sync(&object), 0);
            assert_int_equal(cairn_object_deinit(&object), 0); // what is in frames is old
            const struct cairn_object_config its = {.size = sizeof image, .store = &ram.store};
            assert_int_equal(cairn_object_init(&object, VM, &its), 0);
            const int error = cairn_space_exec(SPACE, &config, &program);
            vm_sound();
            if (error == 0) { // what it changes does not matter, or the space is another one
                assert_int_equal(cairn_space_deinit(SPACE), 0);
                assert_int_equal(cairn_space_init(SPACE, VM), 0);
                cairn_space_switch(VM, SPACE);
                assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(1), PAGES * PAGE, RW), 0);
                vm_write_pages(SPACE, 1, PAGES, 1);
                continue;
            }
            assert_int_not_equal(program.elf.reason, CAIRN_ELF_GOOD);
            assert_true(error == CAIRN_ECORRUPT || error == CAIRN_ENOTSUP);
            assert_ptr_equal(SPACE->mappings, before.mappings);
        }
        vm_expect_pages(SPACE, 1, PAGES, 1);
    }
}

static void what_cannot_be_had_is_refused_and_nothing_changes(void **state)
{
    void *memory;
    size_t run;
    static const char *const many[] = {"a string of some length, so that they do not fit", "a string of some length, so that they do not fit", NULL};
    (void)state;
    vm_write_pages(SPACE, 1, PAGES, 1);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(3), CAIRN_READ, &memory, &run), 0);
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), CAIRN_EBUSY);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(3)), 0);
    config.arguments = config.environment = many;
    config.stack = PAGE;
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), CAIRN_ENOMEM);
    config.arguments = config.environment = NULL;
    config.stack = 0;
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 8 * PAGE), 0); // less than the stack
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), CAIRN_ENOMEM);
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_UNLIMITED, 0), 0);
    vm_starve(0);
    const uint32_t mappings = VM->free_node[CAIRN_LEVELS_MAX + 1];
    VM->free_node[CAIRN_LEVELS_MAX + 1] = 0;
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), CAIRN_ENOMEM);
    VM->free_node[CAIRN_LEVELS_MAX + 1] = mappings;
    vm_feed();
    vm_expect_pages(SPACE, 1, PAGES, 1);
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), 0);
}

// What takes a space's text as well: its last page is written, though only once.
static void a_promise_counts_pages_that_become_zeros_in_part(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, PAGES, 1);
    elf_image_put(image, IMAGE_FIELD(IMAGE_TEXT, P_FILESZ), 4, 0xF8);
    config.arguments = NULL;
    config.stack = PAGE;
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 4 * PAGE), 0); // text 2, data 2, stack 1
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), CAIRN_ENOMEM);
    vm_expect_pages(SPACE, 1, PAGES, 1);
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 5 * PAGE), 0);
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), 0);
    expect_bytes(TEXT, image, 0xF8);
    expect_bytes(TEXT + 0xF8, &(uint64_t){0}, 8);
    vm_sound();
}

// The image, in shared memory of a space's.
static void share_image(struct cairn_object *shared, struct cairn_space *owner, uint32_t others)
{
    cairn_vaddr_t address = 0;
    memset(shared, 0, sizeof *shared);
    assert_int_equal(cairn_shared_create(shared, owner, 7, sizeof image, RW | CAIRN_EXEC, others), 0);
    assert_int_equal(cairn_shared_attach(owner, 7, RW, &address), 0);
    assert_int_equal(cairn_space_write(owner, address, image, sizeof image), 0);
    config.image = shared;
}

static void an_image_that_the_space_may_not_show_is_refused_and_nothing_changes(void **state)
{
    static const uint32_t too_little[] = {0, CAIRN_READ, CAIRN_EXEC};
    struct cairn_object shared;
    (void)state;
    vm_write_pages(SPACE, 1, PAGES, 1);
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
    share_image(&shared, OTHER, CAIRN_READ | CAIRN_EXEC);
    for (uint32_t i = 0; i < 3; i++) {
        shared.others = too_little[i];
        assert_int_equal(cairn_space_exec(SPACE, &config, &program), CAIRN_EACCES);
        vm_expect_pages(SPACE, 1, PAGES, 1);
    }
    shared.others = CAIRN_READ | CAIRN_EXEC;
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), 0);
    vm_put(DATA, 1); // a copy of its own
    assert_int_equal(cairn_space_deinit(SPACE), 0);
    assert_int_equal(cairn_space_deinit(OTHER), 0);
    assert_int_equal(cairn_object_deinit(&shared), 0);
}

static void a_removed_image_ends_with_its_last_mapping(void **state)
{
    struct cairn_object shared;
    (void)state;
    share_image(&shared, SPACE, 0);
    assert_int_equal(cairn_shared_remove(VM, 7), 0);
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), 0); // what was the last one goes
    vm_sound();
    expect_bytes(TEXT, image, 256);
    assert_ptr_equal(shared.pages.vm, VM);
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), 0);
    assert_int_equal(cairn_space_unmap_range(SPACE, PAGE, TOP - PAGE), 0);
    assert_null(shared.pages.vm);
}

static void a_removed_image_that_cannot_be_begun_ends(void **state)
{
    struct cairn_object shared;
    (void)state;
    for (uint32_t nth = 1; nth < 12; nth++) {
        share_image(&shared, SPACE, 0);
        assert_int_equal(cairn_shared_remove(VM, 7), 0);
        vm_fail(nth, 1000);
        const int error = cairn_space_exec(SPACE, &config, &program);
        vm_fail(0, 0);
        vm_sound();
        assert_true((shared.pages.vm == NULL) == (SPACE->mappings == NULL));
        assert_true(error == 0 || SPACE->mappings == NULL || SPACE->mappings == MAP);
        if (SPACE->mappings != NULL) {
            assert_int_equal(cairn_space_unmap_range(SPACE, PAGE, TOP - PAGE), 0);
        }
    }
}

static void a_suspended_space_stays_as_it_is(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, PAGES, 1);
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), CAIRN_EBUSY);
    cairn_space_resume(SPACE);
    vm_expect_pages(SPACE, 1, PAGES, 1);
}

static void a_store_that_fails_later_leaves_an_empty_space(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, PAGES, 1);
    for (uint32_t nth = 1; nth < 12; nth++) {
        SPACE->heap = 8; // as if it had one
        SPACE->break_start = SPACE->break_end = 8 * PAGE;
        vm_fail(nth, 1000);
        const int error = cairn_space_exec(SPACE, &config, &program);
        vm_fail(0, 0);
        vm_sound();
        assert_int_equal(SPACE->heap, SPACE->mappings == MAP ? 8 : 0);
        assert_true(SPACE->mappings != NULL || SPACE->break_end == 0);
        assert_true(error == 0 || SPACE->mappings == NULL || SPACE->mappings == MAP);
    }
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), 0);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_exec(NULL, &config, &program), CAIRN_EINVAL);
    assert_int_equal(cairn_space_exec(SPACE, NULL, &program), CAIRN_EINVAL);
    assert_int_equal(cairn_space_exec(SPACE, &config, NULL), CAIRN_EINVAL);
    config.size = sizeof image + 1;
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), CAIRN_EINVAL);
    config.size = IMAGE_SIZE;
    config.stack = PAGE + 1;
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), CAIRN_EINVAL);
    config.stack = TOP;
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), CAIRN_EINVAL);
    config.stack = 0;
    config.image = NULL;
    assert_int_equal(cairn_space_exec(SPACE, &config, &program), CAIRN_EINVAL);
}

int main(void)
{
#define EXEC_UNIT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    static const struct CMUnitTest tests[] = {
        EXEC_UNIT(text_and_data_come_from_the_image_when_they_are_touched),
        EXEC_UNIT(behind_the_files_bytes_all_is_zeros),
        EXEC_UNIT(data_are_private_and_the_image_stays),
        EXEC_UNIT(two_spaces_run_one_image),
        EXEC_UNIT(the_stack_holds_the_arguments_and_grows_down_to_its_guard),
        EXEC_UNIT(the_break_begins_behind_the_data),
        EXEC_UNIT(a_hostile_image_is_refused_and_nothing_changes),
        EXEC_UNIT(what_cannot_be_had_is_refused_and_nothing_changes),
        EXEC_UNIT(a_promise_counts_pages_that_become_zeros_in_part),
        EXEC_UNIT(an_image_that_the_space_may_not_show_is_refused_and_nothing_changes),
        EXEC_UNIT(a_removed_image_ends_with_its_last_mapping),
        EXEC_UNIT(a_removed_image_that_cannot_be_begun_ends),
        EXEC_UNIT(a_suspended_space_stays_as_it_is),
        EXEC_UNIT(a_store_that_fails_later_leaves_an_empty_space),
        EXEC_UNIT(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
