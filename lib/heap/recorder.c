// SPDX-License-Identifier: MIT
//
// The recorder: from a heap's events to the lines of a trace.
//
// OWNS: the slots: which id, and how many bytes, the block at each address is.
//
// PICTURE: slots of an open hash table, keyed by granule; a probe goes right, and round:
//
//          | . | 40 | 72 | 41 | . | . |      72 would belong where 40 stands, 41 where 72 does
//
// INVARIANTS:
//     1. From the slot a key belongs in to the slot it stands in, no slot is free. Removing one moves later ones back (Knuth,
//        TAOCP 3, 6.4, algorithm R), so there are no tombstones and a table never wears out.
//     2. An event is a line or counts as lost, never both. A block without a slot has no lines.
// COST: O(1) on average while a fifth of the slots is free; the probe is bounded by the table. 60 bytes of stack. No division.
// CALLERS: the event hook, in the heap's lock.
#include "cairn/recorder.h"

#include <string.h>

_Static_assert(sizeof(struct cairn_recorder_slot) == 12, "a slot is what the header says");

// Longest line: "m ", three numbers and what stands behind each.
#define LINE_BYTES (2u + 3u * 11u)
#define DIGITS 10u

// ------------------------------------------------------------------------------------------------------------------------- text

// Decimal digits of `value`; all ten of them if padded. Returns where the text goes on.
static char *put_number(char *to, uint32_t value, bool is_padded)
{
    static const uint32_t powers[DIGITS] = {1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
    bool is_begun = is_padded;
    for (uint32_t at = 0; at < DIGITS; at++) {
        char digit = '0';
        while (value >= powers[at]) {
            value -= powers[at];
            digit++;
        }
        is_begun = is_begun || digit != '0' || at == DIGITS - 1;
        if (is_begun) {
            *to++ = digit;
        }
    }
    return to;
}

// Write a line: an alignment of 0 does not stand in it, nor the size where the letter is f.
static void write_line(struct cairn_recorder *recorder, char letter, uint32_t id, uint32_t alignment, uint32_t size)
{
    char line[LINE_BYTES];
    char *to = line;
    *to++ = letter;
    *to++ = ' ';
    to = put_number(to, id, false);
    if (alignment != 0) {
        *to++ = ' ';
        to = put_number(to, alignment, false);
    }
    if (letter != 'f') {
        *to++ = ' ';
        to = put_number(to, size, false);
    }
    *to++ = '\n';
    recorder->ops++;
    recorder->write(recorder->context, line, (size_t)(to - line));
}

// ------------------------------------------------------------------------------------------------------------------------- slots

static uint32_t granule_of(const struct cairn_recorder *recorder, const void *address)
{
    return (uint32_t)((size_t)((uintptr_t)address - (uintptr_t)recorder->heap->base) / CAIRN_GRANULE) + 1;
}

// The slot that a key belongs in: the upper 16 bits of a multiplicative hash, as a fraction of the table.
static uint32_t slot_home(const struct cairn_recorder *recorder, uint32_t granule)
{
    const uint32_t hash = granule * 2654435761u >> 16;
    const uint32_t count = recorder->slot_count;
    return hash * (count >> 16) + (hash * (count & 0xFFFF) >> 16);
}

static uint32_t slot_next(const struct cairn_recorder *recorder, uint32_t at)
{
    return at + 1 == recorder->slot_count ? 0 : at + 1;
}

// The slot of a granule, or NULL.
static struct cairn_recorder_slot *slot_find(const struct cairn_recorder *recorder, uint32_t granule)
{
    uint32_t at = slot_home(recorder, granule);
    for (uint32_t left = recorder->slot_count; left != 0 && recorder->slots[at].granule != 0; left--) {
        if (recorder->slots[at].granule == granule) {
            return &recorder->slots[at];
        }
        at = slot_next(recorder, at);
    }
    return NULL;
}

// pre: a slot is free.
static void slot_insert(struct cairn_recorder *recorder, const struct cairn_recorder_slot *slot)
{
    uint32_t at = slot_home(recorder, slot->granule);
    while (recorder->slots[at].granule != 0) {
        at = slot_next(recorder, at);
    }
    recorder->slots[at] = *slot;
    recorder->used++;
    recorder->live += slot->size;
    if (recorder->live > recorder->peak) {
        recorder->peak = recorder->live;
    }
}

// Does `home` lie in (hole, at], going round? Then the key at `at` may not move back to the hole.
static bool is_behind(uint32_t hole, uint32_t home, uint32_t at)
{
    return hole <= at ? hole < home && home <= at : hole < home || home <= at;
}

static void slot_remove(struct cairn_recorder *recorder, struct cairn_recorder_slot *slot)
{
    struct cairn_recorder_slot *const slots = recorder->slots;
    uint32_t hole = (uint32_t)(slot - slots);
    uint32_t at = slot_next(recorder, hole);
    recorder->used--;
    recorder->live -= slot->size;
    for (uint32_t left = recorder->slot_count - 1; left != 0 && slots[at].granule != 0; left--) {
        if (!is_behind(hole, slot_home(recorder, slots[at].granule), at)) {
            slots[hole] = slots[at];
            hole = at;
        }
        at = slot_next(recorder, at);
    }
    slots[hole].granule = 0;
}

// ------------------------------------------------------------------------------------------------------------------------ events

static void record_alloc(struct cairn_recorder *recorder, const struct cairn_heap_event *event)
{
    const struct cairn_recorder_slot slot = {granule_of(recorder, event->after), recorder->ids, (uint32_t)event->size};
    if (recorder->used == recorder->slot_count || slot_find(recorder, slot.granule) != NULL) {
        recorder->lost++;
        return;
    }
    slot_insert(recorder, &slot);
    recorder->ids++;
    write_line(recorder, event->alignment != 0 ? 'm' : 'a', slot.id, (uint32_t)event->alignment, slot.size);
}

static void record_free(struct cairn_recorder *recorder, const struct cairn_heap_event *event)
{
    struct cairn_recorder_slot *const slot = slot_find(recorder, granule_of(recorder, event->before));
    if (slot == NULL) {
        recorder->lost++;
        return;
    }
    const uint32_t id = slot->id;
    slot_remove(recorder, slot);
    write_line(recorder, 'f', id, 0, 0);
}

static void record_realloc(struct cairn_recorder *recorder, const struct cairn_heap_event *event)
{
    struct cairn_recorder_slot *const slot = slot_find(recorder, granule_of(recorder, event->before));
    if (slot == NULL) {
        recorder->lost++;
        return;
    }
    const struct cairn_recorder_slot moved = {granule_of(recorder, event->after), slot->id, (uint32_t)event->size};
    slot_remove(recorder, slot);
    struct cairn_recorder_slot *const stale = slot_find(recorder, moved.granule); // of a block whose free was not told
    if (stale != NULL) {
        write_line(recorder, 'f', stale->id, 0, 0);
        slot_remove(recorder, stale);
        recorder->lost++;
    }
    slot_insert(recorder, &moved);
    write_line(recorder, 'r', moved.id, 0, moved.size);
}

// -------------------------------------------------------------------------------------------------------------------- the calls

int cairn_recorder_init(struct cairn_recorder *recorder, const struct cairn_heap *heap, struct cairn_recorder_slot *slots, uint32_t slot_count,
                        void (*write)(void *context, const char *text, size_t size), void *context)
{
    char text[CAIRN_RECORDER_HEADER_MAX];
    if (recorder == NULL || heap == NULL || slots == NULL || slot_count == 0 || write == NULL) {
        return CAIRN_EINVAL;
    }
    memset(recorder, 0, sizeof *recorder);
    memset(slots, 0, slot_count * sizeof *slots);
    recorder->heap = heap;
    recorder->slots = slots;
    recorder->slot_count = slot_count;
    recorder->write = write;
    recorder->context = context;
    write(context, text, cairn_recorder_header(recorder, text));
    return 0;
}

void cairn_recorder_event(void *context, const struct cairn_heap_event *event)
{
    struct cairn_recorder *const recorder = context;
    if (event->act == CAIRN_ACT_FREE || (event->act == CAIRN_ACT_REALLOC && event->size == 0)) {
        record_free(recorder, event);
    } else if (event->after == NULL) {
        return; // failed: nothing has changed
    } else if (event->act == CAIRN_ACT_REALLOC && event->before != NULL) {
        record_realloc(recorder, event);
    } else {
        record_alloc(recorder, event);
    }
}

size_t cairn_recorder_header(const struct cairn_recorder *recorder, char text[CAIRN_RECORDER_HEADER_MAX])
{
    char *to = text;
    const uint32_t numbers[3] = {recorder->peak, recorder->ids, recorder->ops};
    for (unsigned at = 0; at < 3; at++) {
        to = put_number(to, numbers[at], true);
        *to++ = '\n';
    }
    *to++ = '1';
    *to++ = '\n';
    *to = '\0';
    return (size_t)(to - text);
}
