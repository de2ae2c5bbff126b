// SPDX-License-Identifier: MIT
//
// A trace of pages run in a vm of the library.
//
// COST        what the vm costs.
// CALLERS     page_run, where there is a TLB.
#ifndef CAIRN_PORT_PAGE_VM_H
#define CAIRN_PORT_PAGE_VM_H

#include "page_run.h"

// pre: run->tlb is a power of two from 4 to 1024, a page of the trace 128 to 4096 bytes. Returns false, and complains, iff memory is out or the vm is broken.
bool page_vm_run(struct page_run *run);

#endif
