// SPDX-License-Identifier: MIT
//
// An image in some store, and what it must hold.
//
// OWNS        the image with its memory, and the models: what was committed last, what was changed since, and what a commit of unknown outcome was to make.
// PICTURE     a key of the model is a small number; where it lies in 64 bits fx_key says. A page is known by the turn in which it was put.
// INVARIANTS  1. The image holds what the model holds: each key's page, no other key, and the head.
//             2. After a cut it is one of the models, whole.
// COST        3 KB of RAM, and the store. CALLERS: test/unit/test_image*.c.
#ifndef CAIRN_TEST_IMAGE_FIXTURE_H
#define CAIRN_TEST_IMAGE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/image.h"
#include "cairn/store.h"
#include "faulty_store.h"
#include "prng.h"
#include "scale.h"

#define FX_PAGE 96u
#define FX_KEYS 24u // at most
#define FX_ABSENT 0u
#define FX_TRIES 8u
#define FX_ZEROS 1u // a turn whose page is zeros

struct image_model {
    uint16_t turns[FX_KEYS];
    uint16_t head; // turn of it
};

struct image_fixture {
    struct cairn_image image;
    struct cairn_image_config config;
    struct image_model old, new;
    struct image_model tried[FX_TRIES]; // commits of unknown outcome since the last one that succeeded
    uint32_t tries;
    uint16_t turn;
    uint32_t keys; // of the model that are used
    bool far;      // keys are far apart
};

extern struct image_fixture fx;

// A store in RAM whose calls can fail, for tests that want no more.
#define FX_SLOTS 56u
extern unsigned char fx_slots[FX_SLOTS * FX_PAGE];
extern struct faulty_store fx_faulty;
// So many of its slots, each byte of them this, and a new image and model of so many keys in it.
void fx_make_faulty(int filling, uint32_t slots, uint32_t keys);

// A new model, nothing in it; an image of what the store holds.
void fx_make(const struct cairn_port_store *store, uint32_t keys);
// Take up what the store holds. Returns what init answers.
int fx_mount(void);
uint64_t fx_key(uint32_t key);
// The bytes of a page, and of the head.
void fx_fill(unsigned char *page, uint32_t key, uint32_t turn);
size_t fx_head(unsigned char *head, uint32_t turn);
// Change image and model alike; where the image fails the model stays. Return what it answers.
int fx_begin(bool anew);
int fx_put(uint32_t key);
int fx_put_zeros(uint32_t key);
int fx_drop(uint32_t key);
int fx_drop_range(uint32_t first, uint32_t last);
int fx_commit(bool with_head);
void fx_abort(void);
// The figures, by their own call.
struct cairn_image_stats fx_stats(void);
// The image is as the model says it was committed, before and after a restart.
void fx_assert_committed(void);
// Does the image hold what a model does? Says what it does not.
bool fx_holds(const struct image_model *model);
// The same without a word, to find out which it is; errors of the store are no answer.
bool fx_is(const struct image_model *model);
// After a cut: it is the old one, the new one, or one that was tried, which the model becomes. Returns false where it is none of them.
bool fx_is_either(void);
// So many random changes and a commit, by the numbers of `prng`. Returns the first error.
int fx_work(struct prng *prng, uint32_t changes);

#endif
