/* rocks_append.c - the one thread that writes segment files.
 *
 * It takes everything that waits, writes it with one call behind what is there, syncs once, and answers.
 * Files have their full size from the start, so that a sync need not record a new one.
 *
 * Promises:  a chunk's place is told only when its bytes are in stable storage.  After a failed sync the
 *            file is not touched again and everything is ERR_IO.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "base/hash.h"
#include "engine/rocks/rocks_blob_internal.h"
#include "rt/clock.h"
#include "rt/disk.h"

#define SEGMENT_MAGIC  "GODWITSG"
#define SEGMENT_FORMAT 1
#define BATCH_MAX      96u /* chunks of one sync */

struct append_job {
    struct list node;
    struct rocks *r;
    struct rocks_loc *loc;
    size_t index; /* in loc */
    struct rocks_place place;
    struct str data;
    struct rocks_chunk chunk;
    enum status status;
    bool synced; /* the first of those that shared a sync */
    char header[RECORD_HEADER];
};
struct rocks_append {
    struct rocks *r;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct list jobs; /* under the lock */
    bool ending, started;
    struct offload_inbox *inbox;
    /* The thread's: */
    int fd;
    uint32_t number; /* of the file being filled, or of the last one */
    uint64_t offset;
    bool broken;
    struct append_job *taken[BATCH_MAX];
    struct iovec parts[BATCH_MAX * 3];
};

static void *appender(void *arg);
static void append_answer(void *item);

enum status
rocks_append_new(struct rocks *r)
{
    struct rocks_append *a = MEM_NEW(struct rocks_append);
    sigset_t all, old;

    a->r = r;
    a->fd = -1;
    a->number = rocks_segment_first_new(r) - 1;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->more, NULL);
    list_init(&a->jobs);
    r->append = a;
    TRY(offload_inbox_new(append_answer, &a->inbox));
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    a->started = pthread_create(&a->thread, NULL, appender, a) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (a->started)
        pthread_setname_np(a->thread, "appender");
    return a->started ? OK : ERR_IO;
}

void
rocks_append_free(struct rocks_append **append)
{
    struct rocks_append *a = *append;

    if (!a)
        return;
    if (a->started) {
        pthread_mutex_lock(&a->lock);
        a->ending = true;
        pthread_cond_signal(&a->more);
        pthread_mutex_unlock(&a->lock);
        pthread_join(a->thread, NULL);
    }
    ASSERT(list_empty(&a->jobs));
    fd_close(&a->fd);
    offload_inbox_free(&a->inbox);
    pthread_cond_destroy(&a->more);
    pthread_mutex_destroy(&a->lock);
    mem_free(a);
    *append = NULL;
}

void
rocks_append_chunk(struct rocks *r, struct rocks_loc *loc, struct str data,
                   struct rocks_place place)
{
    struct rocks_append *a = r->append;
    struct append_job *job = MEM_NEW(struct append_job);

    ASSERT(data.len > 0 && data.len <= ROCKS_CHUNK);
    job->r = r;
    job->loc = loc;
    job->index = place.reserved ? place.index : loc->chunk_count;
    job->place = place;
    job->data = data;
    if (!place.reserved)
        rocks_loc_chunk_add(loc);
    ASSERT(loc->chunks[job->index].length == 0);
    loc->chunks[job->index].length = (uint32_t)data.len; /* at most ROCKS_CHUNK */
    loc->writing++;
    r->calls++;
    pthread_mutex_lock(&a->lock);
    list_push(&a->jobs, &job->node);
    pthread_cond_signal(&a->more);
    pthread_mutex_unlock(&a->lock);
}

/* ---- the thread ---- */

/* Begins the next file.  Its name is durable before anything in it is. */
static enum status
segment_begin(struct rocks_append *a)
{
    char path[ROCKS_PATH_MAX + 32], dir[ROCKS_PATH_MAX + 16];
    char header[64] = SEGMENT_MAGIC;

    fd_close(&a->fd);
    rocks_segment_path(a->r, a->number + 1, path, sizeof(path));
    snprintf(dir, sizeof(dir), "%s/bodies", a->r->path);
    TRY(disk_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600, &a->fd));
    be32_put(header + 8, SEGMENT_FORMAT);
    be32_put(header + 12, a->number + 1);
    be64_put(header + 16, (uint64_t)clock_now().us);
    be64_put(header + 24, __atomic_load_n(a->r->acked, __ATOMIC_ACQUIRE));
    be32_put(header + 60, crc32c(0, header, 60));
    struct iovec part = {header, sizeof(header)};
    enum status status = disk_allocate(a->fd, ROCKS_SEGMENT);
    if (status == OK)
        status = disk_write_at(a->fd, &part, 1, 0);
    if (status == OK)
        status = disk_sync(a->fd);
    if (status == OK)
        status = disk_sync_dir(dir);
    if (status != OK) {
        fd_close(&a->fd);
        if (status == ERR_NO_SPACE && disk_unlink(path) != OK)
            return ERR_IO;
        return status;
    }
    a->number++;
    a->offset = ROCKS_SEGMENT_START;
    return OK;
}

static void
job_prepare(struct rocks_append *a, struct append_job *job)
{
    struct rocks_record rec = {
        .id = job->loc->id,
        .index = job->place.index,
        .last = job->place.last,
        .length = (uint32_t)job->data.len,
        .crc = crc32c(0, job->data.ptr, job->data.len),
        .time_us = clock_now().us,
        .sequence = __atomic_load_n(a->r->acked, __ATOMIC_ACQUIRE),
    };

    rocks_record_encode(&rec, job->header);
    job->chunk = (struct rocks_chunk){
        .segment = a->number,
        .length = rec.length,
        .offset = a->offset,
        .crc = rec.crc,
    };
    a->offset += RECORD_SIZE(job->data.len);
}

/* Writes and syncs jobs that lie one behind the other in the current file. */
static enum status
jobs_write(struct rocks_append *a, struct append_job *const *jobs, size_t n)
{
    static const char zeros[8];
    struct iovec *parts = a->parts;
    int count = 0;

    for (size_t i = 0; i < n; i++) {
        struct append_job *job = jobs[i];
        size_t pad = RECORD_SIZE(job->data.len) - RECORD_HEADER - job->data.len;
        parts[count++] = (struct iovec){job->header, RECORD_HEADER};
        parts[count++] = (struct iovec){(char *)(uintptr_t)job->data.ptr, job->data.len};
        if (pad > 0)
            parts[count++] = (struct iovec){(char *)(uintptr_t)zeros, pad};
    }
    enum status status = disk_write_at(a->fd, parts, count, jobs[0]->chunk.offset);
    if (status == OK && a->r->sync)
        status = disk_sync(a->fd);
    return status;
}

/* A full disk costs these bodies and the rest of the file; any other failure costs the engine. */
static enum status
jobs_run(struct rocks_append *a, struct append_job *const *jobs, size_t n)
{
    enum status status = OK;
    size_t done = 0;

    while (done < n && status == OK) {
        if (a->fd < 0 || a->offset + RECORD_SIZE(jobs[done]->data.len) > ROCKS_SEGMENT)
            status = segment_begin(a);
        size_t last = done;
        while (status == OK && last < n &&
               a->offset + RECORD_SIZE(jobs[last]->data.len) <= ROCKS_SEGMENT)
            job_prepare(a, jobs[last++]);
        if (status == OK)
            status = jobs_write(a, jobs + done, last - done);
        jobs[done]->synced = a->r->sync;
        done = last;
    }
    if (status == ERR_NO_SPACE)
        fd_close(&a->fd);
    else if (status != OK)
        a->broken = true;
    return status == OK || status == ERR_NO_SPACE ? status : ERR_IO;
}

static void *
appender(void *arg)
{
    struct rocks_append *a = arg;
    struct append_job **jobs = a->taken;

    pthread_mutex_lock(&a->lock);
    for (;;) {
        size_t n = 0;
        for (struct list *node; n < BATCH_MAX && (node = list_pop(&a->jobs)) != NULL;)
            jobs[n++] = LIST_ENTRY(node, struct append_job, node);
        if (n == 0) {
            if (a->ending)
                break;
            pthread_cond_wait(&a->more, &a->lock);
            continue;
        }
        pthread_mutex_unlock(&a->lock);
        enum status status = a->broken ? ERR_IO : jobs_run(a, jobs, n);
        for (size_t i = 0; i < n; i++) {
            jobs[i]->status = status;
            offload_inbox_post(a->inbox, jobs[i]);
        }
        pthread_mutex_lock(&a->lock);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

/* ---- back on the loop ---- */
static void
append_answer(void *item)
{
    struct append_job *job = item;
    struct rocks *r = job->r;
    struct rocks_loc *loc = job->loc;

    r->calls--;
    r->base.counters.syncs += job->synced;
    if (job->status == OK) {
        loc->chunks[job->index] = job->chunk;
        rocks_segment_get(r, job->chunk.segment)->pending += RECORD_SIZE(job->chunk.length);
    } else {
        r->base.failed = r->base.failed || job->status == ERR_IO;
        loc->written = job->status;
    }
    loc->writing--;
    rocks_loc_settle(r, loc);
    mem_str_free(&job->data);
    mem_free(job);
}
