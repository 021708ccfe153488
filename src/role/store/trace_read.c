/* trace_read.c - the trace, for role api, which has no files.
 *
 * It is read by a thread of its own, one question at a time, so that neither mail nor the writer of the trace waits; a
 * question ends in time, and needs bounded memory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#include "base/limits.h"
#include "base/size.h"
#include "config/config.h"
#include "ipc/admin_serve.h"
#include "role/store/admin.h"
#include "role/store/trace.h"
#include "rt/clock.h"
#include "rt/offload.h"
#include "trace/life.h"

enum {
    ROWS_MAX = ADMIN_TRACE_REPLY_ROWS_MAX,
    LINES_MAX = ADMIN_TRACE_LIFE_REPLY_LINES_MAX,
    LOOK_BYTES = 16 << 20, /* ids of pages before the present one */
    LIFE_BYTES = 64 << 20,
};

struct question {
    char dir[TRACE_PATH_MAX];
    struct arena *a; /* of the answer */
    int64_t until_ms;
    const struct admin_trace *what; /* one of both */
    struct admin_trace_reply *found;
    const struct admin_trace_life *which;
    struct admin_trace_life_reply *life;
    enum status result;
};

static struct offload_pool *reading;

/* ---- the thread's ---- */

/* What does not fit is cut: it is for people. */
static struct str
keep(struct str s, size_t max, struct arena *a)
{
    return arena_str(a, str_sub(s, 0, max));
}

static struct admin_trace_row
row_of(struct str id, const struct trace_life *life, struct arena *own, struct arena *a)
{
    struct trace_summary s = trace_summary(life, own);

    return (struct admin_trace_row){
        .id = keep(id, ADMIN_TRACE_ROW_ID_MAX, a),
        .time = keep(s.time, ADMIN_TRACE_ROW_TIME_MAX, a),
        .message_id = keep(s.message_id, ADMIN_TRACE_ROW_MESSAGE_ID_MAX, a),
        .size = keep(s.size, ADMIN_TRACE_ROW_SIZE_MAX, a),
        .result = keep(str_of(s.result), ADMIN_TRACE_ROW_RESULT_MAX, a),
        .code = keep(s.code, ADMIN_TRACE_ROW_CODE_MAX, a),
    };
}

/* Those of the address's rows that there is time for; the next page has the others. */
static void
add_rows(struct trace_reader *r, const struct trace_ids *ids, const struct question *q)
{
    struct admin_trace_row *rows = ARENA_ARRAY(q->a, struct admin_trace_row, ids->count + 1);
    size_t n = 0;

    for (; n < ids->count; n++) {
        AUTO_ARENA *own = arena_new(LIFE_BYTES);
        struct trace_life life;
        trace_life(r, ids->list[n], own, &life);
        if (n > 0 && trace_reader_is_late(r))
            break;
        rows[n] = row_of(ids->list[n], &life, own, q->a);
    }
    q->found->rows = rows;
    q->found->rows_count = n;
    q->found->more = ids->more || n < ids->count;
}

static void
look(struct trace_reader *r, const struct question *q)
{
    AUTO_ARENA *a = arena_new(LOOK_BYTES);
    size_t max = q->what->max > 0 ? MIN(q->what->max, (uint32_t)ROWS_MAX) : ROWS_MAX;
    const struct trace_query by = {
        .value = q->what->what, .since = q->what->since, .after = q->what->after, .max = max};
    struct trace_answer answer;

    trace_look(r, &by, a, &answer);
    q->found->kind = (uint8_t)answer.found; /* a small enum */
    add_rows(r, &answer.ids, q);
    const struct trace_life *acts = &answer.invitations;
    size_t n = MIN(acts->count, (size_t)ADMIN_TRACE_REPLY_LINES_MAX);
    struct str *lines = ARENA_ARRAY(q->a, struct str, n + 1);
    for (size_t i = 0; i < n; i++)
        lines[i] =
            keep(acts->steps[acts->count - n + i].line, ADMIN_TRACE_REPLY_LINES_ITEM_MAX, q->a);
    q->found->lines = lines;
    q->found->lines_count = n;
}

static void
tell_life(struct trace_reader *r, const struct question *q)
{
    AUTO_ARENA *own = arena_new(LIFE_BYTES);
    struct trace_life life;

    trace_life(r, q->which->id, own, &life);
    size_t from = MIN((size_t)q->which->from, life.count);
    size_t n = MIN(life.count - from, (size_t)LINES_MAX);
    struct str *lines = ARENA_ARRAY(q->a, struct str, n + 1);
    for (size_t i = 0; i < n; i++)
        lines[i] = keep(life.steps[from + i].line, ADMIN_TRACE_LIFE_REPLY_LINES_ITEM_MAX, q->a);
    *q->life = (struct admin_trace_life_reply){
        .row = row_of(q->which->id, &life, own, q->a),
        .lines = lines,
        .lines_count = n,
        .more = from + n < life.count,
        .cut = life.cut,
    };
}

static void
read_work(void *arg)
{
    struct question *q = arg;
    AUTO(trace_reader_free) struct trace_reader *r = NULL;

    q->result = trace_reader_open(q->dir, &r);
    if (q->result != OK)
        return;
    trace_reader_hurry(r, q->until_ms);
    if (q->what != NULL)
        look(r, q);
    else
        tell_life(r, q);
}

/* ---- the loop's ---- */

SUSPENDS static enum status
ask(const struct store *s, struct question *q)
{
    struct problem why = {0};

    if (!store_trace_is_on()) {
        problem_set(&why, 0, "", "there is no trace: trace-days is 0");
        ipc_fail(&why);
        return ERR_NOT_FOUND;
    }
    struct str path = arena_printf(q->a, "%.*s/%s", STR_FMT(s->config->data_dir), TRACE_FOLDER);
    if (!str_to_z(path, q->dir, sizeof(q->dir)))
        return ERR_TEMP;
    if (reading == NULL)
        TRY(offload_new("trace-read", 1, LIMIT_TRACE_READS, &reading));
    store_trace_flush(); /* what was just logged is asked for as well */
    q->until_ms = clock_mono_ms() + LIMIT_TRACE_READ_MS;
    enum status st = rt_offload(reading, read_work, q);
    if (st == OK)
        st = q->result;
    if (st == ERR_LIMIT) {
        problem_set(&why, 0, "", "too many questions to the trace wait; try again");
        ipc_fail(&why);
        return ERR_TEMP;
    }
    return st;
}

enum status
admin_serve_trace(struct ipc_peer *from, const struct admin_trace *req, struct arena *a,
                  struct admin_trace_reply *rep)
{
    struct question q = {.a = a, .what = req, .found = rep};

    if (req->what.len == 0)
        return ERR_SYNTAX;
    return ask(store_of(from), &q);
}

enum status
admin_serve_trace_life(struct ipc_peer *from, const struct admin_trace_life *req, struct arena *a,
                       struct admin_trace_life_reply *rep)
{
    struct question q = {.a = a, .which = req, .life = rep};

    if (req->id.len != TRACE_ID_BYTES)
        return ERR_SYNTAX;
    return ask(store_of(from), &q);
}
