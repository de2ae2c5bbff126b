// SPDX-License-Identifier: MIT
//
// The recorder of pages: from a vm's references to the lines of a trace.
//
// OWNS: what is in the buffer.
// PICTURE: buffer | r 1f\n | w 20\n | # lost 3\n | r 7\n | ... used |  room  | size
// INVARIANTS: the buffer holds whole lines, none of which was written. A record is in the buffer, or was written, or counts as lost.
// COST: O(1), 40 bytes of stack; no division. CALLERS: the callback of a vm, its user.
#include "cairn/page_recorder.h"

#include <string.h>

#define RECORD_MAX 11u // "w ", 8 digits, the line's end
#define REMARK_MAX 18u // "# lost ", 10 digits, the line's end
_Static_assert(RECORD_MAX + REMARK_MAX <= CAIRN_PAGE_RECORDER_LEAST, "both fit an empty buffer");

// ------------------------------------------------------------------------------------------------------------------------- text

// Digits of the value, none before the first that is not 0. Return where the text goes on.
static char *put_hexadecimal(char *to, uint32_t value)
{
    uint32_t shift = 28;
    while (shift != 0 && value >> shift == 0) {
        shift -= 4;
    }
    for (;; shift -= 4) {
        const uint32_t digit = value >> shift & 15;
        *to++ = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
        if (shift == 0) {
            return to;
        }
    }
}

static char *put_decimal(char *to, uint32_t value)
{
    static const uint32_t powers[10] = {1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
    bool is_begun = false;
    for (uint32_t at = 0; at < 10; at++) {
        char digit = '0';
        while (value >= powers[at]) {
            value -= powers[at];
            digit++;
        }
        is_begun = is_begun || digit != '0' || at == 9;
        if (is_begun) {
            *to++ = digit;
        }
    }
    return to;
}

static char *put_text(char *to, const char *text, size_t length)
{
    memcpy(to, text, length);
    return to + length;
}

// ----------------------------------------------------------------------------------------------------------------------- records

// Does the buffer have room for the record, and for the remark before it?
static bool has_room(const struct cairn_page_recorder *recorder)
{
    return recorder->size - recorder->used >= RECORD_MAX + (recorder->gap != 0 ? REMARK_MAX : 0);
}

static void lose(struct cairn_page_recorder *recorder)
{
    recorder->lost++;
    recorder->gap++;
    recorder->kind = 0;
}

static void append(struct cairn_page_recorder *recorder, char kind, uint32_t page)
{
    char *to = recorder->buffer + recorder->used;
    if (recorder->gap != 0) {
        to = put_text(to, "# lost ", 7);
        to = put_decimal(to, recorder->gap);
        *to++ = '\n';
        recorder->gap = 0;
    }
    *to++ = kind;
    *to++ = ' ';
    to = put_hexadecimal(to, page);
    *to++ = '\n';
    recorder->used = (size_t)(to - recorder->buffer);
    recorder->records++;
    recorder->kind = kind;
    recorder->page = page;
}

// --------------------------------------------------------------------------------------------------------------------- the calls

int cairn_page_recorder_init(struct cairn_page_recorder *recorder, const struct cairn_space *space, uint32_t page_shift, const char *source, char *buffer,
                             size_t size, int (*write)(void *context, const char *text, size_t size), void *context)
{
    if (recorder == NULL || page_shift < 7 || page_shift > 12 || source == NULL || buffer == NULL || write == NULL || size < CAIRN_PAGE_RECORDER_LEAST) {
        return CAIRN_EINVAL;
    }
    size_t length = 0;
    while (source[length] != '\0') {
        length++;
    }
    char *to = put_text(buffer, "# page ", 7);
    to = put_decimal(to, (uint32_t)1 << page_shift);
    to = put_text(to, "\n# source ", 10);
    if (length >= size - (size_t)(to - buffer)) {
        return CAIRN_EINVAL;
    }
    to = put_text(to, source, length);
    *to++ = '\n';
    *recorder = (struct cairn_page_recorder){.space = space,
                                             .page_shift = page_shift,
                                             .buffer = buffer,
                                             .size = size,
                                             .used = (size_t)(to - buffer),
                                             .write = write,
                                             .context = context};
    return 0;
}

void cairn_page_recorder_reference(void *context, const struct cairn_space *space, cairn_vaddr_t address, bool write)
{
    struct cairn_page_recorder *const recorder = context;
    const char kind = write ? 'w' : 'r';
    if (recorder->space != NULL && recorder->space != space) {
        return;
    }
    const cairn_vaddr_t page = address >> recorder->page_shift;
    const uint32_t number = (recorder->space == NULL ? (uint32_t)space->number << 24 : 0) ^ (uint32_t)page;
    if (page >> 16 >> 16 != 0) {
        lose(recorder);
        return;
    }
    if (kind == recorder->kind && number == recorder->page) {
        return;
    }
    if (!has_room(recorder)) {
        (void)!cairn_page_recorder_flush(recorder); // where it fails there is still no room
    }
    if (has_room(recorder)) {
        append(recorder, kind, number);
    } else {
        lose(recorder);
    }
}

int cairn_page_recorder_flush(struct cairn_page_recorder *recorder)
{
    const int error = recorder->used == 0 ? 0 : recorder->write(recorder->context, recorder->buffer, recorder->used);
    if (error == 0) {
        recorder->used = 0;
    }
    return error;
}
