// SPDX-License-Identifier: MIT
//
// Zephyr's lock and panic, for heaps of cairn.
//
// OWNS: nothing. COST: a call of the heap takes the spinlock once, a realloc that copies twice. CALLERS: cairn_zephyr.h.
#include "cairn_zephyr.h"

#include <zephyr/sys/printk.h>

static uint32_t lock(void *context)
{
    return (uint32_t)k_spin_lock(context).key;
}

static void unlock(void *context, uint32_t key)
{
    k_spin_unlock(context, (k_spinlock_key_t){.key = (int)key});
}

static void report(void *context, const struct cairn_report *found)
{
    (void)context;
    cairn_zephyr_report(found);
}

__weak void cairn_zephyr_report(const struct cairn_report *found)
{
    static const char *const names[] = {
        [CAIRN_WRONG_POINTER] = "no block", [CAIRN_WRONG_INTERIOR] = "inside a block", [CAIRN_WRONG_DOUBLE_FREE] = "already free", [CAIRN_WRONG_LINK] = "broken link"};
    printk("cairn: %s: %p\n", names[found->what], found->address);
    k_panic();
}

const struct cairn_heap_hooks cairn_zephyr_hooks_ = {.hooked = CAIRN_HOOKED, .lock = lock, .unlock = unlock, .report = report};

int cairn_zephyr_init(struct cairn_heap *heap, void *memory, size_t size, struct k_spinlock *spinlock)
{
    const struct cairn_heap_config config = {.hooks = &cairn_zephyr_hooks_, .context = spinlock};
    return cairn_heap_init(heap, memory, size, &config);
}
