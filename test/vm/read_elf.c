// SPDX-License-Identifier: MIT
//
// What cairn_elf_read makes of a file, as text that readelf's can be compared with.
//
//   read_elf [--tls] [--copies] PAGE LIMIT FILE
//
// PICTURE     refused REASON                                                    and exit status 1; or
//             ADDRESS SIZE OFFSET FILE_SIZE rwx                                 a segment a line, then
//             entry ENTRY phdr PHDR phnum COUNT end END stack rw-|rwx           all in hexadecimal
// CALLERS     elf_images.sh.
#include "cairn/elf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int file_read(void *context, uint32_t offset, void *bytes, size_t size)
{
    return fseek(context, (long)offset, SEEK_SET) == 0 && fread(bytes, 1, size, context) == size ? 0 : CAIRN_EIO;
}

static int show(const struct cairn_elf *elf, int error)
{
    if (error != 0) {
        printf("refused %s\n", elf->reason == CAIRN_ELF_GOOD ? cairn_error_name(error) : cairn_elf_reason_name((uint32_t)elf->reason));
        return 1;
    }
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct cairn_elf_segment *const segment = &elf->segments[i];
        const uint32_t protection = segment->protection;
        printf("%x %x %x %x %c%c%c\n", (unsigned)segment->address, (unsigned)segment->size, (unsigned)segment->offset, (unsigned)segment->file_size,
               (protection & CAIRN_READ) != 0 ? 'r' : '-', (protection & CAIRN_WRITE) != 0 ? 'w' : '-', (protection & CAIRN_EXEC) != 0 ? 'x' : '-');
    }
    printf("entry %x phdr %x phnum %x end %x stack %s\n", (unsigned)elf->entry, (unsigned)elf->phdr, (unsigned)elf->headers, (unsigned)elf->end,
           elf->stack_exec ? "rwx" : "rw-");
    return 0;
}

int main(int argc, char **argv)
{
    struct cairn_elf_config config = {.read = file_read};
    struct cairn_elf elf = {.reason = CAIRN_ELF_GOOD};
    for (; argc > 1 && argv[1][0] == '-'; argc--, argv++) {
        config.tls = config.tls || strcmp(argv[1], "--tls") == 0;
        config.copies = config.copies || strcmp(argv[1], "--copies") == 0;
    }
    FILE *const file = argc == 4 ? fopen(argv[3], "rb") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: read_elf [--tls] [--copies] PAGE LIMIT FILE\n");
        return 2;
    }
    config.context = file;
    config.page = (uint32_t)strtoul(argv[1], NULL, 0);
    config.limit = (uint32_t)strtoul(argv[2], NULL, 0);
    config.size = fseek(file, 0, SEEK_END) == 0 ? (uint32_t)ftell(file) : 0;
    const int status = show(&elf, cairn_elf_read(&elf, &config));
    fclose(file);
    return status;
}
