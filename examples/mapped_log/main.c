// SPDX-License-Identifier: MIT
//
// A data logger whose records are a mapped file in flash. Its power goes at random, hundreds of times, in the midst of whatever the flash does then; each time it comes
// up, takes up its log, and looks at every record. log.c is the logger; this is what harasses it. Runs as it is on the host and on every board.
#include <inttypes.h>
#include <stdio.h>

#include "flash.h"
#include "log.h"

#define LIVES 250u

static struct log logger;

static uint32_t any(uint32_t below)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

// What is measured, which the check knows again.
static uint32_t reading_of(uint32_t number)
{
    return 20000 + number * 37 % 1009;
}

// Log until the power goes, and commit now and then. Returns how many records were confirmed in all.
static uint32_t live(uint32_t confirmed, uint32_t *commits)
{
    while (!flash_is_off()) {
        for (uint32_t records = 1 + any(LOG_BATCH); records != 0 && log_append(&logger, reading_of(logger.count)) == 0; records--) {
        }
        if (log_commit(&logger) == 0) {
            confirmed = logger.committed;
            *commits += 1;
        }
    }
    return confirmed;
}

// Records that should be there, and are not what was logged.
static uint32_t bad_records(void)
{
    const uint32_t end = logger.committed;
    uint32_t bad = 0;
    for (uint32_t number = end > LOG_KEPT ? end - LOG_KEPT : 0; number < end; number++) {
        struct log_record record;
        bad += log_read(&logger, number, &record) != 0 || record.reading != reading_of(number);
    }
    return bad;
}

int main(int argc, char **argv)
{
    uint32_t confirmed = 0, unheard = 0, lost = 0, bad = 0, looked = 0, commits = 0, written = 0, copied = 0, rule;
    bool sound = true;

    (void)argv;
    if (argc > 1) {
        printf("usage: mapped_log\n");
        return 2;
    }
    flash_make();
    for (uint32_t life = 0; life <= LIVES; life++) {
        flash_power(life < LIVES ? any(120) : UINT32_MAX, life); // the last one only looks
        if (log_mount(&logger) != 0)
            return 1;
        lost += logger.committed < confirmed ? confirmed - logger.committed : 0;
        unheard += logger.committed > confirmed; // a commit whose last write was done when the power went
        bad += bad_records();
        looked += logger.committed < LOG_KEPT ? logger.committed : LOG_KEPT;
        confirmed = logger.committed;
        if (life < LIVES)
            confirmed = live(confirmed, &commits);
        sound = sound && cairn_vm_check(&logger.vm, &rule) == 0;
        written += logger.store.writes;
        copied += logger.store.copies;
    }

    uint32_t least = UINT32_MAX, most = 0, erased = 0;
    for (uint32_t block = 0; block < FLASH_BLOCKS; block++) {
        const uint32_t its = flash_erasures(block);
        erased += its;
        least = its < least ? its : least;
        most = its > most ? its : most;
    }
    printf("the power went %u times, each time in the midst of a program or an erasure\n", LIVES);
    printf("%" PRIu32 " commits confirmed, and %" PRIu32 " that were done when the power went; %" PRIu32 " records in all\n", commits, unheard, logger.committed);
    printf("%" PRIu32 " times a record was looked at: %" PRIu32 " confirmed are lost, %" PRIu32 " are not what was logged\n", looked, lost, bad);
    printf("pages written %" PRIu32 ", copied by the flash's store %" PRIu32 "; erasures %" PRIu32 ", of a block %" PRIu32 " to %" PRIu32 "\n", written, copied, erased,
           least, most);
    printf("check: %s\n", sound ? "good" : "broken");
    return lost != 0 || bad != 0 || !sound;
}
