// SPDX-License-Identifier: MIT
//
// OWNS: registers, for as long as it runs.
#include "machine.h"

#define LOAD 0x03u
#define OP_IMM 0x13u
#define STORE 0x23u
#define OP 0x33u
#define LUI 0x37u
#define BRANCH 0x63u
#define SYSTEM 0x73u

struct machine {
    struct cairn_vm *vm;
    uint32_t x[32];
    uint32_t pc;
};

static uint32_t i_immediate(uint32_t word)
{
    return word >> 20 | ((word >> 31) != 0 ? 0xFFFFF000u : 0);
}

static uint32_t b_immediate(uint32_t word)
{
    const uint32_t low = (word >> 8 & 15u) << 1 | (word >> 25 & 63u) << 5 | (word >> 7 & 1u) << 11;
    return low | ((word >> 31) != 0 ? 0xFFFFF000u : 0);
}

// One instruction that is no call. Returns 0 or an error.
static int step(struct machine *machine, uint32_t word)
{
    uint32_t *const x = machine->x;
    const uint32_t rd = word >> 7 & 31u;
    const uint32_t rs1 = word >> 15 & 31u;
    const uint32_t rs2 = word >> 20 & 31u;
    int error = 0;
    switch (word & 0x7Fu) {
    case LUI: x[rd] = word & 0xFFFFF000u; break;
    case OP_IMM: x[rd] = x[rs1] + i_immediate(word); break;
    case OP: x[rd] = x[rs1] + x[rs2]; break;
    case LOAD: error = cairn_vm_load32(machine->vm, x[rs1] + i_immediate(word), &x[rd]); break;
    case STORE: error = cairn_vm_store32(machine->vm, x[rs1] + (i_immediate(word) & ~31u) + rd, x[rs2]); break;
    case BRANCH: machine->pc += x[rs1] != x[rs2] ? b_immediate(word) - 4 : 0; break;
    default: error = CAIRN_ENOTSUP; break;
    }
    x[0] = 0;
    return error;
}

int machine_run(struct cairn_vm *vm, uint32_t entry, uint32_t sp, uint32_t most, uint32_t *result)
{
    struct machine machine = {.vm = vm, .pc = entry};
    machine.x[2] = sp;
    for (; most != 0; most--) {
        uint32_t word;
        int error = cairn_vm_load32(vm, machine.pc, &word);
        if (error != 0) {
            return error;
        }
        machine.pc += 4;
        if (word == SYSTEM) {
            *result = machine.x[10];
            return 0;
        }
        error = step(&machine, word);
        if (error != 0) {
            return error;
        }
    }
    return CAIRN_ENOTSUP;
}
