// SPDX-License-Identifier: MIT
//
// OWNS        of share_model.h, the operations on ranges that are mapped: protection, advice, locks, the break.
#include "share_model.h"

#include <string.h>

// -------------------------------------------------------------------------------------------------------------------- protection

// Errors that are due where the range is mapped; or 0, and the pages that it promises more.
static int protect_due(const struct share_model *model, uint32_t i, uint32_t first, uint32_t end, uint32_t protection, uint32_t *charge)
{
    for (*charge = 0; first < end; first++) {
        const struct share_page *const its = &model->truth[i].page[first];
        if ((its->kind == PAGE_OBJECT && !share_is_allowed(model, i, its->object, its->shared, protection)) ||
            (its->kind == PAGE_DIRECT && (protection & CAIRN_WRITE) != 0)) {
            return CAIRN_EACCES;
        }
        *charge += its->counted && !its->charged && share_is_charged(its->kind, its->shared, protection);
    }
    return 0;
}

const char *share_protect(struct share_model *model, uint32_t i)
{
    cairn_vaddr_t address, size;
    uint32_t first, end, charge = 0;
    const uint32_t protection = share_below(model, 40) == 0 ? CAIRN_WRITE : share_any_protection(model);
    const bool bad = share_range(model, &address, &size, &first, &end) != 0 || protection == CAIRN_WRITE;
    uint64_t due = DUE(CAIRN_EINVAL);
    if (!bad && !share_is_mapped(model, i, first, end)) {
        due = DUE(CAIRN_EFAULT);
    } else if (!bad) {
        const int error = protect_due(model, i, first, end, protection, &charge);
        const bool may = error != 0 || share_may_promise(model, charge);
        due = error != 0 ? DUE(error) : may ? DUE(0) : DUE(CAIRN_ENOMEM);
        due |= error == 0 && share_is_held(model, i, first, end) ? DUE(CAIRN_EBUSY) : 0;
    }
    model->error = cairn_space_protect_range(&model->spaces[i], address, size, protection);
    for (uint32_t page = first; model->error == 0 && page < end && page < SHARE_PAGES; page++) {
        struct share_page *const its = &model->truth[i].page[page];
        its->protection = (uint8_t)protection;
        its->charged |= its->counted && share_is_charged(its->kind, its->shared, protection);
    }
    return share_is_due(model, due) ? NULL : "its error";
}

// ------------------------------------------------------------------------------------------------------------------------ advice

// Is a page in a frame that has pins, of whomever?
static bool is_stuck(const struct share_model *model, const struct share_page *page)
{
    bool stuck = page->pins != 0 || page->locked;
    for (uint32_t i = 0; i < SHARE_SPACES && !page->own && page->kind == PAGE_OBJECT; i++) {
        for (uint32_t p = 0; p < SHARE_PAGES; p++) {
            const struct share_page *const its = &model->truth[i].page[p];
            stuck |= its->kind == PAGE_OBJECT && !its->own && its->object == page->object && its->at == page->at && (its->pins != 0 || its->locked);
        }
    }
    return stuck && page->kind != PAGE_DIRECT;
}

static uint64_t advice_due(const struct share_model *model, uint32_t i, uint32_t first, uint32_t end, uint32_t advice)
{
    uint64_t due = DUE(0);
    for (uint32_t page = first; page < end; page++) {
        const struct share_page *const its = &model->truth[i].page[page];
        const bool is_own = (its->pins != 0 || its->locked) && its->own;
        if (advice == CAIRN_ADVISE_WILL_NEED) {
            due |= (its->protection == 0 ? DUE(CAIRN_EACCES) : 0) | (model->truth[i].suspended ? DUE(CAIRN_EBUSY) : 0);
        } else if (advice == CAIRN_ADVISE_DONT_NEED && is_stuck(model, its)) {
            due = DUE(CAIRN_EBUSY) | (is_own || its->pins != 0 || its->locked ? 0 : due);
        } else if (advice == CAIRN_ADVISE_FREE && is_own) {
            return DUE(CAIRN_EBUSY);
        }
    }
    return due;
}

// What the range's own pages held is forgotten, up to one that is pinned.
static void forget(struct share_model *model, uint32_t i, uint32_t first, uint32_t end)
{
    struct share_truth *const truth = &model->truth[i];
    for (uint32_t page = first; page < end; page++) {
        struct share_page *const its = &truth->page[page];
        if (its->own && (its->pins != 0 || its->locked)) {
            return;
        }
        if (its->own) {
            memset(truth->bytes + page * model->page, 0, model->page);
        }
        its->own = its->kind == PAGE_OWN;
    }
}

static const char *advise_page(struct share_model *model, uint32_t i)
{
    const uint32_t page = share_below(model, SHARE_PAGES + 1);
    const cairn_vaddr_t address = ((cairn_vaddr_t)page << model->shift) + share_below(model, model->page);
    if (share_below(model, 2) == 0) {
        const int due = share_reach(model, i, page, 0);
        model->error = cairn_space_will_need(&model->spaces[i], address);
        return share_is_due(model, DUE(due)) ? NULL : "will_need: its error";
    }
    const struct share_page *const its = &model->truth[i].page[page % SHARE_PAGES];
    const bool is_stuck_here = page < SHARE_PAGES && is_stuck(model, its);
    const bool is_here = is_stuck_here && (its->pins != 0 || its->locked);
    model->error = cairn_space_dont_need(&model->spaces[i], address);
    return share_is_due(model, page >= SHARE_PAGES || its->kind == PAGE_NONE ? DUE(CAIRN_EFAULT)
                               : is_here                                     ? DUE(CAIRN_EBUSY)
                                                                             : DUE(0) | (is_stuck_here ? DUE(CAIRN_EBUSY) : 0))
               ? NULL
               : "dont_need: its error";
}

const char *share_advise(struct share_model *model, uint32_t i)
{
    cairn_vaddr_t address, size;
    uint32_t first, end;
    if (share_below(model, 3) == 0) {
        return advise_page(model, i);
    }
    const uint32_t advice = share_below(model, 3);
    const int bad = share_range(model, &address, &size, &first, &end);
    const bool is_mapped = bad == 0 && share_is_mapped(model, i, first, end);
    const uint64_t due = bad != 0 ? DUE(bad) : !is_mapped ? DUE(CAIRN_EFAULT) : advice_due(model, i, first, end, advice);
    model->error = cairn_space_advise(&model->spaces[i], address, size, (enum cairn_advice)advice);
    if (is_mapped && advice == CAIRN_ADVISE_FREE) {
        forget(model, i, first, end);
    }
    return share_is_due(model, due) ? NULL : "its error";
}

// ------------------------------------------------------------------------------------------------------------------------- locks

static uint64_t lock_due(const struct share_model *model, uint32_t i, uint32_t first, uint32_t end)
{
    uint64_t due = share_is_held(model, i, first, end) ? DUE(CAIRN_EBUSY) : 0;
    bool may = !model->truth[i].suspended;
    due |= may ? 0 : DUE(CAIRN_EBUSY);
    for (uint32_t page = first; page < end; page++) {
        const struct share_page *const its = &model->truth[i].page[page];
        if (its->locked) {
            return DUE(CAIRN_EBUSY);
        }
        due |= its->protection == 0 ? DUE(CAIRN_EACCES) : 0;
        may = may && its->protection != 0;
    }
    return due | (may ? DUE(0) : 0);
}

const char *share_lock(struct share_model *model, uint32_t i)
{
    cairn_vaddr_t address, size;
    uint32_t first, end;
    struct share_truth *const truth = &model->truth[i];
    const bool lock = share_below(model, 3) == 0;
    const int bad = share_range(model, &address, &size, &first, &end);
    const bool is_mapped = bad == 0 && share_is_mapped(model, i, first, end);
    uint64_t due = bad != 0 ? DUE(bad) : DUE(CAIRN_EFAULT);
    if (is_mapped) {
        due = lock ? lock_due(model, i, first, end) : DUE(0) | (share_is_held(model, i, first, end) ? DUE(CAIRN_EBUSY) : 0);
        due |= lock && share_may_run_out(model, end - first) ? DUE(CAIRN_ENOMEM) : 0;
    }
    model->error = lock ? cairn_space_lock(&model->spaces[i], address, size) : cairn_space_unlock(&model->spaces[i], address, size);
    if (lock && is_mapped) {
        share_relearn(model, i, first, end);
    }
    for (uint32_t page = first; model->error == 0 && page < end && page < SHARE_PAGES; page++) {
        struct share_page *const its = &truth->page[page];
        if (lock && its->kind == PAGE_OBJECT && !its->shared && !its->own) {
            return "a page that is locked is not its own";
        }
        its->locked = lock;
        its->grow = lock ? 0 : its->grow;
    }
    return share_is_due(model, due) ? NULL : "its error";
}

// --------------------------------------------------------------------------------------------------------------------- the break

// The rest of the page in which the break is, is cleared where the break goes up.
static int clear_rest(struct share_model *model, uint32_t i)
{
    const cairn_vaddr_t at = model->truth[i].break_end;
    const uint32_t page = (uint32_t)(at >> model->shift);
    const uint32_t offset = (uint32_t)(at & (model->page - 1));
    const int next = share_follow(model, i, at, CAIRN_WRITE);
    if (next > 0) {
        share_own_it(model, i, page);
        memset(share_bytes_at(model, i, page) + offset, 0, model->page - offset);
    }
    return next;
}

static const char *move_break(struct share_model *model, uint32_t i, cairn_vaddr_t to)
{
    struct share_truth *const truth = &model->truth[i];
    const uint32_t now = (uint32_t)((truth->break_end + model->page - 1) >> model->shift);
    const uint32_t then = (uint32_t)((to + model->page - 1) >> model->shift);
    if (to > truth->break_end && (truth->break_end & (model->page - 1)) != 0) {
        const int next = clear_rest(model, i);
        if (next <= 0) {
            return next < 0 ? "its error" : NULL;
        }
    }
    if (then > now && (!share_is_free(model, i, now, then) || !share_may_promise(model, then - now))) {
        return model->error == CAIRN_ENOMEM ? NULL : "its error";
    }
    if (!share_is_due(model, then < now ? share_unmap_due(model, i, then, now) : DUE(0))) {
        return "its error";
    }
    if (model->error != 0) {
        return NULL;
    }
    if (then > now) {
        share_fill(model, i, now, then - now,
                &(struct share_page){.kind = PAGE_OWN,
                                     .protection = CAIRN_READ | CAIRN_WRITE | (truth->user ? CAIRN_USER : 0),
                                     .own = true,
                                     .counted = true,
                                     .charged = true});
    } else if (then < now) {
        share_forget(model, i, then, now);
    }
    truth->break_end = to;
    return NULL;
}

const char *share_break(struct share_model *model, uint32_t i)
{
    struct share_truth *const truth = &model->truth[i];
    struct cairn_space *const space = &model->spaces[i];
    const cairn_vaddr_t all = (cairn_vaddr_t)SHARE_PAGES << model->shift;
    if (truth->break_start == 0 || share_below(model, 12) == 0) {
        const uint32_t page = share_below(model, SHARE_PAGES + 1);
        const cairn_vaddr_t start = ((cairn_vaddr_t)page << model->shift) + (share_below(model, 8) == 0);
        model->error = cairn_space_set_break(space, start);
        if (model->error != (page == 0 || start % model->page != 0 || start >= all ? CAIRN_EINVAL : 0)) {
            return "set_break";
        }
        if (model->error == 0) {
            truth->break_start = truth->break_end = start;
        }
        return NULL;
    }
    cairn_vaddr_t to = truth->break_end + share_below(model, 4 * model->page);
    const cairn_vaddr_t down = share_below(model, 2 * model->page);
    to -= down < to ? down : to;
    cairn_vaddr_t old = 1;
    const bool relative = share_below(model, 2) != 0;
    const ptrdiff_t delta = to >= truth->break_end ? (ptrdiff_t)(to - truth->break_end) : -(ptrdiff_t)(truth->break_end - to);
    const cairn_vaddr_t was = truth->break_end;
    model->error = relative ? cairn_space_sbrk(space, delta, &old) : cairn_space_brk(space, to);
    if (relative && (model->error == 0 ? old != was : old != 1)) {
        return "where the break was";
    }
    if (to < truth->break_start || to >= all) {
        return model->error == (to < truth->break_start ? CAIRN_EINVAL : CAIRN_ENOMEM) ? NULL : "its error";
    }
    return move_break(model, i, to);
}
