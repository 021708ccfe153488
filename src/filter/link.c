/* link.c - see link.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "filter/link.h"

#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"
#include "rt/loop.h"

/* One filter; lives on when a new configuration has it no more. */
struct place {
    struct list of_all;
    struct str where; /* owned */
    struct list kept; /* oldest first */
    uint32_t kept_count, open;
};
struct link {
    struct list of_place;
    struct place *place;
    struct conn *conn;
    struct link_terms terms;
    bool used_before;
    int64_t until_ms; /* while it waits */
};

static const struct link_verbs *verbs;
static struct list places = {&places, &places};
static struct timer sweep;

static struct place *
place_of(struct str where)
{
    list_each (node, &places) {
        struct place *p = LIST_ENTRY(node, struct place, of_all);
        if (str_eq(p->where, where))
            return p;
    }
    struct place *p = MEM_NEW(struct place);
    p->where = mem_str(where);
    list_init(&p->kept);
    list_push(&places, &p->of_all);
    return p;
}

static void
unkeep(struct link *l)
{
    list_remove(&l->of_place);
    list_init(&l->of_place);
    l->place->kept_count--;
}

static void
on_sweep(struct timer *t)
{
    int64_t now = clock_mono_ms();
    bool more = false;

    list_each (node, &places) {
        struct place *p = LIST_ENTRY(node, struct place, of_all);
        list_each_safe(one, after, &p->kept)
        {
            struct link *l = LIST_ENTRY(one, struct link, of_place);
            if (l->until_ms > now) {
                more = true;
                continue;
            }
            unkeep(l);
            link_drop(&l);
        }
    }
    if (more)
        timer_set(t, LIMIT_FILTER_KEEP_S * INT64_C(1000));
}

void
link_init(const struct link_verbs *v)
{
    verbs = v;
    sweep.fire = on_sweep;
}

static struct link *
take_kept(struct place *p)
{
    while (!list_empty(&p->kept)) { /* the one that was used last */
        struct link *l = LIST_ENTRY(p->kept.prev, struct link, of_place);
        unkeep(l);
        conn_borrow(l->conn);
        if (conn_is_quiet(l->conn)) {
            l->used_before = true;
            return l;
        }
        link_drop(&l);
    }
    return NULL;
}

enum status
link_take(const struct config_filter *f, bool fresh, struct link **out)
{
    struct place *p = place_of(f->where);
    int64_t until = link_until(f, 1);
    struct conn *c;
    int fd;

    struct link *l = fresh ? NULL : take_kept(p);
    if (l != NULL) {
        *out = l;
        return OK;
    }
    if (verbs == NULL)
        return ERR_TEMP;
    if (p->open >= LIMIT_FILTER_CONNS)
        return ERR_LIMIT;
    p->open++; /* before anything suspends */
    enum status st = verbs->dial(f->where, until - clock_mono_ms(), &fd);
    if (st == OK)
        st = conn_adopt(fd, MAX(until - clock_mono_ms(), 0), &c);
    if (st != OK) {
        p->open--;
        return st;
    }
    conn_line_max(c, LIMIT_POLICY_LINE_BYTES);
    l = MEM_NEW(struct link);
    list_init(&l->of_place);
    l->place = p;
    l->conn = c;
    *out = l;
    return OK;
}

bool
link_was_kept(const struct link *l)
{
    return l->used_before;
}

int64_t
link_until(const struct config_filter *f, uint32_t factor)
{
    return clock_mono_ms() + (int64_t)f->timeout_s * factor * 1000;
}

enum status
link_write(struct link *l, struct str bytes)
{
    conn_borrow(l->conn);
    return conn_write(l->conn, bytes);
}

enum status
link_flush(struct link *l)
{
    conn_borrow(l->conn);
    return conn_flush(l->conn);
}

struct link_terms *
link_terms(struct link *l)
{
    return &l->terms;
}

const char *
link_words(enum status st)
{
    switch (st) {
    case ERR_TEMP: return "nobody answers there";
    case ERR_TIMEOUT: return "no answer in time";
    case ERR_CLOSED: return "it closed the connection";
    case ERR_LIMIT: return "too much is asked of filters at once";
    case ERR_SYNTAX: return "its answer is too long, or cannot be understood";
    default: return status_name(st);
    }
}

enum status
link_line(struct link *l, int64_t until_ms, struct str *line_out)
{
    enum status st = conn_read_line(l->conn, MAX(until_ms - clock_mono_ms(), 0), line_out);

    if (st == ERR_LIMIT)
        return ERR_SYNTAX; /* its fault, no limit of our own */
    if (st != ERR_SYNTAX)
        return st;
    bool bad = str_find(*line_out, '\0') >= 0 || str_find(*line_out, '\r') >= 0;
    return bad ? ERR_SYNTAX : OK; /* a bare LF is the usual end here */
}

enum status
link_read(struct link *l, size_t n, int64_t until_ms, struct buf *b)
{
    struct str got;

    while (n > 0) {
        TRY(conn_read_some(l->conn, MAX(until_ms - clock_mono_ms(), 0), &got));
        if (got.len == 0)
            return ERR_CLOSED;
        struct str part = str_sub(got, 0, n);
        buf_add(b, part);
        TRY(buf_status(b));
        conn_consume(l->conn, part.len);
        n -= part.len;
    }
    return OK;
}

enum status
link_rest(struct link *l, int64_t until_ms, struct buf *b)
{
    struct str got;

    for (;;) {
        enum status st = conn_read_some(l->conn, MAX(until_ms - clock_mono_ms(), 0), &got);
        bool ended = (st == OK && got.len == 0) || (st == ERR_CLOSED && b->len > 0);
        if (ended)
            return b->len > 0 ? OK : ERR_CLOSED;
        TRY(st);
        buf_add(b, got);
        if (buf_status(b) != OK)
            return ERR_SYNTAX;
        conn_consume(l->conn, got.len);
    }
}

void
link_keep(struct link **l)
{
    struct link *one = *l;

    if (one == NULL)
        return;
    if (one->place->kept_count >= LIMIT_FILTER_KEPT || !conn_is_quiet(one->conn)) {
        link_drop(l);
        return;
    }
    *l = NULL;
    one->until_ms = clock_mono_ms() + LIMIT_FILTER_KEEP_S * INT64_C(1000);
    one->place->kept_count++;
    list_push(&one->place->kept, &one->of_place);
    if (!timer_is_set(&sweep))
        timer_set(&sweep, LIMIT_FILTER_KEEP_S * INT64_C(1000));
}

void
link_drop(struct link **l)
{
    struct link *one = *l;

    if (one == NULL)
        return;
    *l = NULL;
    list_remove(&one->of_place);
    one->place->open--;
    conn_free(&one->conn);
    mem_free(one);
}

void
link_forget_all(void)
{
    timer_stop(&sweep);
    list_each_safe(node, after, &places)
    {
        struct place *p = LIST_ENTRY(node, struct place, of_all);
        while (!list_empty(&p->kept)) {
            struct link *l = LIST_ENTRY(p->kept.next, struct link, of_place);
            unkeep(l);
            link_drop(&l);
        }
        list_remove(&p->of_all);
        mem_str_free(&p->where);
        mem_free(p);
    }
}
