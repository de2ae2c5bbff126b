// SPDX-License-Identifier: MIT
//
// The names of what an ELF image is refused for.
// OWNS: constant strings, which a program has only if it asks for one. COST: O(1). CALLERS: anybody, any context.
#include "cairn/elf.h"

const char *cairn_elf_reason_name(uint32_t reason)
{
    switch (reason) {
    case CAIRN_ELF_GOOD: return "good";
    case CAIRN_ELF_SHORT: return "image: shorter than its header";
    case CAIRN_ELF_MAGIC: return "e_ident: no ELF image";
    case CAIRN_ELF_VERSION: return "e_version: not 1";
    case CAIRN_ELF_EHSIZE: return "e_ehsize: not 52";
    case CAIRN_ELF_PHENTSIZE: return "e_phentsize: not 32";
    case CAIRN_ELF_PHOFF: return "e_phoff: not within the image";
    case CAIRN_ELF_FILESZ: return "p_filesz: more than p_memsz";
    case CAIRN_ELF_OFFSET: return "p_offset, p_filesz: not within the image";
    case CAIRN_ELF_MEMSZ: return "p_memsz: beyond 2^32";
    case CAIRN_ELF_VADDR: return "p_vaddr: below the end of the segment before";
    case CAIRN_ELF_ENTRY: return "e_entry: no instruction can be there";
    case CAIRN_ELF_CLASS: return "EI_CLASS: not 32 bits";
    case CAIRN_ELF_DATA: return "EI_DATA: not little-endian";
    case CAIRN_ELF_OSABI: return "EI_OSABI: neither System V nor GNU";
    case CAIRN_ELF_TYPE: return "e_type: not ET_EXEC";
    case CAIRN_ELF_MACHINE: return "e_machine: another machine";
    case CAIRN_ELF_PHNUM: return "e_phnum: too many program headers";
    case CAIRN_ELF_INTERP: return "PT_INTERP: not static";
    case CAIRN_ELF_DYNAMIC: return "PT_DYNAMIC: not static";
    case CAIRN_ELF_TLS: return "PT_TLS: thread-local data";
    case CAIRN_ELF_ZERO: return "p_vaddr: in page 0";
    case CAIRN_ELF_SHARED: return "p_vaddr: shares a page with the segment before";
    case CAIRN_ELF_LIMIT: return "p_vaddr, p_memsz: beyond the limit";
    case CAIRN_ELF_ALIGN: return "p_offset, p_vaddr: differ modulo the page";
    case CAIRN_ELF_MANY: return "PT_LOAD: too many segments";
    case CAIRN_ELF_READ: return "image: cannot be read";
    default: return "unknown";
    }
}
