// SPDX-License-Identifier: MIT
//
// Does what its argument says and must not come back: access (an address where nothing is), undefined (an instruction that does
// not exist), trap (what the heap does where it has no report hook; on RISC-V the instruction that semihosting uses too), overflow
// (recursion past the end of the stack). The tests look for the exit status.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "cpu.h"

static volatile unsigned limit = 1u << 30;

static unsigned deeper(volatile unsigned *above)
{
    volatile unsigned here[16] = {*above + 1};

    return here[0] < limit ? deeper(here) + here[0] : 0;
}

int main(int argc, char **argv)
{
    const char *const fault = argc > 1 ? argv[1] : "";
    volatile unsigned first = 1;

    printf("before the fault\n");
    if (strcmp(fault, "access") == 0)
        *(volatile uint32_t *)(uintptr_t)0xB0000000u = 1;
    else if (strcmp(fault, "undefined") == 0)
        cpu_undefined();
    else if (strcmp(fault, "trap") == 0)
        CAIRN_TRAP();
    else if (strcmp(fault, "overflow") == 0)
        first = deeper(&first);
    printf("survived\n");
    return 0;
}
