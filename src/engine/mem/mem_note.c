/* mem_note.c - publications: at once on one machine; late, lost or doubled in a cluster.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/mem/mem_internal.h"

#include "rt/random.h"

/* A publication on its way to one engine. */
struct mem_note {
    struct list node;
    struct mem_engine *to;
    struct cell_id cell;
    uint64_t hint;
    struct timer timer;
};

static void note_send(struct mem_engine *to, struct cell_id c, uint64_t hint);
static void note_fire(struct timer *t);

void
mem_publish(struct engine *e, struct cell_id c, uint64_t hint)
{
    struct mem_engine *m = mem_of(e);

    if (!m->cluster) {
        engine_notify(e, c, hint);
        return;
    }
    list_each (node, &m->world->engines) {
        struct mem_engine *to = LIST_ENTRY(node, struct mem_engine, in_world);
        if (mem_chance(m->faults.publish_lost_percent))
            continue;
        note_send(to, c, hint);
        if (mem_chance(m->faults.publish_lost_percent))
            note_send(to, c, hint);
    }
}

void
mem_notes_release(struct mem_engine *m)
{
    for (struct list *node; (node = list_pop(&m->notes)) != NULL;) {
        struct mem_note *n = LIST_ENTRY(node, struct mem_note, node);
        timer_stop(&n->timer);
        mem_free(n);
    }
}

static void
note_send(struct mem_engine *to, struct cell_id c, uint64_t hint)
{
    struct mem_note *n = MEM_NEW(struct mem_note);

    n->to = to;
    n->cell = c;
    n->hint = hint;
    n->timer.fire = note_fire;
    list_push(&to->notes, &n->node);
    timer_set(&n->timer, (int64_t)random_below(to->faults.delay_max_ms + 1));
}

static void
note_fire(struct timer *t)
{
    struct mem_note *n = (struct mem_note *)(void *)((char *)t - offsetof(struct mem_note, timer));

    list_remove(&n->node);
    if (!n->to->base.failed)
        engine_notify(&n->to->base, n->cell, n->hint);
    mem_free(n);
}
