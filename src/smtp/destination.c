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
    struct fiber_queue line;
};
struct destinations {
    struct map *all;
    struct absents *absents;
    uint32_t running;
    struct fiber_queue places; /* destinations with room wait here for one of LIMIT_OUT_CONNS */
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
    return ds;
}

void
destinations_free(struct destinations **ds)
{
    if (*ds == NULL)
        return;
    ASSERT(map_count((*ds)->all) == 0);
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
    d->window = LIMIT_OUT_FIRST;
    fiber_queue_init(&d->line);
    map_put(ds->all, name, d);
    return d;
}

static SUSPENDS enum status
wait_for_place(struct destinations *ds, struct destination *d)
{
    while (d->running >= d->window)
        TRY(fiber_queue_wait(&d->line, FIBER_FOREVER));
    d->running++;
    while (ds->running >= LIMIT_OUT_CONNS) {
        enum status e = fiber_queue_wait(&ds->places, FIBER_FOREVER);
        if (e != OK) {
            d->running--;
            return e;
        }
    }
    ds->running++;
    return OK;
}

enum status
destination_enter(struct destinations *ds, struct str name, bool hurry, struct destination **out,
                  const char **why_out)
{
    struct destination *d = find(ds, name);

    d->waiting++;
    enum status e = wait_for_place(ds, d);
    d->waiting--;
    if (e == OK && (hurry || !absent_is(ds->absents, name, clock_mono_ms(), why_out))) {
        *out = d;
        return OK;
    }
    if (e == OK) { /* what was learnt while this one waited */
        d->running--;
        ds->running--;
        fiber_queue_wake_one(&d->line);
        fiber_queue_wake_one(&ds->places);
    } else {
        *why_out = "stopped";
    }
    let_go(ds, d);
    return ERR_TEMP;
}

void
destination_leave(struct destinations *ds, struct destination *d, const char *why)
{
    d->running--;
    ds->running--;
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
    fiber_queue_wake_one(&d->line);
    fiber_queue_wake_one(&ds->places);
    let_go(ds, d);
}

uint32_t
destination_window(const struct destination *d)
{
    return d->window;
}
