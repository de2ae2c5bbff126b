// SPDX-License-Identifier: MIT
//
// The codec of pages.
//
// OWNS: nothing; codec.h has the form. COST, CALLERS: codec.h.
#include "vm/codec.h"

#include <string.h>

#define LITERALS_MOST 7u
#define LENGTH_LEAST 3u
#define LENGTH_MOST (LENGTH_LEAST + 15u)
#define LENGTH_LOOK 8u // a copy of fewer bytes: the next place may have a longer one
#define DISTANCE_LEAST 4u
#define REPEAT 0x80u
#define AHEAD 8u // bytes of the page that a token may be ahead of its own copy

// ------------------------------------------------------------------------------------------------------------------ encoding

struct encoder {
    const unsigned char *page;
    uint32_t size;
    uint32_t distance; // of the last copy
    uint32_t hashed;   // places before this one are in the table
    unsigned char *table;
    unsigned char *to, *end;
};

struct copy {
    uint32_t length; // 0: there is none
    uint32_t distance;
};

// Multiplicative (Knuth, "The Art of Computer Programming" 3, 6.4).
static uint32_t hash_of(const unsigned char *at)
{
    return word_at(at) * 2654435761u >> 24;
}

// How many bytes are the same at both places.
static uint32_t length_at(const struct encoder *encoder, uint32_t at, uint32_t distance)
{
    const unsigned char *const page = encoder->page;
    uint32_t end = at;
    if (distance <= at) {
        while (end < encoder->size && page[end] == page[end - distance]) {
            end++;
        }
    }
    return end - at;
}

// The longest copy for a place, of the two that are looked at. A distance of its own must pay.
// pre: at + 4 <= size.
static struct copy find(struct encoder *encoder, uint32_t at)
{
    const unsigned char *const page = encoder->page;
    for (; encoder->hashed + DISTANCE_LEAST <= at; encoder->hashed++) {
        encoder->table[hash_of(page + encoder->hashed)] = (unsigned char)encoder->hashed;
    }
    struct copy best = {length_at(encoder, at, encoder->distance), encoder->distance};
    const uint32_t distance = ((at - DISTANCE_LEAST - encoder->table[hash_of(page + at)]) & 255) + DISTANCE_LEAST;
    const uint32_t length = length_at(encoder, at, distance);
    if (length > LENGTH_LEAST && length > best.length + 1) {
        best = (struct copy){length, distance};
    }
    if (best.length < LENGTH_LEAST) {
        best.length = 0;
    }
    return best;
}

// How many bytes say `count` where the token says `most` of it.
static uint32_t more_bytes(uint32_t count, uint32_t most)
{
    return count < most ? 0 : (count - most) / 255 + 1;
}

static void put_more(struct encoder *encoder, uint32_t count, uint32_t most)
{
    if (count >= most) {
        for (count -= most; count >= 255; count -= 255) {
            *encoder->to++ = 255;
        }
        *encoder->to++ = (unsigned char)count;
    }
}

// A token and what belongs to it. 1.
static bool put(struct encoder *encoder, const unsigned char *literals, uint32_t count, const struct copy *copy)
{
    const bool repeats = copy->distance == encoder->distance;
    const uint32_t first = count < LITERALS_MOST ? count : LITERALS_MOST;
    const uint32_t length = copy->length < LENGTH_MOST ? copy->length : LENGTH_MOST;
    const size_t needed = 2 + count + more_bytes(count, LITERALS_MOST) + more_bytes(copy->length, LENGTH_MOST) - (size_t)repeats;
    if ((size_t)(encoder->end - encoder->to) < needed) {
        return false;
    }
    *encoder->to++ = (unsigned char)((repeats ? REPEAT : 0) | first << 4 | (length - LENGTH_LEAST));
    memcpy(encoder->to, literals, first);
    encoder->to += first;
    put_more(encoder, count, LITERALS_MOST);
    memcpy(encoder->to, literals + first, count - first);
    encoder->to += count - first;
    if (!repeats) {
        *encoder->to++ = (unsigned char)(copy->distance - DISTANCE_LEAST);
    }
    put_more(encoder, copy->length, LENGTH_MOST);
    encoder->distance = copy->distance;
    return true;
}

uint32_t cairn_codec_encode_(const void *page, uint32_t size, unsigned char *to, uint32_t limit, unsigned char *table)
{
    struct encoder encoder = {.page = page, .size = size, .distance = DISTANCE_LEAST, .table = table, .to = to, .end = to + limit};
    uint32_t done = 0;
    memset(table, 0, CODEC_TABLE);
    for (uint32_t at = 0; at + 4 <= size;) {
        struct copy copy = find(&encoder, at);
        if (copy.length == 0) {
            at++;
            continue;
        }
        if (copy.length < LENGTH_LOOK && at + 5 <= size) {
            const struct copy next = find(&encoder, at + 1);
            if (next.length > copy.length + (next.distance != encoder.distance)) {
                copy = next;
                at++;
            }
        }
        if (!put(&encoder, encoder.page + done, at - done, &copy)) {
            return 0;
        }
        at += copy.length;
        done = at;
    }
    // The end of the page ends the last token: its copy is not there.
    const struct copy none = {LENGTH_LEAST, encoder.distance};
    if (done < size && !put(&encoder, encoder.page + done, size - done, &none)) {
        return 0;
    }
    return (uint32_t)(encoder.to - to);
}

// ------------------------------------------------------------------------------------------------------------------ decoding

struct decoder {
    const unsigned char *from, *from_end;
    unsigned char *page, *to, *to_end;
    uint32_t distance;
};

// Copies 8 bytes and steps on: by words, one after the other, that may be 4 bytes apart.
CAIRN_INLINE void copy_step(unsigned char **to, const unsigned char **from)
{
    for (uint32_t i = 0; i < 2; i++) {
        copy_word(*to, *from);
        *to += 4;
        *from += 4;
        CAIRN_FORGET(*to); // two steps of one instruction each
        CAIRN_FORGET(*from);
    }
}

// Copies up to `stop`: up to 7 bytes more are written.
CAIRN_INLINE void copy_ahead(unsigned char *to, const unsigned char *from, const unsigned char *stop)
{
    do {
        copy_step(&to, &from);
    } while (to < stop);
}

// Copies exactly so many.
static unsigned char *copy_bytes(unsigned char *to, const unsigned char *from, size_t count)
{
    for (; count >= 8; count -= 8) {
        copy_step(&to, &from);
    }
    if (count >= 4) {
        copy_word(to, from);
        to += 4;
        from += 4;
        count -= 4;
    }
    while (count-- != 0) {
        *to++ = *from++;
    }
    return to;
}

// What `more` says, added to count; more than the page has, where it is wrong.
static uint32_t take_more(struct decoder *decoder, uint32_t count)
{
    unsigned char more;
    do {
        if (decoder->from >= decoder->from_end) {
            return UINT32_MAX;
        }
        more = *decoder->from++;
        count += more;
    } while (more == 255 && count < 65535 + 255);
    return count;
}

static bool take_literals(struct decoder *decoder, uint32_t count)
{
    if (count > (size_t)(decoder->to_end - decoder->to) || count > (size_t)(decoder->from_end - decoder->from)) {
        return false;
    }
    decoder->to = copy_bytes(decoder->to, decoder->from, count);
    decoder->from += count;
    return true;
}

// The copy of a token, each step looked at.
static bool take_copy(struct decoder *decoder, uint32_t length)
{
    if (length == LENGTH_MOST) {
        length = take_more(decoder, length);
    }
    if (length > (size_t)(decoder->to_end - decoder->to) || decoder->distance > (size_t)(decoder->to - decoder->page)) {
        return false;
    }
    decoder->to = copy_bytes(decoder->to, decoder->to - decoder->distance, length);
    return true;
}

// One token, in the same way.
static bool take_token(struct decoder *decoder)
{
    if (decoder->from >= decoder->from_end) {
        return false;
    }
    const uint32_t token = *decoder->from++;
    const uint32_t literals = token >> 4 & LITERALS_MOST;
    if (!take_literals(decoder, literals) || (literals == LITERALS_MOST && !take_literals(decoder, take_more(decoder, 0)))) {
        return false;
    }
    if (decoder->to == decoder->to_end) {
        return true;
    }
    if ((token & REPEAT) == 0) {
        if (decoder->from == decoder->from_end) {
            return false;
        }
        decoder->distance = *decoder->from++ + DISTANCE_LEAST;
    }
    return take_copy(decoder, (token & 15) + LENGTH_LEAST);
}

// Tokens, while it is far to the end of the page: words are copied where there may be less. Stops where there is one that it does not take.
static bool take_tokens(struct decoder *decoder)
{
    const unsigned char *from = decoder->from;
    unsigned char *to = decoder->to;
    const unsigned char *const least = decoder->page + DISTANCE_LEAST;
    const unsigned char *const safe = decoder->to_end - LENGTH_LEAST - AHEAD;
    ptrdiff_t beyond = (ptrdiff_t)decoder->distance - (ptrdiff_t)DISTANCE_LEAST;
    bool whole = true;
    for (;;) {
        const uint32_t token = *from++;
        CAIRN_FORGET(from);
        const uint32_t literals = token >> 4 & LITERALS_MOST;
        const uint32_t length = token & 15;
        unsigned char *stop = to + literals + length;
        if (CAIRN_UNLIKELY(stop > safe)) {
            from--;
            break;
        }
        copy_word(to, from);
        to += literals;
        if (CAIRN_UNLIKELY(literals > 4)) {
            copy_word(to + 4 - literals, from + 4);
            if (literals == LITERALS_MOST) {
                const uint32_t more = from[LITERALS_MOST];
                if (more > (size_t)(safe - stop) || more == 255) {
                    to -= literals;
                    from--;
                    break;
                }
                from++;
                copy_ahead(to, from + LITERALS_MOST, to + more);
                to += more;
                stop += more;
                from += more;
            }
        }
        from += literals;
        CAIRN_FORGET(from);
        if ((token & REPEAT) == 0) {
            beyond = *from++;
        }
        if (CAIRN_UNLIKELY(beyond > to - least)) {
            return false;
        }
        const unsigned char *source = to - beyond;
        copy_word(to, source - DISTANCE_LEAST);
        copy_word(to + 4, source);
        if (CAIRN_UNLIKELY(length > 8 - LENGTH_LEAST)) {
            if (length == LENGTH_MOST - LENGTH_LEAST) {
                if (*from > (size_t)(safe - stop) || *from == 255) {
                    whole = false;
                    break;
                }
                stop += *from++;
            }
            copy_ahead(to + 8, source + 8 - DISTANCE_LEAST, stop + LENGTH_LEAST);
        }
        to = stop + LENGTH_LEAST;
    }
    decoder->from = from;
    decoder->to = to;
    decoder->distance = (uint32_t)beyond + DISTANCE_LEAST;
    return whole || take_copy(decoder, LENGTH_MOST);
}

bool cairn_codec_decode_(const unsigned char *from, uint32_t length, void *page, uint32_t size)
{
    struct decoder decoder = {.from = from, .from_end = from + length, .page = page, .to = page, .to_end = (unsigned char *)page + size, .distance = DISTANCE_LEAST};
    while (take_tokens(&decoder)) {
        if (decoder.to == decoder.to_end) {
            return decoder.from == decoder.from_end;
        }
        if (!take_token(&decoder)) {
            break;
        }
    }
    return false;
}
