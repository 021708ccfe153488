/* queue_summary.c - counts the index of the queue by destination and age.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/queue_summary.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/size.h"
#include "store/directory.h"
#include "store/queue_internal.h"

struct counting {
    struct map *by_domain; /* "@" domain, or "" for mailboxes here -> struct queue_tally */
    struct queue_tally all;
    struct instant now;
};

SUSPENDS static enum status count_cell(struct queue *q, struct counting *c, size_t cell);
static void count(struct counting *c, const struct queue_plan *p);
static void count_in(struct counting *c, struct queue_tally *t, const struct queue_plan *p);
static struct queue_tally *tally_of(struct counting *c, const struct queue_plan_job *j);
static void add_paused(struct queue *q, struct counting *c);
static void largest(struct counting *c, size_t max, struct arena *a, struct queue_summary *out);
static int larger_first(const void *a, const void *b);
static void release(struct counting *c);

enum status
queue_summarize(struct queue *q, struct instant now, size_t max, struct arena *a,
                struct queue_summary *out)
{
    struct counting c = {.by_domain = map_new(), .now = now};
    enum status st = OK;

    ASSERT(max > 0);
    for (size_t i = 0; i < QUEUE_CELLS && st == OK; i++) {
        if (q->at[i].count > 0)
            st = count_cell(q, &c, i);
    }
    add_paused(q, &c);
    if (st == OK)
        largest(&c, max, a, out);
    release(&c);
    return st;
}

size_t
queue_age_class(int64_t age_us)
{
    int64_t end = INT64_C(300000000);
    size_t i = 0;

    while (i < QUEUE_AGES - 1 && age_us >= end) {
        end *= 2;
        i++;
    }
    return i;
}

SUSPENDS static enum status
count_cell(struct queue *q, struct counting *c, size_t cell)
{
    AUTO_ARENA *a = arena_new(QUEUE_PAGE_ARENA);
    struct queue_walk w = {.cell = cell, .tag = 'I', .bytes_max = QUEUE_PAGE_BYTES};
    const struct cell_entry *entries;
    size_t n;

    for (;;) {
        TRY(queue_walk_page(q, &w, a, &entries, &n));
        if (n == 0)
            return OK;
        for (size_t i = 0; i < n; i++) {
            struct queue_plan p;
            if (entries[i].key.len != sizeof(struct queue_key))
                return ERR_CORRUPT;
            if (queue_plan_read(entries[i].value, a, &p) == OK) /* else queue_load() told of it */
                count(c, &p);
        }
        w.from = be64_get(entries[n - 1].key.ptr + 1) + 1;
        arena_reset(a);
    }
}

static void
count(struct counting *c, const struct queue_plan *p)
{
    count_in(c, &c->all, p);
    for (size_t i = 0; i < p->count; i++)
        count_in(c, tally_of(c, &p->jobs[i]), p);
}

static void
count_in(struct counting *c, struct queue_tally *t, const struct queue_plan *p)
{
    t->messages++;
    t->held += p->held ? 1 : 0;
    t->ages[queue_age_class(c->now.us - p->arrived.us)]++;
    if (t->oldest.us == 0 || p->arrived.us < t->oldest.us)
        t->oldest = p->arrived;
}

static struct queue_tally *
tally_of(struct counting *c, const struct queue_plan_job *j)
{
    AUTO_BUF key = BUF(DIRECTORY_ADDRESS_MAX + 1);

    buf_add(&key, j->local ? STR("") : STR("@"));
    buf_add(&key, j->domain);
    struct queue_tally *t = map_get(c->by_domain, buf_str(&key));
    if (t != NULL)
        return t;
    t = MEM_NEW(struct queue_tally);
    t->domain = mem_str(j->domain);
    map_put(c->by_domain, buf_str(&key), t);
    return t;
}

/* What is paused is told also when nothing waits for it. */
static void
add_paused(struct queue *q, struct counting *c)
{
    size_t cursor = 0;
    struct str domain;
    void *value;

    c->all.paused = q->paused;
    while (map_next(q->lanes, &cursor, &domain, &value)) {
        const struct queue_plan_job job = {.domain = domain};
        if (((const struct lane *)value)->paused)
            tally_of(c, &job)->paused = true;
    }
}

static void
largest(struct counting *c, size_t max, struct arena *a, struct queue_summary *out)
{
    size_t n = map_count(c->by_domain), i = 0, cursor = 0;
    struct queue_tally **list = mem_array(n + 1, sizeof(struct queue_tally *));
    struct str key;
    void *value;

    while (map_next(c->by_domain, &cursor, &key, &value))
        list[i++] = value;
    qsort(list, n, sizeof(struct queue_tally *), larger_first);
    size_t some = MIN(n, max);
    struct queue_tally *tallies = ARENA_ARRAY(a, struct queue_tally, some + 1);
    for (i = 0; i < some; i++) {
        tallies[i] = *list[i];
        tallies[i].domain = arena_str(a, list[i]->domain);
    }
    mem_free(list);
    *out =
        (struct queue_summary){.all = c->all, .tallies = tallies, .count = some, .destinations = n};
}

/* Then by name. */
static int
larger_first(const void *a, const void *b)
{
    const struct queue_tally *x = *(const struct queue_tally *const *)a,
                             *y = *(const struct queue_tally *const *)b;

    if (x->messages != y->messages)
        return x->messages > y->messages ? -1 : 1;
    return str_cmp(x->domain, y->domain);
}

static void
release(struct counting *c)
{
    size_t cursor = 0;
    struct str key;
    void *value;

    while (map_next(c->by_domain, &cursor, &key, &value)) {
        struct queue_tally *t = value;
        mem_str_free(&t->domain);
        mem_free(t);
    }
    map_free(&c->by_domain);
}
