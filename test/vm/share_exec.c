// SPDX-License-Identifier: MIT
//
// OWNS        of share_model.h, exec: the image, and what becomes of a space by it.
// PICTURE     image   headers 0 1 | text 2 3 | data 4 5 |     each begins, and ends, anywhere in its pages
//             space   text, of the file | its zeros | some pages | data, of the file | its zeros = the break        | guard | - | - . stack |
#include "share_model.h"

#include "cairn/exec.h"
#include "elf_image.h"

#include <string.h>

#define HEADERS IMAGE_FIELD(IMAGE_HEADERS, 0) // bytes
#define TEXT_AT 2u
#define DATA_AT 4u
#define IMAGE_PAGES 6u
#define STACK 2u // pages

// ----------------------------------------------------------------------------------------------------------------------- image

static uint32_t pages_to(const struct share_model *model, uint32_t address)
{
    return (address + model->page - 1) >> model->shift;
}

// A segment whose bytes are from this page of the image on, from this page of a space on.
static void make_segment(struct share_model *model, struct cairn_elf_segment *segment, uint32_t image, uint32_t page, uint32_t protection)
{
    const uint32_t inside = share_below(model, model->page) & ~3u;
    segment->address = (page << model->shift) + inside;
    segment->offset = (image << model->shift) + inside;
    segment->file_size = share_below(model, 2 * model->page - inside + 1);
    segment->size = segment->file_size + (share_below(model, 3) == 0 ? 0 : share_below(model, 3 * model->page));
    segment->size += segment->size == 0;
    segment->protection = protection;
}

static void put_segment(unsigned char *image, uint32_t header, const struct cairn_elf_segment *segment)
{
    const uint32_t flags = ((segment->protection & CAIRN_READ) != 0 ? 4u : 0) | ((segment->protection & CAIRN_WRITE) != 0 ? 2u : 0) |
                           ((segment->protection & CAIRN_EXEC) != 0 ? 1u : 0);
    elf_image_put(image, IMAGE_FIELD(header, P_OFFSET), 4, segment->offset);
    elf_image_put(image, IMAGE_FIELD(header, P_VADDR), 4, segment->address);
    elf_image_put(image, IMAGE_FIELD(header, P_FILESZ), 4, segment->file_size);
    elf_image_put(image, IMAGE_FIELD(header, P_MEMSZ), 4, segment->size);
    elf_image_put(image, IMAGE_FIELD(header, P_FLAGS), 4, flags);
}

bool share_exec_begin(struct share_model *model)
{
    static unsigned char image[IMAGE_SIZE];
    struct share_object *const its = &model->objects[SHARE_IMAGE];
    struct cairn_elf_segment *const text = &model->segments[0];
    struct cairn_elf_segment *const data = &model->segments[1];
    make_segment(model, text, TEXT_AT, 2 + share_below(model, 12), CAIRN_READ | CAIRN_EXEC);
    make_segment(model, data, DATA_AT, pages_to(model, text->address + text->size) + share_below(model, 4),
                 CAIRN_READ | (share_below(model, 4) == 0 ? 0 : CAIRN_WRITE));
    share_store(model, its, IMAGE_PAGES);
    elf_image_make(image, CAIRN_ELF_RISCV);
    put_segment(image, IMAGE_TEXT, text);
    put_segment(image, IMAGE_DATA, data);
    elf_image_put(image, E_ENTRY, 4, text->address);
    memcpy(its->stored + model->page, image, HEADERS);
    memcpy(its->bytes, its->stored + model->page, IMAGE_PAGES * model->page);
    const struct cairn_object_config config = {.size = (cairn_vaddr_t)IMAGE_PAGES << model->shift, .store = &its->store, .read_only = true};
    its->exists = its->has_store = true;
    its->pages = IMAGE_PAGES;
    its->owner = SHARE_SPACES;
    its->protection = its->others = CAIRN_READ | CAIRN_EXEC;
    return cairn_object_init(&its->object, &model->vm, &config) == 0;
}

// ------------------------------------------------------------------------------------------------------------------------ exec

static bool is_cut(const struct share_model *model, const struct cairn_elf_segment *segment)
{
    return segment->file_size != 0 && segment->size > segment->file_size && (segment->address + segment->file_size) % model->page != 0;
}

// Pages that a segment promises.
static uint32_t promised(const struct share_model *model, const struct cairn_elf_segment *segment)
{
    const uint32_t size = (segment->protection & CAIRN_WRITE) != 0 ? segment->size : is_cut(model, segment) ? segment->file_size : 0;
    return size == 0 ? 0 : pages_to(model, segment->address + size) - (segment->address >> model->shift);
}

static void take_segment(struct share_model *model, uint32_t i, const struct cairn_elf_segment *segment)
{
    const uint32_t first = segment->address >> model->shift;
    const uint32_t end = pages_to(model, segment->address + segment->size);
    const uint32_t file_end = segment->file_size == 0 ? first : pages_to(model, segment->address + segment->file_size);
    struct share_page page = {.kind = PAGE_OBJECT,
                              .protection = (uint8_t)(segment->protection | (model->truth[i].user ? CAIRN_USER : 0)),
                              .object = SHARE_IMAGE,
                              .at = (uint8_t)(segment->offset >> model->shift),
                              .counted = true,
                              .charged = promised(model, segment) != 0};
    share_fill(model, i, first, file_end - first, &page);
    if (is_cut(model, segment)) {
        const uint32_t zeros = segment->address + segment->file_size;
        share_own_it(model, i, file_end - 1);
        memset(model->truth[i].bytes + zeros, 0, (file_end << model->shift) - zeros);
    }
    page.kind = PAGE_OWN;
    page.own = true;
    page.charged = (segment->protection & CAIRN_WRITE) != 0;
    share_fill(model, i, file_end, end - file_end, &page);
}

// The guard, and the stack's first page, which is believed but for what is the arguments'. Returns NULL, or what is wrong.
static const char *take_stack(struct share_model *model, uint32_t i, uint32_t sp)
{
    const struct share_page guard = {.kind = PAGE_OWN, .own = true, .counted = true};
    const struct share_page stack = {.kind = PAGE_OWN,
                                     .protection = CAIRN_READ | CAIRN_WRITE | (model->truth[i].user ? CAIRN_USER : 0),
                                     .grow = STACK - 1,
                                     .own = true,
                                     .counted = true,
                                     .charged = true};
    uint8_t *const bytes = model->truth[i].bytes;
    const uint32_t last = SHARE_PAGES - 1;
    share_fill(model, i, last - STACK - 1, 1, &guard);
    share_fill(model, i, last, 1, &stack);
    memcpy(bytes + (last << model->shift), share_peek(model, i, last), model->page);
    if (sp % 16 != 0 || sp < last << model->shift || bytes[sp] != 1 || memcmp(bytes + (SHARE_PAGES << model->shift) - 3, "ab", 3) != 0) {
        return "its stack";
    }
    return NULL;
}

static void take_break(struct share_model *model, uint32_t i, uint32_t address)
{
    model->truth[i].break_start = model->truth[i].break_end = address;
}

// Errors that are due, before anything has changed.
static uint64_t exec_due(const struct share_model *model, uint32_t i)
{
    uint32_t freed = 0;
    for (uint32_t page = 0; page < SHARE_PAGES; page++) {
        freed += model->truth[i].page[page].charged;
    }
    const bool may = share_may_promise_for(model, freed, promised(model, &model->segments[0]) + promised(model, &model->segments[1]) + STACK);
    const bool is_busy = model->truth[i].suspended || share_is_pinned(model, i, 0, SHARE_PAGES);
    return may && !is_busy ? DUE(0) : (may ? 0 : DUE(CAIRN_ENOMEM)) | (is_busy ? DUE(CAIRN_EBUSY) : 0);
}

const char *share_exec(struct share_model *model, uint32_t i)
{
    static const char *const arguments[] = {"ab", NULL};
    struct share_object *const image = &model->objects[SHARE_IMAGE];
    struct cairn_space *const space = &model->spaces[i];
    const struct cairn_exec_config config = {
        .image = &image->object, .size = IMAGE_PAGES << model->shift, .stack = STACK << model->shift, .arguments = arguments};
    struct cairn_exec program;
    if (!image->exists) {
        return NULL;
    }
    const uint64_t due = exec_due(model, i);
    const bool was_empty = space->mappings == NULL;
    model->error = cairn_space_exec(space, &config, &program);
    if (!share_is_due(model, due)) {
        return "its error";
    }
    if (model->error != 0) {
        if (space->mappings == NULL && !was_empty) { // what ran out, or failed, did so later
            share_forget(model, i, 0, SHARE_PAGES);
            take_break(model, i, 0);
        }
        if (space->break_end != model->truth[i].break_end) {
            take_break(model, i, 0);
        }
        return (due & DUE(0)) == 0 && space->mappings == NULL && !was_empty ? "it was refused, and has changed" : NULL;
    }
    share_forget(model, i, 0, SHARE_PAGES);
    take_segment(model, i, &model->segments[0]);
    take_segment(model, i, &model->segments[1]);
    take_break(model, i, pages_to(model, model->segments[1].address + model->segments[1].size) << model->shift);
    return take_stack(model, i, program.sp);
}
