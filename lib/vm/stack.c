// SPDX-License-Identifier: MIT
//
// The stack that a program finds when it begins (System V ABI, chapter 3: process initialization).
//
// OWNS: nothing; writes into a space.
// PICTURE:   lowest ... sp | argc | argv ... 0 | envp ... 0 | auxiliary vector | padding | random | strings of argv | strings of envp | top
// INVARIANTS: 1. All is measured before anything is written, each part against what those before it have left above `lowest`: no sum wraps.
//             2. `word` and `string` go up through what was measured, and no further.
// COST: the strings are read twice, and copied; words are written in pieces. CALLERS: who starts a program, under the lock of the vm.
#include "cairn/elf.h"

#define PIECE 32u  // bytes of words that are written at once: a store that is written through writes a page for each
#define RANDOM 16u // bytes
#define PHDR 32u   // bytes of a program header

#define AT_NULL 0u
#define AT_IGNORE 1u
#define AT_PHDR 3u
#define AT_PHENT 4u
#define AT_PHNUM 5u
#define AT_PAGESZ 6u
#define AT_ENTRY 9u
#define AT_RANDOM 25u
#define PAIRS 7u

struct stack_writer {
    struct cairn_space *space;
    uint32_t word;   // where `piece` goes
    uint32_t string; // where the next string goes
    uint32_t used;   // bytes of `piece`
    int error;       // the first; nothing is written after it
    unsigned char piece[PIECE];
};

// Bytes of a string with its 0; 0 if they are more than `most`.
static uint32_t string_size(const char *string, uint32_t most)
{
    for (uint32_t size = 0; size < most;) {
        if (string[size++] == 0) {
            return size;
        }
    }
    return 0;
}

// Take what the strings need from *left, and a word for each. Returns how many they are; where there is too little, *left is 0 and the number means nothing.
static uint32_t measure(const char *const *strings, uint32_t *left)
{
    uint32_t count = 0;
    for (; strings != NULL && strings[count] != NULL; count++) {
        const uint32_t size = string_size(strings[count], *left);
        if (size == 0 || *left - size < 4) {
            *left = 0;
            break;
        }
        *left -= size + 4;
    }
    return count;
}

static void put_bytes(struct stack_writer *writer, uint32_t at, const void *bytes, uint32_t size)
{
    if (writer->error == 0) {
        writer->error = cairn_space_write(writer->space, at, bytes, size);
    }
}

static void put_piece(struct stack_writer *writer)
{
    put_bytes(writer, writer->word, writer->piece, writer->used);
    writer->word += writer->used;
    writer->used = 0;
}

static void put_word(struct stack_writer *writer, uint32_t value)
{
    for (uint32_t i = 0; i < 4; i++, value >>= 8) {
        writer->piece[writer->used++] = (unsigned char)value;
    }
    if (writer->used == PIECE) {
        put_piece(writer);
    }
}

// An address for each, a 0, and what is there.
static void put_strings(struct stack_writer *writer, const char *const *strings)
{
    for (; strings != NULL && *strings != NULL; strings++) {
        const uint32_t size = string_size(*strings, UINT32_MAX);
        put_word(writer, writer->string);
        put_bytes(writer, writer->string, *strings, size);
        writer->string += size;
    }
    put_word(writer, 0);
}

// Where the words begin, and the strings; how many are arguments. Returns false where it does not fit.
static bool lay_out(const struct cairn_stack_config *config, uint32_t *at, uint32_t *string, uint32_t *arguments)
{
    const uint32_t fixed = (1 + 1 + 1 + 2 * PAIRS) * 4 + RANDOM; // also where there are no random bytes
    uint32_t left = config->top < config->lowest ? 0 : config->top - config->lowest;
    *arguments = measure(config->arguments, &left);
    const uint32_t variables = measure(config->environment, &left);
    *at = (config->lowest + left - fixed) & ~15u;
    *string = config->lowest + left + 4 * (*arguments + variables); // words were taken for their addresses, too
    return left >= fixed && *at >= config->lowest;
}

int cairn_stack_measure(const struct cairn_stack_config *config, uint32_t *sp)
{
    uint32_t string, arguments;
    if (config == NULL || sp == NULL) {
        return CAIRN_EINVAL;
    }
    return lay_out(config, sp, &string, &arguments) ? 0 : CAIRN_ENOMEM;
}

int cairn_stack_build(struct cairn_space *space, const struct cairn_stack_config *config, uint32_t *sp)
{
    if (space == NULL || space->vm == NULL || config == NULL || config->elf == NULL || sp == NULL) {
        return CAIRN_EINVAL;
    }
    const struct cairn_elf *const elf = config->elf;
    struct stack_writer writer; // but for `piece`, which need not be cleared
    uint32_t arguments;
    if (!lay_out(config, &writer.word, &writer.string, &arguments)) {
        return CAIRN_ENOMEM;
    }
    const uint32_t at = writer.word;
    writer.space = space;
    writer.used = 0;
    writer.error = 0;
    const uint32_t random = writer.string - RANDOM;
    const uint32_t pairs[2 * PAIRS] = {
        AT_PHDR,   elf->phdr,
        AT_PHENT,  PHDR,
        AT_PHNUM,  elf->phdr == 0 ? 0 : elf->headers,
        AT_PAGESZ, config->page,
        AT_ENTRY,  elf->entry,
        config->random == NULL ? AT_IGNORE : AT_RANDOM, random,
        AT_NULL,   0,
    };
    put_bytes(&writer, random, config->random, config->random == NULL ? 0 : RANDOM);
    put_word(&writer, arguments);
    put_strings(&writer, config->arguments);
    put_strings(&writer, config->environment);
    for (uint32_t i = 0; i < 2 * PAIRS; i++) {
        put_word(&writer, pairs[i]);
    }
    put_piece(&writer);
    if (writer.error == 0) {
        *sp = at;
    }
    return writer.error;
}
