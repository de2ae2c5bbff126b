// SPDX-License-Identifier: MIT
//
// The spinlock.
// OWNS: nothing; spin.h says what. CALLERS: through the port's structs and hooks.
#include "spin.h"

#include "lock.h"

#include <stddef.h>

#if (defined(__arm__) && defined(__ARM_ARCH) && __ARM_ARCH == 6) || (defined(__riscv) && !defined(__riscv_atomic))
#define HAS_ATOMIC_WORDS 0
#else
#define HAS_ATOMIC_WORDS 1
#endif

// One try at a word; and the word given back. Where there are no atomic words, the compiler would call a library for either.
static uint32_t take_word(uint32_t *word)
{
#if HAS_ATOMIC_WORDS
    uint32_t free = 0;
    return __atomic_compare_exchange_n(word, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
#else
    (void)word;
    return 1; // one core, or a lock of the chip that was not named
#endif
}

static void give_word(uint32_t *word)
{
#if HAS_ATOMIC_WORDS
    __atomic_store_n(word, 0, __ATOMIC_RELEASE);
#else
    (void)word; // nobody took it
#endif
}

uint32_t baremetal_spin_lock(void *context)
{
    struct baremetal_spin *const spin = context;
    const uint32_t key = baremetal_lock(NULL);
    if (spin->hardware == NULL) {
        while (take_word(&spin->word) == 0) {
        }
    } else {
        while (*spin->hardware == 0) {
        }
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
    return key;
}

void baremetal_spin_unlock(void *context, uint32_t key)
{
    struct baremetal_spin *const spin = context;
    if (spin->hardware == NULL) {
        give_word(&spin->word);
    } else {
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        *spin->hardware = 1;
    }
    baremetal_unlock(NULL, key);
}
