// SPDX-License-Identifier: MIT
//
// The heap with hooks: the lock around a call, the event behind it, the failed hook after it.
//
// OWNS: nothing. A program links this file by naming CAIRN_HOOKED, and only then.
// COST: the hooks' own. CALLERS: lib/heap, through the handle's hooks.
#include "heap/core.h"

static uint32_t hooked_lock(const struct cairn_heap *heap)
{
    return heap->hooks->lock != NULL ? heap->hooks->lock(heap->context) : 0;
}

void cairn_hooked_unlock_(const struct cairn_heap *heap, uint32_t key)
{
    if (heap->hooks->unlock != NULL) {
        heap->hooks->unlock(heap->context, key);
    }
}

static bool hooked_failed(struct cairn_heap *heap, size_t size)
{
    return size != 0 && heap->hooks->failed != NULL && heap->hooks->failed(heap->context, heap, size);
}

static void hooked_gone(const struct cairn_heap *heap, const void *address)
{
    (void)heap;
    (void)address;
}

void cairn_hooked_event_(const struct cairn_heap *heap, const struct cairn_heap_event *event)
{
    if (heap->hooks->event != NULL) {
        heap->hooks->event(heap->context, event);
    }
}

void *cairn_hooked_attempt_(struct cairn_heap *heap, size_t alignment, size_t size, heap_once once)
{
    struct cairn_heap_event event = {CAIRN_ACT_ALLOC, NULL, NULL, size, alignment == 1 ? 0 : alignment};
    do {
        const uint32_t key = heap_lock(heap);
        event.after = once(heap, alignment, size);
        if (size != 0) {
            heap_event(heap, &event);
        }
        heap_unlock(heap, key);
    } while (event.after == NULL && heap_failed(heap, size));
    return event.after;
}

void cairn_hooked_tell_(const struct cairn_heap *heap, void *block, size_t size)
{
    const struct cairn_heap_event event = {CAIRN_ACT_ALLOC, NULL, block, size, 0};
    if (size != 0) {
        heap->hooks->event(heap->context, &event);
    }
}

static void *hooked_alloc(struct cairn_heap *heap, size_t size)
{
    return alloc_hooked(heap, size, hooked_lock, hooked_failed);
}

static void hooked_free(struct cairn_heap *heap, void *block)
{
    const struct cairn_heap_hooks *const hooks = heap->hooks;
    const uint32_t key = hooked_lock(heap);
    const size_t size = hooks->event != NULL ? cairn_heap_usable_size_(heap, block) : 0;
    if (cairn_heap_free_at_(heap, block) && hooks->event != NULL) {
        const struct cairn_heap_event event = {CAIRN_ACT_FREE, block, NULL, size, 0};
        hooks->event(heap->context, &event);
    }
    cairn_hooked_unlock_(heap, key);
}

// Hooks that are asked only when something is wrong leave the short way open.
static uint32_t hooked_quick(const struct cairn_heap *heap)
{
    const struct cairn_heap_hooks *const hooks = heap->hooks;
    const bool plain = hooks->lock == NULL && hooks->unlock == NULL && hooks->event == NULL && hooks->failed == NULL;
    return plain ? plain_quick(heap) : 0;
}

const struct cairn_hooked cairn_hooked = {
    .lock = hooked_lock,
    .unlock = cairn_hooked_unlock_,
    .attempt = cairn_hooked_attempt_,
    .alloc = hooked_alloc,
    .free = hooked_free,
    .free_at = cairn_heap_free_at_,
    .failed = hooked_failed,
    .gone = hooked_gone,
    .event = cairn_hooked_event_,
    .report = cairn_hooked_report_,
    .find = cairn_heap_find_,
    .quick = hooked_quick,
};
