// SPDX-License-Identifier: MIT
//
// Fuzz target: bytes from outside as an image for cairn_elf_read. What it answers must be what the oracle of elf_image.h says.
//
// PICTURE: first byte 128 and more: the rest, behind 3 bytes of configuration, is the image. Below: one of the two of elf_image.h,
//          cut, and with fields changed.
// OWNS: which reasons were reached. CALLERS: libFuzzer; replay.c, which asks what a corpus has missed.
#include "elf_image.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *fuzz_missed(void);

static bool is_reached[CAIRN_ELF_READ];

struct source {
    const unsigned char *image;
    uint32_t size;
    uint32_t reads;
};

static int source_read(void *context, uint32_t offset, void *bytes, size_t size)
{
    struct source *const source = context;
    MUST(size <= source->size && offset <= source->size - size && ++source->reads <= 1 + CAIRN_ELF_HEADERS);
    memcpy(bytes, source->image + offset, size);
    return 0;
}

// Three bytes say what is allowed.
static struct cairn_elf_config config_of(uint8_t what, struct input *input)
{
    const uint32_t page = 1u << input_byte(input) % 13;
    const uint32_t limit = input_half(input) << 16 | 0xF000; // mostly high
    return (struct cairn_elf_config){
        .read = source_read,
        .page = page,
        .limit = (what & 2) != 0 ? 0x8000 : limit,
        .machine = (what & 4) == 0 ? 0 : (what & 8) != 0 ? CAIRN_ELF_RISCV : CAIRN_ELF_ARM,
        .copies = (what & 16) != 0,
        .tls = (what & 32) != 0,
    };
}

static void change(unsigned char *image, struct input *input)
{
    while (input->left != 0) {
        const uint32_t what = input_byte(input);
        const uint32_t at = what % 61 * 4; // up to the last program header's last word
        const uint32_t low = input_half(input);
        const uint32_t value = (what & 128) != 0 ? low | input_half(input) << 16 : low;
        elf_image_put(image, at, 4, (what & 64) != 0 ? elf_image_get(image, at, 4) + value : value);
    }
}

// In memory from malloc that ends where the image ends, unless it is cut.
static unsigned char *image_of(uint8_t what, struct cairn_elf_config *config, struct input *input)
{
    const bool large = (what & 64) != 0;
    const uint32_t whole = what >= 128 ? (uint32_t)input->left : large ? IMAGE_LARGE : IMAGE_SIZE;
    unsigned char *const image = malloc(whole + 1);
    MUST(image != NULL);
    config->size = whole;
    if (what >= 128) {
        memcpy(image, input->at, whole);
        return image;
    }
    if (large) {
        const uint32_t loads = input_byte(input) % 10;
        elf_image_make_large(image, input_byte(input) % (IMAGE_LARGE_HEADERS + 1), loads);
    } else {
        elf_image_make(image, (what & 1) != 0 ? CAIRN_ELF_RISCV : CAIRN_ELF_ARM);
    }
    if (input_byte(input) == 7) {
        config->size -= input_half(input) % whole;
    }
    change(image, input);
    return image;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct cairn_elf elf;
    const uint8_t what = input_byte(&input);
    struct cairn_elf_config config = config_of(what, &input);
    unsigned char *const image = image_of(what, &config, &input);
    struct source source = {image, config.size, 0};
    config.context = &source;
    memset(&elf, what, sizeof elf);
    const int error = cairn_elf_read(&elf, &config);
    const char *const wrong = elf_image_wrong(image, &config, &elf, error);
    if (wrong != NULL) {
        fprintf(stderr, "%s; reason: %s\n", wrong, cairn_elf_reason_name((uint32_t)elf.reason));
    }
    MUST(wrong == NULL);
    is_reached[elf.reason] = true;
    free(image);
    return 0;
}

// The floor of a corpus: each reason, and an image that is accepted, is in it. Returns NULL, or the name of what is not.
const char *fuzz_missed(void)
{
    for (uint32_t reason = 0; reason < CAIRN_ELF_READ; reason++) {
        if (!is_reached[reason]) {
            return cairn_elf_reason_name(reason);
        }
    }
    return NULL;
}
