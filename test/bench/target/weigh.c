// SPDX-License-Identifier: MIT
//
// A program that references the calls named in CALLS and nothing else: what the linker then keeps is what they weigh.
//
//   -DCALLS='CALL(malloc) CALL(free)'
//
// CALLERS  weigh.sh, which links it once over the library and once over empty stubs.
typedef void (*call)(void);

#define CALL(name) void name(void);
CALLS
#undef CALL
#define CALL(name) name,

void start(void);

static const volatile call calls[] = {CALLS};

void start(void)
{
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++)
        calls[i]();
}
