// SPDX-License-Identifier: MIT
//
// A parent with a table forks children: they share its pages until one of them writes. Then one of them becomes another program, whose pages come in when it touches
// them. Runs as it is on the host and on every board.
#include <cairn/exec.h>
#include <cairn/store.h>
#include <inttypes.h>
#include <stdio.h>

#include "image.h"
#include "machine.h"

#define PAGE IMAGE_PAGE
#define FRAMES 40u
#define CHILDREN 4u
#define PAGES 24u // of the parent's table
#define TABLE 0x1000u

static _Alignas(PAGE) unsigned char frames[FRAMES * PAGE]; // 10 KB
static _Alignas(8) unsigned char memory[8192];
static unsigned char flash[2][IMAGE_PAGES * PAGE]; // a program, and one that is broken

static struct cairn_vm vm;
static struct cairn_space parent, children[CHILDREN];

static uint32_t used(void)
{
    struct cairn_vm_figures figures;
    cairn_vm_figures(&vm, &figures);
    return FRAMES - figures.frames_free;
}

static uint32_t copies(const struct cairn_space *space)
{
    struct cairn_space_figures figures;
    cairn_space_figures(space, &figures);
    return figures.copies;
}

// Each word of the table: its number, or for a page that a child wrote the child's.
static uint32_t wrong_words(struct cairn_space *space, uint32_t child)
{
    uint32_t wrong = 0;
    cairn_space_switch(&vm, space);
    for (uint32_t at = 0; at < PAGES * PAGE; at += 4) {
        const uint32_t expected = child != 0 && at / PAGE < child ? child << 16 | at : at;
        uint32_t word;
        wrong += cairn_vm_load32(&vm, TABLE + at, &word) != 0 || word != expected;
    }
    return wrong;
}

// Child n writes the first n pages.
static int diverge(uint32_t child)
{
    int error = 0;
    cairn_space_switch(&vm, &children[child - 1]);
    for (uint32_t at = 0; error == 0 && at < child * PAGE; at += 4)
        error = cairn_vm_store32(&vm, TABLE + at, child << 16 | at);
    return error;
}

static int forks(void)
{
    uint32_t wrong = 0;
    const uint32_t before = used();
    for (uint32_t child = 1; child <= CHILDREN; child++)
        if (cairn_space_fork(&children[child - 1], &parent) != 0)
            return 1;
    printf("%u spaces of %u pages in %" PRIu32 " frames: each page is there once\n", CHILDREN + 1, PAGES, used());
    if (used() != before)
        return 1;
    for (uint32_t child = 1; child <= CHILDREN; child++)
        if (diverge(child) != 0)
            return 1;
    for (uint32_t child = 1; child <= CHILDREN; child++) {
        wrong += wrong_words(&children[child - 1], child);
        printf("child %" PRIu32 " wrote %" PRIu32 " pages: %" PRIu32 " copies\n", child, child, copies(&children[child - 1]));
    }
    wrong += wrong_words(&parent, 0);
    printf("%" PRIu32 " frames now, %" PRIu32 " saved; %" PRIu32 " words are wrong\n", used(), (CHILDREN + 1) * PAGES - used(), wrong);
    return wrong != 0;
}

static int becomes_a_program(struct cairn_space *child, struct cairn_object *image, struct cairn_object *broken)
{
    static const char *const arguments[] = {"double", "twice", NULL};
    struct cairn_exec_config config = {.image = broken, .size = IMAGE_SIZE, .machine = CAIRN_ELF_RISCV, .arguments = arguments};
    struct cairn_exec program;
    struct cairn_space_figures figures;
    uint32_t result = 0;

    const int refused = cairn_space_exec(child, &config, &program);
    printf("a broken image: %s, %s; the child is as it was: %" PRIu32 " words are wrong\n", cairn_error_name(refused), cairn_elf_reason_name(program.elf.reason),
           wrong_words(child, 1));
    config.image = image;
    if (refused == 0 || cairn_space_exec(child, &config, &program) != 0)
        return 1;
    cairn_space_figures(child, &figures);
    printf("the program is mapped, %" PRIu32 " pages; in frames are %" PRIu32 "\n", (uint32_t)figures.virtual_pages, figures.resident + figures.shared);
    cairn_space_switch(&vm, child);
    const int error = machine_run(&vm, program.elf.entry, program.sp, 10000, &result);
    cairn_space_figures(child, &figures);
    printf("it ran: %s, and returned %" PRIu32 ", which is %s; in frames are %" PRIu32 "\n", error == 0 ? "to its end" : cairn_error_name(error), result,
           result == image_result(2) ? "right" : "wrong", figures.resident + figures.shared);
    printf("it writes to its text: %s; below its stack: %s\n", cairn_error_name(cairn_vm_store32(&vm, IMAGE_TEXT, 0)),
           cairn_error_name(cairn_vm_store32(&vm, program.sp - 20 * PAGE, 0)));
    return error != 0 || result != image_result(2);
}

int main(int argc, char **argv)
{
    struct cairn_store_ram files[2];
    struct cairn_object images[2];
    uint32_t rule;

    (void)argv;
    if (argc > 1) {
        printf("usage: fork_exec\n");
        return 2;
    }
    image_make(flash[0]);
    image_make(flash[1]);
    flash[1][4] = 2; // 64 bits
    const struct cairn_vm_config config = {
        .page_shift = 8, .levels = 2, .bits = {5, 5}, .frames = frames, .frame_count = FRAMES, .memory = memory, .size = sizeof memory};
    if (cairn_vm_init(&vm, &config) != 0 || cairn_space_init(&parent, &vm) != 0)
        return 1;
    const struct cairn_map table = {.address = TABLE, .size = PAGES * PAGE, .protection = CAIRN_READ | CAIRN_WRITE, .flags = CAIRN_MAP_FIXED};
    if (cairn_space_map_range(&parent, &table, NULL) != 0)
        return 1;
    cairn_space_switch(&vm, &parent);
    for (uint32_t at = 0; at < PAGES * PAGE; at += 4)
        if (cairn_vm_store32(&vm, TABLE + at, at) != 0)
            return 1;
    if (forks() != 0)
        return 1;

    for (uint32_t i = 0; i < 2; i++) {
        if (cairn_store_ram_init(&files[i], flash[i], sizeof flash[i], PAGE, IMAGE_PAGES) != 0)
            return 1;
        const struct cairn_object_config its = {.size = IMAGE_PAGES * PAGE, .store = &files[i].store, .read_only = true};
        if (cairn_object_init(&images[i], &vm, &its) != 0)
            return 1;
    }
    if (becomes_a_program(&children[0], &images[0], &images[1]) != 0)
        return 1;

    for (uint32_t child = 0; child < CHILDREN; child++)
        if (cairn_space_deinit(&children[child]) != 0)
            return 1;
    printf("the children have ended: %" PRIu32 " words of the parent's are wrong; check: %s\n", wrong_words(&parent, 0), cairn_vm_check(&vm, &rule) == 0 ? "good" : "broken");
    return cairn_object_deinit(&images[0]) != 0 || cairn_object_deinit(&images[1]) != 0 || cairn_space_deinit(&parent) != 0 || used() != 0;
}
