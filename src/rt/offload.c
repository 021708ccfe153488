/* offload.c - a pool of threads with a bounded line, and the way back into a loop.
 *
 * A finished job returns to its loop through that loop's inbox: a locked array and an eventfd that
 * is written only when the array was empty, so that a batch costs one system call.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "rt/fiber_internal.h"

#define THREADS_MAX 256u
/* The engines are written for ordinary threads; what they do not touch costs nothing. */
#define THREAD_STACK      (1024u * 1024)
#define INBOX_ITEMS_FIRST 64u

/* Stands on the stack of the waiting fiber, which cannot go before the job is done. */
struct job {
    struct list node;
    void (*work)(void *arg);
    void *arg;
    struct offload_inbox *home;
    struct fiber *fiber;
    bool done;
};
struct offload_pool {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct list jobs;
    uint32_t waiting, waiting_max, threads;
    bool ending;
    pthread_t thread[THREADS_MAX];
};
struct offload_inbox {
    struct watch watch;
    void (*deliver)(void *item);
    pthread_mutex_t lock;
    void **items; /* under lock */
    size_t count, cap;
    void **spare; /* the loop's: what was last delivered, swapped in at the next batch */
    size_t spare_cap;
};

/* Where this loop's finished jobs arrive; made at the first job and kept. */
static _Thread_local struct offload_inbox *job_inbox;

static void *pool_thread(void *arg);
static void job_finished(void *item);
static void inbox_ready(struct watch *w, uint32_t events);
static MUST_USE enum status start_threads(struct offload_pool *p, const char *name, uint32_t n);

enum status
offload_new(const char *name, uint32_t threads, uint32_t queue_max, struct offload_pool **out)
{
    ASSERT(threads > 0 && threads <= THREADS_MAX && queue_max > 0);
    struct offload_pool *p = MEM_NEW(struct offload_pool);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->more, NULL);
    list_init(&p->jobs);
    p->waiting_max = queue_max;
    enum status s = start_threads(p, name, threads);
    if (s != OK)
        offload_free(&p);
    else
        *out = p;
    return s;
}

void
offload_free(struct offload_pool **pool)
{
    struct offload_pool *p = *pool;

    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->lock);
    for (uint32_t i = 0; i < p->threads; i++)
        pthread_join(p->thread[i], NULL);
    pthread_cond_destroy(&p->more);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
    *pool = NULL;
}

enum status
rt_offload(struct offload_pool *p, void (*work)(void *arg), void *arg)
{
    struct job j = {.work = work, .arg = arg, .fiber = fiber_self()};

    ASSERT(j.fiber != NULL && work != NULL);
    if (job_inbox == NULL)
        TRY(offload_inbox_new(job_finished, &job_inbox));
    j.home = job_inbox;
    pthread_mutex_lock(&p->lock);
    bool room = p->waiting < p->waiting_max && !p->ending;
    if (room) {
        list_push(&p->jobs, &j.node);
        p->waiting++;
        pthread_cond_signal(&p->more);
    }
    pthread_mutex_unlock(&p->lock);
    if (!room)
        return ERR_LIMIT;
    return fiber_park_for(&j.done, FIBER_FOREVER, true);
}

static enum status
start_threads(struct offload_pool *p, const char *name, uint32_t n)
{
    char thread_name[16]; /* the kernel's limit */
    sigset_t all, old;
    pthread_attr_t attr;
    int failed = 0;

    /* Signals belong to the loop's thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, THREAD_STACK);
    while (p->threads < n && failed == 0) {
        failed = pthread_create(&p->thread[p->threads], &attr, pool_thread, p);
        if (failed != 0)
            break;
        struct str s = str_sub(str_of(name), 0, sizeof(thread_name) - 1);
        if (str_to_z(s, thread_name, sizeof(thread_name)))
            pthread_setname_np(p->thread[p->threads], thread_name);
        p->threads++;
    }
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return failed == 0 ? OK : ERR_IO;
}

static void *
pool_thread(void *arg)
{
    struct offload_pool *p = arg;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct list *node = list_pop(&p->jobs);
        if (node == NULL && p->ending)
            break;
        if (node == NULL) {
            pthread_cond_wait(&p->more, &p->lock);
            continue;
        }
        p->waiting--;
        pthread_mutex_unlock(&p->lock);
        struct job *j = LIST_ENTRY(node, struct job, node);
        j->work(j->arg);
        offload_inbox_post(j->home, j); /* j is gone from here on */
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void
job_finished(void *item)
{
    struct job *j = item;

    fiber_done(j->fiber, &j->done);
}

void
offload_release(void)
{
    offload_inbox_free(&job_inbox);
}

/* Inboxes. */

enum status
offload_inbox_new(void (*deliver)(void *item), struct offload_inbox **out)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    ASSERT(deliver != NULL);
    if (fd < 0)
        return ERR_IO;
    struct offload_inbox *i = MEM_NEW(struct offload_inbox);
    pthread_mutex_init(&i->lock, NULL);
    i->deliver = deliver;
    i->watch = (struct watch){.fd = fd, .ready = inbox_ready};
    /* Edge-triggered: each write to the eventfd is one edge, so its counter need not be read. */
    if (watch_start(&i->watch, EPOLLIN | EPOLLET) != OK) {
        i->watch.fd = -1;
        close(fd);
        offload_inbox_free(&i);
        return ERR_IO;
    }
    *out = i;
    return OK;
}

void
offload_inbox_free(struct offload_inbox **inbox)
{
    struct offload_inbox *i = *inbox;

    if (i == NULL)
        return;
    if (i->watch.fd >= 0) {
        watch_stop(&i->watch);
        close(i->watch.fd);
    }
    /* Whoever posted the last item may still hold the lock. */
    pthread_mutex_lock(&i->lock);
    pthread_mutex_unlock(&i->lock);
    pthread_mutex_destroy(&i->lock);
    mem_free(i->items);
    mem_free(i->spare);
    mem_free(i);
    *inbox = NULL;
}

void
offload_inbox_post(struct offload_inbox *i, void *item)
{
    const uint64_t one = 1;

    pthread_mutex_lock(&i->lock);
    if (i->count == i->cap) {
        size_t cap = i->cap == 0 ? INBOX_ITEMS_FIRST : i->cap * 2;
        i->items = mem_resize(i->items, i->cap * sizeof(void *), cap * sizeof(void *));
        i->cap = cap;
    }
    i->items[i->count++] = item;
    /* Under the lock, so that the inbox cannot be freed between the append and the write. */
    if (i->count == 1) {
        ssize_t n = write(i->watch.fd, &one, sizeof(one));
        ASSERT(n == (ssize_t)sizeof(one) || errno == EAGAIN);
    }
    pthread_mutex_unlock(&i->lock);
}

static void
inbox_ready(struct watch *w, uint32_t events)
{
    struct offload_inbox *i = (struct offload_inbox *)(void *)w;

    (void)events;
    pthread_mutex_lock(&i->lock);
    void **batch = i->items;
    size_t count = i->count, cap = i->cap;
    i->items = i->spare;
    i->cap = i->spare_cap;
    i->count = 0;
    i->spare = NULL;
    i->spare_cap = 0;
    pthread_mutex_unlock(&i->lock);
    for (size_t n = 0; n < count; n++)
        i->deliver(batch[n]);
    i->spare = batch;
    i->spare_cap = cap;
}
