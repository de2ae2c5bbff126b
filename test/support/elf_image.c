// SPDX-License-Identifier: MIT
//
// OWNS        elf_image.h says what.
#include "elf_image.h"

#include <string.h>

#define TWO32 ((uint64_t)1 << 32)

void elf_image_put(unsigned char *image, uint32_t offset, uint32_t width, uint32_t value)
{
    for (uint32_t i = 0; i < width; i++) {
        image[offset + i] = (unsigned char)(value >> 8 * i);
    }
}

uint32_t elf_image_get(const unsigned char *image, uint32_t offset, uint32_t width)
{
    uint32_t value = 0;
    for (uint32_t i = width; i-- != 0;) {
        value = value << 8 | image[offset + i];
    }
    return value;
}

void elf_image_make(unsigned char image[IMAGE_SIZE], uint32_t machine)
{
    // type, offset, vaddr, paddr, filesz, memsz, flags, align
    static const uint32_t headers[IMAGE_HEADERS][8] = {
        {0x70000001, 0xF4, 0x10F4, 0x10F4, 8, 8, 4, 4},
        {1, 0, 0x1000, 0x1000, 0x100, 0x100, 5, 0x80},
        {1, 0x110, 0x1190, 0x1190, 0x20, 0x90, 6, 0x80},
        {0x6474E551, 0, 0, 0, 0, 0, 6, 16},
        {7, 0x130, 0x1220, 0x1220, 0, 0, 4, 4},
        {1, 0x130, 0, 0, 0, 0, 6, 4},
    };
    static const unsigned char ident[16] = {0x7F, 'E', 'L', 'F', 1, 1, 1, 0};
    memset(image, 0xC3, IMAGE_SIZE);
    memset(image, 0, 52);
    memcpy(image, ident, sizeof ident);
    elf_image_put(image, E_TYPE, 2, 2);
    elf_image_put(image, E_MACHINE, 2, machine);
    elf_image_put(image, E_VERSION, 4, 1);
    elf_image_put(image, E_ENTRY, 4, machine == CAIRN_ELF_ARM ? 0x10F5 : 0x10F6);
    elf_image_put(image, E_PHOFF, 4, 52);
    elf_image_put(image, E_FLAGS, 4, machine == CAIRN_ELF_ARM ? 0x05000200 : 1);
    elf_image_put(image, E_EHSIZE, 2, 52);
    elf_image_put(image, E_PHENTSIZE, 2, 32);
    elf_image_put(image, E_PHNUM, 2, IMAGE_HEADERS);
    for (uint32_t i = 0; i < IMAGE_HEADERS; i++) {
        for (uint32_t field = 0; field < 8; field++) {
            elf_image_put(image, IMAGE_FIELD(i, 4 * field), 4, headers[i][field]);
        }
    }
}

void elf_image_make_large(unsigned char image[IMAGE_LARGE], uint32_t headers, uint32_t loads)
{
    elf_image_make(image, CAIRN_ELF_ARM);
    memset(image + 52, 0, IMAGE_LARGE - 52);
    elf_image_put(image, E_PHNUM, 2, headers);
    elf_image_put(image, E_ENTRY, 4, 0x1000);
    for (uint32_t i = 0; i < headers; i++) {
        elf_image_put(image, IMAGE_FIELD(i, P_TYPE), 4, i < loads ? 1 : 4);
        elf_image_put(image, IMAGE_FIELD(i, P_VADDR), 4, 0x1000 + i * IMAGE_PAGE);
        elf_image_put(image, IMAGE_FIELD(i, P_MEMSZ), 4, i == 1 ? 1 : IMAGE_PAGE);
        elf_image_put(image, IMAGE_FIELD(i, P_FLAGS), 4, 5);
    }
}

// ------------------------------------------------------------------------------------------------------------------ the oracle

struct load {
    uint64_t offset, address, file, size;
    uint32_t flags;
};

static struct load load_of(const unsigned char *image, uint32_t at)
{
    return (struct load){elf_image_get(image, at + P_OFFSET, 4), elf_image_get(image, at + P_VADDR, 4), elf_image_get(image, at + P_FILESZ, 4),
                         elf_image_get(image, at + P_MEMSZ, 4), elf_image_get(image, at + P_FLAGS, 4)};
}

static bool is_load(const unsigned char *image, uint32_t at)
{
    return elf_image_get(image, at, 4) == 1 && !(elf_image_get(image, at + P_MEMSZ, 4) == 0 && elf_image_get(image, at + P_FILESZ, 4) == 0);
}

static bool header_is_good(const unsigned char *image, const struct cairn_elf_config *config)
{
    static const unsigned char begin[7] = {0x7F, 'E', 'L', 'F', 1, 1, 1};
    if (config->size < 52 || memcmp(image, begin, sizeof begin) != 0 || (image[7] & ~3u) != 0 || image[7] == 1 || image[7] == 2) {
        return false;
    }
    const uint32_t machine = elf_image_get(image, E_MACHINE, 2);
    if ((config->machine == 0 ? machine != 40 && machine != 243 : machine != config->machine) || elf_image_get(image, E_TYPE, 2) != 2 ||
        elf_image_get(image, E_VERSION, 4) != 1 || elf_image_get(image, E_EHSIZE, 2) != 52 || elf_image_get(image, E_PHENTSIZE, 2) != 32) {
        return false;
    }
    const uint64_t table = elf_image_get(image, E_PHOFF, 4);
    const uint32_t count = elf_image_get(image, E_PHNUM, 2);
    return count <= 32 && table >= 52 && (table & 3) == 0 && table + (uint64_t)count * 32 <= config->size;
}

static bool load_is_good(const struct load *load, const struct cairn_elf_config *config)
{
    const bool inside = load->file == 0 || load->offset + load->file <= config->size;
    const bool congruent = load->file == 0 || config->copies || load->offset % config->page == load->address % config->page;
    return inside && congruent && load->file <= load->size && load->address >= config->page && load->address + load->size <= config->limit;
}

// Is `next` behind it, on pages of its own?
static bool is_behind(const struct load *load, const struct load *next, uint32_t page)
{
    return (load->address + load->size - 1) / page < next->address / page;
}

static bool entry_is_good(const unsigned char *image, const struct load *load)
{
    uint64_t entry = elf_image_get(image, E_ENTRY, 4);
    if (elf_image_get(image, E_MACHINE, 2) == 40) {
        if (entry % 4 == 2) {
            return false;
        }
        entry -= entry % 2;
    }
    return entry % 2 == 0 && (load->flags & 1) != 0 && load->address <= entry && entry < load->address + load->size;
}

bool elf_image_is_good(const unsigned char *image, const struct cairn_elf_config *config)
{
    struct load before = {0, 0, 0, 1, 0}; // page 0
    uint32_t loads = 0;
    bool entry = false;
    if (!header_is_good(image, config)) {
        return false;
    }
    for (uint32_t i = 0; i < elf_image_get(image, E_PHNUM, 2); i++) {
        const uint32_t at = elf_image_get(image, E_PHOFF, 4) + 32 * i;
        const uint32_t type = elf_image_get(image, at, 4);
        if (type == 2 || type == 3 || (type == 7 && !config->tls && elf_image_get(image, at + P_MEMSZ, 4) != 0)) {
            return false;
        }
        if (is_load(image, at)) {
            const struct load load = load_of(image, at);
            if (++loads > 8 || !load_is_good(&load, config) || !is_behind(&before, &load, config->page)) {
                return false;
            }
            entry = entry || entry_is_good(image, &load);
            before = load;
        }
    }
    return entry;
}

// --------------------------------------------------------------------------------------------------------------- what was read

static bool segment_is(const struct cairn_elf_segment *segment, const struct load *load)
{
    const uint32_t protection = ((load->flags & 6) != 0 ? CAIRN_READ : 0) | ((load->flags & 2) != 0 ? CAIRN_WRITE : 0) | ((load->flags & 1) != 0 ? CAIRN_EXEC : 0);
    return segment->address == load->address && segment->size == load->size && segment->offset == load->offset && segment->file_size == load->file &&
           segment->protection == protection;
}

static const char *layout_wrong(const unsigned char *image, const struct cairn_elf_config *config, const struct cairn_elf *elf)
{
    const uint32_t table = elf_image_get(image, E_PHOFF, 4);
    uint64_t phdr = 0;
    uint32_t found = 0;
    bool stack_exec = false;
    struct load load = {0};
    for (uint32_t i = 0; i < elf->headers; i++) {
        if (elf_image_get(image, table + 32 * i, 4) == 0x6474E551) {
            stack_exec = (elf_image_get(image, table + 32 * i + P_FLAGS, 4) & 1) != 0;
        }
        if (!is_load(image, table + 32 * i)) {
            continue;
        }
        load = load_of(image, table + 32 * i);
        if (found >= elf->segment_count || !segment_is(&elf->segments[found++], &load)) {
            return "a segment is not the image's";
        }
        if (load.offset <= table && table + 32 * elf->headers <= load.offset + load.file) {
            phdr = load.address + table - load.offset;
        }
    }
    return elf->segment_count != found                           ? "not all segments"
           : elf->end != load.address + load.size                ? "end"
           : elf->phdr != phdr                                   ? "phdr"
           : elf->stack_exec != stack_exec                       ? "stack_exec"
           : elf->end > config->limit                            ? "beyond the limit"
           : load.address + load.size > TWO32                    ? "beyond 2^32"
                                                                 : NULL;
}

static const char *refusal_wrong(const struct cairn_elf *elf, int error)
{
    static const struct cairn_elf nothing; // its padding is 0, too
    struct cairn_elf rest;
    const int should = elf->reason >= CAIRN_ELF_CLASS ? CAIRN_ENOTSUP : CAIRN_ECORRUPT;
    memcpy(&rest, elf, sizeof rest);
    rest.reason = CAIRN_ELF_GOOD;
    rest.refused = 0;
    if (elf->reason == CAIRN_ELF_GOOD || elf->reason >= CAIRN_ELF_READ || error != should) {
        return "the error is not the reason's";
    }
    return memcmp(&rest, &nothing, sizeof rest) != 0 ? "refused, and something is left" : NULL;
}

const char *elf_image_wrong(const unsigned char *image, const struct cairn_elf_config *config, const struct cairn_elf *elf, int error)
{
    const bool good = elf_image_is_good(image, config);
    if (error != 0) {
        return good ? "a good image is refused" : refusal_wrong(elf, error);
    }
    if (!good) {
        return "a bad image is accepted";
    }
    if (elf->reason != CAIRN_ELF_GOOD || elf->refused != 0 || elf->headers != elf_image_get(image, E_PHNUM, 2) ||
        elf->machine != elf_image_get(image, E_MACHINE, 2) || elf->flags != elf_image_get(image, E_FLAGS, 4) ||
        elf->entry != elf_image_get(image, E_ENTRY, 4)) {
        return "not what the ELF header says";
    }
    return layout_wrong(image, config, elf);
}
