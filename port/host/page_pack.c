// SPDX-License-Identifier: MIT
//
// OWNS        the coder and its model.
// PICTURE     packing and unpacking run through the same functions: code_bit() takes the bit to write, and returns the one that was read.
// INVARIANTS  1. The model has seen the same accesses in both directions when a bit is coded.
//             2. Whatever the bytes are, an access that is read is of a page that there is.
// COST, CALLERS  as page_pack.h says.
#include "page_pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ORDERS 7u
#define TABLE_BITS 18u
#define SURE_MOST 15u
#define PAST 64u // accesses that contexts are made of
#define NO_SYMBOL UINT32_MAX
#define PAGES_MAX ((uint32_t)1 << 20)
#define ACCESSES_MAX ((uint32_t)1 << 28)

static const uint32_t lengths[ORDERS] = {48, 20, 11, 6, 4, 2, 1};

// How likely a bit is 1, of 65536, and how many were seen, for a quick start.
struct chance {
    uint16_t one;
    uint16_t seen;
};

// What came after a context the last time, and how often in a row it was right.
struct follower {
    uint32_t symbol;
    uint32_t sure;
};

struct packer {
    FILE *file;
    bool is_reading;
    bool has_ended; // more bytes were wanted than there are
    uint32_t low;
    uint32_t high;
    uint32_t window; // the bytes that are being read

    uint32_t symbol_count; // two a page: it is read, it is written
    uint32_t *recent;      // symbols, the last that was used first
    uint32_t past[PAST];
    uint32_t now;
    struct follower *tables[ORDERS];
    struct follower *found[ORDERS];
    struct chance hit[ORDERS][SURE_MOST + 1][ORDERS + 1];
    struct chance length[2][33];
    struct chance bits[2][33][64];
};

// ------------------------------------------------------------------------------------------------------------------------- coder

static void chances_init(struct chance *chances, size_t bytes)
{
    for (size_t i = 0; i < bytes / sizeof *chances; i++) {
        chances[i] = (struct chance){32768, 0};
    }
}

static uint32_t next_byte(struct packer *packer)
{
    const int byte = getc(packer->file);
    packer->has_ended = packer->has_ended || byte == EOF;
    return byte == EOF ? 0 : (uint32_t)byte;
}

static bool code_bit(struct packer *packer, struct chance *chance, bool bit)
{
    const uint32_t middle = packer->low + ((packer->high - packer->low) >> 16) * chance->one;
    if (packer->is_reading) {
        bit = packer->window <= middle;
    }
    const unsigned rate = chance->seen < 5 ? chance->seen + 1u : 6u;
    chance->seen++;
    chance->seen = chance->seen > 5 ? 5 : chance->seen;
    if (bit) {
        packer->high = middle;
        chance->one = (uint16_t)(chance->one + ((65503u - chance->one) >> rate));
    } else {
        packer->low = middle + 1;
        chance->one = (uint16_t)(chance->one - ((chance->one - 32u) >> rate));
    }
    while ((packer->low ^ packer->high) >> 24 == 0) {
        if (packer->is_reading) {
            packer->window = packer->window << 8 | next_byte(packer);
        } else {
            putc((int)(packer->high >> 24), packer->file);
        }
        packer->low <<= 8;
        packer->high = packer->high << 8 | 0xFF;
    }
    return bit;
}

// A number below 2^32 - 1: its length in bits, then its bits from the highest.
static uint32_t code_number(struct packer *packer, unsigned kind, uint32_t number)
{
    uint32_t length = 0;
    while (length < 31 && (number + 1) >> (length + 1) != 0) {
        length++;
    }
    uint32_t bits = 0;
    while (bits < 31 && code_bit(packer, &packer->length[kind][bits], bits < length)) {
        bits++;
    }
    uint32_t value = 1;
    for (uint32_t i = bits; i-- > 0;) {
        const uint32_t place = value < 32 ? value : 32 + i; // the first five bits know those before them
        value = value << 1 | (code_bit(packer, &packer->bits[kind][bits][place], ((number + 1) >> i & 1) != 0) ? 1 : 0);
    }
    return value - 1;
}

// ------------------------------------------------------------------------------------------------------------------------- model

static void contexts_find(struct packer *packer)
{
    uint32_t hash = 0;
    uint32_t order = ORDERS;
    for (uint32_t length = 1; order > 0; length++) {
        hash = (hash + packer->past[(packer->now - length) % PAST] + 1) * 0x9E3779B1u;
        if (length == lengths[order - 1]) {
            order--;
            packer->found[order] = &packer->tables[order][(hash ^ hash >> 15) * 0x85EBCA6Bu >> (32 - TABLE_BITS)];
        }
    }
}

// A symbol by its place among the recent ones.
static uint32_t code_rank(struct packer *packer, uint32_t symbol)
{
    uint32_t rank = 0;
    while (!packer->is_reading && packer->recent[rank] != symbol) {
        rank++;
    }
    rank = code_number(packer, 1, rank);
    packer->has_ended = packer->has_ended || rank >= packer->symbol_count;
    return packer->recent[rank < packer->symbol_count ? rank : 0];
}

static void learn(struct packer *packer, uint32_t symbol)
{
    for (uint32_t order = 0; order < ORDERS; order++) {
        struct follower *const follower = packer->found[order];
        if (follower->symbol == symbol) {
            follower->sure += follower->sure < SURE_MOST ? 1 : 0;
        } else {
            *follower = (struct follower){symbol, 0};
        }
    }
    uint32_t rank = 0;
    while (packer->recent[rank] != symbol) {
        rank++;
    }
    memmove(&packer->recent[1], &packer->recent[0], rank * sizeof packer->recent[0]);
    packer->recent[0] = symbol;
    packer->past[packer->now % PAST] = symbol;
    packer->now++;
}

static uint32_t code_symbol(struct packer *packer, uint32_t symbol)
{
    uint32_t refused[ORDERS];
    uint32_t refusals = 0;
    uint32_t result = NO_SYMBOL;
    contexts_find(packer);
    for (uint32_t order = 0; order < ORDERS && result == NO_SYMBOL; order++) {
        const struct follower *const follower = packer->found[order];
        bool is_open = follower->symbol != NO_SYMBOL;
        for (uint32_t i = 0; i < refusals; i++) {
            is_open = is_open && refused[i] != follower->symbol;
        }
        if (!is_open) {
            continue;
        }
        uint32_t agreed = 0;
        for (uint32_t other = order + 1; other < ORDERS; other++) {
            agreed += packer->found[other]->symbol == follower->symbol ? 1 : 0;
        }
        if (code_bit(packer, &packer->hit[order][follower->sure][agreed], follower->symbol == symbol)) {
            result = follower->symbol;
        } else {
            refused[refusals++] = follower->symbol;
        }
    }
    if (result == NO_SYMBOL) {
        result = code_rank(packer, symbol);
    }
    learn(packer, result);
    return result;
}

static bool packer_begin(struct packer *packer, uint32_t symbol_count)
{
    const size_t entries = (size_t)1 << TABLE_BITS;
    packer->high = UINT32_MAX;
    packer->symbol_count = symbol_count;
    packer->recent = malloc((symbol_count + (size_t)1) * sizeof(uint32_t));
    packer->tables[0] = malloc(ORDERS * entries * sizeof(struct follower));
    if (packer->recent == NULL || packer->tables[0] == NULL) {
        return false;
    }
    for (uint32_t symbol = 0; symbol < symbol_count; symbol++) {
        packer->recent[symbol] = symbol;
    }
    memset(packer->tables[0], 0xFF, ORDERS * entries * sizeof(struct follower));
    for (uint32_t order = 0; order < ORDERS; order++) {
        packer->tables[order] = packer->tables[0] + order * entries;
    }
    chances_init(&packer->hit[0][0][0], sizeof packer->hit);
    chances_init(&packer->length[0][0], sizeof packer->length);
    chances_init(&packer->bits[0][0][0], sizeof packer->bits);
    return true;
}

// The pages, and the accesses, in either direction.
static void code_all(struct packer *packer, struct page_trace *trace)
{
    uint32_t before = 0;
    for (uint32_t page = 0; page < trace->page_count && !packer->has_ended; page++) {
        const uint32_t step = trace->pages[page] - before; // small steps up and down are small numbers
        const uint32_t folded = step << 1 ^ (step >> 31 != 0 ? UINT32_MAX : 0);
        const uint32_t found = code_number(packer, 0, folded);
        before += found >> 1 ^ (0u - (found & 1));
        trace->pages[page] = before;
    }
    for (uint32_t at = 0; at < trace->access_count && !packer->has_ended; at++) {
        const uint32_t access = trace->accesses[at];
        const uint32_t symbol = code_symbol(packer, (access & ~PAGE_TRACE_WRITE) << 1 | access >> 31);
        trace->accesses[at] = symbol >> 1 | (symbol & 1) << 31;
    }
}

// ------------------------------------------------------------------------------------------------------------------------ the file

static uint32_t checksum(const struct page_trace *trace)
{
    uint32_t sum = 0x811C9DC5u;
    for (uint32_t at = 0; at < trace->access_count; at++) {
        sum = (sum ^ trace->accesses[at]) * 0x01000193u;
    }
    for (uint32_t page = 0; page < trace->page_count; page++) {
        sum = (sum ^ trace->pages[page]) * 0x01000193u;
    }
    return sum;
}

static void word_put(FILE *file, uint32_t word)
{
    for (unsigned i = 0; i < 4; i++) {
        putc((int)(word >> 8 * i & 0xFF), file);
    }
}

static uint32_t word_get(struct packer *packer)
{
    uint32_t word = 0;
    for (unsigned i = 0; i < 4; i++) {
        word |= next_byte(packer) << 8 * i;
    }
    return word;
}

static void packer_end(struct packer *packer)
{
    if (packer != NULL) {
        free(packer->recent);
        free(packer->tables[0]);
        free(packer);
    }
}

// Can what is written be read again?
static bool is_within(const struct page_trace *trace)
{
    uint32_t before = 0;
    for (uint32_t page = 0; page < trace->page_count; page++) {
        if (trace->pages[page] - before == 0x80000000u) { // as a step that is folded: 2^32 - 1
            return false;
        }
        before = trace->pages[page];
    }
    return trace->page_count <= PAGES_MAX && trace->access_count <= ACCESSES_MAX;
}

bool page_pack(const struct page_trace *trace, FILE *file)
{
    if (!is_within(trace)) {
        errno = EOVERFLOW;
        return false;
    }
    struct page_trace same = *trace; // written again as it was
    struct packer *const packer = calloc(1, sizeof *packer);
    const bool is_begun = packer != NULL && packer_begin(packer, 2 * trace->page_count);
    if (is_begun) {
        packer->file = file;
        fputs(PAGE_PACK_MAGIC, file);
        word_put(file, trace->page_bytes);
        word_put(file, trace->access_count);
        word_put(file, trace->page_count);
        word_put(file, checksum(trace));
        code_all(packer, &same);
        word_put(file, packer->high >> 24 | (packer->high >> 8 & 0xFF00) | (packer->high << 8 & 0xFF0000) | packer->high << 24);
    } else {
        errno = ENOMEM;
    }
    packer_end(packer);
    return is_begun && ferror(file) == 0;
}

static const char *unpack_with(struct packer *packer, struct page_trace *trace, FILE *file)
{
    packer->file = file;
    packer->is_reading = true;
    trace->page_bytes = word_get(packer);
    trace->access_count = word_get(packer);
    trace->page_count = word_get(packer);
    const uint32_t sum = word_get(packer);
    if (packer->has_ended || trace->access_count == 0 || trace->access_count > ACCESSES_MAX || trace->page_count == 0 || trace->page_count > PAGES_MAX) {
        return "the header is damaged";
    }
    trace->pages = calloc(trace->page_count, sizeof(uint32_t));
    trace->accesses = calloc(trace->access_count, sizeof(uint32_t));
    if (trace->pages == NULL || trace->accesses == NULL || !packer_begin(packer, 2 * trace->page_count)) {
        return "out of memory";
    }
    for (unsigned i = 0; i < 4; i++) {
        packer->window = packer->window << 8 | next_byte(packer);
    }
    code_all(packer, trace);
    return packer->has_ended || checksum(trace) != sum ? "the file is damaged" : NULL;
}

const char *page_unpack(struct page_trace *trace, FILE *file)
{
    struct packer *const packer = calloc(1, sizeof *packer);
    const char *const wrong = packer == NULL ? "out of memory" : unpack_with(packer, trace, file);
    packer_end(packer);
    return wrong;
}
