// SPDX-License-Identifier: MIT
//
// A store that keeps its pages compressed.
//
// OWNS        the slots, the objects, the chunks.
// PICTURE     memory   | entries: slots, objects and hashes | work | area: chunk 0 | chunk 1 | ... | links: of chunk 0 | of chunk 1 | ... |
//             slot -> object -> chunk -> chunk -> ...      an object's bytes are in a list of chunks, the last one not full
//             hash -> object -> object -> ...              objects whose sums fall on the same head
//     Nothing is ever moved: a list takes any chunks that are free. It costs half a chunk and 2 bytes for each of an object, and no call waits for
//     a compaction. Objects are compared by their encodings: equal pages have equal ones.
// INVARIANTS  1. A slot names an object that is in use, or is NONE, or UNDER: then the store under it holds its page.
//             2. The count of an object is the number of slots that name it. It is free iff that is 0. There are as many objects as slots: whoever
//                gives up the one of its slot finds one.
//             3. Each chunk is in the list of one object, which has as many as its length needs, or in the list of the free ones.
//             4. No two objects have the same length, sum and bytes: the same page is kept once.
//             5. length 0: one word, sum, repeated. length = page: as it is. Else encoded (codec.h).
//             6. All but the area is trusted. What is read from the area has the object's sum, or is CAIRN_ECORRUPT; it is decoded with every bound kept.
// COST        write: O(page), one encoding; and a comparison for each object of the same hash. read: O(page). Both: a copy of what is in the area.
// CALLERS     through struct cairn_port_store.
#include "cairn/compressed.h"

#include "base/bits.h"
#include "vm/codec.h"

#include <string.h>

#define NONE 0xFFFFu
#define UNDER 0xFFFEu
#define COMPRESSED_SLOTS_MOST 0xFFFEu
#define PAGE_LEAST 128u
#define PAGE_MOST 4096u
#define CHUNK_DEFAULT 32u
#define CHUNKS_MOST 0xFFFEu

_Static_assert(sizeof(struct cairn_store_compressed_entry) == 16, "the public header says so");

// The bytes of a page, as they are to be kept. They are a multiple of 4, the rest of the last word is zeros.
struct form {
    const unsigned char *bytes;
    uint32_t length;
    uint32_t sum;
};

// ------------------------------------------------------------------------------------------------------------------- the form

// Each step can be undone, so that a change within one word is found always.
CAIRN_INLINE uint32_t sum_step(uint32_t sum, uint32_t word)
{
    sum = (sum ^ word) * 0x9E3779B1u;
    return sum ^ sum >> 15;
}

static uint32_t sum_of(const unsigned char *bytes, uint32_t length)
{
    uint32_t sum = length;
    for (uint32_t at = 0; at < length; at += 4) {
        sum = sum_step(sum, word_at(bytes + at));
    }
    return sum;
}

static bool is_filled(const unsigned char *page, uint32_t size)
{
    const uint32_t word = word_at(page);
    uint32_t at = 4;
    while (at < size && word_at(page + at) == word) {
        at += 4;
    }
    return at == size;
}

// Decide how the page is kept. Uses the work memory.
static struct form form_of(const struct cairn_store_compressed *store, const unsigned char *page)
{
    const uint32_t size = store->store.page;
    struct form form = {page, 0, word_at(page)};
    if (is_filled(page, size)) {
        return form;
    }
    form.length = cairn_codec_encode_(page, size, store->work, store->accept, store->work + size + CODEC_SLACK);
    if (form.length == 0) {
        form.length = size;
    } else {
        memset(store->work + form.length, 0, 3);
        form.bytes = store->work;
    }
    form.sum = sum_of(form.bytes, form.length);
    return form;
}

// ------------------------------------------------------------------------------------------------------------------ the chunks

static unsigned char *chunk_bytes(const struct cairn_store_compressed *store, uint32_t chunk)
{
    return store->area + (size_t)chunk * store->chunk;
}

static uint32_t chunks_for(const struct cairn_store_compressed *store, uint32_t length)
{
    return (length + store->chunk - 1) / store->chunk;
}

// Take chunks for a form, of which there are enough, and copy it there. Returns the first; NONE for a form without bytes.
static uint16_t chunks_take(struct cairn_store_compressed *store, const struct form *form)
{
    const uint16_t first = form->length == 0 ? NONE : store->chunk_free;
    const uint32_t end = (uint32_t)round_to(form->length, 4);
    for (uint32_t at = 0; at < end; at += store->chunk) {
        const uint32_t chunk = store->chunk_free;
        memcpy(chunk_bytes(store, chunk), form->bytes + at, end - at < store->chunk ? end - at : store->chunk);
        store->chunk_free = store->links[chunk];
        store->chunks_free--;
    }
    return first;
}

// The list of an object's chunks goes in front of the free ones, in its order.
static void chunks_give(struct cairn_store_compressed *store, const struct cairn_store_compressed_entry *object)
{
    const uint32_t count = chunks_for(store, object->length);
    uint32_t last = object->first;
    if (count != 0) {
        for (uint32_t i = 1; i < count; i++) {
            last = store->links[last];
        }
        store->links[last] = store->chunk_free;
        store->chunk_free = object->first;
        store->chunks_free += count;
    }
}

// Copy an object's bytes, in whole words, and return their sum.
static uint32_t gather(const struct cairn_store_compressed *store, const struct cairn_store_compressed_entry *object, unsigned char *to)
{
    uint32_t sum = object->length;
    const unsigned char *const end = to + round_to(object->length, 4);
    for (uint32_t chunk = object->first; to != end; chunk = store->links[chunk]) {
        const unsigned char *from = chunk_bytes(store, chunk);
        const unsigned char *const stop = (size_t)(end - to) < store->chunk ? end : to + store->chunk;
        while (to != stop) {
            copy_word(to, from);
            sum = sum_step(sum, word_at(from));
            to += 4;
            from += 4;
        }
    }
    return sum;
}

static bool has_bytes(const struct cairn_store_compressed *store, const struct cairn_store_compressed_entry *object, const unsigned char *bytes)
{
    uint32_t chunk = object->first;
    for (uint32_t at = 0; at < object->length; at += 4) {
        const uint32_t inside = at & (store->chunk - 1);
        if (at != 0 && inside == 0) {
            chunk = store->links[chunk];
        }
        if (word_at(chunk_bytes(store, chunk) + inside) != word_at(bytes + at)) {
            return false;
        }
    }
    return true;
}

// ----------------------------------------------------------------------------------------------------------------- the objects

static uint16_t *head_of(const struct cairn_store_compressed *store, uint32_t sum)
{
    return &store->entries[(sum * 0x9E3779B1u >> 16) * store->store.slots >> 16].head;
}

// The object that is this form; NONE if there is none. 4.
static uint32_t object_find(const struct cairn_store_compressed *store, const struct form *form)
{
    uint32_t at = *head_of(store, form->sum);
    while (at != NONE) {
        const struct cairn_store_compressed_entry *const object = &store->entries[at];
        if (object->sum == form->sum && object->length == form->length && has_bytes(store, object, form->bytes)) {
            break;
        }
        at = object->next;
    }
    return at;
}

// pre: there is an object that is free, and chunks enough.
static uint32_t object_make(struct cairn_store_compressed *store, const struct form *form)
{
    const uint16_t made = store->object_free;
    struct cairn_store_compressed_entry *const object = &store->entries[made];
    uint16_t *const head = head_of(store, form->sum);
    store->object_free = object->next;
    object->sum = form->sum;
    object->first = chunks_take(store, form);
    object->length = (uint16_t)form->length;
    object->count = 1;
    object->next = *head;
    *head = made;
    return made;
}

static void object_free(struct cairn_store_compressed *store, uint32_t which)
{
    struct cairn_store_compressed_entry *const object = &store->entries[which];
    uint16_t *link = head_of(store, object->sum);
    while (*link != which) {
        link = &store->entries[*link].next;
    }
    *link = object->next;
    chunks_give(store, object);
    object->next = store->object_free;
    store->object_free = (uint16_t)which;
}

// ------------------------------------------------------------------------------------------------------------------- the slots

// The slot holds nothing any more.
static void slot_clear(struct cairn_store_compressed *store, uint32_t slot)
{
    const uint32_t held = store->entries[slot].slot;
    store->entries[slot].slot = NONE;
    if (held == UNDER) {
        if (store->under->trim != NULL) {
            store->under->trim(store->under->context, slot);
        }
    } else if (held != NONE && --store->entries[held].count == 0) {
        object_free(store, held);
    }
}

// Chunks that a new object for this slot can have: those that are free, and those that its old one leaves.
static uint32_t chunks_within_reach(const struct cairn_store_compressed *store, uint32_t slot)
{
    const uint32_t held = store->entries[slot].slot;
    uint32_t chunks = store->chunks_free;
    if (held < UNDER && store->entries[held].count == 1) {
        chunks += chunks_for(store, store->entries[held].length);
    }
    return chunks;
}

static int put_under(struct cairn_store_compressed *store, uint32_t slot, const void *page)
{
    const int error = store->under->write(store->under->context, slot, page);
    if (error == 0 && store->entries[slot].slot != UNDER) {
        slot_clear(store, slot);
        store->entries[slot].slot = UNDER;
    }
    return error;
}

static int compressed_write(void *context, uint32_t slot, const void *page)
{
    struct cairn_store_compressed *const store = context;
    if (slot >= store->store.slots) {
        return CAIRN_EINVAL;
    }
    const struct form form = form_of(store, page);
    if (store->under != NULL && form.length == store->store.page) {
        return put_under(store, slot, page);
    }
    uint32_t object = object_find(store, &form);
    if (object == NONE && chunks_for(store, form.length) > chunks_within_reach(store, slot)) {
        if (store->under != NULL) {
            return put_under(store, slot, page);
        }
        store->refused++;
        return CAIRN_ENOMEM;
    }
    // From here on nothing can fail. What is shared is counted first, so that it does not go with the old one.
    if (object != NONE) {
        store->entries[object].count++;
        slot_clear(store, slot);
    } else {
        slot_clear(store, slot);
        object = object_make(store, &form);
    }
    store->entries[slot].slot = (uint16_t)object;
    return 0;
}

static void fill(unsigned char *page, uint32_t size, uint32_t word)
{
    for (uint32_t at = 0; at < size; at++) {
        page[at] = (unsigned char)(word >> 8 * (at & 3));
    }
}

static int compressed_read(void *context, uint32_t slot, void *page)
{
    const struct cairn_store_compressed *const store = context;
    const uint32_t size = store->store.page;
    if (slot >= store->store.slots) {
        return CAIRN_EINVAL;
    }
    const uint32_t held = store->entries[slot].slot;
    if (held == UNDER) {
        return store->under->read(store->under->context, slot, page);
    }
    const struct cairn_store_compressed_entry *const object = held == NONE ? NULL : &store->entries[held];
    if (object == NULL || object->length == 0) {
        fill(page, size, object == NULL ? 0 : object->sum);
        return 0;
    }
    unsigned char *const bytes = object->length == size ? page : store->work;
    if (gather(store, object, bytes) != object->sum) {
        return CAIRN_ECORRUPT;
    }
    return bytes == page || cairn_codec_decode_(bytes, object->length, page, size) ? 0 : CAIRN_ECORRUPT;
}

static void compressed_trim(void *context, uint32_t slot)
{
    struct cairn_store_compressed *const store = context;
    if (slot < store->store.slots) {
        slot_clear(store, slot);
    }
}

static int compressed_sync(void *context)
{
    const struct cairn_store_compressed *const store = context;
    return store->under->sync(store->under->context);
}

// ------------------------------------------------------------------------------------------------------------------- beginning

static uint32_t chunk_of(const struct cairn_store_compressed_config *config)
{
    return config->chunk == 0 ? CHUNK_DEFAULT : config->chunk;
}

static bool is_valid(const struct cairn_store_compressed_config *config)
{
    const struct cairn_port_store *const under = config->under;
    const uint32_t chunk = chunk_of(config);
    return config->page >= PAGE_LEAST && config->page <= PAGE_MOST && config->page % 4 == 0 && config->slots != 0 && config->slots <= COMPRESSED_SLOTS_MOST &&
           config->accept < config->page && chunk >= 16 && chunk <= 256 && is_power_of_two(chunk) &&
           (under == NULL || (under->read != NULL && under->write != NULL && under->page == config->page && under->slots >= config->slots));
}

size_t cairn_store_compressed_size(const struct cairn_store_compressed_config *config, size_t area)
{
    if (config == NULL || !is_valid(config)) {
        return 0;
    }
    const uint32_t chunk = chunk_of(config);
    const size_t chunks = area / chunk + (area % chunk != 0);
    if (chunks > CHUNKS_MOST) {
        return 0;
    }
    return config->slots * sizeof(struct cairn_store_compressed_entry) + config->page + CODEC_SLACK + CODEC_TABLE + chunks * (chunk + sizeof(uint16_t));
}

int cairn_store_compressed_init(struct cairn_store_compressed *compressed, const struct cairn_store_compressed_config *config)
{
    const size_t fixed = cairn_store_compressed_size(config, 0);
    if (compressed == NULL || fixed == 0 || config->memory == NULL || ((uintptr_t)config->memory & 3) != 0) {
        return CAIRN_EINVAL;
    }
    const uint32_t slots = config->slots;
    size_t chunks = config->size < fixed ? 0 : (config->size - fixed) / (chunk_of(config) + sizeof(uint16_t));
    if (chunks == 0) {
        return CAIRN_ENOMEM;
    }
    chunks = chunks < CHUNKS_MOST ? chunks : CHUNKS_MOST;
    *compressed = (struct cairn_store_compressed){
        .store = {.context = compressed,
                  .read = compressed_read,
                  .write = compressed_write,
                  .trim = compressed_trim,
                  .page = config->page,
                  .slots = slots},
        .under = config->under,
        .entries = config->memory,
        .accept = config->accept == 0 ? config->page / 4 * 3 : config->accept,
        .chunk = chunk_of(config),
        .chunks = (uint32_t)chunks,
        .chunks_free = (uint32_t)chunks};
    compressed->work = (unsigned char *)(compressed->entries + slots);
    compressed->area = compressed->work + config->page + CODEC_SLACK + CODEC_TABLE;
    compressed->links = (uint16_t *)(void *)(compressed->area + chunks * compressed->chunk);
    if (config->under != NULL && config->under->sync != NULL) {
        compressed->store.sync = compressed_sync;
    }
    for (uint32_t i = 0; i < slots; i++) {
        compressed->entries[i] = (struct cairn_store_compressed_entry){.slot = NONE, .head = NONE, .next = (uint16_t)(i + 1)};
    }
    for (uint32_t i = 0; i < chunks; i++) {
        compressed->links[i] = (uint16_t)(i + 1);
    }
    return 0;
}

void cairn_store_compressed_stats(const struct cairn_store_compressed *compressed, struct cairn_store_compressed_stats *stats)
{
    const uint32_t page = compressed->store.page;
    *stats = (struct cairn_store_compressed_stats){
        .capacity = compressed->chunks * compressed->chunk,
        .held = (compressed->chunks - compressed->chunks_free) * compressed->chunk,
        .cost = (uint32_t)(compressed->area - (const unsigned char *)compressed->entries) + compressed->chunks * (uint32_t)sizeof(uint16_t),
        .refused = compressed->refused};
    for (uint32_t i = 0; i < compressed->store.slots; i++) {
        const struct cairn_store_compressed_entry *const object = &compressed->entries[i];
        stats->used += object->slot != NONE;
        stats->under += object->slot == UNDER;
        if (object->count != 0) {
            stats->duplicates += object->count - 1u;
            stats->filled += object->length == 0;
            stats->raw += object->length == page;
            if (object->length != 0 && object->length != page) {
                stats->compressed++;
                stats->encoded += object->length;
            }
        }
    }
}
