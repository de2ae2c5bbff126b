// SPDX-License-Identifier: MIT
//
// The bound on fragmentation, for the bounded fit.
//
// OWNS: nothing. docs/BOUNDS.md derives what is computed here.
// PICTURE: granules = M (1 + log2 n); M: peak of the lengths rounded up to powers of two; n: largest such length / smallest.
// COST: O(1). CALLERS: the user.
#include "heap/core.h"
#include "heap/layout.h"

// log2 of the length, in granules, that a bounded heap gives a request of `size` bytes. pre: size >= 1, fits the layout.
static uint32_t class_of(size_t size)
{
    return bits_ceil_log2((uint32_t)granules_for(size));
}

size_t cairn_heap_bound(const struct cairn_demand *demand)
{
    if (demand == NULL || demand->peak == 0 || demand->largest == 0 || demand->largest > demand->peak ||
        demand->smallest > demand->largest || granules_for(demand->peak) > GRANULES_MAX) {
        return 0;
    }
    const size_t smallest = demand->smallest == 0 ? 1 : demand->smallest;
    // A request of r bytes takes at most r / per granules: one granule for r < per, less than twice r / CAIRN_GRANULE above.
    const size_t per = smallest < CAIRN_GRANULE / 2 ? smallest : CAIRN_GRANULE / 2;
    const uint64_t peak = (demand->peak + per - 1) / per;
    const uint64_t granules = peak * (1 + class_of(demand->largest) - class_of(smallest));
    if (granules > GRANULES_MAX) {
        return 0;
    }
    const size_t front = front_bytes((uint32_t)granules, false) + CAIRN_GRANULE - 1;
    return granules > (SIZE_MAX - front) >> GRANULE_SHIFT ? 0 : front + bytes_of((uint32_t)granules);
}

int cairn_heap_margin_(const struct cairn_heap *heap, struct cairn_margin *margin)
{
    if (!is_heap(heap) || margin == NULL) {
        return CAIRN_EINVAL;
    }
    const struct heap_control *const control = heap->control;
    const uint32_t classes = control->classes;
    if (control->fit != CAIRN_FIT_BOUNDED || (classes & CLASS_UNKNOWN) != 0) {
        return CAIRN_ENOTSUP;
    }
    const uint32_t span = classes == 0 ? 0 : bits_highest(classes) - bits_lowest(classes);
    const uint64_t needed = (uint64_t)control->peak * (1 + span);
    margin->available = bytes_of(control->granules);
    margin->needed = needed > SIZE_MAX >> GRANULE_SHIFT ? SIZE_MAX : (size_t)needed << GRANULE_SHIFT;
    margin->safe = needed <= control->granules && control->failures == 0;
    return 0;
}

int cairn_heap_margin(struct cairn_heap *heap, struct cairn_margin *margin)
{
    const uint32_t key = heap_lock(heap);
    const int error = cairn_heap_margin_(heap, margin);
    heap_unlock(heap, key);
    return error;
}
