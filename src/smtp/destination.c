/* destination.c - see destination.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/destination.h"

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"
#include "smtp/absent.h"

struct destination {
    struct str name; /* owned */
    uint32_t window, running, waiting;
    uint32_t answers; /* since the window last grew */
    bool known;       /* somebody there took a connection */
    struct fiber_queue line;
};
struct destinations {
    struct map *all;
    struct absents *absents;
    uint32_t placed, placeless; /* visits */
    uint32_t newcomers, returners;
    struct fiber_queue places;  /* newcomers wait here for one of LIMIT_OUT_CONNS */
    struct fiber_queue returns; /* who gave its place away and is connected; goes first */
    struct list seekers;        /* visits with a place and without a connection, oldest first */
    struct fiber_queue lender;  /* there may be something to lend */
};

static void
let_go(struct destinations *ds, struct destination *d)
{
    if (d->running + d->waiting > 0)
        return;
    map_del(ds->all, d->name);
    mem_str_free(&d->name);
    mem_free(d);
}

struct destinations *
destinations_new(void)
{
    struct destinations *ds = MEM_NEW(struct destinations);

    ds->all = map_new();
    ds->absents = absents_new();
    fiber_queue_init(&ds->places);
    fiber_queue_init(&ds->returns);
    fiber_queue_init(&ds->lender);
    list_init(&ds->seekers);
    return ds;
}

void
destinations_free(struct destinations **ds)
{
    if (*ds == NULL)
        return;
    ASSERT(map_count((*ds)->all) == 0 && (*ds)->placed == 0 && (*ds)->placeless == 0);
    map_free(&(*ds)->all);
    absents_free(&(*ds)->absents);
    mem_free(*ds);
    *ds = NULL;
}

static struct destination *
find(struct destinations *ds, struct str name)
{
    struct destination *d = map_get(ds->all, name);

    if (d != NULL)
        return d;
    d = MEM_NEW(struct destination);
    d->name = mem_str(name);
    d->window = 1;
    fiber_queue_init(&d->line);
    map_put(ds->all, name, d);
    return d;
}

/* ---- places ---- */

/* One that stood in the lender's way is gone. */
static void
look_again(struct destinations *ds)
{
    if (ds->newcomers > 0)
        fiber_queue_wake_one(&ds->lender);
}

static SUSPENDS enum status
take_place(struct destinations *ds, struct visit *v)
{
    bool returns = v->connected;
    uint32_t *waiting = returns ? &ds->returners : &ds->newcomers;
    enum status e = OK;

    ++*waiting;
    while (e == OK && (ds->placed >= LIMIT_OUT_CONNS || (!returns && ds->returners > 0))) {
        fiber_queue_wake_one(&ds->lender);
        e = fiber_queue_wait(returns ? &ds->returns : &ds->places, FIBER_FOREVER);
    }
    --*waiting;
    if (e == OK) {
        ds->placed++;
        v->placed = true;
    }
    if (ds->placed < LIMIT_OUT_CONNS && ds->returners == 0)
        fiber_queue_wake_one(&ds->places); /* who stood behind one that came back */
    if (returns)
        look_again(ds);
    return e;
}

static void
give_place(struct destinations *ds, struct visit *v)
{
    list_remove(&v->node);
    v->placed = false;
    ds->placed--;
    if (!fiber_queue_wake_one(&ds->returns))
        fiber_queue_wake_one(&ds->places);
}

static void
begin_to_seek(struct destinations *ds, struct visit *v)
{
    v->since_ms = clock_mono_ms();
    if (!v->placed)
        return;
    list_push(&ds->seekers, &v->node);
    look_again(ds);
}

/* How long until the oldest that seeks has had its time; FIBER_FOREVER: nobody wants its place, or may have it. */
static int64_t
next_loan_ms(const struct destinations *ds)
{
    if (ds->newcomers == 0 || ds->returners > 0 || ds->placed < LIMIT_OUT_CONNS ||
        ds->placeless >= LIMIT_OUT_REACHING || list_empty(&ds->seekers))
        return FIBER_FOREVER;
    const struct visit *oldest = LIST_ENTRY(ds->seekers.next, struct visit, node);
    return MAX(oldest->since_ms + LIMIT_OUT_REACH_MS - clock_mono_ms(), INT64_C(0));
}

void
destinations_lend(struct destinations *ds)
{
    for (;;) {
        int64_t wait_ms = next_loan_ms(ds);
        if (wait_ms == 0) {
            ds->placeless++;
            give_place(ds, LIST_ENTRY(ds->seekers.next, struct visit, node));
            fiber_yield(); /* who gets it */
        } else if (fiber_queue_wait(&ds->lender, wait_ms) == ERR_CANCELLED) {
            return;
        }
    }
}

/* ---- visits ---- */

static SUSPENDS enum status
wait_for_turn(struct destinations *ds, struct destination *d, struct visit *v)
{
    while (d->running >= d->window)
        TRY(fiber_queue_wait(&d->line, FIBER_FOREVER));
    d->running++;
    if (ds->placeless < LIMIT_OUT_REACHING && absent_knows(ds->absents, d->name)) {
        ds->placeless++;
        return OK;
    }
    enum status e = take_place(ds, v);
    if (e != OK)
        d->running--;
    return e;
}

static void
leave_placeless(struct destinations *ds)
{
    ds->placeless--;
    look_again(ds);
}

static void
end_visit(struct destinations *ds, struct visit *v)
{
    v->to->running--;
    if (v->placed)
        give_place(ds, v);
    else
        leave_placeless(ds);
}

enum status
destination_enter(struct destinations *ds, struct str name, bool hurry, struct visit *v,
                  const char **why_out)
{
    struct destination *d = find(ds, name);

    *v = (struct visit){.to = d};
    list_init(&v->node);
    d->waiting++;
    enum status e = wait_for_turn(ds, d, v);
    d->waiting--;
    if (e == OK && (hurry || !absent_is(ds->absents, name, clock_mono_ms(), why_out))) {
        begin_to_seek(ds, v);
        return OK;
    }
    if (e == OK) { /* what was learnt while this one waited */
        end_visit(ds, v);
        fiber_queue_wake_one(&d->line);
    } else {
        *why_out = "stopped";
    }
    let_go(ds, d);
    return ERR_TEMP;
}

enum status
destination_reached(struct destinations *ds, struct visit *v)
{
    struct destination *d = v->to;

    v->connected = true;
    list_remove(&v->node);
    if (!d->known) {
        d->known = true;
        d->window = MAX(d->window, (uint32_t)LIMIT_OUT_FIRST);
        for (uint32_t i = 1; i < d->window; i++)
            fiber_queue_wake_one(&d->line);
    }
    if (v->placed)
        return OK;
    TRY(take_place(ds, v));
    leave_placeless(ds);
    return OK;
}

void
destination_seek(struct destinations *ds, struct visit *v)
{
    if (!v->connected)
        return;
    v->connected = false;
    begin_to_seek(ds, v);
}

void
destination_leave_unasked(struct destinations *ds, struct visit *v)
{
    struct destination *d = v->to;

    end_visit(ds, v);
    fiber_queue_wake_one(&d->line);
    let_go(ds, d);
}

void
destination_leave(struct destinations *ds, struct visit *v, const char *why)
{
    struct destination *d = v->to;

    if (why != NULL) {
        absent_failed(ds->absents, d->name, clock_mono_ms(), why);
        d->window = MAX(d->window / 2, 1u);
        d->answers = 0;
    } else {
        absent_answered(ds->absents, d->name);
        if (++d->answers >= d->window && d->window < LIMIT_OUT_PER_DOMAIN) {
            d->window++;
            d->answers = 0;
            fiber_queue_wake_one(&d->line);
        }
    }
    destination_leave_unasked(ds, v);
}

uint32_t
destination_window(const struct destination *d)
{
    return d->window;
}
