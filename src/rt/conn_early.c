/* conn_early.c - what a connection does before its session: the header of a proxy, the pause before a greeting.
 *
 * It rests as data: a timer and the descriptor's readiness, no fiber.  Bytes are looked at where they are, in the
 * kernel, so that none behind the header is taken.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "rt/clock.h"
#include "rt/conn_internal.h"
#include "rt/proxy.h"

int64_t conn_proxy_ms = LIMIT_PROXY_S * INT64_C(1000);

static bool read_proxy(struct conn *c);
static bool take_header(struct conn *c, const struct proxy_header *h, char *room);
static bool pause_before_greeting(struct conn *c);
static ssize_t look(struct conn *c, char *p, size_t n);

bool
conn_early_wait(struct conn *c)
{
    if (c->phase == CONN_PROXY && read_proxy(c))
        return true;
    return c->phase == CONN_PAUSE && pause_before_greeting(c);
}

/* 0: nothing is there now; -1: it is closed, and marked so. */
static ssize_t
look(struct conn *c, char *p, size_t n)
{
    if (!c->readable)
        return 0;
    ssize_t got = recv(c->watch.fd, p, n, MSG_PEEK | MSG_DONTWAIT);
    if (got > 0)
        return got;
    if (got == 0 || errno != EAGAIN) {
        conn_break(c);
        return -1;
    }
    c->readable = false; /* the next edge comes with bytes, or with the end */
    return 0;
}

/* True: go on waiting, or it is over. */
static bool
read_proxy(struct conn *c)
{
    char bytes[PROXY_BYTES_MAX];
    struct proxy_header h;
    ssize_t got = look(c, bytes, sizeof(bytes));

    if (got < 0)
        return true;
    enum status e = proxy_read(str_from(bytes, (size_t)got), &h);
    if (e == OK)
        return !take_header(c, &h, bytes);
    if (e != ERR_TEMP)
        listener_refuse(c, REFUSED_PROXY, "no header of the PROXY protocol", STR(""));
    else if (clock_mono_ms() >= c->phase_until_ms)
        listener_refuse(c, REFUSED_PROXY, "the header of the PROXY protocol did not come", STR(""));
    else
        conn_arm(c);
    return true;
}

static bool
take_header(struct conn *c, const struct proxy_header *h, char *room)
{
    if (recv(c->watch.fd, room, h->size, MSG_DONTWAIT) != (ssize_t)h->size) {
        conn_break(c); /* they were there a moment ago */
        return false;
    }
    if (h->known) {
        conn_set_peer(c, &h->client);
        conn_set_local(c, &h->server);
        c->spoken_for = true;
    }
    return listener_admit(c);
}

static bool
pause_before_greeting(struct conn *c)
{
    char first;
    ssize_t got = look(c, &first, 1);

    if (got < 0)
        return true;
    if (got > 0) {
        listener_refuse(c, REFUSED_EARLY, "", conn_listener(c)->early_line);
        return true;
    }
    if (clock_mono_ms() < c->phase_until_ms) {
        conn_arm(c);
        return true;
    }
    listener_begin(c);
    return false;
}
