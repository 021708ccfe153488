/* conn_client.c - connections that we open: the caller's fiber drives, and waits.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/size.h"
#include "rt/clock.h"
#include "rt/conn_finding.h"
#include "rt/conn_internal.h"
#include "rt/fiber_internal.h"

static struct conn *own(int fd);
static MUST_USE SUSPENDS enum status finish_connect(struct conn *c, int64_t timeout_ms);
static MUST_USE enum status open_socket(const struct conn_target *t, int *fd_out);

enum status
conn_connect(const struct conn_target *t, struct conn **out)
{
    int fd;

    TRY(open_socket(t, &fd));
    struct conn *c = own(fd);
    conn_set_peer(c, &t->addr);
    enum status s = finish_connect(c, t->timeout_ms);
    if (s == OK)
        *out = c;
    else
        conn_free(&c);
    return s;
}

enum status
conn_adopt(int fd, int64_t timeout_ms, struct conn **out)
{
    struct conn *c = own(fd);
    enum status s = finish_connect(c, timeout_ms);

    if (s == OK)
        *out = c;
    else
        conn_free(&c);
    return s;
}

static struct conn *
own(int fd)
{
    struct conn *c = conn_new(fd);

    ASSERT(fiber_self() != NULL);
    c->busy = true;
    c->fiber = fiber_self();
    c->phase = CONN_OPEN;
    c->line_max = 4096;
    return c;
}

static enum status
open_socket(const struct conn_target *t, int *fd_out)
{
    const int one = 1;
    int fd = socket(t->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return errno == EMFILE || errno == ENFILE ? ERR_LIMIT : ERR_TEMP;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    bool good = t->source == NULL ||
                bind(fd, t->source,
                     t->source->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                      : sizeof(struct sockaddr_in)) == 0;
    if (good && (connect(fd, (const struct sockaddr *)&t->addr, t->addr_len) == 0 ||
                 errno == EINPROGRESS)) {
        *fd_out = fd;
        return OK;
    }
    close(fd);
    return ERR_TEMP;
}

/* Refused, unreachable and the like are ERR_TEMP: nothing happened, another host or time may do. */
static enum status
finish_connect(struct conn *c, int64_t timeout_ms)
{
    int64_t until = clock_mono_ms() + timeout_ms;
    int error = 0;
    socklen_t len = sizeof(error);

    TRY(conn_watch(c));
    while (!c->writable && !c->hangup) {
        int64_t left = until - clock_mono_ms();
        TRY(conn_wait(c, timeout_ms < 0 ? FIBER_FOREVER : MAX(left, 0)));
    }
    if (getsockopt(c->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0)
        return ERR_TEMP;
    return OK; /* hangup stays: the peer may have ended already, and that is told once */
}

bool
conn_own_addr(const struct conn *c, struct sockaddr_storage *out)
{
    struct sockaddr_storage own = {0};
    socklen_t len = sizeof(own);

    if (getsockname(c->watch.fd, (struct sockaddr *)&own, &len) != 0)
        return false;
    *out = own;
    return true;
}

void
conn_borrow(struct conn *c)
{
    ASSERT(c->home == NULL && !c->waiting);
    c->fiber = fiber_self();
}

/* What a caller waits for. */
struct wanted {
    enum { A_LINE, BYTES, SOMETHING } what;
    size_t n; /* of BYTES */
};

static enum status
look_for_bytes(struct conn *c, size_t n, struct str *out)
{
    while (iobuf_size(&c->in) < n)
        if (!conn_pull(c))
            return c->eof || c->broken ? ERR_CLOSED : ERR_TEMP;
    *out = str_from(iobuf_start(&c->in), n);
    conn_consume(c, n);
    return OK;
}

static enum status
look_for_something(struct conn *c, struct str *out)
{
    struct str some = conn_peek(c, LIMIT_CONN_INPUT_BYTES);

    if (some.len == 0 && c->broken)
        return ERR_CLOSED;
    if (some.len == 0 && !c->eof)
        return ERR_TEMP;
    *out = some.len > 0 ? some : STR("");
    return OK;
}

/* ERR_TEMP: it is not there yet. */
static enum status
look(struct conn *c, const struct wanted *w, struct str *out)
{
    enum status s;

    switch (w->what) {
    case BYTES: return look_for_bytes(c, w->n, out);
    case SOMETHING: return look_for_something(c, out);
    case A_LINE: break;
    }
    s = conn_line(c, out);
    return s == ERR_TEMP && c->eof ? ERR_CLOSED : s;
}

/* timeout_ms < 0: for ever. */
static SUSPENDS enum status
await(struct conn *c, const struct wanted *w, int64_t timeout_ms, struct str *out)
{
    int64_t until = clock_mono_ms() + timeout_ms;

    conn_borrow(c);
    TRY(conn_flush(c));
    for (;;) {
        enum status s = look(c, w, out);
        if (s != ERR_TEMP)
            return s;
        int64_t left = until - clock_mono_ms();
        TRY(conn_wait(c, timeout_ms < 0 ? FIBER_FOREVER : MAX(left, 0)));
    }
}

enum status
conn_read_line(struct conn *c, int64_t timeout_ms, struct str *line_out)
{
    return await(c, &(struct wanted){.what = A_LINE}, timeout_ms, line_out);
}

enum status
conn_read_bytes(struct conn *c, size_t n, int64_t timeout_ms, struct str *bytes_out)
{
    ASSERT(n > 0 && n <= CONN_READ_MAX);
    return await(c, &(struct wanted){.what = BYTES, .n = n}, timeout_ms, bytes_out);
}

enum status
conn_read_some(struct conn *c, int64_t timeout_ms, struct str *some_out)
{
    return await(c, &(struct wanted){.what = SOMETHING}, timeout_ms, some_out);
}

bool
conn_is_quiet(struct conn *c)
{
    ASSERT(c->home == NULL);
    if (iobuf_size(&c->in) > 0)
        return false;
    c->readable = !c->eof; /* the loop may not have heard of it yet */
    return !conn_pull(c) && !c->eof;
}

void
conn_free(struct conn **conn)
{
    struct conn *c = *conn;

    if (c == NULL)
        return;
    ASSERT(c->home == NULL && !c->waiting);
    conn_push(c);
    conn_tls_shut(c);
    conn_release(c);
    *conn = NULL;
}
