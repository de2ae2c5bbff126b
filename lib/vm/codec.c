// SPDX-License-Identifier: MIT
//
// The codec of pages.
//
// OWNS: nothing; codec.h has the form. COST, CALLERS: codec.h.
#include "vm/codec.h"

#include <string.h>

#define LITERALS_MOST 7u
#define LENGTH_LEAST 3u
#define LENGTH_CODE 15u                                // of the token, where more follows
#define LENGTH_MOST (LENGTH_LEAST + LENGTH_CODE + 255u) // what is longer is several copies
#define LENGTH_LOOK 8u                                 // a copy of fewer bytes: the next place may have a better one
#define PLACES_KEPT 8u                                 // of a copy, its last: the others are not looked up any more
#define DISTANCE_LEAST 4u
#define REPEAT 0x80u
#define AHEAD 8u // bytes that are written behind the end of a token's copy, at most

// ------------------------------------------------------------------------------------------------------------------ encoding

struct encoder {
    const unsigned char *page;
    uint32_t size;
    uint32_t distance; // of the last copy
    uint32_t found;    // distance of the copy that was found
    unsigned char *table;
    unsigned char *to, *end;
};

// Multiplicative (Knuth, "The Art of Computer Programming" 3, 6.4).
static unsigned char *entry_of(const struct encoder *encoder, uint32_t word)
{
    return &encoder->table[word * 2654435761u >> 24];
}

// From now on the place can be found. pre: at + 4 <= size.
static void remember(const struct encoder *encoder, uint32_t at)
{
    *entry_of(encoder, word_at(encoder->page + at)) = (unsigned char)at;
}

// How long a copy is for this place, from `distance` before.
static uint32_t length_at(const struct encoder *encoder, uint32_t at, uint32_t distance)
{
    const unsigned char *const page = encoder->page;
    const uint32_t stop = encoder->size - at < LENGTH_MOST ? encoder->size : at + LENGTH_MOST;
    uint32_t end = at;
    while (end + 4 <= stop && word_at(page + end) == word_at(page + end - distance)) {
        end += 4;
    }
    while (end < stop && page[end] == page[end - distance]) {
        end++;
    }
    return end - at;
}

// The longer copy of two: from as far as the last one, or from where these four bytes were seen last, as far as a distance goes. A distance of its own
// must pay. Returns its length; 0 where there is none. pre: at + 4 <= size.
static uint32_t find(struct encoder *encoder, uint32_t at)
{
    const unsigned char *const here = encoder->page + at;
    const uint32_t word = word_at(here);
    uint32_t best = 0;
    if (at >= DISTANCE_LEAST) {
        remember(encoder, at - DISTANCE_LEAST);
    }
    encoder->found = encoder->distance;
    if (encoder->distance <= at && (word ^ word_at(here - encoder->distance)) << 8 == 0) {
        best = length_at(encoder, at, encoder->distance);
    }
    const uint32_t distance = ((at - DISTANCE_LEAST - *entry_of(encoder, word)) & 255) + DISTANCE_LEAST;
    if (distance <= at && word == word_at(here - distance)) {
        const uint32_t length = length_at(encoder, at, distance);
        if (length > best + 1) {
            encoder->found = distance;
            best = length;
        }
    }
    return best;
}

// A token and what belongs to it: literals that end at `at`, and the copy that was found there. 1.
static bool put(struct encoder *encoder, uint32_t at, uint32_t literals, uint32_t length)
{
    unsigned char *to = encoder->to;
    uint32_t token = length - LENGTH_LEAST < LENGTH_CODE ? length - LENGTH_LEAST : LENGTH_CODE;
    if (literals + literals / 255 >= (size_t)(encoder->end - to)) {
        return false;
    }
    token |= (literals < LITERALS_MOST ? literals : LITERALS_MOST) << 4;
    *to++ = (unsigned char)(encoder->found == encoder->distance ? token | REPEAT : token);
    if (literals >= LITERALS_MOST) {
        uint32_t more = literals - LITERALS_MOST;
        for (; more >= 255; more -= 255) {
            *to++ = 255;
        }
        *to++ = (unsigned char)more;
    }
    memcpy(to, encoder->page + at - literals, literals);
    to += literals;
    if (encoder->found != encoder->distance) {
        *to++ = (unsigned char)(encoder->found - DISTANCE_LEAST);
    }
    if ((token & 15) == LENGTH_CODE) {
        *to++ = (unsigned char)(length - LENGTH_LEAST - LENGTH_CODE);
    }
    encoder->distance = encoder->found;
    encoder->to = to;
    return to <= encoder->end;
}

// The copy for this place, or for the next one where that is better: then `at` becomes that.
static uint32_t choose(struct encoder *encoder, uint32_t *at)
{
    const uint32_t length = find(encoder, *at);
    const uint32_t found = encoder->found;
    if (length != 0 && length < LENGTH_LOOK && *at + 5 <= encoder->size) {
        const uint32_t next = find(encoder, *at + 1);
        if (next > length + (encoder->found != encoder->distance)) {
            ++*at;
            return next;
        }
        encoder->found = found;
    }
    return length;
}

CAIRN_NOINLINE uint32_t cairn_codec_encode_(const void *page, uint32_t size, unsigned char *to, uint32_t limit, unsigned char *table)
{
    struct encoder encoder = {.page = page, .size = size, .distance = DISTANCE_LEAST, .table = table, .to = to, .end = to + limit};
    uint32_t done = 0;
    memset(table, 0, CODEC_TABLE);
    for (uint32_t at = 0; at + 4 <= size;) {
        const uint32_t length = choose(&encoder, &at);
        if (length == 0) {
            at++;
            continue;
        }
        if (!put(&encoder, at, at - done, length)) {
            return 0;
        }
        done = at + length;
        for (at = length > PLACES_KEPT ? done - PLACES_KEPT : at + 1; at < done; at++) {
            if (at >= DISTANCE_LEAST) {
                remember(&encoder, at - DISTANCE_LEAST);
            }
        }
    }
    // The end of the page ends the last token: its copy is not there.
    encoder.found = encoder.distance;
    if (done < size && !put(&encoder, size, size - done, LENGTH_LEAST)) {
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
        CAIRN_FORGET(*to); // one instruction does both
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
    while (count-- != 0) {
        *to++ = *from++;
    }
    return to;
}

// The copy of a token, at the end of the page.
static bool take_copy(struct decoder *decoder, size_t length)
{
    if (length > (size_t)(decoder->to_end - decoder->to) || decoder->distance > (size_t)(decoder->to - decoder->page)) {
        return false;
    }
    decoder->to = copy_bytes(decoder->to, decoder->to - decoder->distance, length);
    return true;
}

// One token, each step looked at. More bytes may be read than the encoding has, but not used.
static bool take_token(struct decoder *decoder)
{
    const unsigned char *from = decoder->from;
    const unsigned char *const end = decoder->from_end;
    const size_t room = (size_t)(decoder->to_end - decoder->to);
    const uint32_t token = *from++;
    size_t literals = token >> 4 & LITERALS_MOST;
    if (literals == LITERALS_MOST) {
        do {
            literals += *from;
        } while (*from++ == 255 && literals <= room);
    }
    if (literals > room || from > end || literals > (size_t)(end - from)) {
        return false;
    }
    decoder->to = copy_bytes(decoder->to, from, literals);
    from += literals;
    if (literals != room) {
        uint32_t length = (token & 15) + LENGTH_LEAST;
        if ((token & REPEAT) == 0) {
            decoder->distance = *from++ + DISTANCE_LEAST;
        }
        if (length == LENGTH_LEAST + LENGTH_CODE) {
            length += *from++;
        }
        if (!take_copy(decoder, length)) {
            return false;
        }
    }
    decoder->from = from;
    return true;
}

// Tokens, while it is far to the end of the page: words are copied where there may be less. Stops where there is one that it does not take.
static bool take_tokens(struct decoder *decoder)
{
    const unsigned char *from = decoder->from;
    unsigned char *to = decoder->to;
    const unsigned char *const least = decoder->page + DISTANCE_LEAST;
    const unsigned char *const safe = decoder->to_end - LENGTH_LEAST - AHEAD;
    ptrdiff_t beyond = (ptrdiff_t)decoder->distance - (ptrdiff_t)DISTANCE_LEAST;
    size_t rest = 0; // of a copy that ends too near to the end of the page
    for (;;) {
        const uint32_t token = *from++;
        CAIRN_FORGET(from);
        uint32_t literals = token >> 4 & LITERALS_MOST;
        const uint32_t length = token & 15;
        unsigned char *stop = to + literals + length;
        if (CAIRN_UNLIKELY(stop > safe)) {
            from--;
            break;
        }
        copy_word(to, from);
        if (CAIRN_UNLIKELY(literals > 4)) {
            if (literals == LITERALS_MOST) {
                const uint32_t more = *from++;
                if (more > (size_t)(safe - stop) || more == 255) {
                    from -= 2;
                    break;
                }
                literals += more;
                stop += more;
                copy_ahead(to, from, to + literals);
            } else {
                copy_word(to + 4, from + 4);
            }
        }
        to += literals;
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
            if (length == LENGTH_CODE) {
                const uint32_t more = *from++;
                if (more > (size_t)(safe - stop)) {
                    rest = LENGTH_LEAST + LENGTH_CODE + more;
                    break;
                }
                stop += more;
            }
            copy_ahead(to + 8, source + 8 - DISTANCE_LEAST, stop + LENGTH_LEAST);
        }
        to = stop + LENGTH_LEAST;
    }
    decoder->from = from;
    decoder->to = to;
    decoder->distance = (uint32_t)beyond + DISTANCE_LEAST;
    return rest == 0 || take_copy(decoder, rest);
}

CAIRN_NOINLINE bool cairn_codec_decode_(const unsigned char *from, uint32_t length, void *page, uint32_t size)
{
    struct decoder decoder = {
        .from = from, .from_end = from + length, .page = page, .to = page, .to_end = (unsigned char *)page + size, .distance = DISTANCE_LEAST};
    while (!CAIRN_SPEED || take_tokens(&decoder)) {
        if (decoder.to == decoder.to_end) {
            return decoder.from == decoder.from_end;
        }
        if (!take_token(&decoder)) {
            break;
        }
    }
    return false;
}
