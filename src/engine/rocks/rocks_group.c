/* rocks_group.c - the committer: one WriteBatch, one sync and one answer for everything that waits.
 *
 * The loop fills the open group while the committer writes the one before; when that is durable the
 * committer takes what has gathered.  Nobody ever waits for more to come, so a single commit costs one
 * sync and a crowd shares them.
 *
 * Promises:  groups are written in the order in which they were filled.  After a failed write nothing is
 *            written any more: its outcome and that of all later ones is unknown.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <signal.h>

#include "engine/rocks/rocks_internal.h"
#include "rt/loop.h"

struct group {
    struct rocks *r;
    rocksdb_writebatch_t *batch;
    struct rocks_commit *first, *last;
    size_t bytes;
    enum status status;
};
struct rocks_group_line {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    /* Under the lock: */
    struct group *open; /* being filled */
    bool idle, ending;
    /* The loop's: */
    bool started;
    struct deferred kick;
    struct offload_inbox *inbox;
    struct list room; /* who waits for the open group to be taken */
    /* The committer's: */
    rocksdb_writeoptions_t *how;
    bool broken;
    uint64_t acked; /* atomic */
};

static void *committer(void *arg);
static void line_kick(struct deferred *d);
static void group_answer(void *item);
static struct group *group_new(struct rocks *r);
static void group_free(struct group *g);

enum status
rocks_line_new(struct rocks *r)
{
    struct rocks_group_line *l = MEM_NEW(struct rocks_group_line);
    sigset_t all, old;

    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->more, NULL);
    list_init(&l->room);
    l->open = group_new(r);
    l->how = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(l->how, r->sync);
    l->acked = rocksdb_get_latest_sequence_number(r->db);
    l->kick.run = line_kick;
    r->line = l;
    r->acked = &l->acked;
    enum status status = offload_inbox_new(group_answer, &l->inbox);
    if (status != OK)
        return status;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    l->started = pthread_create(&l->thread, NULL, committer, r) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (l->started)
        pthread_setname_np(l->thread, "committer");
    return l->started ? OK : ERR_IO;
}

void
rocks_line_stop(struct rocks_group_line *l)
{
    if (!l->started)
        return;
    l->started = false;
    pthread_mutex_lock(&l->lock);
    l->ending = true;
    pthread_cond_signal(&l->more);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
}

void
rocks_line_free(struct rocks_group_line **line)
{
    struct rocks_group_line *l = *line;

    if (!l)
        return;
    rocks_line_stop(l);
    loop_undefer(&l->kick);
    ASSERT(l->open->first == NULL && list_empty(&l->room));
    group_free(l->open);
    offload_inbox_free(&l->inbox);
    rocksdb_writeoptions_destroy(l->how);
    pthread_cond_destroy(&l->more);
    pthread_mutex_destroy(&l->lock);
    mem_free(l);
    *line = NULL;
}

void
rocks_group_room(struct rocks *r)
{
    struct rocks_group_line *l = r->line;

    for (;;) {
        pthread_mutex_lock(&l->lock);
        bool full = l->open->bytes > ROCKS_GROUP_MAX;
        pthread_mutex_unlock(&l->lock);
        if (!full)
            return;
        rocks_wait(&l->room);
    }
}

rocksdb_writebatch_t *
rocks_group_begin(struct rocks *r)
{
    pthread_mutex_lock(&r->line->lock);
    return r->line->open->batch;
}

void
rocks_group_end(struct rocks *r, struct rocks_commit *c, size_t bytes)
{
    struct rocks_group_line *l = r->line;
    struct group *g = l->open;

    if (g->last)
        g->last->next = c;
    else
        g->first = c;
    g->last = c;
    g->bytes += bytes;
    bool idle = l->idle;
    r->calls++;
    pthread_mutex_unlock(&l->lock);
    if (idle)
        loop_defer(&l->kick);
}

/* At the end of a turn of the loop: what its fibers have put together goes as one. */
static void
line_kick(struct deferred *d)
{
    struct rocks_group_line *l =
        (struct rocks_group_line *)(void *)((char *)d - offsetof(struct rocks_group_line, kick));

    pthread_mutex_lock(&l->lock);
    if (l->idle)
        pthread_cond_signal(&l->more);
    pthread_mutex_unlock(&l->lock);
}

enum status
rocks_commit_wait(struct rocks_commit *c)
{
    engine_event_wait(&c->event);
    return c->status;
}

void
rocks_put(struct rocks *r, rocksdb_writebatch_t *w, enum rocks_family cf, struct str key,
          struct str value)
{
    rocksdb_writebatch_put_cf(w, r->cf[cf], key.ptr, key.len, value.ptr, value.len);
}

void
rocks_del(struct rocks *r, rocksdb_writebatch_t *w, enum rocks_family cf, struct str key)
{
    rocksdb_writebatch_delete_cf(w, r->cf[cf], key.ptr, key.len);
}

/* On the committer's thread. */
static void
group_write(struct rocks_group_line *l, struct group *g)
{
    char *error = NULL;

    if (l->broken) {
        g->status = ERR_IO;
        return;
    }
    rocksdb_write(g->r->db, l->how, g->batch, &error);
    g->status = rocks_error(error) == OK ? OK : ERR_IO;
    l->broken = g->status != OK;
    if (g->status == OK)
        __atomic_store_n(&l->acked, rocksdb_get_latest_sequence_number(g->r->db), __ATOMIC_RELEASE);
}

static void *
committer(void *arg)
{
    struct rocks *r = arg;
    struct rocks_group_line *l = r->line;
    struct group *next = group_new(r);

    pthread_mutex_lock(&l->lock);
    for (;;) {
        if (!l->open->first) {
            if (l->ending)
                break;
            l->idle = true;
            pthread_cond_wait(&l->more, &l->lock);
            continue;
        }
        struct group *g = l->open;
        l->open = next;
        l->idle = false;
        pthread_mutex_unlock(&l->lock);
        group_write(l, g);
        offload_inbox_post(l->inbox, g);
        next = group_new(r);
        pthread_mutex_lock(&l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    group_free(next);
    return NULL;
}

/* On the loop: the group is durable, or the engine has failed. */
static void
group_answer(void *item)
{
    struct group *g = item;
    struct rocks *r = g->r;

    if (g->status != OK)
        r->base.failed = true;
    r->base.counters.groups++;
    r->base.counters.syncs += r->sync;
    for (struct rocks_commit *c = g->first, *next; c; c = next) {
        next = c->next;
        r->calls--;
        c->status = g->status;
        if (c->cell) {
            if (g->status == OK) {
                c->cell->version = c->version;
                c->cell->dropped = c->drop;
            }
            c->cell->in_flight = NULL;
            rocks_wake(&c->cell->waiters);
        }
        engine_event_set(&c->event); /* c may be gone when its fiber runs */
    }
    rocks_wake(&r->line->room);
    group_free(g);
}

static struct group *
group_new(struct rocks *r)
{
    struct group *g = MEM_NEW(struct group);

    g->r = r;
    g->batch = rocksdb_writebatch_create();
    return g;
}

static void
group_free(struct group *g)
{
    if (g) {
        rocksdb_writebatch_destroy(g->batch);
        mem_free(g);
    }
}
