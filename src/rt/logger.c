/* logger.c - log lines on their way to boss.
 *
 * A thread with a loop collects its lines and writes them at the end of the turn; a line of level error
 * goes at once, because the next thing may be the end.  A write is at most PIPE_BUF bytes, which the
 * kernel keeps together among all writers of a pipe.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/logger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/buf.h"
#include "rt/clock.h"
#include "rt/fiber_internal.h"

static struct {
    int fd;
    enum log_level threshold;
    char role[16];
    uint64_t dropped; /* lines; atomic: every thread counts */
    void (*keep)(struct str line);
} out = {.fd = STDERR_FILENO, .threshold = LOG_INFO};

static _Thread_local struct {
    struct buf lines;
    uint32_t count;
    struct deferred flush;
} batch;

static void begin(struct log_line *l, enum log_level lvl, const char *event);
static void send_line(const struct log_line *l, struct str line);
static void send_text(struct str text, uint32_t lines);
static void flush_batch(void);
static void end_of_turn(struct deferred *d);
static void tell_dropped(void);

/* A reader that sleeps must not stop the mail. */
static void
set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    ASSERT(fd >= 0 && flags >= 0);
    if ((flags & O_NONBLOCK) == 0)
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void
logger_init(int fd, enum log_level threshold, const char *role)
{
    set_nonblocking(fd);
    out.fd = fd;
    out.threshold = threshold;
    ASSERT(str_to_z(str_of(role), out.role, sizeof(out.role)));
}

/* The number of the descriptor stays: other threads may be writing, and the kernel swaps the file under it at once. */
void
logger_move(int fd)
{
    set_nonblocking(fd);
    while (dup3(fd, out.fd, O_CLOEXEC) < 0)
        ASSERT(errno == EINTR);
}

void
logger_level(enum log_level threshold)
{
    out.threshold = threshold;
}

void
logger_keep(void (*keep)(struct str line))
{
    out.keep = keep;
}

bool
logger_begin_kept(struct log_line *l, enum log_level lvl, const char *event)
{
    if (out.keep == NULL || !loop_exists())
        return logger_begin(l, lvl, event);
    begin(l, lvl, event);
    l->kept = true;
    l->quiet = lvl < out.threshold;
    return true;
}

bool
logger_begin(struct log_line *l, enum log_level lvl, const char *event)
{
    *l = (struct log_line){0};
    if (lvl < out.threshold)
        return false;
    begin(l, lvl, event);
    return true;
}

static void
begin(struct log_line *l, enum log_level lvl, const char *event)
{
    const struct fiber_context *context = fiber_context();

    *l = (struct log_line){0};
    log_line_init(l, clock_now(), lvl, event);
    l->urgent = lvl >= LOG_ERROR;
    if (out.role[0] != '\0')
        log_str(l, "role", str_of(out.role));
    if (context->session != 0)
        log_hex64(l, "sid", context->session);
    if (context->user[0] != '\0')
        log_str(l, "user", str_of(context->user));
}

void
logger_send(struct log_line *l)
{
    if (l->text.ptr == NULL)
        return;
    struct str line = log_line_end(l);
    if (l->kept)
        out.keep(line);
    if (!l->quiet)
        send_line(l, line);
    log_line_release(l);
}

static void
send_line(const struct log_line *l, struct str line)
{
    if (batch.lines.len + line.len > PIPE_BUF)
        flush_batch();
    if (!loop_exists() || l->urgent) {
        flush_batch();
        send_text(line, 1);
    } else {
        batch.lines.max = PIPE_BUF;
        buf_add(&batch.lines, line);
        batch.count++;
        batch.flush.run = end_of_turn;
        loop_defer(&batch.flush);
    }
}

void
logger_release(void)
{
    flush_batch();
    buf_release(&batch.lines);
}

static void
end_of_turn(struct deferred *d)
{
    (void)d;
    flush_batch();
}

static void
flush_batch(void)
{
    if (batch.count == 0)
        return;
    send_text(buf_str(&batch.lines), batch.count);
    buf_reset(&batch.lines);
    batch.count = 0;
}

static void
send_text(struct str text, uint32_t lines)
{
    int error = errno;

    if (__atomic_load_n(&out.dropped, __ATOMIC_RELAXED) > 0)
        tell_dropped();
    if (write(out.fd, text.ptr, text.len) != (ssize_t)text.len)
        __atomic_add_fetch(&out.dropped, lines, __ATOMIC_RELAXED);
    errno = error;
}

static void
tell_dropped(void)
{
    uint64_t n = __atomic_exchange_n(&out.dropped, 0, __ATOMIC_RELAXED);
    struct log_line l;

    log_line_init(&l, clock_now(), LOG_WARN, "log.dropped");
    if (out.role[0] != '\0')
        log_str(&l, "role", str_of(out.role));
    log_u64(&l, "lines", n);
    struct str text = log_line_end(&l);
    if (write(out.fd, text.ptr, text.len) != (ssize_t)text.len)
        __atomic_add_fetch(&out.dropped, n, __ATOMIC_RELAXED);
    log_line_release(&l);
}
