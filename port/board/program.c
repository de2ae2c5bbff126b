// SPDX-License-Identifier: MIT
//
// OWNS        the first values of the variables, the painted stack, the words of the command line.
// INVARIANTS  1. Nothing before memory_init reads a variable.
// COST        program_run: about one instruction a byte of .data, .bss and stack.
// CALLERS     as program.h and board.h say. The linker script gives the symbols.
#include "program.h"

#include <stdint.h>
#include <stdlib.h>

#include "board.h"
#include "semihost.h"

#define COMMAND_BYTES (CAIRN_BOARD_SMALL ? 96 : 1024)
#define COMMAND_WORDS (CAIRN_BOARD_SMALL ? 8 : 64)
#define STACK_PAINT 0xC0DEFACEu

extern uint32_t stack_bottom[], stack_top[], data_start[], data_end[], bss_start[], bss_end[];
extern const uint32_t data_source[];
extern void (*const init_array_start[])(void);
extern void (*const init_array_end[])(void);
extern char __tls_base[];

// main, by another name: programs define it with and without arguments, and link-time optimisation would see two types of one function.
static int program_main(int argc, char **argv) __attribute__((weakref("main")));
void _set_tls(void *base); // the C library's

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

// ---------------------------------------------------------------------------------------------------- from reset to exit

static void memory_init(void)
{
    const uint32_t *source = data_source;

    for (uint32_t *word = data_start; word < data_end; word++)
        *(volatile uint32_t *)word = *source++;
    for (uint32_t *word = bss_start; word < bss_end; word++)
        *(volatile uint32_t *)word = 0;
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

__attribute__((used)) _Noreturn void program_run(void)
{
    static char command[COMMAND_BYTES];
    static char *words[COMMAND_WORDS];

    memory_init();
    _set_tls(__tls_base);
    board_stack_paint();
    program_protect();
    if (semihost_command_line(command, sizeof command) < 0)
        command[0] = '\0';
    constructors_run();
    exit(program_main(words_split(command, words, COMMAND_WORDS), words));
}
