// SPDX-License-Identifier: MIT
//
// Pools in front of an arena: requests of their sizes are served by them first.
//
// OWNS: the list of pools.
// PICTURE: a request -> the pools, in the order in which they were added, whose sizes it is of -> the heaps
// INVARIANTS: a pool is lock-free (pool.h): what is found here needs no lock, but nobody adds or removes one meanwhile.
// COST: O(pools). CALLERS: blocks.c, change.c, figures.c; the user.
#include "arena/arena_core.h"

int cairn_arena_add_pool(struct cairn_arena *arena, struct cairn_arena_pool *front, void *memory, size_t size, size_t block_size,
                         size_t smallest)
{
    if (!is_arena(arena) || front == NULL || smallest > block_size) {
        return CAIRN_EINVAL;
    }
    for (const struct cairn_arena_pool *other = arena->pools; other != NULL; other = other->next) {
        if (other == front) {
            return CAIRN_EBUSY;
        }
        const uintptr_t start = (uintptr_t)other->pool.words;
        const uintptr_t end = (uintptr_t)other->pool.base + other->pool.count * other->pool.stride;
        if (start - (uintptr_t)memory < size || (uintptr_t)memory - start < end - start) {
            return CAIRN_EINVAL;
        }
    }
    const struct cairn_pool_config config = {.report = cairn_arena_report_, .context = arena};
    *front = (struct cairn_arena_pool){.smallest = smallest};
    const int error = cairn_pool_init(&front->pool, memory, size, block_size, &config);
    if (error == 0) {
        struct cairn_arena_pool **last = &arena->pools;
        while (*last != NULL) {
            last = &(*last)->next;
        }
        *last = front;
        cairn_arena_set_threshold_(arena, 0);
    }
    return error;
}

int cairn_arena_remove_pool(struct cairn_arena *arena, struct cairn_arena_pool *front)
{
    if (!is_arena(arena) || front == NULL) {
        return CAIRN_EINVAL;
    }
    struct cairn_arena_pool **at = &arena->pools;
    while (*at != NULL && *at != front) {
        at = &(*at)->next;
    }
    if (*at == NULL) {
        return CAIRN_ENOENT;
    }
    struct cairn_pool_stats stats;
    cairn_pool_stats(&front->pool, &stats);
    if (stats.used != 0) {
        return CAIRN_EBUSY;
    }
    *at = front->next;
    cairn_arena_set_threshold_(arena, arena->pools == NULL ? first_threshold(arena) : 0);
    cairn_pool_deinit(&front->pool);
    return 0;
}

CAIRN_NOINLINE void *cairn_arena_pool_alloc_(struct cairn_arena *arena, size_t size)
{
    void *block = NULL;
    for (struct cairn_arena_pool *front = arena->pools; front != NULL && block == NULL; front = front->next) {
        if (size - front->smallest <= front->pool.block_size - front->smallest && size != 0) {
            block = cairn_pool_alloc(&front->pool);
        }
    }
    return block;
}

CAIRN_NOINLINE struct cairn_pool *cairn_arena_pool_of_(const struct cairn_arena *arena, const void *address)
{
    for (struct cairn_arena_pool *front = arena->pools; front != NULL; front = front->next) {
        if ((uintptr_t)address - (uintptr_t)front->pool.base < front->pool.count * front->pool.stride) {
            return &front->pool;
        }
    }
    return NULL;
}
