// SPDX-License-Identifier: MIT
//
// exec: a space becomes that of another program, whose image is an object: its pages come in when they are touched.
//
// VITALS
//   image         as elf.h says; each segment at an offset that is its address modulo the page
//   memory        up to two mappings a segment, and two; frames for the end of the data and for the stack's top. The vm's
//   time          O(what was mapped before), O(headers), O(bytes of arguments and environment)
//   threads, ISR  as vm.h
#ifndef CAIRN_EXEC_H
#define CAIRN_EXEC_H

#include "cairn/elf.h"
#include "cairn/object.h"

#ifdef __cplusplus
extern "C" {
#endif

// Zero means the default, but for image and size.
struct cairn_exec_config {
    struct cairn_object *image;
    uint32_t size;                         // bytes of the image, at most the object's
    uint16_t machine;                      // CAIRN_ELF_ARM, CAIRN_ELF_RISCV; 0: either
    bool tls;                              // as in cairn_elf_config
    uint32_t stack;                        // bytes that the stack may have, a multiple of a page; 0: 16 pages
    const char *const *arguments;          // as in cairn_stack_config
    const char *const *environment;
    const unsigned char *random;
};

// What the program begins with.
struct cairn_exec {
    struct cairn_elf elf; // entry, end, machine; where the image is refused: the reason
    uint32_t sp;
};

// Drop what the space has mapped, and map the image: text and data from the object, on demand, private where they can be written; zeros behind them; then the break.
// At the end of the space (but below 2^32) a stack, which grows down to a guard; on it arguments, environment and auxiliary vector as the System V ABI has them.
// Returns 0. Fails with CAIRN_EINVAL iff an argument is NULL or out of range, or the image is in another vm; as cairn_elf_read, and with the reason, iff the image
// is refused; CAIRN_EACCES iff the image does not allow the space to read it, or to show it as a segment wants; CAIRN_EBUSY iff a page of the space is pinned, or it is
// suspended; CAIRN_ENOMEM iff there is no memory for mappings, the vm has promised all that it can, or arguments and environment do not fit on the stack: in all these
// cases nothing has changed. With CAIRN_ENOMEM for frames or tables, or the store's error, the space is left with nothing mapped, and no break. An image that was removed
// (cairn_shared_remove) ends with its last mapping, but not before it has taken the place of what was mapped.
CAIRN_MUST_CHECK int cairn_space_exec(struct cairn_space *space, const struct cairn_exec_config *config, struct cairn_exec *program);

#ifdef __cplusplus
}
#endif

#endif
