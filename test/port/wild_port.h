// SPDX-License-Identifier: MIT
//
// A port that does everything that cairn/port.h admits: it fails, others move its break, maps are moved, and other threads come in between.
//
// OWNS        a span for the break, pages, and which bytes of the span are somebody else's.
// PICTURE     span   | the arena's | theirs | the arena's | ... | at
// INVARIANTS  1. What goes back is overwritten, and what is theirs is compared in the end.
//             2. One call of the port at a time, and only with the lock held.
// COST        58 KB of RAM.
// CALLERS     test_arena_random.c.
#ifndef CAIRN_TEST_WILD_PORT_H
#define CAIRN_TEST_WILD_PORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/port.h"
#include "port/baremetal/memory.h"
#include "prng.h"

#define WILD_SPAN 24576u
#define WILD_PAGE 256u
#define WILD_PAGES 128u
#define WILD_THEIRS 64u

struct wild_port {
    struct prng prng;
    unsigned char *at;                // the break
    uint32_t used[WILD_PAGES / 32];   // a bit a page
    uint32_t fail;                    // of 256 calls so many fail
    uint32_t failed;                  // calls that did
    uint32_t meddle;                  // of 256 calls of brk, others move it up at the same time
    uint32_t meddled;                 // calls where they did
    bool unwritten;                   // what they took last is above the break just now
    uint32_t depth;                   // of the lock
    void (*other)(void);              // what another thread does before it lets the lock go; NULL: there is none
    struct {
        unsigned char *address;
        size_t size;
    } theirs[WILD_THEIRS];
    uint32_t their_count;
};

extern struct wild_port wild_port;
extern const struct cairn_port_system wild_system;

// Begin anew. Returns a whole port; the test takes away what is not to be there.
struct cairn_port_region wild_begin(uint32_t seed);

// Others move the break up by so much, if there is room; or down, if what is on top is theirs.
void wild_take(size_t size);
void wild_give(void);

// Is the byte theirs? Is all that is theirs as they left it? Bytes of the port that are not free.
bool wild_is_theirs(const void *address);
bool wild_is_untouched(void);
size_t wild_theirs(void); // bytes
size_t wild_held(void);
bool wild_is_page(const void *address);

#endif
