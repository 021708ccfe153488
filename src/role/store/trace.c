/* trace.c - see trace.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define STORE_SERVE_HANDLERS_ONLY
#include "role/store/trace.h"

#include "base/mem.h"
#include "config/events.h"
#include "ipc/store_serve.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "rt/offload.h"
#include "trace/writer.h"

enum {
    GATHER_MS = 200,    /* so that a busy server writes in pieces, and a quiet one not at all */
    QUIET_MS = 3600000, /* then a look at what has become too old */
    COMPLAIN_MS = 60000,
};

/* One a process, as the store. */
static struct {
    struct store *s;
    struct offload_pool *thread;
    struct trace_writer *writer; /* the thread's while `busy` */
    struct buf lines;
    uint64_t lost;
    int64_t complained_ms;
    struct fiber_queue wake;
    struct fiber_lock writing;
} trace;

struct trace_job { /* for the thread */
    struct str lines;
    struct str purge; /* an address, or empty */
    uint64_t removed;
    struct instant now;
    const char *dir; /* to open */
    const struct trace_limits *limits;
    enum status result;
};

FIBER_ENTRY static void writer_fiber(void *arg);

static void
complain(enum status why)
{
    int64_t now = clock_mono_ms();

    if (trace.lost == 0 || (trace.complained_ms != 0 && now - trace.complained_ms < COMPLAIN_MS))
        return;
    trace.complained_ms = now;
    AUTO(logger_send) struct log_line l;
    if (event_begin(&l, EVENT_TRACE_FAIL)) {
        log_u64(&l, "lines", trace.lost);
        log_str(&l, "reason", str_of(status_name(why)));
    }
    trace.lost = 0;
}

static uint64_t
count_lines(struct str text)
{
    uint64_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    return n;
}

/* The keeper of logger_keep(). */
static void
add_line(struct str line)
{
    bool empty = trace.lines.len == 0;

    if (trace.lines.len + line.len > LIMIT_TRACE_BUFFER_BYTES) {
        trace.lost++;
        return;
    }
    buf_add(&trace.lines, line);
    if (empty)
        fiber_queue_wake_one(&trace.wake);
}

/* ---- the thread's ---- */

static void
open_work(void *arg)
{
    struct trace_job *j = arg;

    j->result = trace_writer_open(j->dir, j->limits, j->now, &trace.writer);
}

static void
write_work(void *arg)
{
    struct trace_job *j = arg;

    if (j->purge.len > 0)
        j->result = trace_writer_purge(trace.writer, j->purge, j->now, &j->removed);
    else
        j->result = trace_writer_add(trace.writer, j->lines, j->now);
}

/* ---- the loop's ---- */

void
store_trace_start(struct store *s)
{
    AUTO_BUF dir = BUF(TRACE_PATH_MAX);
    const struct trace_limits limits = {.days = s->config->trace_days,
                                        .bytes_max = s->config->trace_bytes,
                                        .segment_bytes = LIMIT_TRACE_SEGMENT_BYTES};
    struct trace_job job = {.limits = &limits, .now = clock_now(), .result = ERR_IO};

    if (s->config->trace_days == 0 || trace.s != NULL)
        return;
    buf_add(&dir, s->config->data_dir);
    buf_add_z(&dir, "/" TRACE_FOLDER);
    buf_add_char(&dir, '\0');
    job.dir = dir.ptr;
    if (buf_status(&dir) == OK && offload_new("trace", 1, 4, &trace.thread) == OK &&
        rt_offload(trace.thread, open_work, &job) == OK && job.result == OK) {
        trace.s = s;
        trace.lines = BUF(LIMIT_TRACE_BUFFER_BYTES);
        fiber_queue_init(&trace.wake);
        fiber_lock_init(&trace.writing);
        if (fiber_go(writer_fiber, NULL) == OK) {
            logger_keep(add_line);
            return;
        }
    }
    trace.lost = 1;
    complain(job.result);
}

SUSPENDS static enum status
write_job(struct trace_job *job)
{
    TRY(fiber_lock_take(&trace.writing));
    job->now = clock_now();
    job->result = ERR_IO;
    enum status st = rt_offload(trace.thread, write_work, job);
    fiber_lock_give(&trace.writing);
    return st != OK ? st : job->result;
}

/* The trace is not worth the last of the disk. */
SUSPENDS static enum status
write_lines(struct str lines)
{
    struct trace_job job = {.lines = lines};

    if (engine_space(trace.s->engine) != SPACE_PLENTY)
        return ERR_NO_SPACE;
    return write_job(&job);
}

void
store_trace_flush(void)
{
    if (trace.s == NULL || trace.lines.len == 0)
        return;
    struct str lines = buf_take(&trace.lines);
    trace.lines = BUF(LIMIT_TRACE_BUFFER_BYTES);
    enum status st = write_lines(lines);
    if (st != OK)
        trace.lost += count_lines(lines);
    complain(st);
    mem_str_free(&lines);
}

FIBER_ENTRY static void
writer_fiber(void *arg)
{
    struct trace_job nothing = {.lines = STR("")};

    (void)arg;
    for (;;) {
        enum status st = OK;
        if (trace.lines.len == 0)
            st = fiber_queue_wait(&trace.wake, QUIET_MS);
        if (st == ERR_TIMEOUT && write_job(&nothing) == ERR_CANCELLED)
            return;
        if (st == ERR_CANCELLED || fiber_sleep(GATHER_MS) == ERR_CANCELLED)
            return;
        store_trace_flush();
    }
}

bool
store_trace_is_on(void)
{
    return trace.s != NULL;
}

enum status
store_trace_purge(struct str address, uint64_t *removed_out)
{
    struct trace_job job = {.purge = address};

    *removed_out = 0;
    if (trace.s == NULL)
        return OK;
    store_trace_flush();
    TRY(write_job(&job));
    *removed_out = job.removed;
    return OK;
}

/* ---- from the other roles ---- */

/* A worker tells of its own: what a captured one says about mailboxes and the queue is not believed. */
static bool
may_tell(enum role r, struct str event)
{
    if (!event_is_traced(event))
        return false;
    if (r == ROLE_OUT)
        return str_starts(event, STR("out."));
    if (r == ROLE_AUTH)
        return str_starts(event, STR("invite."));
    return str_starts(event, STR("smtp.")) || (r == ROLE_USER && str_starts(event, STR("submit.")));
}

void
store_serve_trace(struct ipc_peer *from, const struct store_trace *req, struct arena *a)
{
    if (trace.s != NULL && trace_line_is_whole(req->line) &&
        may_tell(ipc_role(from), trace_value(req->line, "ev", a)))
        add_line(req->line);
}
