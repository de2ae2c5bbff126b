// SPDX-License-Identifier: MIT
//
// A program as a linker would have written it: an ELF image for RISC-V, of text and data.
//
// PICTURE  image | ELF header, two program headers | text, from IMAGE_TEXT on | table of IMAGE_WORDS words, from IMAGE_DATA on |
//          space | 0x1000 text r-x | 0x2000 table, then as many zeros, rw- |
// The program: doubles each word of its table into the zeros behind it, and returns the sum of what it wrote, times its number of arguments.
#ifndef EXAMPLE_IMAGE_H
#define EXAMPLE_IMAGE_H

#include <stdint.h>

#define IMAGE_PAGE 256u
#define IMAGE_PAGES 6u
#define IMAGE_WORDS 192u // three pages
#define IMAGE_SIZE (IMAGE_PAGE + IMAGE_PAGE + 4 * IMAGE_WORDS)
#define IMAGE_TEXT 0x1000u
#define IMAGE_DATA 0x2000u

void image_make(unsigned char image[IMAGE_PAGES * IMAGE_PAGE]);
// What the program is to return with so many arguments.
uint32_t image_result(uint32_t arguments);

#endif
