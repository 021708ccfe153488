/* conn_output.c - one buffer, one write per wake, and patience with a floor.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"
#include "rt/conn_internal.h"
#include "rt/fiber_internal.h"

/* Room for most replies; a longer one is measured, then printed again. */
#define PRINTF_FIRST 256u

static bool before_tls(const struct conn *c);
static size_t transmit(struct conn *c, const char *p, size_t n);
static MUST_USE SUSPENDS enum status drain_to(struct conn *c, uint32_t size);

enum status
conn_write(struct conn *c, struct str s)
{
    ASSERT(fiber_self() != NULL);
    while (!c->broken && s.len > 0) {
        /* A large run with nothing before it needs no copy. */
        if (iobuf_size(&c->out) == 0 && s.len >= IOBUF_BLOCK && !before_tls(c))
            s = str_skip(s, transmit(c, s.ptr, s.len));
        uint32_t size = iobuf_size(&c->out);
        uint32_t part = (uint32_t)MIN(s.len, LIMIT_CONN_OUTPUT_HIGH - size);
        if (part > 0 && !c->broken) {
            mem_copy(iobuf_need(&c->out, part, LIMIT_CONN_OUTPUT_HIGH), s.ptr, part);
            iobuf_grew(&c->out, part);
            s = str_skip(s, part);
        }
        if (s.len > 0)
            TRY(drain_to(c, CONN_OUTPUT_LOW));
    }
    return c->broken ? ERR_CLOSED : OK;
}

enum status
conn_printf(struct conn *c, const char *format, ...)
{
    uint32_t need = PRINTF_FIRST;
    va_list args;

    for (int round = 0; round < 2; round++) {
        if (c->broken)
            return ERR_CLOSED;
        char *tail = iobuf_need(&c->out, need, LIMIT_CONN_OUTPUT_HIGH);
        if (tail == NULL) {
            TRY(drain_to(c, 0));
            tail = iobuf_need(&c->out, need, LIMIT_CONN_OUTPUT_HIGH);
        }
        if (tail == NULL)
            return ERR_LIMIT;
        va_start(args, format);
        int n = vsnprintf(tail, need, format, args);
        va_end(args);
        ASSERT(n >= 0);
        if ((uint32_t)n < need) {
            iobuf_grew(&c->out, (uint32_t)n);
            return OK;
        }
        need = (uint32_t)n + 1;
    }
    UNREACHABLE();
}

enum status
conn_flush(struct conn *c)
{
    /* Before a handshake nothing can go out: it will with the first bytes inside TLS. */
    if (before_tls(c))
        return c->broken ? ERR_CLOSED : OK;
    return drain_to(c, 0);
}

/* Waits until at most size bytes wait. */
static enum status
drain_to(struct conn *c, uint32_t size)
{
    for (;;) {
        conn_push(c);
        if (c->broken)
            return ERR_CLOSED;
        if (iobuf_size(&c->out) <= size)
            return OK;
        if (before_tls(c))
            return ERR_CLOSED; /* more than the buffer holds, and the handshake waits for us */
        TRY(conn_wait(c, FIBER_FOREVER));
    }
}

void
conn_push(struct conn *c)
{
    uint32_t size = iobuf_size(&c->out);

    if (size == 0 || before_tls(c))
        return;
    size_t sent = transmit(c, iobuf_start(&c->out), size);
    if (c->broken)
        return;
    iobuf_consume(&c->out, (uint32_t)sent);
    if (sent == size) {
        iobuf_release(&c->out);
        c->out_since_ms = 0;
    } else if (c->out_since_ms == 0) {
        c->out_since_ms = MAX(clock_mono_ms(), 1);
        c->out_sent = 0;
    }
}

/* How much the kernel took. */
static size_t
transmit(struct conn *c, const char *p, size_t n)
{
    size_t sent = 0;

    while (sent < n && c->writable) {
        ssize_t done = c->ssl != NULL ? conn_tls_write(c, p + sent, n - sent)
                                      : send(c->watch.fd, p + sent, n - sent, MSG_NOSIGNAL);
        if (done > 0) {
            sent += (size_t)done;
        } else if (c->ssl != NULL || errno == EAGAIN) {
            c->writable = false;
        } else if (errno != EINTR) {
            conn_break(c);
        }
    }
    c->out_sent += sent;
    return sent;
}

static bool
before_tls(const struct conn *c)
{
    return c->ssl != NULL && !c->tls_done;
}
