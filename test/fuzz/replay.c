// SPDX-License-Identifier: MIT
//
// Runs a fuzz target over a corpus as a plain program, or packs a corpus into one file.
//
//   fuzz_heap CORPUS...          runs each input of each packed corpus; fails where a target that has a floor misses something
//   fuzz_heap --pack OUT FILE... packs the files, an input each
//   fuzz_heap --unpack FOLDER CORPUS   writes each input to a file of its own
//
// PICTURE: a packed corpus: for each input its length, two bytes, the lower first, and its bytes.
// OWNS: the packed form.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define INPUT_MOST 0xFFFFu

// NULL: it packs and unpacks only.
__attribute__((weak)) int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
// Of a target that has a floor: what the inputs so far have not reached; NULL: nothing.
__attribute__((weak)) const char *fuzz_missed(void);

static uint8_t bytes[INPUT_MOST];

static int pack(int argc, char **argv)
{
    FILE *const out = fopen(argv[2], "wb");
    if (out == NULL) {
        perror(argv[2]);
        return 2;
    }
    for (int i = 3; i < argc; i++) {
        FILE *const in = fopen(argv[i], "rb");
        const size_t size = in == NULL ? 0 : fread(bytes, 1, INPUT_MOST, in);
        fputc((int)(size & 0xFF), out);
        fputc((int)(size >> 8), out);
        fwrite(bytes, 1, size, out);
        if (in != NULL) {
            fclose(in);
        }
    }
    printf("%d inputs\n", argc - 3);
    return fclose(out) == 0 ? 0 : 2;
}

// One input of a packed corpus: run it, or write it into the folder. Returns false iff it could not be written.
static bool handle(const char *folder, size_t size, unsigned long number)
{
    char name[512];
    if (folder == NULL) {
        LLVMFuzzerTestOneInput(bytes, size);
        return true;
    }
    snprintf(name, sizeof name, "%s/packed-%05lu", folder, number);
    FILE *const out = fopen(name, "wb");
    return out != NULL && fwrite(bytes, 1, size, out) == size && fclose(out) == 0;
}

int main(int argc, char **argv)
{
    unsigned long inputs = 0;
    const char *folder = NULL;
    int i = 1;
    if (argc > 2 && strcmp(argv[1], "--pack") == 0) {
        return pack(argc, argv);
    }
    if (argc > 2 && strcmp(argv[1], "--unpack") == 0) {
        folder = argv[2];
        i = 3;
    }
    for (; i < argc; i++) {
        FILE *const in = fopen(argv[i], "rb");
        if (in == NULL) {
            perror(argv[i]);
            return 2;
        }
        int low;
        while ((low = fgetc(in)) != EOF) {
            const int high = fgetc(in);
            const size_t size = (size_t)low + ((size_t)(high & 0xFF) << 8);
            if (high == EOF || fread(bytes, 1, size, in) != size || !handle(folder, size, inputs)) {
                fprintf(stderr, "%s: cut short, or %s cannot be written\n", argv[i], folder == NULL ? "it" : folder);
                return 2;
            }
            inputs++;
        }
        fclose(in);
    }
    printf("%lu inputs\n", inputs);
    if (folder == NULL && fuzz_missed != NULL && fuzz_missed() != NULL) {
        fprintf(stderr, "not reached: %s\n", fuzz_missed());
        return 1;
    }
    return inputs == 0;
}
