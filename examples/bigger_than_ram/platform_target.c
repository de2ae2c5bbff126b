// SPDX-License-Identifier: MIT
//
// OWNS        the stopwatch. COST: counter.h; a lap is not in the count, but for its call.
// CALLERS     as platform.h says.
#include "platform.h"

#include "counter.h"

static bool is_counted;
static uint32_t since;
static uint64_t sum;

bool platform_begin(void)
{
    counter_init();
    is_counted = counter_is_exact();
    return is_counted;
}

void platform_lap(void)
{
    if (is_counted) {
        sum += counter_instructions(since, counter_read());
        since = counter_read();
    }
}

void platform_start(void)
{
    sum = 0;
    since = counter_read();
}

uint64_t platform_stop(void)
{
    platform_lap();
    return sum;
}
