// SPDX-License-Identifier: MIT
//
// What an ELF image says is to be mapped (System V ABI, chapters 4 and 5; ELF for the Arm Architecture; RISC-V ELF psABI).
//
// OWNS: nothing; fills the caller's struct.
// PICTURE:   image | ELF header, 52 bytes | ... | program headers, 32 bytes each | ... | bytes of segments, in any order, or of several at once
//            One program header at a time is in memory. `end`, the end of the last segment so far, is all that is known of those before it.
// INVARIANTS: 1. An address or an offset is added to only when it is known that the sum is not beyond its end.
//             2. A field is read once: what was checked is what is handed out, whatever the image does meanwhile.
//             3. What elf.h promises of a layout holds for the segments so far, after each program header.
// COST: at most 33 reads. CALLERS: who makes a program of an image, before anything has changed.
#include "cairn/elf.h"

#include <string.h>

#define EHDR 52u // bytes of the ELF header
#define PHDR 32u // and of a program header
#define MAGIC 0x464C457Fu
#define ET_EXEC 2u

#define PT_LOAD 1u
#define PT_DYNAMIC 2u
#define PT_INTERP 3u
#define PT_TLS 7u
#define PT_GNU_STACK 0x6474E551u

#define PF_X 1u
#define PF_W 2u
#define PF_R 4u

_Static_assert(sizeof(struct cairn_elf) == 200, "the public header says so");

static uint32_t half_at(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint32_t word_at(const unsigned char *bytes)
{
    return half_at(bytes) | half_at(bytes + 2) << 16;
}

static enum cairn_elf_reason take_header(struct cairn_elf *elf, const struct cairn_elf_config *config, const unsigned char *header)
{
    if (word_at(header) != MAGIC) {
        return CAIRN_ELF_MAGIC;
    }
    if (header[4] != 1) {
        return CAIRN_ELF_CLASS;
    }
    if (header[5] != 1) {
        return CAIRN_ELF_DATA;
    }
    if (header[6] != 1 || word_at(header + 20) != 1) {
        return CAIRN_ELF_VERSION;
    }
    if (header[7] != 0 && header[7] != 3) {
        return CAIRN_ELF_OSABI;
    }
    if (half_at(header + 16) != ET_EXEC) {
        return CAIRN_ELF_TYPE;
    }
    elf->machine = half_at(header + 18);
    if ((elf->machine != CAIRN_ELF_ARM && elf->machine != CAIRN_ELF_RISCV) || (config->machine != 0 && elf->machine != config->machine)) {
        return CAIRN_ELF_MACHINE;
    }
    if (half_at(header + 40) != EHDR) {
        return CAIRN_ELF_EHSIZE;
    }
    if (half_at(header + 42) != PHDR) {
        return CAIRN_ELF_PHENTSIZE;
    }
    elf->headers = half_at(header + 44);
    if (elf->headers > CAIRN_ELF_HEADERS) {
        return CAIRN_ELF_PHNUM;
    }
    const uint32_t table = word_at(header + 28);
    if (table % 4 != 0 || table < EHDR || table > config->size || PHDR * elf->headers > config->size - table) {
        return CAIRN_ELF_PHOFF;
    }
    elf->entry = word_at(header + 24);
    elf->flags = word_at(header + 36);
    elf->end = config->page;
    return CAIRN_ELF_GOOD;
}

// May a segment that is not empty come behind those so far?
static enum cairn_elf_reason check_segment(const struct cairn_elf *elf, const struct cairn_elf_config *config, const struct cairn_elf_segment *segment)
{
    if (segment->file_size != 0 && (segment->offset > config->size || segment->file_size > config->size - segment->offset)) {
        return CAIRN_ELF_OFFSET;
    }
    if (segment->size - 1 > ~segment->address) {
        return CAIRN_ELF_MEMSZ;
    }
    if (segment->address < config->page) {
        return CAIRN_ELF_ZERO;
    }
    if (segment->address < elf->end) {
        return CAIRN_ELF_VADDR;
    }
    if ((segment->address & (0 - config->page)) < elf->end) {
        return CAIRN_ELF_SHARED;
    }
    if (segment->address > config->limit || segment->size > config->limit - segment->address) {
        return CAIRN_ELF_LIMIT;
    }
    if (!config->copies && !cairn_elf_is_mappable(segment, config->page)) {
        return CAIRN_ELF_ALIGN;
    }
    return elf->segment_count == CAIRN_ELF_SEGMENTS ? CAIRN_ELF_MANY : CAIRN_ELF_GOOD;
}

// table: where the program headers begin in the image.
static enum cairn_elf_reason take_segment(struct cairn_elf *elf, const struct cairn_elf_config *config, const unsigned char *header, uint32_t table)
{
    const uint32_t flags = word_at(header + 24);
    const struct cairn_elf_segment segment = {
        .address = word_at(header + 8),
        .size = word_at(header + 20),
        .offset = word_at(header + 4),
        .file_size = word_at(header + 16),
        .protection = ((flags & (PF_R | PF_W)) != 0 ? CAIRN_READ : 0) | ((flags & PF_W) != 0 ? CAIRN_WRITE : 0) | ((flags & PF_X) != 0 ? CAIRN_EXEC : 0)};
    if (segment.file_size > segment.size) {
        return CAIRN_ELF_FILESZ;
    }
    if (segment.size == 0) {
        return CAIRN_ELF_GOOD;
    }
    const enum cairn_elf_reason reason = check_segment(elf, config, &segment);
    if (reason != CAIRN_ELF_GOOD) {
        return reason;
    }
    elf->segments[elf->segment_count++] = segment;
    elf->end = segment.address + segment.size;
    // Where the table begins before the segment's bytes, the difference wraps and is too large.
    if (PHDR * elf->headers <= segment.file_size && table - segment.offset <= segment.file_size - PHDR * elf->headers) {
        elf->phdr = segment.address + (table - segment.offset);
    }
    return CAIRN_ELF_GOOD;
}

static enum cairn_elf_reason take_program_header(struct cairn_elf *elf, const struct cairn_elf_config *config, const unsigned char *header, uint32_t table)
{
    switch (word_at(header)) {
    case PT_LOAD: return take_segment(elf, config, header, table);
    case PT_DYNAMIC: return CAIRN_ELF_DYNAMIC;
    case PT_INTERP: return CAIRN_ELF_INTERP;
    case PT_TLS: return word_at(header + 20) == 0 || config->tls ? CAIRN_ELF_GOOD : CAIRN_ELF_TLS;
    case PT_GNU_STACK: elf->stack_exec = (word_at(header + 24) & PF_X) != 0; return CAIRN_ELF_GOOD;
    default: return CAIRN_ELF_GOOD;
    }
}

static enum cairn_elf_reason check_entry(const struct cairn_elf *elf)
{
    const bool arm = elf->machine == CAIRN_ELF_ARM;
    const uint32_t address = arm ? elf->entry & ~1u : elf->entry;
    if (arm ? (elf->entry & 3) == 2 : (elf->entry & 1) != 0) { // ARM: an instruction of 4 bytes; RISC-V: half of one
        return CAIRN_ELF_ENTRY;
    }
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct cairn_elf_segment *const segment = &elf->segments[i];
        if ((segment->protection & CAIRN_EXEC) != 0 && address - segment->address < segment->size) {
            return CAIRN_ELF_GOOD;
        }
    }
    return CAIRN_ELF_ENTRY;
}

int cairn_elf_read(struct cairn_elf *elf, const struct cairn_elf_config *config)
{
    if (elf == NULL || config == NULL || config->read == NULL || config->limit == 0 || (config->page & (config->page - 1)) != 0 ||
        (config->limit & (config->page - 1)) != 0) { // a page of 0 bytes has no multiple but 0
        return CAIRN_EINVAL;
    }
    unsigned char bytes[EHDR];
    enum cairn_elf_reason reason = CAIRN_ELF_SHORT;
    int error = 0;
    uint32_t header = 0;
    memset(elf, 0, sizeof *elf);
    if (config->size >= EHDR) {
        error = config->read(config->context, 0, bytes, EHDR);
        reason = error != 0 ? CAIRN_ELF_READ : take_header(elf, config, bytes);
        const uint32_t table = word_at(bytes + 28);
        for (; reason == CAIRN_ELF_GOOD && header < elf->headers; header++) {
            error = config->read(config->context, table + PHDR * header, bytes, PHDR);
            reason = error != 0 ? CAIRN_ELF_READ : take_program_header(elf, config, bytes, table);
        }
        if (reason == CAIRN_ELF_GOOD) {
            header = 0;
            reason = check_entry(elf);
        }
    }
    if (reason != CAIRN_ELF_GOOD) {
        error = reason == CAIRN_ELF_READ ? error : reason >= CAIRN_ELF_CLASS ? CAIRN_ENOTSUP : CAIRN_ECORRUPT;
        memset(elf, 0, sizeof *elf);
        elf->reason = reason;
        elf->refused = header == 0 ? 0 : header - 1;
    }
    return error;
}
