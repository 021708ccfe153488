/* queue_items.c - heap and line of 16 bytes a message.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/queue_items.h"

#include "base/mem.h"
#include "base/status.h"

enum { ROOM_MIN = 4 }; /* powers of two */

static void resize(struct items *l, size_t room);
static void shrink(struct items *l);
static struct item *nth(const struct items *l, size_t i);
static void up(struct items *l, size_t i);
static void down(struct items *l, size_t i);
static void swap(struct items *l, size_t i, size_t k);
static void heap_remove(struct items *l, size_t i);

void
items_release(struct items *l)
{
    mem_free(l->at);
    *l = (struct items){0};
}

void
items_push(struct items *l, struct item it)
{
    if (l->count == l->room)
        resize(l, l->room == 0 ? ROOM_MIN : l->room * 2);
    l->count++;
    *nth(l, l->count - 1) = it;
}

bool
items_pop(struct items *l, struct item *out)
{
    if (l->count == 0)
        return false;
    *out = *nth(l, 0);
    l->first = (l->first + 1) & (l->room - 1);
    l->count--;
    shrink(l);
    return true;
}

void
items_heap_push(struct items *l, struct item it)
{
    items_push(l, it);
    up(l, l->count - 1);
}

bool
items_heap_pop(struct items *l, struct item *out)
{
    if (l->count == 0)
        return false;
    *out = l->at[0];
    heap_remove(l, 0);
    return true;
}

bool
items_take(struct items *l, uint64_t qid, struct item *out)
{
    size_t i = 0;

    while (i < l->count && nth(l, i)->qid != qid)
        i++;
    if (i == l->count)
        return false;
    *out = *nth(l, i);
    for (; i + 1 < l->count; i++)
        *nth(l, i) = *nth(l, i + 1);
    l->count--;
    shrink(l);
    return true;
}

bool
items_heap_take(struct items *l, uint64_t qid, struct item *out)
{
    size_t i = 0;

    while (i < l->count && l->at[i].qid != qid)
        i++;
    if (i == l->count)
        return false;
    *out = l->at[i];
    heap_remove(l, i);
    return true;
}

/* ---- room ---- */

static void
resize(struct items *l, size_t room)
{
    struct item *at = mem_array(room, sizeof(*at));

    ASSERT(room >= l->count);
    for (size_t i = 0; i < l->count; i++)
        at[i] = *nth(l, i);
    mem_free(l->at);
    l->at = at;
    l->first = 0;
    l->room = room;
}

static void
shrink(struct items *l)
{
    if (l->count == 0)
        items_release(l);
    else if (l->room > ROOM_MIN && l->count <= l->room / 4)
        resize(l, l->room / 2);
}

static struct item *
nth(const struct items *l, size_t i)
{
    return &l->at[(l->first + i) & (l->room - 1)];
}

/* ---- heap: first is always 0 ---- */

static void
up(struct items *l, size_t i)
{
    while (i > 0 && l->at[i].due_us < l->at[(i - 1) / 2].due_us) {
        swap(l, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

static void
down(struct items *l, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < l->count; child++) {
            if (l->at[child].due_us < l->at[least].due_us)
                least = child;
        }
        if (least == i)
            return;
        swap(l, i, least);
        i = least;
    }
}

static void
swap(struct items *l, size_t i, size_t k)
{
    struct item was = l->at[i];

    l->at[i] = l->at[k];
    l->at[k] = was;
}

static void
heap_remove(struct items *l, size_t i)
{
    l->count--;
    if (i < l->count) {
        l->at[i] = l->at[l->count];
        up(l, i);
        down(l, i);
    }
    shrink(l);
}
