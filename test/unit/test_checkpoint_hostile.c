// SPDX-License-Identifier: MIT
//
// OWNS        the proof that nothing in a checkpoint harms who restores it: every byte of the head and the directory changed, numbers of all sizes in every field, and
//             keys that are none, in images that are whole.
// PICTURE     a checkpoint of everything | one change, committed as an image | restore: refused, and nothing has changed; or there is a space that works
// CALLERS     ctest, on every preset: lib/vm/checkpoint_restore.c, checkpoint_meta.c.
#include "checkpoint_fixture.h"

#define HEAD 40u
#define RECORD 40u
#define RECORDS (PAGE / RECORD) // of a page

static unsigned char bytes_then[sizeof kept_bytes];
static struct power_store kept_then;
static unsigned char head[HEAD], page[PAGE];
static uint32_t records, refused, taken;
static struct prng prng;

static void keep(void)
{
    memcpy(bytes_then, kept_bytes, sizeof kept_bytes);
    kept_then = kept;
}

// As it was kept, and begun.
static void begin(void)
{
    memcpy(kept_bytes, bytes_then, sizeof kept_bytes);
    kept = kept_then;
    assert_int_equal(kept_open(), 0);
    assert_int_equal(cairn_image_head(&checkpoint.image, head, HEAD), HEAD);
    assert_int_equal(cairn_image_begin(&checkpoint.image, false), 0);
}

static void commit(void)
{
    assert_int_equal(cairn_image_commit(&checkpoint.image, head, HEAD), 0);
}

// All that can be done with a space, until it ends.
static void use(void)
{
    struct cairn_space *const space = &THERE->space;
    uint32_t word;
    void *memory;
    size_t run;
    for (cairn_vaddr_t at = PAGE; at < 70 * PAGE; at += PAGE) {
        if (cairn_space_read(space, &word, at + 4, 4) == 0) {
            (void)!cairn_space_write(space, at + 4, &word, 4);
        }
    }
    if (cairn_space_pin(space, 5 * PAGE, CAIRN_READ, &memory, &run) == 0) {
        assert_int_equal(cairn_space_unpin(space, 5 * PAGE), 0);
    }
    (void)!cairn_space_brk(space, space->break_end + 3 * PAGE);
    (void)!cairn_space_brk(space, space->break_start);
    (void)!cairn_space_protect_range(space, 4 * PAGE, 9 * PAGE, CAIRN_READ);
    (void)!cairn_space_unmap_range(space, 15 * PAGE, PAGE);
    machine_sound(THERE);
    struct cairn_object *list[OBJECTS];
    const uint32_t count = machine_objects(THERE, list);
    assert_int_equal(cairn_checkpoint_save(&checkpoint, space, list, count), 0);
    machine_sound(THERE);
}

static void restore(void)
{
    struct cairn_vm_figures figures;
    const int error = kept_restore(THERE, 10, 0);
    assert_true(error == 0 || error == CAIRN_ECORRUPT || error == CAIRN_EINVAL || error == CAIRN_ENOMEM || error == CAIRN_EBUSY);
    refused += error != 0;
    taken += error == 0;
    if (error == 0) {
        use();
    } else {
        cairn_vm_figures(&THERE->vm, &figures);
        assert_int_equal(figures.frames_free, THERE->vm.frame_count);
        assert_int_equal(figures.slots_used, 0);
        assert_int_equal(figures.tables, 1); // the space's root
        assert_null(THERE->space.mappings);
        assert_true(THERE->space.break_end == 0 && THERE->space.heap == 0 && THERE->vm.committed == 0);
        for (uint32_t i = 0; i < OBJECTS; i++) {
            assert_null(THERE->objects[i].pages.vm);
        }
    }
    machine_end(THERE);
}

#define key_at(part, page) ((uint64_t)(part) << 57 | (page))

static unsigned char changed(unsigned char byte, uint32_t how)
{
    return (unsigned char)(how < 8 ? byte ^ 1u << how : how == 8 ? 0xFF : how == 9 ? 0 : byte + 1u);
}

static int setup(void **state)
{
    if (checkpoint_setup(state) != 0) {
        return -1;
    }
    machine_furnish(HERE);
    assert_int_equal(kept_save(HERE, &HERE->space), 0);
    struct cairn_checkpoint_info info;
    assert_int_equal(cairn_checkpoint_read_info(&checkpoint, &info), 0);
    records = info.objects + info.mappings;
    keep();
    refused = taken = 0;
    prng_seed(&prng, 3);
    return 0;
}

static void any_byte_of_the_head(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < HEAD; at++) {
        for (uint32_t how = at % fx_scale(11, 1, 1); how < 11; how += fx_scale(11, 1, 1)) {
            begin();
            head[at] = changed(head[at], how);
            commit();
            restore();
        }
    }
    for (uint32_t size = 0; size < HEAD; size += fx_scale(13, 1, 1)) {
        begin();
        assert_int_equal(cairn_image_commit(&checkpoint.image, head, size), 0);
        assert_int_equal(kept_restore(THERE, 10, 0), CAIRN_ECORRUPT);
        machine_end(THERE);
    }
    assert_true(refused > taken);
}

static void any_byte_of_the_directory(void **state)
{
    (void)state;
    const uint32_t step = fx_scale(37, 1, 1);
    for (uint32_t at = 0; at < records * RECORD; at += step) {
        for (uint32_t how = at % 3; how < 11; how += fx_scale(4, 3, 1)) {
            begin();
            const uint64_t key = at / RECORD / RECORDS;
            const uint32_t offset = at / RECORD % RECORDS * RECORD + at % RECORD;
            assert_int_equal(cairn_image_get(&checkpoint.image, key, page), 0);
            page[offset] = changed(page[offset], how);
            assert_int_equal(cairn_image_put(&checkpoint.image, key, page), 0);
            commit();
            restore();
        }
    }
    print_message("%u refused, %u taken\n", (unsigned)refused, (unsigned)taken);
    assert_true(refused > taken && taken >= fx_scale(0, 50, 50));
}

// Fields that are other fields, small, or large.
static void any_numbers_in_the_directory(void **state)
{
    (void)state;
    static const uint8_t sizes[] = {8, 8, 8, 8, 4, 1, 1, 2}; // of a mapping's
    static const uint8_t offsets[] = {0, 8, 16, 24, 32, 36, 37, 38};
    const uint32_t rounds = fx_scale(10, 2000, 400000);
    for (uint32_t round = 0; round < rounds; round++) {
        begin();
        for (uint32_t i = 0; i < 1 + round % 3; i++) {
            const uint32_t record = prng_below(&prng, records);
            const uint32_t field = prng_below(&prng, sizeof sizes);
            const uint32_t what = prng_below(&prng, 5);
            const uint64_t number = what == 0   ? prng_below(&prng, 70)
                                    : what == 1 ? UINT64_MAX - prng_below(&prng, 3)
                                    : what == 2 ? (uint64_t)1 << prng_below(&prng, 64)
                                    : what == 3 ? 0
                                                : (uint64_t)prng_next(&prng) << 32 | prng_next(&prng);
            assert_int_equal(cairn_image_get(&checkpoint.image, record / RECORDS, page), 0);
            for (uint32_t byte = 0; byte < sizes[field]; byte++) {
                page[record % RECORDS * RECORD + offsets[field] + byte] = (unsigned char)(number >> 8 * byte);
            }
            assert_int_equal(cairn_image_put(&checkpoint.image, record / RECORDS, page), 0);
        }
        if (prng_below(&prng, 8) == 0) {
            head[8] = (unsigned char)prng_below(&prng, records + 3); // mappings
        }
        commit();
        restore();
    }
    assert_true(refused > taken && taken >= fx_scale(0, 5, 5));
}

// Pages of what is not there, directory pages that are not.
static void any_keys(void **state)
{
    (void)state;
    static const uint64_t pages[] = {0, 1, 12, 13, 14, 21, 22, 33, 38, 45, 46, 47, 60, 63, 64, 255, 256, 0xFFFFFFFF, 0x100000000, 0x1FFFFFFFFFFFFFF};
    memset(page, 0x5A, sizeof page);
    for (uint64_t part = 0; part < 128; part += part < 7 ? 1 : 60) {
        for (uint32_t i = fx_scale((uint32_t)part % 3, 0, 0); i < sizeof pages / sizeof *pages; i += fx_scale(6, 1, 1)) {
            begin();
            const uint64_t key = part << 57 | pages[i];
            if (key != CAIRN_IMAGE_NO_KEY && (part != 0 || pages[i] > 5)) {
                assert_int_equal(cairn_image_put(&checkpoint.image, key, page), 0);
            }
            commit();
            restore();
        }
    }
    assert_true(refused > fx_scale(8, 50, 50) && taken > fx_scale(1, 10, 10));
    refused = 0;
    for (uint64_t key = 0; key < (records + RECORDS - 1) / RECORDS; key++) {
        begin();
        assert_int_equal(cairn_image_drop(&checkpoint.image, key), 0);
        commit();
        restore();
        assert_int_equal(refused, key + 1);
    }
}

// What must be refused, and why: a field of the head, or of a record of the directory.
static void each_rule_is_looked_at(void **state)
{
    (void)state;
    static const struct {
        uint32_t record, offset, size; // record: of the directory, or IN_HEAD
        uint64_t value;
        int error;
    } rules[] = {
#define IN_HEAD 99u
        {IN_HEAD, 0, 4, 0x32504B43, CAIRN_ECORRUPT},  // version 2
        {IN_HEAD, 4, 1, 8, CAIRN_ECORRUPT},           // pages of 256 bytes
        {IN_HEAD, 5, 1, 1, CAIRN_ECORRUPT},
        {IN_HEAD, 6, 2, 126, CAIRN_ECORRUPT},         // objects
        {IN_HEAD, 6, 2, 2, CAIRN_EINVAL},             // less than are given
        {IN_HEAD, 8, 4, 1000, CAIRN_ECORRUPT},        // mappings
        {IN_HEAD, 8, 4, 1, CAIRN_ECORRUPT},           // pages are outside of the others
        {IN_HEAD, 12, 4, 1, CAIRN_ECORRUPT},
        {IN_HEAD, 16, 8, 59 * PAGE, CAIRN_ECORRUPT},  // the break is below its start
        {IN_HEAD, 16, 8, 56 * PAGE + 1, CAIRN_ECORRUPT},
        {IN_HEAD, 16, 8, 0, CAIRN_ECORRUPT},          // it has no start
        {IN_HEAD, 24, 8, 256 * PAGE, CAIRN_EINVAL},   // it is outside of the space
        {IN_HEAD, 24, 8, 0x100000000 | 57 * PAGE, CAIRN_EINVAL},
        {IN_HEAD, 32, 8, 256 * PAGE, CAIRN_EINVAL},   // the heap is
        {0, 8, 8, 0, CAIRN_ECORRUPT},                 // an object: no pages
        {0, 8, 8, 0x100000008, CAIRN_EINVAL},
        {0, 8, 8, 6, CAIRN_ECORRUPT},                 // a mapping shows more
        {0, 36, 1, CAIRN_WRITE, CAIRN_ECORRUPT},
        {0, 37, 1, 16, CAIRN_ECORRUPT},
        {0, 38, 2, 3, CAIRN_ECORRUPT},                // two owners
        {0, 38, 2, 8, CAIRN_ECORRUPT},
        {0, 0, 4, KEY, CAIRN_EBUSY},                  // two of a key
        {3, 0, 8, 0, CAIRN_ECORRUPT},                 // a mapping of page 0
        {4, 0, 8, 2, CAIRN_ECORRUPT},                 // that begins within another
        {3, 8, 8, 2, CAIRN_ECORRUPT},                 // that reaches into another
        {3, 8, 8, 0, CAIRN_ECORRUPT},
        {3, 8, 8, UINT64_MAX, CAIRN_EINVAL},
        {3, 0, 8, 0x100000001, CAIRN_EINVAL},
        {3, 16, 8, 1, CAIRN_ECORRUPT},                // grows, and is no stack
        {3, 24, 8, 1, CAIRN_ECORRUPT},                // an offset into nothing
        {3, 32, 4, 4, CAIRN_ECORRUPT},                // of an object that is not there
        {3, 36, 1, CAIRN_WRITE, CAIRN_ECORRUPT},
        {3, 37, 1, 1, CAIRN_ECORRUPT},
        {3, 38, 2, 64, CAIRN_ECORRUPT},
        {3, 38, 2, 32, CAIRN_ECORRUPT},               // the first of a block, and none of one
        {6, 38, 2, 20, CAIRN_ECORRUPT},               // a block that shows an object
        {3, 38, 2, 1, CAIRN_ECORRUPT},                // shared with nobody
        {3, 38, 2, 8, CAIRN_ECORRUPT},                // promised, not counted
        {6, 38, 2, 13, CAIRN_ECORRUPT},               // promised, and the object's
        {6, 38, 2, 7, CAIRN_ECORRUPT},                // a stack that shows an object
        {6, 24, 8, 3, CAIRN_ECORRUPT},                // behind the object's end
        {6, 24, 8, UINT64_MAX, CAIRN_ECORRUPT},
    };
    static const struct {
        uint64_t key;
        bool is_good;
    } keys[] = {{key_at(1, 2), true},  {key_at(1, 11), true},  {key_at(1, 12), false}, {key_at(1, 1), false}, {key_at(1, 14), false}, {key_at(1, 22), true},
                {key_at(1, 58), false}, {key_at(2, 7), true},  {key_at(2, 8), false},  {key_at(5, 0), false}, {key_at(0, 6), false},  {key_at(1, 0x100000002), false}};
    for (uint32_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        begin();
        const uint32_t key = rules[i].record == IN_HEAD ? 0 : rules[i].record / RECORDS;
        assert_int_equal(cairn_image_get(&checkpoint.image, key, page), 0);
        unsigned char *const at = (rules[i].record == IN_HEAD ? head : page + rules[i].record % RECORDS * RECORD) + rules[i].offset;
        for (uint32_t byte = 0; byte < rules[i].size; byte++) {
            at[byte] = (unsigned char)(rules[i].value >> 8 * byte);
        }
        assert_int_equal(cairn_image_put(&checkpoint.image, key, page), 0);
        commit();
        machine_make(THERE, 10, 0);
        struct cairn_object *const there[OBJECTS] = {&THERE->objects[0], &THERE->objects[1], &THERE->objects[2]};
        const int error = cairn_checkpoint_restore(&checkpoint, &THERE->space, there, OBJECTS);
        if (error != rules[i].error) {
            print_error("rule %u: %d\n", (unsigned)i, error);
        }
        assert_int_equal(error, rules[i].error);
        assert_null(THERE->space.mappings);
        machine_end(THERE);
    }
    memset(page, 0x5A, sizeof page);
    for (uint32_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        begin();
        assert_int_equal(cairn_image_put(&checkpoint.image, keys[i].key, page), 0);
        commit();
        const uint32_t before = refused;
        restore();
        assert_int_equal(refused - before, !keys[i].is_good);
    }
}

// A page whose bytes are not what they were: found when it is read, and the space is empty.
static void a_damaged_page_is_found(void **state)
{
    (void)state;
    struct cairn_checkpoint_info info;
    assert_int_equal(cairn_checkpoint_read_info(&checkpoint, &info), 0);
    uint32_t damaged = 0;
    for (uint32_t slot = 0; slot < KEPT_SLOTS; slot += fx_scale(9, 1, 1)) {
        memcpy(kept_bytes, bytes_then, sizeof kept_bytes);
        kept = kept_then;
        kept.seen[slot * PAGE + 77] ^= 0x10;
        if (kept_open() == 0 && checkpoint.image.generation != 0) {
            const uint32_t before = refused;
            restore();
            damaged += refused - before;
        }
    }
    assert_in_range(damaged, fx_scale(1, info.pages / 2, info.pages / 2), info.pages + (records + RECORDS - 1) / RECORDS);
}

#define HOSTILE(test) cmocka_unit_test_setup_teardown(test, setup, checkpoint_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        HOSTILE(any_byte_of_the_head),
        HOSTILE(any_byte_of_the_directory),
        HOSTILE(any_numbers_in_the_directory),
        HOSTILE(any_keys),
        HOSTILE(each_rule_is_looked_at),
        HOSTILE(a_damaged_page_is_found),
    };
    return cmocka_run_group_tests_name("checkpoint_hostile", tests, NULL, NULL);
}
