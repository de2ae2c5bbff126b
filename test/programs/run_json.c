// SPDX-License-Identifier: MIT
//
// Reads a JSON document and prints it in two ways; changes it, copies it, and prints that.
//
//   run_json SPAN DOCUMENT    SPAN: bytes that malloc may have, 0: all there are. Not on the host.
//
// OWNS: nothing. CALLERS: test/check/programs.sh, on the host and on a board.
#include <cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "limit.h"

// The whole file, ended with 0. NULL where that fails.
static char *read_all(const char *path)
{
    FILE *const file = fopen(path, "r");
    char *text = NULL;
    size_t used = 0;
    size_t got = 1;
    while (file != NULL && got != 0) {
        char *const more = realloc(text, used + 257);
        if (more == NULL) {
            free(text);
            fclose(file);
            return NULL;
        }
        text = more;
        got = fread(text + used, 1, 256, file);
        used += got;
        text[used] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

static bool show(const cJSON *document, bool is_spaced)
{
    char *const text = is_spaced ? cJSON_Print(document) : cJSON_PrintUnformatted(document);
    if (text == NULL) {
        return false;
    }
    printf("%s\n", text);
    cJSON_free(text);
    return true;
}

// Another document with each element of every array in it twice, and a count beside them.
static cJSON *doubled(const cJSON *document)
{
    cJSON *const copy = cJSON_Duplicate(document, 1);
    cJSON *item;
    int arrays = 0;
    cJSON_ArrayForEach(item, copy) {
        const int size = cJSON_IsArray(item) ? cJSON_GetArraySize(item) : 0;
        for (int i = 0; i < size; i++) {
            cJSON *const one = cJSON_Duplicate(cJSON_GetArrayItem(item, i), 1);
            if (one == NULL || !cJSON_AddItemToArray(item, one)) {
                cJSON_Delete(copy);
                return NULL;
            }
        }
        arrays += size != 0;
    }
    if (copy != NULL && cJSON_AddNumberToObject(copy, "arrays", arrays) == NULL) {
        cJSON_Delete(copy);
        return NULL;
    }
    return copy;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        return 2;
    }
    limit_set(argv[1]);
    char *const text = read_all(argv[2]);
    cJSON *const document = text == NULL ? NULL : cJSON_Parse(text);
    free(text);
    if (document == NULL || !show(document, true) || !show(document, false)) {
        return 3;
    }
    cJSON *const twice = doubled(document);
    if (twice == NULL || !show(twice, false)) {
        return 4;
    }
    cJSON_Delete(document);
    cJSON_Delete(twice);
    return 0;
}
