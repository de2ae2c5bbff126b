// SPDX-License-Identifier: MIT
//
// Fuzz target: bytes as an encoding for the codec of pages, which must keep within the page and within what it may read; and as a page, which must come back.
//
// PICTURE: first byte: which size of page; the rest: the encoding, and the page, repeated as often as it takes.
// OWNS: nothing. CALLERS: libFuzzer; replay.c.
#include "input.h"

#include "vm/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Memory of just so many bytes.
static unsigned char *exactly(size_t size)
{
    unsigned char *const bytes = malloc(size);
    MUST(bytes != NULL);
    memset(bytes, 0xEE, size);
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t sizes[] = {128, 256, 1024, 4096, 132, 16, 20, 33};
    struct input input = {data, size};
    const uint32_t page_size = sizes[input_byte(&input) % 8];
    const uint32_t length = input.left < page_size ? (uint32_t)input.left : page_size;
    unsigned char *const page = exactly(page_size);
    unsigned char *const back = exactly(page_size);
    unsigned char *const encoding = exactly(page_size + CODEC_SLACK);
    unsigned char *const table = exactly(CODEC_TABLE);

    memcpy(encoding, input.at, length);
    (void)cairn_codec_decode_(encoding, length, page, page_size);
    for (uint32_t i = 0; i < page_size; i++) {
        page[i] = length == 0 ? (unsigned char)i : input.at[i % length];
    }
    const uint32_t encoded = cairn_codec_encode_(page, page_size, encoding, page_size, table);
    MUST(encoded <= page_size);
    if (encoded != 0) {
        MUST(cairn_codec_decode_(encoding, encoded, back, page_size) && memcmp(page, back, page_size) == 0);
        MUST(encoded == 1 || !cairn_codec_decode_(encoding, encoded - 1, back, page_size));
    }
    free(page);
    free(back);
    free(encoding);
    free(table);
    return 0;
}
