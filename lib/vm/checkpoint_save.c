// SPDX-License-Identifier: MIT
//
// Checkpoints: taking one up, and saving.
//
// OWNS: what is to be done to an image, so that it is the space as it is now. checkpoint_layout.h has the PICTURE and the INVARIANTS.
// PICTURE: the image's keys     1 2 3 . 5 6        survey: both in order. A key without a page is dropped; a page whose marks do not say is compared with what is kept
//          the space's pages    1 . 3 4 5 6        pages that were stored to are put, whatever was there
//     The survey is made before the image is begun, since then its keys are read a page of index at a time; what it finds is noted, as much as a page has room for.
//     What it did not come to it looks for later, at a read of the index for each key.
// COST: O(pages in use), what is written; the directory O(mappings) a page. CALLERS: the user.
#include "vm/checkpoint_layout.h"

#include <string.h>

#define CHAIN_LONG 32u // less is written than with the image's own 16, and more is read

static uint32_t job_room(const struct cairn_image *image)
{
    return image->page / (uint32_t)sizeof(struct cairn_checkpoint_job);
}

// The config with what it says by default. Returns the bytes that the image takes; 0: it is not valid.
static size_t image_size(const struct cairn_image_config *config, struct cairn_image_config *its)
{
    if (config == NULL || config->store == NULL || config->store->page < 128) {
        return 0;
    }
    *its = *config;
    its->chain = its->chain == 0 ? CHAIN_LONG : its->chain;
    return cairn_image_size(its);
}

size_t cairn_checkpoint_size(const struct cairn_image_config *config)
{
    struct cairn_image_config its;
    const size_t size = image_size(config, &its);
    return size == 0 ? 0 : size + (size_t)3 * config->store->page;
}

int cairn_checkpoint_init(struct cairn_checkpoint *checkpoint, const struct cairn_image_config *config, void *memory, size_t size)
{
    struct cairn_image_config its;
    const size_t front = image_size(config, &its);
    if (checkpoint == NULL || memory == NULL || front == 0) {
        return CAIRN_EINVAL;
    }
    if (size < front + (size_t)3 * config->store->page) {
        return CAIRN_ENOMEM;
    }
    checkpoint->page = (unsigned char *)memory + front;
    checkpoint->other = checkpoint->page + config->store->page;
    checkpoint->jobs = (struct cairn_checkpoint_job *)(void *)(checkpoint->other + config->store->page);
    checkpoint->job_count = 0;
    checkpoint->put = checkpoint->dropped = 0;
    return cairn_image_init(&checkpoint->image, &its, memory, front);
}

int cairn_checkpoint_read_info(struct cairn_checkpoint *checkpoint, struct cairn_checkpoint_info *info)
{
    unsigned char head[HEAD_BYTES];
    const int error = checkpoint == NULL || info == NULL ? CAIRN_EINVAL : cairn_checkpoint_read_head_(checkpoint, head);
    if (error == 0) {
        const uint32_t objects = (uint32_t)cairn_checkpoint_get_(head + HEAD_OBJECTS, 2);
        const uint32_t mappings = (uint32_t)cairn_checkpoint_get_(head + HEAD_MAPPINGS, 4);
        const uint32_t directory = (uint32_t)directory_pages(checkpoint->image.page, (uint64_t)objects + mappings);
        const uint32_t keys = checkpoint->image.keys_committed;
        *info = (struct cairn_checkpoint_info){checkpoint->image.generation, keys < directory ? 0 : keys - directory, objects, mappings};
    }
    return error;
}

void cairn_checkpoint_stats(const struct cairn_checkpoint *checkpoint, struct cairn_checkpoint_stats *stats)
{
    struct cairn_image_stats image;
    cairn_image_stats(&checkpoint->image, &image);
    *stats = (struct cairn_checkpoint_stats){checkpoint->put, checkpoint->dropped, image.written, image.data + image.index, image.free};
}

// ------------------------------------------------------------------------------------------------------------------------ the survey

enum verdict { IS_SAME, IS_CHANGED, IS_TO_COMPARE };

// What the marks say of the page that was found.
static enum verdict judge(const struct checkpoint_walk *walk)
{
    const struct checkpoint_work *const work = walk->work;
    if (work->anew) {
        return IS_CHANGED;
    }
    if (walk->place == PLACE_DIRECTORY || walk->place == PLACE_MEMORY) {
        return IS_TO_COMPARE;
    }
    if (part_is_known(work, walk->part)) {
        return cairn_checkpoint_is_saved_(walk) ? IS_SAME : IS_CHANGED;
    }
    return pages_of(work, walk->part)->backing != NULL ? IS_TO_COMPARE : IS_CHANGED;
}

// Does the checkpoint have another page for this key? Returns 0, 1 or an error.
static int differs(const struct checkpoint_walk *walk, uint64_t key)
{
    struct cairn_checkpoint *const checkpoint = walk->work->checkpoint;
    const unsigned char *bytes;
    int error = cairn_image_get(&checkpoint->image, key, checkpoint->other);
    if (error == CAIRN_ECORRUPT) {
        return 1;
    }
    error = error == 0 ? cairn_checkpoint_bytes_(walk, &bytes) : error;
    return error != 0 ? error : !cairn_bulk_is_equal_(bytes, checkpoint->other, checkpoint->image.page);
}

// Put the page that was found.
static int put(const struct checkpoint_walk *walk)
{
    struct cairn_checkpoint *const checkpoint = walk->work->checkpoint;
    const unsigned char *bytes;
    int error = cairn_checkpoint_bytes_(walk, &bytes);
    error = error == 0 ? cairn_image_put(&checkpoint->image, key_of(walk->part, walk->page), bytes) : error;
    checkpoint->put++;
    return error;
}

static int drop(struct cairn_checkpoint *checkpoint, uint64_t key)
{
    checkpoint->dropped++;
    return cairn_image_drop(&checkpoint->image, key);
}

// Note that a key is to be dropped, or put. Returns false where there is no room.
static bool note(struct cairn_checkpoint *checkpoint, uint64_t key, bool is_put)
{
    struct cairn_checkpoint_job *job = checkpoint->jobs + checkpoint->job_count;
    if (checkpoint->job_count != 0 && job[-1].put == is_put && job[-1].key + job[-1].count == key && job[-1].count != UINT32_MAX) {
        job[-1].count++;
        return true;
    }
    if (checkpoint->job_count == job_room(&checkpoint->image)) {
        return false;
    }
    *job = (struct cairn_checkpoint_job){key, 1, is_put};
    checkpoint->job_count++;
    return true;
}

// The first key of the image from here on; CAIRN_IMAGE_NO_KEY: there is none.
static int next_key(struct cairn_image *image, uint64_t *key)
{
    const int error = *key == CAIRN_IMAGE_NO_KEY ? CAIRN_ENOENT : cairn_image_next(image, key);
    if (error == CAIRN_ENOENT) {
        *key = CAIRN_IMAGE_NO_KEY;
        return 0;
    }
    return error;
}

// Look what is to be dropped, and what compared differs, from a key on: does it where the image is begun, else notes it. Returns 0 or an error, and in *rest the first key
// that it did not come to.
static int survey(const struct checkpoint_work *work, uint64_t *rest)
{
    struct cairn_checkpoint *const checkpoint = work->checkpoint;
    struct cairn_image *const image = &checkpoint->image;
    struct checkpoint_walk walk = {.work = work, .part = (uint32_t)(*rest >> PART_SHIFT), .page = (cairn_vaddr_t)(*rest & KEY_PAGE)};
    uint64_t kept = *rest;
    int error = next_key(image, &kept);
    for (bool more = cairn_checkpoint_find_(&walk); error == 0 && (more || kept != CAIRN_IMAGE_NO_KEY);) {
        const uint64_t key = more ? key_of(walk.part, walk.page) : CAIRN_IMAGE_NO_KEY;
        *rest = kept < key ? kept : key;
        int what = 0;
        if (kept < key) {
            error = image->open ? drop(checkpoint, kept) : note(checkpoint, kept, false) ? 0 : 1;
        } else if (judge(&walk) == IS_TO_COMPARE) {
            what = kept == key ? differs(&walk, key) : 1;
            error = what <= 0 ? what : image->open ? put(&walk) : note(checkpoint, key, true) ? 0 : 1;
        }
        if (error > 0 && !image->open) {
            return 0;
        }
        if (kept <= key) {
            kept += kept != CAIRN_IMAGE_NO_KEY;
            error = error == 0 ? next_key(image, &kept) : error;
        }
        if (*rest == key) {
            walk.page++;
            more = cairn_checkpoint_find_(&walk);
        }
    }
    *rest = CAIRN_IMAGE_NO_KEY;
    return error;
}

// ---------------------------------------------------------------------------------------------------------------------------- saving

// Do what was noted.
static int do_jobs(const struct checkpoint_work *work)
{
    struct cairn_checkpoint *const checkpoint = work->checkpoint;
    int error = 0;
    for (uint32_t i = 0; i < checkpoint->job_count; i++) {
        const struct cairn_checkpoint_job *const job = &checkpoint->jobs[i];
        struct checkpoint_walk walk = {.work = work, .part = (uint32_t)(job->key >> PART_SHIFT), .page = (cairn_vaddr_t)(job->key & KEY_PAGE)};
        for (uint32_t at = 0; error == 0 && at < job->count; at++, walk.page++) {
            error = job->put != 0 && cairn_checkpoint_find_(&walk) ? put(&walk) : drop(checkpoint, job->key + at);
        }
    }
    return error;
}

static int put_changed(const struct checkpoint_work *work)
{
    int error = 0;
    for (struct checkpoint_walk walk = {.work = work}; error == 0 && cairn_checkpoint_find_(&walk); walk.page++) {
        error = judge(&walk) == IS_CHANGED ? put(&walk) : 0;
    }
    return error;
}

// The mappings are counted, and each shows one of the objects.
static bool has_all_objects(struct checkpoint_work *work)
{
    for (const struct cairn_mapping *mapping = work->space->mappings; mapping != NULL; mapping = mapping->next, work->mappings++) {
        uint32_t number = 0;
        while (mapping->object != NULL && number < work->count && work->objects[number] != mapping->object) {
            number++;
        }
        if (mapping->object != NULL && number == work->count) {
            return false;
        }
    }
    for (uint32_t i = 0; i < work->count; i++) {
        if (work->objects[i]->pages.vm == NULL) {
            return false;
        }
    }
    return true;
}

int cairn_checkpoint_save(struct cairn_checkpoint *checkpoint, struct cairn_space *space, struct cairn_object *const objects[], uint32_t count)
{
    struct checkpoint_work work;
    unsigned char head[HEAD_BYTES];
    uint64_t rest = 0;
    int error = cairn_checkpoint_begin_(&work, checkpoint, space, objects, count);
    if (error == 0 && !has_all_objects(&work)) {
        error = CAIRN_EINVAL;
    }
    error = error == 0 ? cairn_checkpoint_mark_slots_(space->vm) : error;
    if (error != 0) {
        return error;
    }
    checkpoint->job_count = checkpoint->put = checkpoint->dropped = 0;
    work.anew = !part_is_known(&work, PART_SPACE);
    error = work.anew ? 0 : survey(&work, &rest);
    error = error == 0 ? cairn_image_begin(&checkpoint->image, work.anew) : error;
    if (error == 0) {
        error = do_jobs(&work);
        error = error == 0 && !work.anew && rest != CAIRN_IMAGE_NO_KEY ? survey(&work, &rest) : error;
        error = error == 0 ? put_changed(&work) : error;
        cairn_checkpoint_head_(&work, head);
        error = error == 0 ? cairn_image_commit(&checkpoint->image, head, HEAD_BYTES) : error;
        cairn_image_abort(&checkpoint->image);
    }
    if (error == 0) {
        cairn_checkpoint_mark_(&work);
    }
    return error > 0 ? CAIRN_EIO : error;
}
