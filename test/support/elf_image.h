// SPDX-License-Identifier: MIT
//
// An ELF image to be changed, and what is true of an image and of what was read of it.
//
// OWNS        the layout of the image; an oracle that is written apart from the reader: in 64 bits, rule by rule, over the whole image at once.
// PICTURE     pages of 128 bytes
//             image    0 | ELF header | 52 | 6 program headers | 244 | bytes | 304
//             memory   0x1000 text, 256 bytes of the file, r-x, the headers in it | 0x1190 data, 32 bytes of the file, and zeros up to 0x1220, rw-
//             headers  0 PT_ARM_EXIDX  1 text  2 data  3 PT_GNU_STACK rw-  4 PT_TLS, empty  5 PT_LOAD, empty
// CALLERS     test_elf, fuzz_elf.
#ifndef CAIRN_TEST_ELF_IMAGE_H
#define CAIRN_TEST_ELF_IMAGE_H

#include "cairn/elf.h"

#define IMAGE_SIZE 304u
#define IMAGE_PAGE 128u
#define IMAGE_LIMIT 0x8000u
#define IMAGE_HEADERS 6u
#define IMAGE_TEXT 1u // headers
#define IMAGE_DATA 2u
#define IMAGE_STACK 3u
#define IMAGE_TLS 4u
#define IMAGE_EMPTY 5u
#define IMAGE_LARGE_HEADERS 33u
#define IMAGE_LARGE (52u + 32u * IMAGE_LARGE_HEADERS) // bytes

// Offsets of fields.
enum { E_TYPE = 16, E_MACHINE = 18, E_VERSION = 20, E_ENTRY = 24, E_PHOFF = 28, E_FLAGS = 36, E_EHSIZE = 40, E_PHENTSIZE = 42, E_PHNUM = 44 };
enum { P_TYPE = 0, P_OFFSET = 4, P_VADDR = 8, P_FILESZ = 16, P_MEMSZ = 20, P_FLAGS = 24 };
#define IMAGE_FIELD(header, field) (52u + 32u * (header) + (field))

void elf_image_make(unsigned char image[IMAGE_SIZE], uint32_t machine);
// Program headers, the first `loads` of them for a page of zeros each, from 0x1000 on; the rest are notes. ARM, the entry is the first.
void elf_image_make_large(unsigned char image[IMAGE_LARGE], uint32_t headers, uint32_t loads);
void elf_image_put(unsigned char *image, uint32_t offset, uint32_t width, uint32_t value); // little-endian
uint32_t elf_image_get(const unsigned char *image, uint32_t offset, uint32_t width);

// May it be accepted?
bool elf_image_is_good(const unsigned char *image, const struct cairn_elf_config *config);

// What the reader answered for an image, whose read did not fail. Returns NULL, or what is wrong with the answer.
const char *elf_image_wrong(const unsigned char *image, const struct cairn_elf_config *config, const struct cairn_elf *elf, int error);

#endif
