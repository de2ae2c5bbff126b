// SPDX-License-Identifier: MIT
//
// OWNS        of share_model.h, the comparison, which looks where the vm has its pages and touches none, and the end.
#include "share_model.h"

#include "vm/share.h"

#include <string.h>

// ---------------------------------------------------------------------------------------------------------------------- compare

static const uint8_t *peek_pte(const struct share_model *model, pte_t pte)
{
    static const uint8_t zeros[SHARE_PAGE_MOST];
    return pte_is_present(pte) ? frame_memory(&model->vm, pte_number(pte)) : pte_is_swapped(pte) ? model->slots + (pte_number(pte) + 1) * model->page : zeros;
}

static pte_t pte_of(const struct cairn_space *space, uint32_t page)
{
    const pte_t *const pte = cairn_table_walk_(space, page);
    return pte == NULL ? 0 : *pte;
}

static const uint8_t *peek_object(const struct share_model *model, uint32_t o, uint32_t page)
{
    const struct share_object *const its = &model->objects[o];
    const pte_t pte = pte_of(&its->object.pages, page);
    return pte == 0 && its->has_store ? its->stored + (its->first + page + 1) * model->page : peek_pte(model, pte);
}

const uint8_t *share_peek(const struct share_model *model, uint32_t i, uint32_t page)
{
    const struct share_page *const its = &model->truth[i].page[page];
    const pte_t pte = pte_of(&model->spaces[i], page);
    if (its->kind == PAGE_DIRECT) {
        return model->direct + its->at * model->page;
    }
    if (pte == 0 && its->kind == PAGE_OBJECT) {
        return peek_object(model, its->object, its->at);
    }
    return peek_pte(model, pte_is_shared(pte) ? table_record(&model->vm, pte_number(pte))->pte : pte);
}

static const char *compare_objects(struct share_model *model)
{
    for (uint32_t o = 0; o <= SHARE_IMAGE; o++) {
        const struct share_object *const its = &model->objects[o];
        for (uint32_t page = 0; its->exists && page < its->pages; page++) {
            const uint8_t *const bytes = its->bytes + page * model->page;
            const pte_t pte = pte_of(&its->object.pages, page);
            const struct cairn_frame *const frame = pte_is_present(pte) ? &model->vm.table[pte_number(pte)] : NULL;
            if (memcmp(peek_object(model, o, page), bytes, model->page) != 0) {
                return "an object's bytes";
            }
            if (its->has_store && (frame == NULL || (frame->flags & FRAME_DIRTY) == 0) &&
                memcmp(its->stored + (its->first + page + 1) * model->page, bytes, model->page) != 0) {
                return "an object's store";
            }
        }
    }
    return NULL;
}

const char *share_model_compare(struct share_model *model)
{
    static const char *const rules[] = {"", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9", "V10"};
    uint32_t rule;
    if (cairn_vm_check(&model->vm, &rule) != 0) {
        return rules[rule];
    }
    if (!share_is_untouched(model)) {
        return "bytes that are nobody's";
    }
    for (uint32_t i = 0; i < SHARE_SPACES; i++) {
        for (uint32_t page = 0; page < SHARE_PAGES; page++) {
            const struct share_page *const its = &model->truth[i].page[page];
            if (its->kind != PAGE_NONE && memcmp(share_peek(model, i, page), share_bytes_at(model, i, page), model->page) != 0) {
                return its->kind == PAGE_OWN ? "a page's bytes" : "a mapped page's bytes";
            }
            if (model->truth[i].exists && (its->kind == PAGE_NONE) != (mapping_of(&model->spaces[i], page) == NULL)) {
                return "what is mapped";
            }
        }
    }
    return compare_objects(model);
}

// -------------------------------------------------------------------------------------------------------------------------- end

// Is all memory of the tables, but for the pool, in lists?
static bool all_is_listed(const struct share_model *model)
{
    const struct cairn_vm *const vm = &model->vm;
    uint32_t bytes = 0;
    for (uint32_t list = 0; list < CAIRN_LEVELS_MAX + 2; list++) {
        const uint32_t size = list < vm->levels              ? table_bytes(vm, list)
                              : list == TABLE_LIST_RECORDS ? (uint32_t)sizeof(struct record)
                                                             : NODE_BYTES;
        for (uint32_t entry = vm->free_node[list]; entry != 0; entry = *table_below(vm, entry)) {
            bytes += size;
        }
    }
    const uint32_t pool = vm->pool == NULL ? 0 : (uint32_t)(sizeof(struct pool) + 7) & ~7u;
    return vm->table_used == bytes + pool;
}

const char *share_model_end(struct share_model *model)
{
    uint32_t rule;
    model->config.fail_every = 0;
    for (uint32_t p = 0; p < SHARE_PINS; p++) {
        const struct share_pin *const pin = &model->pins[p];
        if (pin->held && cairn_space_unpin(&model->spaces[pin->space], (cairn_vaddr_t)pin->page << model->shift) != 0) {
            return "a pin does not go";
        }
    }
    for (uint32_t i = 0; i < SHARE_SPACES; i++) {
        if (model->truth[i].exists && cairn_space_deinit(&model->spaces[i]) != 0) {
            return "a space does not end";
        }
        model->truth[i].exists = false;
        share_forget(model, i, 0, SHARE_PAGES);
        if (share_objects_end(model) != NULL) {
            return "an object does not end";
        }
    }
    const char *const wrong = compare_objects(model);
    for (uint32_t o = 0; wrong == NULL && o <= SHARE_IMAGE; o++) {
        struct share_object *const its = &model->objects[o];
        if (its->exists && cairn_object_deinit(&its->object) != 0) {
            return "an object does not end";
        }
        if (its->exists && its->has_store && memcmp(its->stored + (its->first + 1) * model->page, its->bytes, its->pages * model->page) != 0) {
            return "an object's store at its end";
        }
    }
    if (wrong != NULL) {
        return wrong;
    }
    if (cairn_vm_check(&model->vm, &rule) != 0 || model->vm.figures.frames_free != model->vm.frame_count || model->vm.figures.slots_used != 0) {
        return "frames or slots are left";
    }
    return model->vm.figures.table_bytes != 0 || model->vm.figures.shared != 0 || model->vm.committed != 0 ? "something is left"
           : !all_is_listed(model)                                                                         ? "memory is lost"
                                                                                                            : NULL;
}
