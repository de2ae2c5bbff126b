// SPDX-License-Identifier: MIT
//
// OWNS: the bytes of the program; image.h says which.
#include "image.h"

#include <stddef.h>
#include <string.h>

#define R 4u
#define W 2u
#define X 1u

// Instructions of RV32I, put together.
#define I_TYPE(opcode, f3, rd, rs1, imm) ((uint32_t)(imm) << 20 | (uint32_t)(rs1) << 15 | (uint32_t)(f3) << 12 | (uint32_t)(rd) << 7 | (opcode))
#define ADDI(rd, rs1, imm) I_TYPE(0x13u, 0u, rd, rs1, (imm) & 0xFFF)
#define LW(rd, rs1, imm) I_TYPE(0x03u, 2u, rd, rs1, imm)
#define LUI(rd, upper) ((uint32_t)(upper) << 12 | (uint32_t)(rd) << 7 | 0x37u)
#define ADD(rd, rs1, rs2) ((uint32_t)(rs2) << 20 | (uint32_t)(rs1) << 15 | (uint32_t)(rd) << 7 | 0x33u)
#define SW(rs2, rs1, imm) ((uint32_t)(imm) >> 5 << 25 | (uint32_t)(rs2) << 20 | (uint32_t)(rs1) << 15 | 2u << 12 | ((uint32_t)(imm) & 31u) << 7 | 0x23u)
#define BNE(rs1, rs2, back) /* back: bytes, a multiple of 2, less than 32 */                                                                  \
    ((1u << 31) | (0x3Fu << 25) | (uint32_t)(rs2) << 20 | (uint32_t)(rs1) << 15 | 1u << 12 | ((32u - (back)) & 30u) << 7 | 1u << 7 | 0x63u)
#define ECALL 0x73u

enum { SP = 2, T0 = 5, T1 = 6, T2 = 7, A0 = 10, A1 = 11 };

static const uint32_t text[] = {
    LUI(T0, IMAGE_DATA >> 12),     // the word that is read
    ADDI(T1, T0, 4 * IMAGE_WORDS), // where the zeros begin: the last that is read
    ADDI(A0, 0, 0),                // the sum
    LW(T2, T0, 0),                 // again:
    ADD(T2, T2, T2),
    SW(T2, T0, 4 * IMAGE_WORDS),
    ADD(A0, A0, T2),
    ADDI(T0, T0, 4),
    BNE(T0, T1, 20),
    LW(A1, SP, 0), // argc
    ADDI(T2, A0, 0),
    ADDI(A0, 0, 0),
    ADD(A0, A0, T2), // once for each argument
    ADDI(A1, A1, -1),
    BNE(A1, 0, 8),
    ECALL,
};

static uint32_t table_word(uint32_t at)
{
    return 7 * at + 3;
}

static void put(unsigned char *image, size_t at, uint32_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++, value >>= 8) {
        image[at + i] = (unsigned char)value;
    }
}

static void put_segment(unsigned char *image, size_t at, uint32_t offset, uint32_t address, uint32_t file, uint32_t size, uint32_t flags)
{
    const uint32_t fields[8] = {1, offset, address, address, file, size, flags, IMAGE_PAGE}; // PT_LOAD
    for (size_t i = 0; i < 8; i++) {
        put(image, at + 4 * i, fields[i], 4);
    }
}

void image_make(unsigned char image[IMAGE_PAGES * IMAGE_PAGE])
{
    static const unsigned char ident[7] = {0x7F, 'E', 'L', 'F', 1, 1, 1};
    memset(image, 0, IMAGE_PAGES * IMAGE_PAGE);
    memcpy(image, ident, sizeof ident);
    put(image, 16, 2, 2);   // ET_EXEC
    put(image, 18, 243, 2); // RISC-V
    put(image, 20, 1, 4);
    put(image, 24, IMAGE_TEXT, 4); // where it begins
    put(image, 28, 52, 4);         // where the program headers are
    put(image, 40, 52, 2);
    put(image, 42, 32, 2);
    put(image, 44, 2, 2);
    put_segment(image, 52, IMAGE_PAGE, IMAGE_TEXT, sizeof text, sizeof text, R | X);
    put_segment(image, 84, 2 * IMAGE_PAGE, IMAGE_DATA, 4 * IMAGE_WORDS, 8 * IMAGE_WORDS, R | W);
    for (uint32_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        put(image, IMAGE_PAGE + 4 * i, text[i], 4);
    }
    for (uint32_t i = 0; i < IMAGE_WORDS; i++) {
        put(image, 2 * IMAGE_PAGE + 4 * i, table_word(i), 4);
    }
}

uint32_t image_result(uint32_t arguments)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < IMAGE_WORDS; i++) {
        sum += 2 * table_word(i);
    }
    return sum * arguments;
}
