// SPDX-License-Identifier: MIT
//
// Two spaces talk through shared memory: a sender writes messages into a ring that a receiver reads, each at an address of its own. A third space may only look.
// Runs as it is on the host and on every board.
#include <cairn/access.h>
#include <cairn/object.h>
#include <cairn/store.h>
#include <inttypes.h>
#include <stdio.h>

#define PAGE 256u
#define FRAMES 3u // fewer than the pages in use: those of the ring, too, leave and come back
#define MESSAGES 1000u

#define RING_KEY 0x52494E47u // "RING"
#define RING_SLOTS 90u
#define RING_SIZE (3 * PAGE)
// The ring: count sent, count received, slots of two words each.
#define SENT 0u
#define RECEIVED 4u
#define SLOT(n) (8u + 8u * ((n) % RING_SLOTS))

static _Alignas(PAGE) unsigned char frames[FRAMES * PAGE]; // 768 bytes
static _Alignas(8) unsigned char memory[4096];
static unsigned char elsewhere[24 * PAGE];

static struct cairn_vm vm;
static struct cairn_object ring;

// One of the two: a space, where it has the ring, and a page of its own that it writes down what it did in.
struct party {
    struct cairn_space space;
    cairn_vaddr_t ring, notes;
};

static struct party sender, receiver, watcher;

static uint32_t load(cairn_vaddr_t address)
{
    uint32_t word = 0;
    return cairn_vm_load32(&vm, address, &word) == 0 ? word : 0xFFFFFFFFu;
}

static int join(struct party *party, uint32_t protection)
{
    const struct cairn_map notes = {.size = PAGE, .protection = CAIRN_READ | CAIRN_WRITE};
    return cairn_space_map_range(&party->space, &notes, &party->notes) == 0 && cairn_shared_attach(&party->space, RING_KEY, protection, &party->ring) == 0;
}

// Send until the ring is full. Returns how many have been sent in all; 0: a store failed.
static uint32_t send_some(void)
{
    uint32_t sent;
    cairn_space_switch(&vm, &sender.space);
    for (sent = load(sender.ring + SENT); sent < MESSAGES && sent - load(sender.ring + RECEIVED) < RING_SLOTS; sent++) {
        const cairn_vaddr_t slot = sender.ring + SLOT(sent);
        if (cairn_vm_store32(&vm, slot, sent) != 0 || cairn_vm_store32(&vm, slot + 4, ~(sent * sent)) != 0 || cairn_vm_store32(&vm, sender.ring + SENT, sent + 1) != 0)
            return 0;
    }
    return sent;
}

// Receive until the ring is empty. Returns how many were not what was sent.
static uint32_t receive_some(void)
{
    uint32_t wrong = 0;
    cairn_space_switch(&vm, &receiver.space);
    for (uint32_t got = load(receiver.ring + RECEIVED); got < load(receiver.ring + SENT); got++) {
        const cairn_vaddr_t slot = receiver.ring + SLOT(got);
        wrong += load(slot) != got || load(slot + 4) != ~(got * got);
        wrong += cairn_vm_store32(&vm, receiver.notes, got + 1) != 0 || cairn_vm_store32(&vm, receiver.ring + RECEIVED, got + 1) != 0;
    }
    return wrong;
}

int main(int argc, char **argv)
{
    struct cairn_store_ram store;
    uint32_t sent = 0, wrong = 0, turns = 0, rule;

    (void)argv;
    if (argc > 1) {
        printf("usage: shared_ring\n");
        return 2;
    }
    if (cairn_store_ram_init(&store, elsewhere, sizeof elsewhere, PAGE, sizeof elsewhere / PAGE) != 0)
        return 1;
    const struct cairn_vm_config config = {
        .page_shift = 8, .levels = 2, .bits = {4, 4}, .frames = frames, .frame_count = FRAMES, .memory = memory, .size = sizeof memory, .store = &store.store};
    if (cairn_vm_init(&vm, &config) != 0 || cairn_space_init(&sender.space, &vm) != 0 || cairn_space_init(&receiver.space, &vm) != 0 ||
        cairn_space_init(&watcher.space, &vm) != 0)
        return 1;
    if (cairn_shared_create(&ring, &sender.space, RING_KEY, RING_SIZE, CAIRN_READ | CAIRN_WRITE, CAIRN_READ | CAIRN_WRITE) != 0)
        return 1;
    receiver.ring = 0x5000; // where it wants it; the others take what is given
    if (!join(&sender, CAIRN_READ | CAIRN_WRITE) || !join(&receiver, CAIRN_READ | CAIRN_WRITE) || !join(&watcher, CAIRN_READ))
        return 1;
    printf("the ring is at %04" PRIx32 " for the sender, at %04" PRIx32 " for the receiver\n", (uint32_t)sender.ring, (uint32_t)receiver.ring);

    while (sent < MESSAGES && turns < MESSAGES) {
        sent = send_some();
        wrong += receive_some();
        turns++;
    }
    cairn_space_switch(&vm, &watcher.space);
    printf("%" PRIu32 " messages in %" PRIu32 " turns, %" PRIu32 " wrong; the watcher sees %" PRIu32 " received\n", sent, turns, wrong, load(watcher.ring + RECEIVED));
    printf("the watcher writes: %s\n", cairn_vm_store32(&vm, watcher.ring, 0) == CAIRN_EACCES ? "refused" : "done");

    // Its key goes first; the memory goes with the last that has it.
    if (cairn_shared_remove(&vm, RING_KEY) != 0 || cairn_shared_detach(&watcher.space, watcher.ring) != 0 || cairn_space_deinit(&sender.space) != 0)
        return 1;
    cairn_space_switch(&vm, &receiver.space);
    printf("the sender has ended; the receiver still reads %" PRIu32 " sent\n", load(receiver.ring + SENT));
    if (cairn_space_deinit(&receiver.space) != 0 || cairn_space_deinit(&watcher.space) != 0)
        return 1;

    struct cairn_vm_figures figures;
    cairn_vm_figures(&vm, &figures);
    printf("pages written %" PRIu32 ", read %" PRIu32 "; frames free in the end %" PRIu32 " of %u; check: %s\n", figures.writes, figures.reads, figures.frames_free, FRAMES,
           cairn_vm_check(&vm, &rule) == 0 ? "good" : "broken");
    return wrong != 0 || sent != MESSAGES || figures.frames_free != FRAMES;
}
