// SPDX-License-Identifier: MIT
//
// OWNS: what each operation must do to a small heap, said without the library's own code.
#include "moves.h"

#include <string.h>

static const uint32_t ALIGNMENTS[] = {16, 32, 64};
#define FITS 4u

static void note_report(void *context, const struct cairn_report *report)
{
    struct worker *const worker = context;
    worker->report = *report;
    worker->reports++;
}

bool worker_init(struct worker *worker, uint32_t granules, uint32_t phase)
{
    static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .report = note_report};
    worker->operations = 0;
    worker->sparing = false;
    worker->wrong = NULL;
    return image_init(&worker->from, granules, 2, phase, &hooks, worker) && image_init(&worker->at, granules, 2, phase, &hooks, worker) &&
           image_init(&worker->last, granules, 2, phase, &hooks, worker);
}

// ---------------------------------------------------------------------------------------------------- around one operation

static struct cairn_heap *begin(struct worker *worker, const char *name, uint32_t block, uint32_t n, uint32_t alignment, uint32_t fit)
{
    worker->op.name = name;
    worker->op.block = block;
    worker->op.granules = n;
    worker->op.alignment = alignment;
    worker->op.fit = fit;
    worker->operations++;
    worker->reports = 0;
    image_copy(&worker->at, &worker->from);
    if (cairn_heap_set_fit(&worker->at.heap, (enum cairn_fit)fit, worker->op.search) != 0) {
        worker_fail(worker, "set_fit refused");
    }
    return &worker->at.heap;
}

// Each used granule but those of the block `gone` holds its pattern still.
static bool others_untouched(const struct worker *worker, uint32_t gone)
{
    uint64_t rest = worker->view.start & ~worker->view.free;
    rest &= ((uint64_t)1 << (worker->at.granules + 1)) - 2; // neither granule 0 nor the fence has bytes
    for (; rest != 0; rest &= rest - 1) {
        const uint32_t block = (uint32_t)__builtin_ctzll(rest);
        const uint32_t end = view_end(&worker->view, block);
        if (block != gone && memcmp(image_granule(&worker->at, block), image_granule(&worker->from, block), (end - block) * 8u) != 0) {
            return false;
        }
    }
    return true;
}

// The operation is over: look at what it left.
static bool end(struct worker *worker, uint32_t gone)
{
    struct heap_control *const control = worker->at.heap.control;
    struct shape shape;
    control->fit = CAIRN_FIT_BEST;
    control->search = CAIRN_SEARCH_DEFAULT;
    if (worker->reports != 0) {
        return worker_fail(worker, "a report, and nothing was wrong");
    }
    if (control->failures != 0) {
        return worker_fail(worker, "a failure was counted where there was none");
    }
    if (gone == worker->last_gone && memcmp(worker->at.bytes, worker->last.bytes, worker->at.end) == 0) {
        return true; // where the operation before led
    }
    worker->last_gone = gone;
    if (!others_untouched(worker, gone)) {
        return worker_fail(worker, "bytes of another block changed");
    }
    const char *const wrong = image_read(&worker->at, &shape, NULL);
    if (wrong != NULL) {
        return worker_fail(worker, wrong);
    }
    image_copy(&worker->last, &worker->at);
    return worker->found(worker->context, shape) || worker_fail(worker, "more states than there are legal ones");
}

// The operation returned nothing: it may have counted a failure, and no more.
static bool end_failed(struct worker *worker, uint32_t failures)
{
    struct heap_control *const control = worker->at.heap.control;
    const uint32_t counted = control->failures;
    control->fit = CAIRN_FIT_BEST;
    control->search = CAIRN_SEARCH_DEFAULT;
    control->failures = 0;
    if (counted != failures || worker->reports != 0) {
        return worker_fail(worker, "failures or reports of a failed operation");
    }
    return memcmp(worker->at.bytes, worker->from.bytes, worker->at.end) == 0 || worker_fail(worker, "a failed operation left a trace");
}

// ----------------------------------------------------------------------------------------------------- what may be asked

static uint32_t granted(uint32_t n, uint32_t fit)
{
    uint32_t power = 1;
    while (power < n) {
        power *= 2;
    }
    return fit == CAIRN_FIT_BOUNDED ? power : n;
}

static uint32_t length_of(const struct worker *worker, uint32_t block)
{
    return view_end(&worker->view, block) - block;
}

// Lengths of the shortest free block of at least n granules, and of the longest; 0: none.
static uint32_t shortest_free(const struct worker *worker, uint32_t n)
{
    uint32_t found = 0;
    for (uint64_t rest = worker->view.free; rest != 0; rest &= rest - 1) {
        const uint32_t length = length_of(worker, (uint32_t)__builtin_ctzll(rest));
        found = length >= n && (found == 0 || length < found) ? length : found;
    }
    return found;
}

static uint32_t longest_free(const struct worker *worker)
{
    uint32_t found = 0;
    for (uint64_t rest = worker->view.free; rest != 0; rest &= rest - 1) {
        const uint32_t length = length_of(worker, (uint32_t)__builtin_ctzll(rest));
        found = length > found ? length : found;
    }
    return found;
}

// Bytes that need n granules, of which not all are used.
static size_t bytes_for(uint32_t n)
{
    return (size_t)n * 8 - (n * 5 & 7);
}

static uint32_t number_of(const struct worker *worker, const void *address)
{
    return (uint32_t)(((const unsigned char *)address - worker->at.heap.base) / CAIRN_GRANULE) + 1;
}

static bool is_aligned(const void *address, uint32_t alignment)
{
    return ((uintptr_t)address & (alignment - 1)) == 0;
}

// ------------------------------------------------------------------------------------------------------------ the operations

static bool try_alloc(struct worker *worker, uint32_t n, uint32_t fit)
{
    struct cairn_heap *const heap = begin(worker, "alloc", 0, n, 0, fit);
    void *const block = cairn_heap_alloc(heap, bytes_for(n));
    const uint32_t length = granted(n, fit);
    const uint32_t least = shortest_free(worker, length);
    const bool sees_all = worker->op.search >= CAIRN_SEARCH_DEFAULT;
    if (block == NULL) {
        return (least == 0 || !sees_all || worker_fail(worker, "failed, but there is a block")) && end_failed(worker, 1);
    }
    const uint32_t at = number_of(worker, block);
    if (!is_free_in(&worker->view, at) || cairn_heap_usable_size(heap, block) != length * 8) {
        return worker_fail(worker, "not the front of a free block, or not so long");
    }
    const uint32_t its = length_of(worker, at);
    if (its < length || (sees_all && fit == CAIRN_FIT_BEST && its != least) ||
        (sees_all && fit == CAIRN_FIT_WORST && its != longest_free(worker))) {
        return worker_fail(worker, "the wrong free block");
    }
    return end(worker, 0);
}

static bool try_aligned(struct worker *worker, uint32_t n, uint32_t alignment, uint32_t fit)
{
    struct cairn_heap *const heap = begin(worker, "aligned alloc", 0, n, alignment, fit);
    void *const block = cairn_heap_aligned_alloc(heap, alignment, bytes_for(n));
    if (block == NULL) {
        const uint32_t span = granted(n + alignment / 8 - 1, fit);
        return (shortest_free(worker, span) == 0 || worker_fail(worker, "failed, but there is a block")) && end_failed(worker, 1);
    }
    const size_t usable = cairn_heap_usable_size(heap, block);
    if (!is_aligned(block, alignment) || usable < n * 8 || (usable != n * 8 && fit != CAIRN_FIT_BOUNDED)) {
        return worker_fail(worker, "not aligned, or not so long");
    }
    return end(worker, 0);
}

static bool try_free(struct worker *worker, uint32_t block)
{
    struct cairn_heap *const heap = begin(worker, "free", block, 0, 0, CAIRN_FIT_BEST);
    cairn_heap_free(heap, image_granule(&worker->at, block));
    return end(worker, block);
}

// Granules that `block` could have where it is.
static uint32_t room_of(const struct worker *worker, uint32_t block)
{
    const uint32_t behind = view_end(&worker->view, block);
    return length_of(worker, block) + (is_free_in(&worker->view, behind) ? length_of(worker, behind) : 0);
}

static bool try_resize(struct worker *worker, uint32_t block, uint32_t n, uint32_t fit)
{
    struct cairn_heap *const heap = begin(worker, "resize", block, n, 0, fit);
    void *const address = image_granule(&worker->at, block);
    const uint32_t length = length_of(worker, block);
    const int error = cairn_heap_resize(heap, address, bytes_for(n));
    const bool fits = n <= (fit == CAIRN_FIT_BOUNDED ? length : room_of(worker, block));
    if (error != (fits ? 0 : CAIRN_ENOMEM)) {
        return worker_fail(worker, "the wrong answer");
    }
    if (error != 0) {
        return end_failed(worker, 0);
    }
    if (cairn_heap_usable_size(heap, address) != (fit == CAIRN_FIT_BOUNDED ? length : n) * 8 ||
        memcmp(address, image_granule(&worker->from, block), (n < length ? n : length) * 8) != 0) {
        return worker_fail(worker, "not so long, or other bytes");
    }
    return end(worker, block);
}

// Could a block of n granules be had by sliding `block` into what is free around it?
static bool can_slide(const struct worker *worker, uint32_t block, uint32_t n, uint32_t alignment)
{
    uint32_t start = block;
    if (block > 1) {
        const uint32_t before = 63u - (uint32_t)__builtin_clzll(worker->view.start & (((uint64_t)1 << block) - 1));
        start = is_free_in(&worker->view, before) ? before : block;
    }
    while (!is_aligned(image_granule(&worker->at, start), alignment)) {
        start++;
    }
    return start <= block && start + n <= block + room_of(worker, block);
}

static bool try_realloc(struct worker *worker, uint32_t block, uint32_t n, uint32_t alignment, uint32_t fit)
{
    struct cairn_heap *const heap = begin(worker, alignment == 1 ? "realloc" : "aligned realloc", block, n, alignment, fit);
    void *const old = image_granule(&worker->at, block);
    const bool bounded = fit == CAIRN_FIT_BOUNDED;
    const uint32_t length = length_of(worker, block);
    const bool in_place = is_aligned(old, alignment) && n <= (bounded ? length : room_of(worker, block));
    void *const fresh = alignment == 1 ? cairn_heap_realloc(heap, old, bytes_for(n))
                                       : cairn_heap_aligned_realloc(heap, old, alignment, bytes_for(n));
    if (fresh == NULL) {
        const uint32_t span = granted(alignment == 1 ? n : n + alignment / 8 - 1, fit);
        if (in_place || shortest_free(worker, span) != 0 || (!bounded && can_slide(worker, block, n, alignment))) {
            return worker_fail(worker, "failed, but there is room");
        }
        return end_failed(worker, 1);
    }
    const size_t usable = cairn_heap_usable_size(heap, fresh);
    if ((fresh == old) != in_place && fresh == old) {
        return worker_fail(worker, "stayed where it cannot");
    }
    const bool gives_back = bounded && in_place && granted(n, fit) < length; // a bounded fit, by moving, if it can
    if (gives_back ? (fresh == old) == (shortest_free(worker, granted(n + (alignment == 1 ? 0 : alignment / 8 - 1), fit)) != 0)
                   : in_place && fresh != old) {
        return worker_fail(worker, "moved without need, or did not give back");
    }
    if (!is_aligned(fresh, alignment) || usable < n * 8 || (!bounded && usable != n * 8)) {
        return worker_fail(worker, "not aligned, or not so long");
    }
    if (memcmp(fresh, image_granule(&worker->from, block), (n < length ? n : length) * 8) != 0) {
        return worker_fail(worker, "bytes were lost");
    }
    return end(worker, block);
}

// Move the region's end. What comes of it is a state of another length, checked and left.
static bool try_move_end(struct worker *worker, uint32_t granules)
{
    struct image *const at = &worker->at;
    struct shape shape;
    struct cairn_heap *const heap = begin(worker, "grow or shrink", 0, granules, 0, CAIRN_FIT_BEST);
    const uint32_t was = at->granules;
    const size_t size = at->size + (size_t)granules * 8 - (size_t)was * 8;
    const uint32_t last = 63u - (uint32_t)__builtin_clzll(worker->view.start & (((uint64_t)1 << (was + 1)) - 1));
    const bool fits = granules > was || (is_free_in(&worker->view, last) && last <= granules + 1);
    const int error = granules > was ? cairn_heap_grow(heap, size) : cairn_heap_shrink(heap, size);
    if (error != (fits ? 0 : CAIRN_EBUSY)) {
        return worker_fail(worker, "the wrong answer");
    }
    if (error != 0) {
        return end_failed(worker, 0);
    }
    at->granules = granules;
    const char *wrong = image_read(at, &shape, NULL);
    at->granules = was;
    if (wrong == NULL && (!others_untouched(worker, 0) || worker->reports != 0 || cairn_heap_check(heap, NULL) != 0)) {
        wrong = "a heap of another length, and its check fails";
    }
    return wrong == NULL || worker_fail(worker, wrong);
}

// --------------------------------------------------------------------------------------------------------------- all of them

static uint32_t free_in_all(const struct worker *worker)
{
    return worker->at.granules - worker->view.used;
}

// Does the worker try this fit, for what has this number?
static bool is_tried(const struct worker *worker, uint32_t number, uint32_t fit)
{
    return !worker->sparing || fit == number % FITS;
}

static bool all_allocs(struct worker *worker)
{
    const uint32_t most = worker->sparing ? free_in_all(worker) + 1 : worker->at.granules + 1;
    uint32_t range = 0; // free blocks in a list that the search has to choose from
    for (uint64_t rest = worker->view.free; rest != 0; rest &= rest - 1) {
        range += length_of(worker, (uint32_t)__builtin_ctzll(rest)) >= 8;
    }
    static const uint16_t limits[] = {CAIRN_SEARCH_DEFAULT, 1, CAIRN_SEARCH_ALL};
    for (uint32_t i = 0; i < (range >= 2 ? 3u : 1u); i++) {
        worker->op.search = limits[i];
        for (uint32_t n = 1; n <= most; n++) {
            for (uint32_t fit = 0; fit < FITS; fit++) {
                if (!try_alloc(worker, n, fit)) {
                    return false;
                }
            }
        }
    }
    worker->op.search = CAIRN_SEARCH_DEFAULT;
    for (uint32_t a = 0; a < 3; a++) {
        for (uint32_t n = 1; n + ALIGNMENTS[a] / 8 - 1 <= most; n++) {
            for (uint32_t fit = 0; fit < FITS; fit++) {
                if (is_tried(worker, n + a, fit) && !try_aligned(worker, n, ALIGNMENTS[a], fit)) {
                    return false;
                }
            }
        }
    }
    return true;
}

static bool all_changes_to(struct worker *worker, uint32_t block, uint32_t n)
{
    bool right = try_resize(worker, block, n, CAIRN_FIT_BEST) && try_resize(worker, block, n, CAIRN_FIT_BOUNDED);
    for (uint32_t fit = 0; fit < FITS && right; fit++) {
        right = try_realloc(worker, block, n, 1, fit);
    }
    for (uint32_t a = 0; a < 3 && right; a++) {
        right = try_realloc(worker, block, n, ALIGNMENTS[a], (n + block + a) % FITS);
    }
    return right;
}

// One of them, a different one for each block and size, and for each state.
static bool one_change(struct worker *worker, uint32_t block, uint32_t n)
{
    const uint32_t number = (uint32_t)((worker->view.start * 5 ^ worker->view.free * 3) >> 2) + 7 * n + block;
    switch (number % 8) {
    case 0:
    case 1:
        return try_resize(worker, block, n, (number & 8) != 0 ? CAIRN_FIT_BEST : CAIRN_FIT_BOUNDED);
    case 2:
    case 3:
        return try_realloc(worker, block, n, ALIGNMENTS[number / 8 % 3], number / 24 % FITS);
    default:
        return try_realloc(worker, block, n, 1, number % FITS);
    }
}

static bool all_changes(struct worker *worker, uint32_t block)
{
    const uint32_t most = worker->sparing ? free_in_all(worker) + length_of(worker, block) + 1 : worker->at.granules;
    if (!try_free(worker, block)) {
        return false;
    }
    for (uint32_t n = 1; n <= most; n++) {
        if (worker->sparing ? !one_change(worker, block, n) : !all_changes_to(worker, block, n)) {
            return false;
        }
    }
    return true;
}

bool worker_visit(struct worker *worker, struct shape shape)
{
    struct shape again;
    struct cairn_fault fault;
    const uint32_t granules = worker->from.granules;
    worker->op.name = "none: the state itself";
    worker->op.search = CAIRN_SEARCH_DEFAULT;
    image_build(&worker->from, shape);
    const char *const wrong = image_read(&worker->from, &again, &worker->view);
    if (wrong != NULL || again.blocks != shape.blocks || again.order != shape.order) {
        return worker_fail(worker, wrong != NULL ? wrong : "the state and its number disagree");
    }
    if (cairn_heap_check(&worker->from.heap, &fault) != 0) {
        worker->op.block = fault.rule;
        return worker_fail(worker, "the check fails; block = rule");
    }
    image_copy(&worker->last, &worker->from);
    worker->last_gone = 0;
    if (!moves_bad_pointers(worker) || !all_allocs(worker)) {
        return false;
    }
    for (uint32_t block = 1; block <= granules; block++) {
        if (is_used_in(&worker->view, block) && !all_changes(worker, block)) {
            return false;
        }
    }
    for (uint32_t n = 1; n <= granules + 2; n++) {
        if (n != granules && !try_move_end(worker, n)) {
            return false;
        }
    }
    return true;
}
