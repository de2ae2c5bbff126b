// SPDX-License-Identifier: MIT
//
// OWNS        the proof that a cut of power leaves each page of a shared mapping old or new, and what was synced there: at every operation of the device, torn in
//             every way and reordered, again while what the first cut left is worked with.
// PICTURE     6 pages of a file, shown to two spaces and privately to a third, in 4 frames; under it
//                 the store in flash, 6 blocks of emulated NOR flash: a cut tears one operation
//                 a plain store with seals (checked), in which what was written since the store's last sync is kept, torn, lost, in any order
//             work | cut | power on, check | work | cut | power on, check | work to the end, check
// INVARIANTS  1. A page's bytes are those of one version, all of them. Where a plain store tears pages one that was written since it was safe may be neither: then
//                the seal finds that.
//             2. Of a page that is a version from `safe`, which the last sync that returned 0 made safe, to `now`, the last that was stored.
//             3. What a private mapping stores is never in the file.
// CALLERS     ctest, on every preset: lib/vm/object.c, advise.c, pageout.c over lib/vm/store_flash.c, store_checked.c.
#include "cairn/access.h"
#include "cairn/object.h"
#include "cairn/store.h"
#include "flash.h"
#include "power_store.h"
#include "prng.h"
#include "scale.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PAGE 128u
#define FRAMES 4u
#define PAGES 6u
#define FIRST 2u // slot of the file's first page
#define SLOTS (FIRST + PAGES)
#define BLOCKS 6u
#define ERASE (76u + 4u * (PAGE + 16u))
#define STEPS 40u
#define SEALED (PAGE + CAIRN_STORE_SEAL)
#define AT(page) ((cairn_vaddr_t)((page) + 1) * PAGE)
#define PRIVATE 0xFFu // no version's

// What does not survive a cut.
static _Alignas(PAGE) unsigned char frames[FRAMES * PAGE];
static _Alignas(8) unsigned char memory[4096];
static _Alignas(4) unsigned char store_memory[512];
static unsigned char swapped[2 * PAGES * PAGE];
static struct cairn_vm vm;
static struct cairn_space spaces[3]; // the third's mapping is private
static bool is_copied[PAGES]; // the third has a page of its own
static struct cairn_object file;
static struct cairn_store_ram swap;
static struct cairn_store_flash in_flash;
static struct cairn_store_checked checked;

// The device, and what the pages in it may be.
static struct world {
    struct flash flash;
    struct power_store power;
    unsigned char flash_bytes[BLOCKS * ERASE];
    unsigned char power_bytes[SLOTS * (2 * SEALED + 1)];
    uint32_t erases[BLOCKS];
    unsigned char flags[BLOCKS];
    bool is_plain;
    struct prng prng;
    uint32_t safe[PAGES], now[PAGES];
    bool tears; // a page that was written at a cut may be neither
} world, kept;

static struct cairn_port_store *store;
static unsigned char seal[SEALED];

// ------------------------------------------------------------------------------------------------------------------- versions

static void contents(unsigned char *bytes, uint32_t page, uint32_t version)
{
    for (uint32_t i = 0; i < PAGE; i++) {
        bytes[i] = (unsigned char)(version >> i % 3 * 8 ^ page * 29 ^ i * 7);
    }
}

// The page holds this version, and nothing else.
static bool is_version(const unsigned char *bytes, uint32_t page, uint32_t version)
{
    unsigned char wanted[PAGE];
    contents(wanted, page, version);
    return memcmp(bytes, wanted, PAGE) == 0;
}

// -------------------------------------------------------------------------------------------------------------------- power on

static void mount_store(void)
{
    if (world.is_plain) {
        const struct cairn_store_checked_config config = {.under = &world.power.store, .sealed = seal};
        assert_int_equal(cairn_store_checked_init(&checked, &config), 0);
        store = &checked.store;
    } else {
        const struct cairn_store_flash_config config = {.flash = &world.flash.port, .page = PAGE, .slots = SLOTS};
        assert_true(cairn_store_flash_size(&config) <= sizeof store_memory);
        assert_int_equal(cairn_store_flash_init(&in_flash, &config, store_memory, sizeof store_memory), 0);
        store = &in_flash.store;
    }
}

// Nothing is left in RAM; the file is mapped once more.
static void mount(void)
{
    mount_store();
    memset(frames, 0xA5, sizeof frames);
    memset(memory, 0xA5, sizeof memory);
    memset(is_copied, 0, sizeof is_copied);
    assert_int_equal(cairn_store_ram_init(&swap, swapped, sizeof swapped, PAGE, 2 * PAGES), 0);
    const struct cairn_vm_config config = {.page_shift = 7,
                                           .levels = 1,
                                           .bits = {4},
                                           .tlb = 4,
                                           .frames = frames,
                                           .frame_count = FRAMES,
                                           .memory = memory,
                                           .size = sizeof memory,
                                           .store = &swap.store};
    const struct cairn_object_config file_config = {.size = PAGES * PAGE, .store = store, .slot = FIRST};
    assert_int_equal(cairn_vm_init(&vm, &config), 0);
    assert_int_equal(cairn_object_init(&file, &vm, &file_config), 0);
    for (uint32_t i = 0; i < 3; i++) {
        const struct cairn_map map = {.address = AT(0),
                                      .size = PAGES * PAGE,
                                      .protection = CAIRN_READ | CAIRN_WRITE,
                                      .flags = CAIRN_MAP_FIXED | (i < 2 ? CAIRN_MAP_SHARED : 0),
                                      .object = &file};
        assert_int_equal(cairn_space_init(&spaces[i], &vm), 0);
        assert_int_equal(cairn_space_map_range(&spaces[i], &map, NULL), 0);
    }
}

static bool is_dead(void)
{
    return world.is_plain ? world.power.dead : world.flash.dead;
}

static void device_on(void)
{
    flash_power(&world.flash);
    power_on(&world.power);
}

// The power is to go at this operation from now.
static void cut_at(uint32_t at, uint32_t how)
{
    const bool tears = how == CUT_FRONT || how == CUT_BACK || how == CUT_GARBAGE || how == CUT_RANDOM;
    world.tears = world.tears || (world.is_plain && tears);
    world.power.cut_at = world.power.operations + at;
    world.power.how = (enum power_cut)how;
    world.flash.cut_at = world.flash.operations + at;
    world.flash.tear = (enum flash_tear)how;
}

// Look at each page in the store itself. Of one that is torn, and may be, write what it is to be. Returns false where the power went on that.
static bool check_store(void)
{
    for (uint32_t page = 0; page < PAGES; page++) {
        unsigned char bytes[PAGE];
        const int error = store->read(store->context, FIRST + page, bytes);
        if (error == CAIRN_ECORRUPT && world.tears && world.safe[page] < world.now[page]) {
            contents(bytes, page, world.now[page]);
            if (store->write(store->context, FIRST + page, bytes) != 0 || store->sync(store->context) != 0) {
                return false;
            }
        } else {
            assert_int_equal(error, 0);
        }
        uint32_t version = world.safe[page];
        while (version < world.now[page] && !is_version(bytes, page, version)) {
            version++;
        }
        assert_true(is_version(bytes, page, version));
        world.safe[page] = world.now[page] = version;
    }
    return true;
}

static void come_up(void)
{
    device_on();
    mount_store();
    assert_true(check_store());
    mount();
    assert_int_equal(world.flash.breaches + world.power.breaches, 0);
}

// ------------------------------------------------------------------------------------------------------------------------ work

static void synced(uint32_t first, uint32_t pages, int error)
{
    assert_true(error == 0 || is_dead());
    for (uint32_t page = first; error == 0 && page < first + pages; page++) {
        world.safe[page] = world.now[page];
    }
}

// The next version, by a copy or through a pin, on which the sync of the page falls.
static void write_page(struct cairn_space *space, uint32_t page, bool pinned)
{
    unsigned char bytes[PAGE];
    void *place;
    size_t run;
    const uint32_t version = world.now[page] + 1;
    contents(bytes, page, version);
    if (!pinned) {
        world.now[page] += cairn_space_write(space, AT(page), bytes, PAGE) == 0;
    } else if (cairn_space_pin(space, AT(page), CAIRN_READ | CAIRN_WRITE, &place, &run) == 0) {
        assert_int_equal(run, PAGE);
        memcpy(place, bytes, PAGE);
        world.now[page] = version;
        synced(page, 1, cairn_space_sync(space, AT(page), PAGE));
        if (!is_dead()) { // the pin is held still: this is another version
            contents(bytes, page, version + 1);
            memcpy(place, bytes, PAGE);
            world.now[page] = version + 1;
        }
        assert_int_equal(cairn_space_unpin(space, AT(page)), 0);
    }
}

static void write_private(uint32_t page)
{
    unsigned char bytes[PAGE];
    memset(bytes, PRIVATE, PAGE);
    is_copied[page] |= cairn_space_write(&spaces[2], AT(page), bytes, PAGE) == 0;
    assert_true(is_copied[page] || is_dead());
}

// Each space sees what was stored last, but for what it has of its own.
static void read_page(struct cairn_space *space, uint32_t page)
{
    unsigned char bytes[PAGE];
    if (cairn_space_read(space, bytes, AT(page), PAGE) != 0) {
        assert_true(is_dead());
    } else if (space == &spaces[2] && is_copied[page]) {
        assert_true(bytes[0] == PRIVATE && memcmp(bytes, bytes + 1, PAGE - 1) == 0);
    } else {
        assert_true(is_version(bytes, page, world.now[page]));
    }
}

static void step(void)
{
    const uint32_t what = prng_below(&world.prng, 24);
    const uint32_t page = prng_below(&world.prng, PAGES);
    const uint32_t pages = 1 + prng_below(&world.prng, PAGES - page);
    struct cairn_space *const space = &spaces[prng_below(&world.prng, 2)];
    if (what < 9) {
        write_page(space, page, false);
    } else if (what < 11) {
        write_page(space, page, true);
    } else if (what < 15) {
        read_page(&spaces[prng_below(&world.prng, 3)], page);
    } else if (what < 17) {
        write_private(page);
    } else if (what < 20) {
        synced(page, pages, cairn_space_sync(space, AT(page), pages * PAGE));
    } else if (what < 21) {
        synced(0, PAGES, cairn_object_sync(&file));
    } else if (what < 22) {
        assert_true(cairn_vm_clean(&vm, pages) >= 0 || is_dead()); // written, and not safe by that
    } else {
        assert_true(cairn_space_advise(space, AT(page), pages * PAGE, CAIRN_ADVISE_DONT_NEED) == 0 || is_dead()); // leave by eviction
    }
}

// Returns false where the power went.
static bool work(uint32_t steps)
{
    for (uint32_t i = 0; i < steps && !is_dead(); i++) {
        uint32_t rule;
        step();
        assert_int_equal(cairn_vm_check(&vm, &rule), 0);
    }
    return !is_dead();
}

// A device with the first version of each page, then work with the power cut at this operation. Returns false where it came to its end before.
static bool first_cut(bool is_plain, uint32_t at, uint32_t how, uint32_t seed)
{
    memset(&world, 0, sizeof world);
    world.is_plain = is_plain;
    flash_init(&world.flash, world.flash_bytes, world.erases, world.flags, BLOCKS, ERASE, 4, false);
    power_store_init(&world.power, world.power_bytes, SEALED, SLOTS);
    mount_store();
    for (uint32_t page = 0; page < PAGES; page++) {
        unsigned char bytes[PAGE];
        contents(bytes, page, 1);
        assert_int_equal(store->write(store->context, FIRST + page, bytes), 0);
        world.safe[page] = world.now[page] = 1;
    }
    assert_int_equal(store->sync == NULL ? 0 : store->sync(store->context), 0);
    mount();
    prng_seed(&world.prng, seed);
    cut_at(at, how);
    return !work(STEPS);
}

static uint32_t ways(bool is_plain)
{
    return is_plain ? (uint32_t)CUTS : (uint32_t)TEARS;
}

static void one_cut(bool is_plain)
{
    const uint32_t step_size = fx_scale(3, 1, 1);
    uint32_t cuts = 0;
    for (uint32_t how = 0; how < ways(is_plain); how++) {
        for (uint32_t seed = 1; seed <= fx_scale(1, 2, 20); seed++) {
            for (uint32_t at = how % step_size; first_cut(is_plain, at, how, seed); at += step_size) {
                come_up();
                assert_true(work(STEPS / 4));
                synced(0, PAGES, cairn_object_sync(&file));
                come_up(); // all of it, as it is now
                cuts++;
            }
        }
    }
    print_message("%u cuts\n", (unsigned)cuts);
    assert_true(cuts > fx_scale(40, 300, 3000));
}

// What comes after the first cut is itself cut, at each operation that there is until all is safe once more.
static void two_cuts(bool is_plain)
{
    const uint32_t first_step = fx_scale(7, 1, 1);
    const uint32_t how_step = fx_scale(3, 1, 1);
    uint32_t cuts = 0;
    for (uint32_t how = 0; how < ways(is_plain) * ways(is_plain); how += how_step) {
        for (uint32_t at = how % first_step; first_cut(is_plain, at, how % ways(is_plain), 3); at += first_step) {
            kept = world;
            for (uint32_t second = 0; second < 60; second++) {
                world = kept;
                device_on();
                cut_at(second, how / ways(is_plain));
                mount_store();
                if (check_store()) {
                    mount();
                    (void)work(8);
                    synced(0, PAGES, is_dead() ? -1 : cairn_object_sync(&file));
                }
                const bool ended = !is_dead();
                come_up();
                assert_true(work(4));
                cuts++;
                if (ended) {
                    break;
                }
            }
        }
    }
    print_message("%u cuts, each after another\n", (unsigned)cuts);
    assert_true(cuts > fx_scale(200, 7000, 7000));
}

static void flash_a_cut_leaves_each_page_old_or_new_and_what_was_synced(void **state)
{
    (void)state;
    one_cut(false);
}

static void flash_a_second_cut_leaves_each_page_old_or_new_and_what_was_synced(void **state)
{
    (void)state;
    two_cuts(false);
}

static void plain_a_cut_leaves_each_page_old_or_new_and_what_was_synced(void **state)
{
    (void)state;
    one_cut(true);
}

static void plain_a_second_cut_leaves_each_page_old_or_new_and_what_was_synced(void **state)
{
    (void)state;
    two_cuts(true);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(flash_a_cut_leaves_each_page_old_or_new_and_what_was_synced),
        cmocka_unit_test(flash_a_second_cut_leaves_each_page_old_or_new_and_what_was_synced),
        cmocka_unit_test(plain_a_cut_leaves_each_page_old_or_new_and_what_was_synced),
        cmocka_unit_test(plain_a_second_cut_leaves_each_page_old_or_new_and_what_was_synced),
    };
    return cmocka_run_group_tests_name("vm_sync_power", tests, NULL, NULL);
}
