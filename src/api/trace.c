/* trace.c - what happened to a message, or to the messages of an address: read by the store, told here.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"
#include "api/view_trace.h"
#include "base/size.h"
#include "rt/clock.h"
#include "setup/logview.h"

enum { PAGE_BYTES = 6 << 20, LIVES_MAX = 20, SINCE_BYTES = 64 };
/* Of a life in a list; alone it is told whole. */
enum { STEPS_IN_LIST = 200, STEPS_ALONE = INT32_MAX };

/* ---- one message ---- */

static json_t *
row_json(const struct admin_trace_row *r, struct arena *a)
{
    const struct trace_summary s = {.time = r->time,
                                    .message_id = r->message_id,
                                    .size = r->size,
                                    .result = arena_z(a, r->result),
                                    .code = r->code};

    return view_trace_summary(r->id, &s);
}

/* Some steps of a life, of which at most max are told; the first answer makes the whole. */
static SUSPENDS enum status
add_steps(struct admin_trace_life *req, size_t max, json_t **whole, json_t *steps, bool *more_out)
{
    AUTO_ARENA *page = arena_new(PAGE_BYTES);
    struct admin_trace_life_reply rep;

    TRY(admin_trace_life_call(api_world->store, req, page, &rep));
    size_t n = MIN(rep.lines_count, max - json_array_size(steps));
    for (size_t i = 0; i < n; i++)
        json_array_append_new(steps, view_trace_step(rep.lines[i]));
    if (*whole == NULL) {
        *whole = row_json(&rep.row, page);
        json_object_set(*whole, "steps", steps);
        json_object_set_new(*whole, "cut", json_boolean(rep.cut));
    }
    req->from += (uint32_t)n; /* at most TRACE_STEPS_MAX in all */
    bool more = n < rep.lines_count || (rep.more && n > 0);
    *more_out = more && json_array_size(steps) < max;
    if (more && !*more_out)
        json_object_set_new(*whole, "cut", json_true());
    return OK;
}

static SUSPENDS enum status
read_life(struct str id, size_t max, json_t **out)
{
    struct admin_trace_life req = {.id = id};
    json_t *whole = NULL, *steps = json_array();
    enum status e = OK;

    for (bool more = true; e == OK && more;)
        e = add_steps(&req, max, &whole, steps, &more);
    json_decref(steps);
    if (e != OK) {
        json_decref(whole);
        return e;
    }
    *out = whole;
    return OK;
}

/* ---- what a word leads to ---- */

static SUSPENDS bool
take_query(struct api_call *c, struct admin_trace *req, uint64_t *limit)
{
    AUTO_BUF since = BUF(SINCE_BYTES);
    struct str text;

    if (!api_query(c, "what", &req->what) || !api_query(c, "since", &text) ||
        !api_query(c, "after", &req->after) || !api_limit(c, limit))
        return false;
    if (req->what.len == 0 || req->what.len > ADMIN_TRACE_WHAT_MAX) {
        api_problem(c->x, 422, "syntax", STR("\"what\" is an address, a message id or a queue id"));
        return false;
    }
    if (req->after.len > ADMIN_TRACE_AFTER_MAX) {
        api_problem(c->x, 422, "syntax", STR("\"after\" is the \"next\" of an answer"));
        return false;
    }
    if (text.len > 0 && !logview_since(text, clock_now(), &since)) {
        api_problem(c->x, 422, "syntax", STR("\"since\" is 10m, 2h, today or 2026-11-23"));
        return false;
    }
    req->since = arena_str(c->a, buf_str(&since));
    return true;
}

static SUSPENDS enum status
add_lives(const struct admin_trace_reply *rep, json_t *all)
{
    for (size_t i = 0; i < rep->rows_count && i < LIVES_MAX; i++) {
        json_t *life = NULL;
        TRY(read_life(rep->rows[i].id, STEPS_IN_LIST, &life));
        json_array_append_new(all, life);
    }
    return OK;
}

/* One page of what the store has; *more_out: there is another, behind the last one. */
static SUSPENDS enum status
add_page(struct api_call *c, struct admin_trace *req, json_t *answer, bool *more_out)
{
    AUTO_ARENA *page = arena_new(PAGE_BYTES);
    json_t *messages = json_object_get(answer, "messages");
    bool first = req->after.len == 0;
    struct admin_trace_reply rep;

    TRY(admin_trace_call(api_world->store, req, page, &rep));
    bool lives = rep.kind == TRACE_FOUND_MESSAGES;
    size_t n = lives ? MIN(rep.rows_count, (size_t)LIVES_MAX) : rep.rows_count;
    if (lives)
        TRY(add_lives(&rep, messages));
    for (size_t i = 0; !lives && i < n; i++)
        json_array_append_new(messages, row_json(&rep.rows[i], page));
    for (size_t i = 0; first && i < rep.lines_count; i++)
        json_array_append_new(json_object_get(answer, "invitations"),
                              view_trace_step(rep.lines[i]));
    if (n > 0)
        req->after = arena_str(c->a, rep.rows[n - 1].id);
    *more_out = n > 0 && (rep.more || n < rep.rows_count);
    /* lives are large: one page of them is an answer */
    req->max = lives ? 0 : req->max - (uint32_t)MIN(n, (size_t)req->max);
    return OK;
}

SUSPENDS void
api_trace(struct api_call *c)
{
    struct admin_trace req = {0};
    bool more = true;
    uint64_t limit;

    if (!take_query(c, &req, &limit))
        return;
    json_t *answer = json_pack("{s:[], s:[]}", "messages", "invitations");
    req.max = (uint32_t)limit; /* at most 1,000 */
    enum status e = OK;
    while (e == OK && more && req.max > 0)
        e = add_page(c, &req, answer, &more);
    if (e != OK) {
        json_decref(answer);
        api_fail(c, e);
        return;
    }
    if (more)
        json_object_set_new(answer, "next", view_str(req.after));
    api_json(c, 200, answer);
}

/* By the id that a list has, a Received field of ours, or the queue. */
SUSPENDS void
api_trace_life(struct api_call *c)
{
    struct admin_trace req = {.what = c->at[1], .max = 1};
    struct admin_trace_reply rep;
    json_t *life = NULL;

    if (req.what.len > TRACE_ID_BYTES) {
        api_problem(c->x, 404, "not-found", STR("Nothing is known of this id"));
        return;
    }
    enum status e = admin_trace_call(api_world->store, &req, c->a, &rep);
    bool found = e == OK && rep.kind == TRACE_FOUND_MESSAGES && rep.rows_count > 0;
    if (found)
        e = read_life(arena_str(c->a, rep.rows[0].id), STEPS_ALONE, &life);
    if (e != OK)
        api_fail(c, e);
    else if (!found)
        api_problem(c->x, 404, "not-found", STR("Nothing is known of this id"));
    else
        api_json(c, 200, life);
}
