// SPDX-License-Identifier: MIT
//
// Fuzz target: bytes from outside as a sequence of calls with the handles of some spaces, of vm.h, access.h, object.h and exec.h, with the numbers that they get.
// Other spaces, and the host, must stay as they are, and nothing of theirs may be read; the rules of the vm hold, and nothing is left in the end.
//
// PICTURE: 6 bytes of configuration; then for each call which one, and its numbers: a byte, or two where a number may be more than 255. isolation.h has the calls.
// OWNS: which calls were made and did what they should. CALLERS: libFuzzer; replay.c, which asks what a corpus has missed.
#include "input.h"

#include "test/vm/isolation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *fuzz_missed(void);

static struct iso iso;
static bool is_done[ISO_CALLS], is_refused[ISO_CALLS];

static uint32_t draw(void *context, uint32_t below)
{
    return (below <= 256 ? input_byte(context) : input_half(context)) % below;
}

static struct iso_config config_of(struct input *input)
{
    static const struct cairn_policy *const policies[] = {
        &cairn_policy_fifo, &cairn_policy_lru,      &cairn_policy_clock,  &cairn_policy_nru,     &cairn_policy_lfu,      &cairn_policy_random,
        &cairn_policy_2q,   &cairn_policy_clockpro, &cairn_policy_s3fifo, &cairn_policy_wsclock, &cairn_policy_adaptive,
    };
    const uint8_t what = input_byte(input);
    struct iso_config config = {.policy = policies[input_byte(input) % 11],
                                .levels = (uint8_t)(1 + what % CAIRN_LEVELS_MAX),
                                .tlb = (uint16_t)(4u << (what >> 2) % 3),
                                .write_through = (what & 16) != 0,
                                .prefetch = (what & 32) != 0};
    config.frames = 5 + input_byte(input) % 12u;
    config.slots = 30 + input_byte(input) % (ISO_SLOTS - 29);
    config.tables = 3500 + 16u * input_byte(input);
    const uint8_t every = input_byte(input);
    config.fail_every = every < 128 ? 0 : 2 + every % 32u;
    return config;
}

static void must(const char *wrong)
{
    if (wrong != NULL) {
        fprintf(stderr, "%s: %s (%d)\n", iso.what == NULL ? "start" : iso.what, wrong, iso.error);
    }
    MUST(wrong == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    const struct iso_config config = config_of(&input);
    must(iso_start(&iso, &config, draw, &input));
    for (uint32_t calls = 1; input.left != 0; calls++) {
        must(iso_call(&iso));
        if (calls % 8 == 0) {
            must(iso_look(&iso));
        }
    }
    must(iso_end(&iso));
    for (uint32_t call = 0; call < ISO_CALLS; call++) {
        is_done[call] = is_done[call] || iso.done[call] != 0;
        is_refused[call] = is_refused[call] || iso.made[call] != iso.done[call];
    }
    return 0;
}

// The floor of a corpus: each call is in it, once with what it can do and once with what it must refuse. Returns NULL, or the name of one that is not.
const char *fuzz_missed(void)
{
    for (uint32_t call = 0; iso_name(call) != NULL; call++) {
        if (!is_done[call] || !is_refused[call]) {
            return iso_name(call);
        }
    }
    return NULL;
}
