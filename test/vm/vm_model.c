// SPDX-License-Identifier: MIT
//
// OWNS        vm_model.h says what.
#include "vm_model.h"

#include "vm/frame.h"

#include <string.h>

#define MEMORY 32768u

static _Alignas(4096) uint8_t frames[64 * MODEL_PAGE_MOST];
static _Alignas(8) uint8_t memory[MEMORY];

static uint32_t below(struct vm_model *model, uint32_t n)
{
    uint32_t x = model->seed;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    model->seed = x;
    return (uint32_t)((uint64_t)x * n >> 32);
}

// ------------------------------------------------------------------------------------------------------------------ the store

static bool fails(struct vm_model *model)
{
    model->calls++;
    const bool fail = model->fail_at != 0 && model->calls - model->fail_at < model->fail_for;
    model->failed += fail;
    return fail;
}

static int slot_read(void *context, uint32_t slot, void *page)
{
    struct vm_model *const model = context;
    if (fails(model)) {
        memset(page, 0xEE, model->page);
        return CAIRN_EIO;
    }
    memcpy(page, model->slots[slot], model->page);
    return 0;
}

static int slot_write(void *context, uint32_t slot, const void *page)
{
    struct vm_model *const model = context;
    if (fails(model)) {
        return CAIRN_EIO;
    }
    memcpy(model->slots[slot], page, model->page);
    return 0;
}

static void slot_trim(void *context, uint32_t slot)
{
    struct vm_model *const model = context;
    memset(model->slots[slot], 0xDD, model->page);
}

// ----------------------------------------------------------------------------------------------------------------------- start

bool vm_model_start(struct vm_model *model, const struct vm_model_config *config, uint32_t seed)
{
    memset(model, 0, sizeof *model);
    memset(frames, 0xAA, sizeof frames);
    memset(memory, 0xAA, sizeof memory);
    model->seed = seed | 1;
    model->page = 1u << config->page_shift;
    model->store = (struct cairn_port_store){model, slot_read, slot_write, slot_trim, NULL, model->page, config->slots};
    struct cairn_vm_config made = {.page_shift = config->page_shift,
                                   .levels = config->levels,
                                   .tlb = config->tlb,
                                   .frames = frames,
                                   .frame_count = config->frames,
                                   .memory = memory,
                                   .size = sizeof memory,
                                   .policy = config->policy,
                                   .store = config->slots == 0 ? NULL : &model->store,
                                   .write_through = config->write_through,
                                   .prefetch = config->prefetch ? &cairn_prefetch_streams : NULL};
    for (uint32_t level = 0; level < config->levels; level++) {
        made.bits[level] = config->levels > 1 && level + 1 == config->levels ? 4 : 5;
    }
    if (cairn_vm_init(&model->vm, &made) != 0) {
        return false;
    }
    if (config->far && config->levels > 1) {
        model->far = (cairn_vaddr_t)1 << (config->page_shift + 4 * config->levels);
    }
    for (uint32_t i = 0; i < MODEL_SPACES; i++) {
        if (cairn_space_init(&model->spaces[i], &model->vm) != 0) {
            return false;
        }
    }
    return true;
}

static cairn_vaddr_t address_of(const struct vm_model *model, uint32_t offset)
{
    return offset + (offset / model->page >= MODEL_PAGES / 2 ? model->far : 0);
}

// The lowest of the bytes whose page does not allow an access; `size` if all do. Bytes in a row of the model lie in a row of the space but at its middle.
static uint32_t allowed(const struct vm_model *model, const struct model_truth *truth, uint32_t offset, uint32_t size, uint32_t access)
{
    for (uint32_t i = 0; i < size; i++) {
        const uint32_t page = (offset + i) / model->page;
        if (page >= MODEL_PAGES || (~truth->protection[page] & access) != 0 || truth->protection[page] == 0 || truth->suspended) {
            return i;
        }
    }
    return size;
}

// An offset of so many bytes that do not run over the middle, where addresses leap, or the end.
static uint32_t somewhere(struct vm_model *model, uint32_t size)
{
    const uint32_t half = MODEL_PAGES / 2 * model->page;
    const uint32_t near = below(model, 4) == 0 ? below(model, MODEL_PAGES / 2) * model->page - below(model, 9) : below(model, half);
    const uint32_t offset = near > half - size ? below(model, half - size + 1) : near;
    return offset + (below(model, 2) == 0 ? 0 : half);
}

// ------------------------------------------------------------------------------------------------------------------ operations

// Is this the answer that is due? An access that the model allows may fail only where the store did, or has no room.
static bool is_due(const struct vm_model *model, int error, bool may, uint32_t failed)
{
    if (!may) {
        return error == CAIRN_EFAULT || error == CAIRN_EACCES || error == CAIRN_EBUSY || (error == CAIRN_EIO && model->failed != failed) ||
               error == CAIRN_ENOMEM;
    }
    return error == 0 || (error == CAIRN_EIO && model->failed != failed) || (error == CAIRN_ENOMEM && model->vm.figures.frames_free == 0);
}

static const char *word(struct vm_model *model, uint32_t i)
{
    struct cairn_vm *const vm = &model->vm;
    struct model_truth *const truth = &model->truth[i];
    const uint32_t size = 1u << below(model, 4);
    uint32_t offset = somewhere(model, size);
    offset = below(model, 3) != 0 ? offset & ~(size - 1) : offset;
    const cairn_vaddr_t address = address_of(model, offset);
    const bool store = below(model, 2) != 0;
    const bool may = allowed(model, truth, offset, size, store ? CAIRN_WRITE : CAIRN_READ) == size;
    const uint32_t failed = model->failed;
    union {
        uint8_t bytes[8];
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
    } value;
    int error;
    for (uint32_t b = 0; b < 8; b++) {
        value.bytes[b] = (uint8_t)below(model, 256);
    }
    if (vm->current != &model->spaces[i]) {
        cairn_space_switch(vm, &model->spaces[i]);
    }
    switch (size) {
    case 1: error = store ? cairn_vm_store8(vm, address, value.u8) : cairn_vm_load8(vm, address, &value.u8); break;
    case 2: error = store ? cairn_vm_store16(vm, address, value.u16) : cairn_vm_load16(vm, address, &value.u16); break;
    case 4: error = store ? cairn_vm_store32(vm, address, value.u32) : cairn_vm_load32(vm, address, &value.u32); break;
    default: error = store ? cairn_vm_store64(vm, address, value.u64) : cairn_vm_load64(vm, address, &value.u64); break;
    }
    if (!is_due(model, error, may, failed)) {
        return "a word: its error";
    }
    if (error == 0 && store) {
        memcpy(truth->bytes + offset, value.bytes, size);
    }
    return error == 0 && memcmp(truth->bytes + offset, value.bytes, size) != 0 ? "a word: its bytes" : NULL;
}

// What a byte of a space is, wherever its page is: read past the library, which may have no frame to bring it into.
static uint8_t byte_at(const struct vm_model *model, const struct cairn_space *space, cairn_vaddr_t address)
{
    const pte_t *const pte = cairn_table_walk_(space, address >> model->vm.page_shift);
    const uint32_t at = (uint32_t)address & (model->page - 1);
    if (pte == NULL || *pte == 0) {
        return 0;
    }
    return pte_is_present(*pte) ? frame_memory(&model->vm, pte_number(*pte))[at] : model->slots[pte_number(*pte)][at];
}

static const char *bytes(struct vm_model *model, uint32_t i)
{
    static uint8_t buffer[3 * MODEL_PAGE_MOST];
    struct cairn_space *const space = &model->spaces[i];
    struct model_truth *const truth = &model->truth[i];
    const uint32_t size = below(model, 3 * model->page);
    const uint32_t offset = somewhere(model, size);
    const cairn_vaddr_t address = address_of(model, offset);
    const uint32_t kind = below(model, 4);
    const uint32_t good = allowed(model, truth, offset, size, kind < 2 ? CAIRN_WRITE : CAIRN_READ);
    const uint32_t failed = model->failed;
    const uint8_t byte = (uint8_t)below(model, 256);
    uint8_t *const at = truth->bytes + offset;
    int order = 0;
    int error;
    switch (kind) {
    case 0:
        for (uint32_t b = 0; b < size; b++) {
            buffer[b] = (uint8_t)below(model, 256);
        }
        error = cairn_space_write(space, address, buffer, size);
        break;
    case 1:
        memset(buffer, byte, size);
        error = cairn_space_fill(space, address, byte, size);
        break;
    case 2: error = cairn_space_read(space, buffer, address, size); break;
    default: error = cairn_space_compare(space, address, at, size, &order); break;
    }
    if (!is_due(model, error, good == size, failed)) {
        return "bytes: their error";
    }
    if (kind < 2) { // nothing where a page is not allowed; else all before the page that failed
        uint32_t done = good == size ? size : 0;
        if (good == size && error != 0) {
            done = 0;
            while (done < size && byte_at(model, space, address + done) == buffer[done]) { // the compare at the end sees whether it is one of the two
                done++;
            }
        }
        memcpy(at, buffer, done);
    }
    return error != 0 || kind == 1 ? NULL : kind == 3 ? (order != 0 ? "bytes: compare" : NULL) : memcmp(at, buffer, size) != 0 ? "bytes: read" : NULL;
}

static const char *copy(struct vm_model *model, uint32_t i, uint32_t j)
{
    const uint32_t size = below(model, 2 * model->page);
    const uint32_t from = somewhere(model, size);
    const uint32_t to = somewhere(model, size);
    struct model_truth *const source = &model->truth[i];
    struct model_truth *const target = &model->truth[j];
    if (allowed(model, source, from, size, CAIRN_READ) != size || allowed(model, target, to, size, CAIRN_WRITE) != size || model->fail_at != 0 ||
        model->store.slots != MODEL_SLOTS) {
        return NULL; // where it may stop half-way, the other calls are enough
    }
    const int error = cairn_space_copy(&model->spaces[j], address_of(model, to), &model->spaces[i], address_of(model, from), size);
    if (i == j && address_of(model, to) > address_of(model, from) && address_of(model, to) - address_of(model, from) < size) {
        return error == CAIRN_EINVAL ? NULL : "copy: an overlap";
    }
    if (error != 0) {
        return "copy: its error";
    }
    memmove(target->bytes + to, source->bytes + from, size);
    return NULL;
}

static const char *mapping(struct vm_model *model, uint32_t i)
{
    struct model_truth *const truth = &model->truth[i];
    struct cairn_space *const space = &model->spaces[i];
    struct cairn_mapping *const map = &truth->maps[below(model, MODEL_MAPS)];
    const uint32_t protections[] = {CAIRN_READ, CAIRN_READ | CAIRN_WRITE, CAIRN_READ | CAIRN_WRITE, CAIRN_READ | CAIRN_WRITE | CAIRN_EXEC, CAIRN_EXEC};
    const uint32_t protection = protections[below(model, 5)];
    if (map->pages == 0) {
        const uint32_t first = below(model, MODEL_PAGES);
        const uint32_t half = first < MODEL_PAGES / 2 ? MODEL_PAGES / 2 : MODEL_PAGES;
        const uint32_t pages = 1 + below(model, half - first);
        bool taken = false;
        for (uint32_t p = first; p < first + pages; p++) {
            taken |= truth->protection[p] != 0;
        }
        const int error = cairn_space_map(space, map, address_of(model, first * model->page), pages * model->page, protection);
        if (error != (first == 0 ? CAIRN_EINVAL : taken ? CAIRN_EBUSY : 0)) {
            return "map";
        }
        if (error == 0) {
            memset(truth->protection + first, (int)protection, pages);
        } else {
            map->pages = 0;
        }
        return NULL;
    }
    const uint32_t low = (uint32_t)(map->first >= MODEL_PAGES / 2 && model->far != 0 ? map->first - model->far / model->page : map->first);
    const uint32_t pages = (uint32_t)map->pages;
    if (below(model, 3) == 0) {
        if (cairn_space_unmap(space, map) != 0 || cairn_space_unmap(space, map) != CAIRN_ENOENT) {
            return "unmap";
        }
        memset(truth->protection + low, 0, pages);
        memset(truth->bytes + low * model->page, 0, pages * model->page);
        map->pages = 0;
    } else if (cairn_space_protect(space, map, protection) != 0) {
        return "protect";
    } else {
        memset(truth->protection + low, (int)protection, pages);
    }
    return NULL;
}

static const char *upkeep(struct vm_model *model, uint32_t i)
{
    struct cairn_space *const space = &model->spaces[i];
    struct model_truth *const truth = &model->truth[i];
    const uint32_t failed = model->failed;
    const cairn_vaddr_t address = address_of(model, somewhere(model, 1));
    int error = 0;
    switch (below(model, 6)) {
    case 0: (void)cairn_vm_tick(&model->vm); break;
    case 1: error = cairn_vm_clean(&model->vm, below(model, 4)); break;
    case 2:
        error = cairn_space_suspend(space);
        truth->suspended = error == 0;
        break;
    case 3: cairn_space_flush(space); break;
    case 4: (void)!cairn_space_will_need(space, address); break;
    default: (void)!cairn_space_dont_need(space, address); break;
    }
    if (truth->suspended && below(model, 2) != 0) {
        cairn_space_resume(space);
        truth->suspended = false;
    }
    return error >= 0 || error == CAIRN_ENOMEM || model->failed != failed ? NULL : "upkeep";
}

// End the space and make it again; others come and go meanwhile, so that ASIDs run out.
static const char *renewal(struct vm_model *model, uint32_t i)
{
    struct model_truth *const truth = &model->truth[i];
    if (cairn_space_deinit(&model->spaces[i]) != 0) {
        return "a space does not end";
    }
    memset(truth, 0, sizeof *truth);
    for (uint32_t others = below(model, 16); others != 0; others--) {
        struct cairn_space other;
        if (cairn_space_init(&other, &model->vm) != 0 || cairn_space_deinit(&other) != 0) {
            return "a space comes and goes";
        }
    }
    if (cairn_space_init(&model->spaces[i], &model->vm) != 0) {
        return "a space does not begin";
    }
    const char *wrong = NULL;
    for (uint32_t maps = 0; maps < MODEL_MAPS && wrong == NULL; maps++) {
        wrong = mapping(model, i);
    }
    return wrong;
}

const char *vm_model_step(struct vm_model *model)
{
    const uint32_t i = below(model, MODEL_SPACES);
    const uint32_t kind = below(model, 64);
    model->operations++;
    if (below(model, 128) == 0) {
        return renewal(model, i);
    }
    for (uint32_t s = 0; s < MODEL_SPACES && kind == 63; s++) {
        cairn_space_resume(&model->spaces[s]);
        model->truth[s].suspended = false;
    }
    if (kind < 44) {
        return word(model, i);
    }
    if (kind < 54) {
        return bytes(model, i);
    }
    if (kind < 57) {
        return copy(model, i, below(model, MODEL_SPACES));
    }
    return kind < 60 ? mapping(model, i) : upkeep(model, i);
}

const char *vm_model_compare(struct vm_model *model)
{
    static const char *const rules[] = {"", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8"};
    uint32_t rule;
    if (cairn_vm_check(&model->vm, &rule) != 0) {
        return rules[rule];
    }
    model->fail_at = 0;
    for (uint32_t i = 0; i < MODEL_SPACES; i++) {
        struct model_truth *const truth = &model->truth[i];
        cairn_space_resume(&model->spaces[i]);
        truth->suspended = false;
        for (uint32_t p = 0; p < MODEL_PAGES; p++) {
            int order = 0;
            if ((truth->protection[p] & CAIRN_READ) == 0) {
                continue;
            }
            const int error = cairn_space_compare(&model->spaces[i], address_of(model, p * model->page), truth->bytes + p * model->page, model->page, &order);
            if (error == CAIRN_ENOMEM && model->vm.figures.frames_free == 0) {
                continue; // dirty pages, and nowhere to send one
            }
            if (error != 0 || order != 0) {
                return error != 0 ? "a page cannot be read" : "a page has other bytes";
            }
        }
    }
    return cairn_vm_check(&model->vm, &rule) != 0 ? rules[rule] : NULL;
}

const char *vm_model_end(struct vm_model *model)
{
    uint32_t rule;
    for (uint32_t i = 0; i < MODEL_SPACES; i++) {
        if (cairn_space_deinit(&model->spaces[i]) != 0) {
            return "a space does not end";
        }
    }
    if (cairn_vm_check(&model->vm, &rule) != 0 || model->vm.figures.frames_free != model->vm.frame_count || model->vm.figures.slots_used != 0) {
        return "frames or slots are left";
    }
    return model->vm.figures.table_bytes != 0 ? "tables are left" : NULL;
}
