/* conn_input.c - reading once per wake, and cutting lines strictly.
 *
 * RFC 5321 section 2.3.8: only CRLF ends a line; "conforming implementations MUST NOT recognize or
 * generate any other character or character sequence as a line terminator".  A bare LF is reported as
 * a broken line at once, because a peer that sends it would otherwise wait for ever.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/size.h"
#include "rt/conn_internal.h"

static bool pull_share(struct conn *c);
static uint32_t input_max(const struct conn *c);
static bool line_ready(struct conn *c);
static ssize_t receive(struct conn *c, char *p, size_t n);
static MUST_USE enum status take_line(struct conn *c, struct str *line_out);

void
conn_line_max(struct conn *c, size_t max)
{
    ASSERT(max > 0 && max < UINT32_MAX / 4);
    c->line_max = (uint32_t)max;
}

bool
conn_pull(struct conn *c)
{
    char *tail;

    if (c->phase != CONN_OPEN || c->closing || c->eof || !(c->readable || c->tls_pending))
        return false;
    /* A body that fills whole blocks is read in larger pieces. */
    if (c->in_bulk)
        (void)iobuf_need(&c->in, LIMIT_CONN_INPUT_BYTES, LIMIT_CONN_INPUT_BYTES);
    uint32_t room = iobuf_room(&c->in, input_max(c), &tail);
    if (room == 0)
        return false;
    ssize_t n = receive(c, tail, room);
    if (n <= 0)
        return false;
    iobuf_grew(&c->in, (uint32_t)n);
    c->stalled = false;
    c->fill_left -= MIN(c->fill_left, (uint32_t)n);
    c->in_bulk = c->rest == REST_BYTES && (uint32_t)n == room;
    if (c->rest == REST_BYTES)
        c->body_got += (uint64_t)n;
    return true;
}

/* For the session's use: until it had its share of this wake. */
static bool
pull_share(struct conn *c)
{
    return (c->fill_left > 0 || c->home == NULL) && conn_pull(c);
}

static ssize_t
receive(struct conn *c, char *p, size_t n)
{
    if (c->ssl != NULL)
        return conn_tls_read(c, p, n);
    ssize_t got = recv(c->watch.fd, p, n, MSG_DONTWAIT);
    if (got > 0) {
        /* A short read emptied the socket: the next byte will be a new edge. */
        if ((size_t)got < n && !c->hangup)
            c->readable = false;
    } else if (got == 0) {
        c->eof = true;
        c->readable = false;
    } else if (errno == EAGAIN || errno == EINTR) {
        c->readable = errno == EINTR;
    } else {
        conn_break(c);
    }
    return got;
}

/* A whole line of the allowed length always fits, with its CRLF and one byte that shows it too long. */
static uint32_t
input_max(const struct conn *c)
{
    return MAX((uint32_t)LIMIT_CONN_INPUT_BYTES, c->line_max + 3);
}

bool
conn_unit_ready(struct conn *c)
{
    if (c->stalled)
        return false;
    return c->rest == REST_LINE ? line_ready(c) : iobuf_size(&c->in) > 0;
}

/* Is a line complete, or too long to become one?  Sets line_len in the first case. */
static bool
line_ready(struct conn *c)
{
    while (c->line_len == 0) {
        uint32_t size = iobuf_size(&c->in);
        const char *start = iobuf_start(&c->in);
        const char *lf = NULL;
        if (size > c->scanned)
            lf = memchr(start + c->scanned, '\n', size - c->scanned);
        if (lf == NULL && c->skipping) {
            iobuf_consume(&c->in, size);
            return false;
        }
        if (lf == NULL) {
            c->scanned = size;
            return size > c->line_max + 1; /* its CR may be there already */
        }
        c->line_len = (uint32_t)(lf - start) + 1;
        if (c->skipping) {
            conn_consume(c, c->line_len);
            c->skipping = false;
        }
    }
    return true;
}

enum status
conn_line(struct conn *c, struct str *line_out)
{
    if (c->closing)
        return ERR_TEMP;
    while (!line_ready(c)) {
        if (!pull_share(c))
            return ERR_TEMP;
    }
    if (c->line_len == 0) {
        conn_consume(c, iobuf_size(&c->in));
        c->skipping = true;
        return ERR_LIMIT;
    }
    return take_line(c, line_out);
}

static enum status
take_line(struct conn *c, struct str *line_out)
{
    struct str line = str_from(iobuf_start(&c->in), c->line_len - 1);
    bool crlf = line.len > 0 && line.ptr[line.len - 1] == '\r';

    conn_consume(c, c->line_len);
    if (crlf)
        line.len--;
    if (line.len > c->line_max)
        return ERR_LIMIT;
    *line_out = line;
    if (!crlf || str_find(line, '\r') >= 0 || str_find(line, '\0') >= 0)
        return ERR_SYNTAX;
    return OK;
}

struct str
conn_peek(struct conn *c, size_t max)
{
    if (c->closing || (iobuf_size(&c->in) == 0 && !pull_share(c)))
        return STR_NONE;
    return str_from(iobuf_start(&c->in), MIN(max, iobuf_size(&c->in)));
}

void
conn_consume(struct conn *c, size_t n)
{
    ASSERT(n <= iobuf_size(&c->in));
    iobuf_consume(&c->in, (uint32_t)n);
    c->consumed += n;
    c->scanned = c->line_len = 0;
}

bool
conn_fill(struct conn *c)
{
    return pull_share(c);
}
