// SPDX-License-Identifier: MIT
//
// OWNS: image_fixture.h says what. CALLERS: image_fixture.h says who.
#include "image_fixture.h"

#include "test/port/store_contract.h"

#include <string.h>

struct image_fixture fx;
unsigned char fx_slots[FX_SLOTS * FX_PAGE];
struct faulty_store fx_faulty;
static struct cairn_store_ram ram;
static _Alignas(8) unsigned char memory[3072];
static unsigned char page[FX_PAGE], wanted[FX_PAGE];

void fx_make(const struct cairn_port_store *store, uint32_t keys)
{
    memset(&fx, 0, sizeof fx);
    fx.config.store = store;
    fx.config.chain = 3;
    fx.keys = keys;
    fx.turn = FX_ZEROS;
}

void fx_make_faulty(int filling, uint32_t slots, uint32_t keys)
{
    memset(fx_slots, filling, sizeof fx_slots);
    assert_int_equal(cairn_store_ram_init(&ram, fx_slots, sizeof fx_slots, FX_PAGE, slots), 0);
    faulty_store_init(&fx_faulty, &ram.store);
    fx_make(&fx_faulty.store, keys);
}

int fx_mount(void)
{
    const size_t size = cairn_image_size(&fx.config);
    assert_true(size != 0 && size <= sizeof memory);
    memset(memory, 0xA5, sizeof memory);
    return cairn_image_init(&fx.image, &fx.config, memory + (sizeof memory - size) / 8 * 8, size); // at the end: what is read behind it is seen
}

uint64_t fx_key(uint32_t key)
{
    return fx.far ? (uint64_t)key * key * key << 40 | key * 77u : key;
}

void fx_fill(unsigned char *bytes, uint32_t key, uint32_t turn)
{
    for (uint32_t i = 0; i < FX_PAGE; i++) {
        bytes[i] = turn == FX_ZEROS ? 0 : contract_byte(key, turn, i);
    }
}

size_t fx_head(unsigned char *head, uint32_t turn)
{
    for (uint32_t i = 0; i < FX_PAGE; i++) {
        head[i] = contract_byte(UINT32_MAX, turn, i);
    }
    return turn % (FX_PAGE - CAIRN_IMAGE_RECORD + 1);
}

int fx_begin(bool anew)
{
    const int error = cairn_image_begin(&fx.image, anew);
    if (error == 0) {
        fx.new = fx.old;
        if (anew) {
            memset(fx.new.turns, 0, sizeof fx.new.turns);
        }
    }
    return error;
}

static int put(uint32_t key, uint16_t turn)
{
    fx_fill(page, key, turn);
    const int error = cairn_image_put(&fx.image, fx_key(key), page);
    fx.new.turns[key] = error == 0 ? turn : fx.new.turns[key];
    return error;
}

int fx_put(uint32_t key)
{
    return put(key, ++fx.turn);
}

int fx_put_zeros(uint32_t key)
{
    return put(key, FX_ZEROS);
}

int fx_drop(uint32_t key)
{
    const int error = cairn_image_drop(&fx.image, fx_key(key));
    fx.new.turns[key] = error == 0 ? FX_ABSENT : fx.new.turns[key];
    return error;
}

int fx_drop_range(uint32_t first, uint32_t last)
{
    const int error = cairn_image_drop_range(&fx.image, fx_key(first), fx_key(last));
    for (uint32_t key = first; key <= last; key++) {
        if (error == 0 || cairn_image_get(&fx.image, fx_key(key), page) == CAIRN_ENOENT) {
            fx.new.turns[key] = FX_ABSENT;
        }
    }
    return error;
}

int fx_commit(bool with_head)
{
    unsigned char head[FX_PAGE];
    const uint16_t turn = with_head ? ++fx.turn : fx.old.head;
    const size_t size = fx_head(head, turn);
    fx.new.head = turn;
    const int error = cairn_image_commit(&fx.image, with_head ? head : NULL, size);
    if (error == 0) {
        fx.old = fx.new;
        fx.tries = 0;
    } else if (fx.image.unsure && error != CAIRN_ENOMEM) {
        assert_true(fx.tries < FX_TRIES);
        fx.tried[fx.tries++] = fx.new;
    }
    return error;
}

void fx_abort(void)
{
    cairn_image_abort(&fx.image);
    fx.new = fx.old;
}

// Returns NULL, or what is not as in the model, with *at which key.
static const char *difference(const struct image_model *model, uint32_t *at)
{
    uint64_t next = 0;
    int found = cairn_image_next(&fx.image, &next);
    for (*at = 0; *at < fx.keys; ++*at) {
        const uint64_t key = fx_key(*at);
        if (model->turns[*at] == FX_ABSENT) {
            if (cairn_image_get(&fx.image, key, page) != CAIRN_ENOENT) {
                return "a page that should not be there";
            }
            continue;
        }
        if (found != 0 || next != key) {
            return "the next key is another";
        }
        fx_fill(wanted, *at, model->turns[*at]);
        if (cairn_image_get(&fx.image, key, page) != 0 || memcmp(page, wanted, FX_PAGE) != 0) {
            return "the page is another";
        }
        next++;
        found = cairn_image_next(&fx.image, &next);
    }
    if (found != CAIRN_ENOENT) {
        return "a key too many";
    }
    if (!fx.image.open) {
        const size_t size = fx_head(wanted, model->head);
        if (cairn_image_head(&fx.image, page, sizeof page) != (int)size || memcmp(page, wanted, size) != 0) {
            return "the head is another";
        }
    }
    return NULL;
}

struct cairn_image_stats fx_stats(void)
{
    struct cairn_image_stats stats;
    cairn_image_stats(&fx.image, &stats);
    return stats;
}

// The figures too, where nothing was left behind by a commit that failed.
static bool counts_right(const struct image_model *model)
{
    const struct cairn_image_stats stats = fx_stats();
    uint32_t keys = 0;
    uint32_t data = 0;
    for (uint32_t key = 0; key < fx.keys; key++) {
        keys += model->turns[key] != FX_ABSENT;
        data += model->turns[key] > FX_ZEROS;
    }
    return fx.image.open || (stats.keys == keys && (fx.image.unsure || stats.data == data) && stats.data + stats.index + stats.free == fx.image.slots);
}

bool fx_is(const struct image_model *model)
{
    uint32_t at;
    return difference(model, &at) == NULL && counts_right(model);
}

bool fx_holds(const struct image_model *model)
{
    uint32_t at;
    const char *const why = difference(model, &at);
    if (why != NULL) {
        print_error("key %u: %s\n", (unsigned)at, why);
    } else if (!counts_right(model)) {
        print_error("the figures are wrong\n");
    }
    return why == NULL && counts_right(model);
}

void fx_assert_committed(void)
{
    assert_true(fx_holds(&fx.old));
    assert_int_equal(fx_mount(), 0);
    assert_true(fx_holds(&fx.old));
}

bool fx_is_either(void)
{
    const struct image_model *is = fx_is(&fx.new) ? &fx.new : &fx.old;
    for (uint32_t i = 0; i < fx.tries && is == &fx.old; i++) {
        is = fx_is(&fx.tried[i]) ? &fx.tried[i] : is;
    }
    fx.tries = 0;
    fx.old = fx.new = *is;
    return fx_holds(&fx.old);
}

int fx_work(struct prng *prng, uint32_t changes)
{
    int error = fx_begin(prng_below(prng, 12) == 0);
    for (uint32_t i = 0; i < changes && error == 0; i++) {
        const uint32_t key = prng_below(prng, fx.keys);
        const uint32_t what = prng_below(prng, 16);
        if (what == 0) {
            error = fx_put_zeros(key);
        } else if (what == 1) {
            const uint32_t last = key + prng_below(prng, 3);
            error = fx_drop_range(key, last < fx.keys ? last : key);
        } else {
            error = what < 4 ? fx_drop(key) : fx_put(key);
        }
    }
    return error == 0 ? fx_commit(prng_below(prng, 3) == 0) : error;
}
