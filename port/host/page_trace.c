// SPDX-License-Identifier: MIT
//
// OWNS        the file while it is read, and the index of its pages.
// INVARIANTS  1. The index holds each page of `pages` once, and is at most half full.
// CALLERS     as page_trace.h says.
#include "page_trace.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page_pack.h"
#include "tool.h"

#define LINE_MAX_BYTES 4096
#define ACCESSES_MAX ((uint32_t)1 << 30)

struct loader {
    struct page_trace *trace;
    const char *path;
    unsigned long line;
    uint32_t access_room;
    uint32_t page_room;
    uint32_t *index; // number of a page + 1, by its hash; 0: empty
    uint32_t index_bits;
};

static bool is_out_of_memory(struct loader *loader)
{
    tool_complain("%s: out of memory", loader->path);
    return false;
}

static uint32_t *grown(uint32_t **array, uint32_t count, uint32_t *room)
{
    if (count < *room) {
        return *array;
    }
    const uint32_t more = *room == 0 ? 4096 : *room * 2;
    uint32_t *const bigger = realloc(*array, (size_t)more * sizeof *bigger);
    if (bigger != NULL) {
        *array = bigger;
        *room = more;
    }
    return bigger;
}

// ------------------------------------------------------------------------------------------------------------------------- index

static uint32_t *index_place(const struct loader *loader, uint32_t page)
{
    const uint32_t mask = ((uint32_t)1 << loader->index_bits) - 1;
    uint32_t at = page * 0x9E3779B9u >> (32 - loader->index_bits);
    while (loader->index[at] != 0 && loader->trace->pages[loader->index[at] - 1] != page) {
        at = (at + 1) & mask;
    }
    return &loader->index[at];
}

static bool index_grow(struct loader *loader)
{
    if (loader->index != NULL && loader->trace->page_count < (uint32_t)1 << (loader->index_bits - 1)) {
        return true;
    }
    free(loader->index);
    loader->index_bits = loader->index_bits == 0 ? 10 : loader->index_bits + 1;
    loader->index = calloc((size_t)1 << loader->index_bits, sizeof *loader->index);
    if (loader->index == NULL) {
        return false;
    }
    for (uint32_t number = 0; number < loader->trace->page_count; number++) {
        *index_place(loader, loader->trace->pages[number]) = number + 1;
    }
    return true;
}

static bool append(struct loader *loader, uint32_t page, bool is_write)
{
    struct page_trace *const trace = loader->trace;
    if (!index_grow(loader) || grown(&trace->accesses, trace->access_count, &loader->access_room) == NULL ||
        grown(&trace->pages, trace->page_count, &loader->page_room) == NULL) {
        return is_out_of_memory(loader);
    }
    uint32_t *const place = index_place(loader, page);
    if (*place == 0) {
        trace->pages[trace->page_count] = page;
        *place = ++trace->page_count;
    }
    trace->accesses[trace->access_count++] = (*place - 1) | (is_write ? PAGE_TRACE_WRITE : 0);
    return true;
}

// ------------------------------------------------------------------------------------------------------------------------- lines

static bool refuse(const struct loader *loader, const char *what)
{
    tool_complain("%s:%lu: %s", loader->path, loader->line, what);
    return false;
}

static const char *after_blanks(const char *text)
{
    return text + strspn(text, " \t\r\n");
}

static bool remark_read(struct loader *loader, const char *text)
{
    uint64_t bytes;
    text = after_blanks(text + 1);
    if (strncmp(text, "page", 4) != 0 || (text[4] != '\0' && !isspace((unsigned char)text[4]))) {
        return true;
    }
    char number[16];
    const int length = snprintf(number, sizeof number, "%.*s", (int)strcspn(after_blanks(text + 4), " \t\r\n"), after_blanks(text + 4));
    if (length >= (int)sizeof number || !tool_number(number, 1, 1u << 24, &bytes)) {
        return refuse(loader, "`# page` wants the bytes of a page, 1 to 16777216");
    }
    if (loader->trace->page_bytes != 0 || loader->trace->access_count != 0) {
        return refuse(loader, "`# page` stands once, before the first access");
    }
    loader->trace->page_bytes = (uint32_t)bytes;
    return true;
}

static bool line_read(struct loader *loader, const char *line)
{
    const char *text = after_blanks(line);
    if (*text == '\0') {
        return true;
    }
    if (*text == '#') {
        return remark_read(loader, text);
    }
    const char kind = *text;
    if ((kind != 'r' && kind != 'w') || !isblank((unsigned char)text[1])) {
        return refuse(loader, "expected `r PAGE`, `w PAGE` or a remark");
    }
    text = after_blanks(text + 1);
    char *end;
    errno = 0;
    const unsigned long long page = strtoull(text, &end, 16);
    if (!isxdigit((unsigned char)*text) || errno != 0 || page > UINT32_MAX || text[1] == 'x' || text[1] == 'X') {
        return refuse(loader, "the page is not a hexadecimal number below 2^32");
    }
    if (*after_blanks(end) != '\0') {
        return refuse(loader, "something follows the page");
    }
    if (loader->trace->access_count == ACCESSES_MAX) {
        return refuse(loader, "too many accesses");
    }
    return append(loader, (uint32_t)page, kind == 'w');
}

static bool file_read(struct loader *loader, FILE *file)
{
    char line[LINE_MAX_BYTES];
    for (int byte = 0; byte != EOF;) {
        size_t length = 0;
        while ((byte = getc(file)) != EOF && byte != '\n' && byte != '\0' && length < sizeof line - 1) {
            line[length++] = (char)byte;
        }
        line[length] = '\0';
        loader->line++;
        if (byte != EOF && byte != '\n') {
            return refuse(loader, byte == '\0' ? "a byte of 0 is no text" : "the line is too long");
        }
        if (!line_read(loader, line)) {
            return false;
        }
    }
    if (ferror(file) != 0) {
        tool_complain("%s: %s", loader->path, strerror(errno));
        return false;
    }
    if (loader->trace->access_count == 0) {
        tool_complain("%s: no access in it", loader->path);
        return false;
    }
    return true;
}

// A text begins with #, r, w or a blank.
static bool is_packed(FILE *file)
{
    const int first = getc(file);
    if (first != EOF) {
        ungetc(first, file);
    }
    return first == PAGE_PACK_MAGIC[0];
}

static bool packed_read(struct loader *loader, FILE *file)
{
    char magic[4];
    const char *wrong = "the header is damaged";
    if (fread(magic, 1, sizeof magic, file) == sizeof magic && memcmp(magic, PAGE_PACK_MAGIC, sizeof magic) == 0) {
        wrong = page_unpack(loader->trace, file);
    }
    if (wrong != NULL) {
        tool_complain("%s: %s", loader->path, wrong);
    }
    return wrong == NULL;
}

// --------------------------------------------------------------------------------------------------------------------- the calls

bool page_trace_load(struct page_trace *trace, const char *path)
{
    const bool is_input = strcmp(path, "-") == 0;
    *trace = (struct page_trace){0};
    tool_base_name(is_input ? "input" : path, trace->name, sizeof trace->name);
    char *const ending = strrchr(trace->name, '.');
    if (ending != NULL && strcmp(ending, ".p1024") == 0) {
        *ending = '\0';
    }
    FILE *const file = is_input ? stdin : fopen(path, "rb");
    if (file == NULL) {
        tool_complain("%s: %s", path, strerror(errno));
        return false;
    }
    struct loader loader = {.trace = trace, .path = path};
    const bool is_loaded = is_packed(file) ? packed_read(&loader, file) : file_read(&loader, file);
    free(loader.index);
    if (!is_input) {
        fclose(file);
    }
    if (!is_loaded) {
        page_trace_unload(trace);
    }
    return is_loaded;
}

void page_trace_unload(struct page_trace *trace)
{
    free(trace->accesses);
    free(trace->pages);
    *trace = (struct page_trace){0};
}
