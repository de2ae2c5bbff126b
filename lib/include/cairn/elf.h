// SPDX-License-Identifier: MIT
//
// Programs for a space: reads what an ELF image says is to be mapped, and lays out the stack that a program finds when it begins.
//
// VITALS
//   images        ELF32, little-endian, ARM or RISC-V, ET_EXEC: linked statically, to fixed addresses. At most CAIRN_ELF_SEGMENTS loadable segments among at
//                 most CAIRN_ELF_HEADERS program headers. Section headers are not looked at
//   linking       -static -Wl,-z,max-page-size=P: P is a multiple of the vm's page, and not above the address where the text begins (GNU ld: 0x8000 for Arm,
//                 0x10000 for RISC-V). Where a linker takes 64 KB for Arm unless it is told, the first segment begins in page 0: CAIRN_ELF_ZERO
//   trust         none: whatever the image holds, the answer is an error with its reason, or a layout that can be mapped by pages as it stands
//   memory        none is allocated, no space is touched while an image is read; struct cairn_elf is 200 bytes
//   time          an image: at most 1 + CAIRN_ELF_HEADERS reads, of 52 and 32 bytes; a stack: O(bytes of it)
//   stack         no recursion; less than 210 bytes each, and what `read`, or cairn_space_write, takes
//   threads, ISR  none of its own; a stack: the lock of the vm
#ifndef CAIRN_ELF_H
#define CAIRN_ELF_H

#include "cairn/vm.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAIRN_ELF_SEGMENTS 8u
#define CAIRN_ELF_HEADERS 32u

// What an image may be for, with the numbers that ELF gives them.
#define CAIRN_ELF_ARM 40u
#define CAIRN_ELF_RISCV 243u

// Why an image is refused, and by which field. The ELF header is looked at first, then one program header after the other, then e_entry; what is found first
// is told.
enum cairn_elf_reason {
    CAIRN_ELF_GOOD = 0,
    // What no image may have: CAIRN_ECORRUPT.
    CAIRN_ELF_SHORT,     // the image ends within the ELF header
    CAIRN_ELF_MAGIC,     // it does not begin with 7F 45 4C 46
    CAIRN_ELF_VERSION,   // EI_VERSION or e_version is not 1
    CAIRN_ELF_EHSIZE,    // e_ehsize is not 52
    CAIRN_ELF_PHENTSIZE, // e_phentsize is not 32
    CAIRN_ELF_PHOFF,     // the program headers are not a multiple of 4 behind the beginning, begin within the ELF header, or reach over the image's end
    CAIRN_ELF_FILESZ,    // p_filesz is more than p_memsz
    CAIRN_ELF_OFFSET,    // p_offset and p_filesz reach over the image's end
    CAIRN_ELF_MEMSZ,     // p_vaddr and p_memsz reach over 2^32
    CAIRN_ELF_VADDR,     // p_vaddr is below the end of the segment before it: not ascending, or they overlap
    CAIRN_ELF_ENTRY,     // e_entry is in no executable segment, or where no instruction of the machine can begin
    // What others may run: CAIRN_ENOTSUP.
    CAIRN_ELF_CLASS,     // EI_CLASS: not of 32 bits
    CAIRN_ELF_DATA,      // EI_DATA: not little-endian
    CAIRN_ELF_OSABI,     // EI_OSABI is neither 0 (System V) nor 3 (GNU): FDPIC, say
    CAIRN_ELF_TYPE,      // e_type is not ET_EXEC. ET_DYN is refused also where it is a static PIE: it would have to relocate itself
    CAIRN_ELF_MACHINE,   // e_machine is neither of the two, or not the one that is asked for
    CAIRN_ELF_PHNUM,     // e_phnum is more than CAIRN_ELF_HEADERS
    CAIRN_ELF_INTERP,    // PT_INTERP: needs a dynamic linker
    CAIRN_ELF_DYNAMIC,   // PT_DYNAMIC: the same
    CAIRN_ELF_TLS,       // PT_TLS that is not empty, and the config does not allow it
    CAIRN_ELF_ZERO,      // p_vaddr is in page 0
    CAIRN_ELF_SHARED,    // its first page is also the last of the segment before it
    CAIRN_ELF_LIMIT,     // p_vaddr and p_memsz reach over the config's limit
    CAIRN_ELF_ALIGN,     // p_offset and p_vaddr differ modulo the page, and the config does not allow it
    CAIRN_ELF_MANY,      // more than CAIRN_ELF_SEGMENTS that are to be loaded
    // The read failed: its own error.
    CAIRN_ELF_READ,
};

// Zero means what is said.
struct cairn_elf_config {
    // Bring `size` bytes of the image from `offset` on. The bytes asked for are within `size` below. Returns 0 or an error.
    int (*read)(void *context, uint32_t offset, void *bytes, size_t size);
    void *context;
    uint32_t size;    // bytes of the image
    uint32_t page;    // bytes of a page, a power of two
    uint32_t limit;   // first address that a segment may not have; a multiple of a page, not 0
    uint16_t machine; // CAIRN_ELF_ARM or CAIRN_ELF_RISCV; 0: either
    // False: each segment's p_offset and p_vaddr are congruent modulo the page, so that pages of the image are pages of memory; else CAIRN_ELF_ALIGN.
    // True: that is not looked at. Who maps asks cairn_elf_is_mappable for each segment then, and copies those that are not.
    bool copies;
    bool tls; // true: thread-local data are allowed. The program must set them up itself, as the start-up code of static programs does
};

struct cairn_elf_segment {
    uint32_t address;    // p_vaddr
    uint32_t size;       // p_memsz, not 0. Behind the bytes of the file they are zeros
    uint32_t offset;     // p_offset
    uint32_t file_size;  // p_filesz, at most size
    uint32_t protection; // CAIRN_READ ..., as cairn_space_map takes it: what may be written may be read, too
};

// What is to be mapped.
struct cairn_elf {
    enum cairn_elf_reason reason;
    uint32_t entry;   // e_entry. ARM: bit 0 says Thumb, and is no part of the address
    uint32_t machine; // CAIRN_ELF_ARM, CAIRN_ELF_RISCV
    uint32_t flags;   // e_flags: not judged
    uint32_t headers; // e_phnum
    uint32_t refused; // where it was a program header that is refused: its number, from 0
    uint32_t phdr;    // address of the program headers, where they are part of a segment; 0: they are not
    uint32_t end;     // of the last segment: where the break begins, not rounded to a page
    uint32_t segment_count;
    bool stack_exec;  // a PT_GNU_STACK asks for an executable stack. Where none is there: false
    struct cairn_elf_segment segments[CAIRN_ELF_SEGMENTS];
};

// Read what is to be mapped of an image. If it returns 0, in *elf:
//     1. segment_count is 1 to CAIRN_ELF_SEGMENTS; the segments ascend by address, have no byte and no page in common, and lie between the first page and the
//        limit;
//     2. of each, file_size <= size, and the bytes of the file are within the image; offset and address are congruent modulo the page if `copies` is false;
//     3. the entry is in a segment that may be executed; phdr, if not 0, is the address of all `headers` program headers in the bytes of one segment;
//     4. end is the last segment's address + size, and at most the limit.
// Segments of size 0 are left out. Two segments never share a page, also where they allow the same. Of a page that a segment has in part nobody else has the rest:
// what the image has there may be there, too, but the bytes from address + file_size to address + size must become 0. p_align and p_paddr are not looked at.
// Returns 0; fails with CAIRN_EINVAL iff an argument is NULL, page is not a power of two, or limit is 0 or no multiple of it: then *elf has not changed; else as
// the reason says, with it in elf->reason, in elf->refused the number of the program header that it is about, if it is about one, and 0 in all else.
// O(headers); calls config->read, nothing else.
CAIRN_MUST_CHECK int cairn_elf_read(struct cairn_elf *elf, const struct cairn_elf_config *config);

// Name the field that is wrong, for a person. Returns a constant string, never NULL; "unknown" for a number that is none of the reasons.
const char *cairn_elf_reason_name(uint32_t reason);

// Are pages of the image pages of the segment, for this size of a page? Where there are no bytes of a file, they are.
static inline bool cairn_elf_is_mappable(const struct cairn_elf_segment *segment, uint32_t page)
{
    return segment->file_size == 0 || ((segment->offset ^ segment->address) & (page - 1)) == 0;
}

// ------------------------------------------------------------------------------------------------------------------- the stack

// Zero means none.
struct cairn_stack_config {
    uint32_t top;    // first address behind the stack
    uint32_t lowest; // no byte below is written
    uint32_t page;   // bytes of a page, for AT_PAGESZ
    const struct cairn_elf *elf;    // the program, for AT_PHDR, AT_PHENT, AT_PHNUM (0 where phdr is 0), AT_ENTRY
    const char *const *arguments;   // strings, and a NULL behind the last; NULL: none
    const char *const *environment; // the same
    const unsigned char *random;    // 16 bytes, for AT_RANDOM; NULL: AT_IGNORE stands in its place
};

// Where *sp will be. Returns 0; fails with CAIRN_EINVAL iff an argument is NULL; CAIRN_ENOMEM iff it does not fit: then *sp is anything. elf and random are not looked at.
CAIRN_MUST_CHECK int cairn_stack_measure(const struct cairn_stack_config *config, uint32_t *sp);

// Write what a program finds when it begins, as the System V ABI has it, into a space: from *sp, which is a multiple of 16, upwards
//     argc | an address for each argument | 0 | an address for each string of the environment | 0 | pairs of the auxiliary vector, the last AT_NULL, 0
// in words of 32 bits, little-endian; above them the random bytes and the strings, those of the arguments first, without holes, up to the top. All that takes
// 84 bytes, also where there are no random ones; 4 and its own for each string; and up to 15 to align *sp.
// Returns 0; fails with CAIRN_EINVAL iff space, config, config->elf or sp is NULL, or the space has no vm; CAIRN_ENOMEM iff it does not fit between lowest and
// top: then nothing has been written; with what cairn_space_write answers, which leaves a part of it written there. *sp changes iff 0 is returned.
// O(bytes of the stack): strings are not read further than they fit.
CAIRN_MUST_CHECK int cairn_stack_build(struct cairn_space *space, const struct cairn_stack_config *config, uint32_t *sp);

#ifdef __cplusplus
}
#endif

#endif
