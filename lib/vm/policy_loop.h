// SPDX-License-Identifier: MIT
//
// The policy for programs that go round a loop larger than memory: one of those that `adaptive` tries.
// OWNS: nothing. COST, CALLERS: as policy_loop.c says.
#ifndef CAIRN_VM_POLICY_LOOP_H
#define CAIRN_VM_POLICY_LOOP_H

#include "cairn/policy.h"

extern const struct cairn_policy cairn_policy_loop_;

#endif
