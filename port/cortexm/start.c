// SPDX-License-Identifier: MIT
//
// OWNS        the vector table, the way from reset to main() and out again, the painted stack, the words of the command line.
// PICTURE     reset -> FPU on -> .data copied, .bss cleared -> thread-local base -> stack painted -> faults named -> guard below the stack -> argv -> constructors -> main -> exit
// INVARIANTS  1. Nothing before fpu_enable uses a floating-point register; nothing before memory_init reads a variable.
//             2. Every handler is weak: a program replaces one by defining a function of its name (systick_handler ...).
// COST        reset runs once; about one instruction a byte of .data, .bss and stack.
// CALLERS     the core, at reset. The linker script gives the symbols.
#include <stdint.h>
#include <stdlib.h>

#include "board.h"
#include "semihost.h"

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define SCB_CCR REGISTER(0xE000ED14u)
#define SCB_SHCSR REGISTER(0xE000ED24u)
#define SCB_CPACR REGISTER(0xE000ED88u)
#define MPU_TYPE REGISTER(0xE000ED90u)
#define MPU_CTRL REGISTER(0xE000ED94u)
#define MPU_RNR REGISTER(0xE000ED98u)
#define MPU_RBAR REGISTER(0xE000ED9Cu)
#define MPU_RASR REGISTER(0xE000EDA0u)

#define COMMAND_BYTES (CAIRN_BOARD_SMALL ? 96 : 1024)
#define COMMAND_WORDS (CAIRN_BOARD_SMALL ? 8 : 64)
#define EXTERNAL_INTERRUPTS (CAIRN_BOARD_SMALL ? 32 : 96)
#define STACK_PAINT 0xC0DEFACEu

extern uint32_t stack_bottom[], stack_top[], data_start[], data_end[], bss_start[], bss_end[];
extern const uint32_t data_source[];
extern void (*const init_array_start[])(void);
extern void (*const init_array_end[])(void);
extern char __tls_base[];

int main(int argc, char **argv);
void _set_tls(void *base); // the C library's
void fault_entry(void);
_Noreturn void reset_handler(void);

// ---------------------------------------------------------------------------------------------------- vectors

#define WEAK_HANDLER(name) void name(void) __attribute__((weak, alias("fault_default")))

// Naked: the report needs LR and SP as the core left them.
static __attribute__((naked, used)) void fault_default(void)
{
    __asm__ volatile("ldr r0, =fault_entry\n\t"
                     "bx r0\n\t"
                     ".ltorg");
}

WEAK_HANDLER(nmi_handler);
WEAK_HANDLER(hardfault_handler);
WEAK_HANDLER(memmanage_handler);
WEAK_HANDLER(busfault_handler);
WEAK_HANDLER(usagefault_handler);
WEAK_HANDLER(securefault_handler);
WEAK_HANDLER(svc_handler);
WEAK_HANDLER(debugmon_handler);
WEAK_HANDLER(pendsv_handler);
WEAK_HANDLER(systick_handler);
WEAK_HANDLER(irq_handler);

struct vectors {
    uint32_t *stack;
    void (*handlers[15 + EXTERNAL_INTERRUPTS])(void);
};

extern const struct vectors vectors;
__attribute__((section(".vectors"), used)) const struct vectors vectors = {
    .stack = stack_top,
    .handlers =
        {
            [0] = reset_handler,
            [1] = nmi_handler,
            [2] = hardfault_handler,
            [3] = memmanage_handler,
            [4] = busfault_handler,
            [5] = usagefault_handler,
            [6] = securefault_handler,
            [10] = svc_handler,
            [11] = debugmon_handler,
            [13] = pendsv_handler,
            [14] = systick_handler,
            [15 ... 14 + EXTERNAL_INTERRUPTS] = irq_handler,
        },
};

// ---------------------------------------------------------------------------------------------------- stack

void board_stack_paint(void)
{
    uint32_t *word = stack_bottom;
    const uint32_t *const end = board_stack_pointer();

    while (word < end)
        *(volatile uint32_t *)word++ = STACK_PAINT;
}

size_t board_stack_peak(const void *from)
{
    const uint32_t *word = stack_bottom;
    const uintptr_t top = (uintptr_t)(from != NULL ? from : stack_top);

    while ((uintptr_t)word < top && *word == STACK_PAINT)
        word++;
    return (size_t)(top - (uintptr_t)word);
}

// ---------------------------------------------------------------------------------------------------- reset

static void fpu_enable(void)
{
#if defined(__ARM_FP)
    SCB_CPACR |= 0xFu << 20; // CP10 and CP11: full access
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
}

static void memory_init(void)
{
    const uint32_t *source = data_source;

    for (uint32_t *word = data_start; word < data_end; word++)
        *(volatile uint32_t *)word = *source++;
    for (uint32_t *word = bss_start; word < bss_end; word++)
        *(volatile uint32_t *)word = 0;
}

// Armv6-M has one fault for everything. The others name theirs, and a division by zero is one.
static void faults_enable(void)
{
#if __ARM_ARCH > 6
    SCB_SHCSR |= 0xFu << 16; // memory, bus, usage; on Armv8-M secure
    SCB_CCR |= 1u << 4;
#endif
}

// The stack is the lowest thing in RAM, and what lies below must fault. On microbit nothing is there; the mps2 boards ignore a
// write there, so the MPU's last region forbids 0x10000000 to 0x1FFFFFFF. A program that uses the MPU keeps region 7, or does
// without the guard. Armv8-M has a limit register.
static void stack_guard(void)
{
#if __ARM_ARCH >= 8
    __asm__ volatile("msr msplim, %0" ::"r"(stack_bottom));
#else
    if (MPU_TYPE == 0)
        return;
    MPU_RNR = BOARD_GUARD_REGION;
    MPU_RBAR = 0x10000000u;
    MPU_RASR = 1u << 28 | 27u << 1 | 1u; // execute never, no access, 2^(27 + 1) bytes, on
    MPU_CTRL = 4u | 1u;                  // the default map for all else, on
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
}

// Of C++'s global objects; a C program has none.
static void constructors_run(void)
{
    for (void (*const *constructor)(void) = init_array_start; constructor < init_array_end; constructor++)
        (*constructor)();
}

// Cuts the command line into words, in place. A line that does not fit leaves argv[0] = "" alone.
static int words_split(char *line, char **words, int limit)
{
    int count = 0;

    while (*line != '\0' && count < limit - 1) {
        while (*line == ' ')
            *line++ = '\0';
        if (*line == '\0')
            break;
        words[count++] = line;
        while (*line != '\0' && *line != ' ')
            line++;
    }
    if (count == 0)
        words[count++] = line;
    words[count] = NULL;
    return count;
}

_Noreturn void reset_handler(void)
{
    static char command[COMMAND_BYTES];
    static char *words[COMMAND_WORDS];

    fpu_enable();
    memory_init();
    _set_tls(__tls_base);
    board_stack_paint();
    faults_enable();
    stack_guard();
    if (semihost_command_line(command, sizeof command) < 0)
        command[0] = '\0';
    constructors_run();
    exit(main(words_split(command, words, COMMAND_WORDS), words));
}
