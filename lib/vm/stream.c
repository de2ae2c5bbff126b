// SPDX-License-Identifier: MIT
//
// OWNS, INVARIANTS, COST, CALLERS     as stream.h says.
#include "vm/stream.h"

#include <string.h>

#define LIMIT_MOST 64u
#define NEAR 32 // pages: a step is no longer
#define SURE 2u
#define NO_PAGE UINT32_MAX // a page of this number is not remembered

CAIRN_NOINLINE void cairn_stream_init_(struct stream_table *table, uint32_t frames)
{
    memset(table, 0, sizeof *table);
    memset(table->gone, 0xFF, sizeof table->gone);
    table->limit = (uint16_t)(frames / 8 < LIMIT_MOST ? frames / 8 : LIMIT_MOST);
}

// ---------------------------------------------------------------------------------------------------------------------- a stream

CAIRN_INLINE uint32_t stride_of(const struct stream *stream)
{
    return (uint32_t)(int32_t)stream->stride;
}

// Steps from the stream's last page to this one; 0: it is not of this stream, or too far on.
static uint32_t steps_to(const struct stream *stream, uint32_t page)
{
    uint32_t at = stream->last;
    for (uint32_t steps = 1; stream->stride != 0 && steps <= stream->ahead + 2u; steps++) {
        at += stride_of(stream);
        if (at == page) {
            return steps;
        }
    }
    return 0;
}

static struct stream *stream_of(struct stream_table *table, uint32_t page, uint32_t *steps)
{
    for (uint32_t i = 0; i < STREAM_COUNT; i++) {
        *steps = steps_to(&table->streams[i], page);
        if (*steps != 0) {
            return &table->streams[i];
        }
    }
    return NULL;
}

// A stream that is not open, whose last page is near: the nearest.
static struct stream *stream_near(struct stream_table *table, uint32_t page)
{
    struct stream *nearest = NULL;
    uint32_t least = NEAR + 1;
    for (uint32_t i = 0; i < STREAM_COUNT; i++) {
        struct stream *const stream = &table->streams[i];
        const uint32_t up = page - stream->last;
        const uint32_t distance = up < 0u - up ? up : 0u - up;
        if (stream->steps < SURE && stream->time != 0 && distance != 0 && distance < least) {
            least = distance;
            nearest = stream;
        }
    }
    return nearest;
}

static struct stream *stream_oldest(struct stream_table *table)
{
    struct stream *oldest = &table->streams[0];
    for (uint32_t i = 1; i < STREAM_COUNT; i++) {
        if ((uint16_t)(table->time - table->streams[i].time) > (uint16_t)(table->time - oldest->time)) {
            oldest = &table->streams[i];
        }
    }
    return oldest;
}

// ----------------------------------------------------------------------------------------------------------------------- accuracy

static void count(struct stream_table *table, uint8_t *which)
{
    (*which)++;
    if (table->useful + (uint32_t)table->wasted >= 128) {
        table->useful /= 2;
        table->wasted /= 2;
    }
}

static uint32_t steps_to_open(const struct stream_table *table)
{
    const uint32_t all = table->useful + (uint32_t)table->wasted + 4;
    const uint32_t eighths = all < 12 ? 0 : table->wasted * 8u / all;
    return eighths < 2 ? SURE : eighths == 2 ? SURE << 1 : eighths == 3 ? SURE << 3 : SURE << 5;
}

// Did the page leave for one that was brought in ahead?
static bool was_missed(struct stream_table *table, uint32_t page)
{
    for (uint32_t i = 0; i < STREAM_GONE; i++) {
        if (table->gone[i] == page) {
            table->gone[i] = NO_PAGE;
            return true;
        }
    }
    return false;
}

static void go_on(struct stream_table *table, struct stream *stream, uint32_t steps, bool was_ahead, struct stream_advice *advice)
{
    const uint32_t all = stream->steps + steps;
    stream->steps = (uint8_t)(all < 255 ? all : 255);
    stream->ahead = (uint8_t)(stream->ahead > steps ? stream->ahead - steps : 0);
    if (stream->steps < steps_to_open(table) || table->limit == 0) {
        return;
    }
    const uint32_t window = stream->window == 0 ? 1 : was_ahead ? stream->window * 2u : stream->window;
    stream->window = (uint8_t)(window < table->limit ? window : table->limit);
    if (stream->window > stream->ahead) {
        advice->stride = stride_of(stream);
        advice->first = stream->last + advice->stride * (stream->ahead + 1u);
        advice->count = (uint32_t)stream->window - stream->ahead;
        stream->ahead = stream->window;
    }
}

// ----------------------------------------------------------------------------------------------------------------------- the calls

CAIRN_NOINLINE void cairn_stream_fault_(struct stream_table *table, uint32_t page, bool was_ahead, struct stream_advice *advice)
{
    uint32_t steps;
    struct stream *stream = stream_of(table, page, &steps);
    *advice = (struct stream_advice){page, 0, 0};
    table->time = (uint16_t)(table->time == UINT16_MAX ? 1 : table->time + 1);
    if (was_ahead) {
        count(table, &table->useful);
    } else if (was_missed(table, page)) {
        count(table, &table->wasted);
    }
    if (stream != NULL) {
        stream->last = page;
        go_on(table, stream, steps, was_ahead, advice);
    } else if ((stream = stream_near(table, page)) != NULL) {
        *stream = (struct stream){.last = page, .stride = (int16_t)(int32_t)(page - stream->last), .steps = 1};
    } else {
        stream = stream_oldest(table);
        *stream = (struct stream){.last = page};
    }
    stream->time = table->time;
}

CAIRN_NOINLINE void cairn_stream_waste_(struct stream_table *table, uint32_t page)
{
    uint32_t steps;
    struct stream *const stream = stream_of(table, page, &steps);
    count(table, &table->wasted);
    if (stream != NULL) {
        stream->window /= 2;
        stream->steps = 0;
    }
}

CAIRN_NOINLINE void cairn_stream_gone_(struct stream_table *table, uint32_t page)
{
    table->gone[table->next] = page;
    table->next = (uint16_t)((table->next + 1u) % STREAM_GONE);
}
