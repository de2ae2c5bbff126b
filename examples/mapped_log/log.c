// SPDX-License-Identifier: MIT
#include "log.h"

#include <cairn/access.h>

#include "flash.h"

#define FRAMES 3u // of 8 pages: records leave for the flash before a commit, too

static _Alignas(LOG_PAGE) unsigned char frames[FRAMES * LOG_PAGE];
static _Alignas(8) unsigned char memory[2048];
static _Alignas(4) unsigned char store_memory[512];

int log_mount(struct log *log)
{
    const struct cairn_store_flash_config store_config = {.flash = &flash, .page = LOG_PAGE, .slots = LOG_PAGES};
    const struct cairn_vm_config vm_config = {
        .page_shift = 8, .levels = 1, .bits = {6}, .tlb = 4, .frames = frames, .frame_count = FRAMES, .memory = memory, .size = sizeof memory};
    const struct cairn_object_config file_config = {.size = LOG_PAGES * LOG_PAGE, .store = &log->store.store};
    const struct cairn_map map = {.size = LOG_PAGES * LOG_PAGE, .protection = CAIRN_READ | CAIRN_WRITE, .flags = CAIRN_MAP_SHARED, .object = &log->file};
    int error = cairn_store_flash_init(&log->store, &store_config, store_memory, sizeof store_memory);
    error = error == 0 ? cairn_vm_init(&log->vm, &vm_config) : error;
    error = error == 0 ? cairn_object_init(&log->file, &log->vm, &file_config) : error;
    error = error == 0 ? cairn_space_init(&log->space, &log->vm) : error;
    error = error == 0 ? cairn_space_map_range(&log->space, &map, &log->at) : error;
    if (error != 0)
        return error;
    cairn_space_switch(&log->vm, &log->space);
    error = cairn_vm_load32(&log->vm, log->at, &log->committed); // zero in a new flash
    log->count = log->committed;
    return error;
}

static cairn_vaddr_t place_of(const struct log *log, uint32_t number)
{
    return log->at + LOG_PAGE + number % LOG_RING * LOG_RECORD;
}

static uint32_t check_of(uint32_t number, uint32_t reading)
{
    return ~(number * 2654435761u + reading);
}

int log_append(struct log *log, uint32_t reading)
{
    const cairn_vaddr_t place = place_of(log, log->count);
    if (log->count - log->committed == LOG_BATCH)
        return CAIRN_ENOMEM;
    int error = cairn_vm_store32(&log->vm, place, log->count);
    error = error == 0 ? cairn_vm_store32(&log->vm, place + 4, reading) : error;
    error = error == 0 ? cairn_vm_store32(&log->vm, place + 8, check_of(log->count, reading)) : error;
    log->count += error == 0;
    return error;
}

int log_commit(struct log *log)
{
    int error = cairn_space_sync(&log->space, log->at + LOG_PAGE, (LOG_PAGES - 1) * LOG_PAGE); // first the records,
    error = error == 0 ? cairn_vm_store32(&log->vm, log->at, log->count) : error;              // then what says that they are there
    error = error == 0 ? cairn_space_sync(&log->space, log->at, LOG_PAGE) : error;
    if (error == 0)
        log->committed = log->count;
    return error;
}

int log_read(struct log *log, uint32_t number, struct log_record *record)
{
    const cairn_vaddr_t place = place_of(log, number);
    uint32_t check = 0;
    if (number >= log->committed || log->committed - number > LOG_KEPT)
        return CAIRN_ENOENT;
    int error = cairn_vm_load32(&log->vm, place, &record->number);
    error = error == 0 ? cairn_vm_load32(&log->vm, place + 4, &record->reading) : error;
    error = error == 0 ? cairn_vm_load32(&log->vm, place + 8, &check) : error;
    return error != 0 ? error : record->number == number && check == check_of(number, record->reading) ? 0 : CAIRN_ECORRUPT;
}
