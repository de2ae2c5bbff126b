// SPDX-License-Identifier: MIT
//
// The calls from the heap to its user that are not on a fast path.
// OWNS: nothing. COST: the hook's. CALLERS: lib/heap.
#include "heap/core.h"

bool heap_failed(struct cairn_heap *heap, size_t size)
{
    const struct cairn_heap_hooks *const hooks = heap->hooks;
    return size != 0 && hooks != NULL && hooks->failed != NULL && hooks->failed(heap->context, heap, size);
}

void heap_event(const struct cairn_heap *heap, enum cairn_heap_act act, const void *before, void *after, size_t size, size_t alignment)
{
    const struct cairn_heap_hooks *const hooks = heap->hooks;
    if (hooks != NULL && hooks->event != NULL) {
        const struct cairn_heap_event event = {act, before, after, size, alignment};
        hooks->event(heap->context, &event);
    }
}
