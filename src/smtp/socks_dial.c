/* socks_dial.c - see socks_dial.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/socks_dial.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/size.h"
#include "rt/clock.h"
#include "smtp/dial.h"

enum { SAID_MAX = 600 }; /* a log-in, or a name, at its longest */

static void
tell(const struct socks_dial *d, const char *what, struct smtp_answer *why)
{
    char text[400];

    snprintf(text, sizeof(text), "SOCKS proxy %.*s:%u: %s",
             STR_FMT(str_sub(d->proxy->host, 0, 255)), d->proxy->port, what);
    smtp_answer_set(why, text);
}

static void
set_port(struct conn_target *t, uint16_t port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&t->addr;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&t->addr;

    if (t->addr.ss_family == AF_INET) {
        v4->sin_port = htons(port);
        t->addr_len = sizeof(*v4);
    } else {
        v6->sin6_port = htons(port);
        t->addr_len = sizeof(*v6);
    }
}

static SUSPENDS enum status
reach(const struct socks_dial *d, struct conn **out, struct smtp_answer *why)
{
    AUTO_ARENA *a = arena_new(131072);
    struct conn_target *targets = ARENA_ARRAY(a, struct conn_target, DIAL_MAX);
    enum status failed[DIAL_MAX];
    struct dns_addresses found;
    struct dialled got;

    enum status st = resolver_addresses(d->resolver, d->proxy->host, d->families, a, &found);
    if (st != OK || found.count == 0) {
        tell(d, st == ERR_TEMP ? "its name cannot be looked up now" : "it has no address", why);
        return ERR_CLOSED;
    }
    size_t n = MIN(found.count, (size_t)DIAL_MAX);
    for (size_t i = 0; i < n; i++) {
        targets[i] = (struct conn_target){.addr = found.at[i], .timeout_ms = d->timeout_ms};
        targets[i].source = found.at[i].ss_family == AF_INET ? d->source4 : d->source6;
        set_port(&targets[i], d->proxy->port);
    }
    st = dial(targets, n, &got, failed);
    if (st != OK) {
        tell(d,
             st == ERR_TIMEOUT ? "connection timed out" : "connection refused by the proxy itself",
             why);
        return st;
    }
    *out = got.conn;
    return OK;
}

static SUSPENDS enum status
talk(struct conn *c, struct socks *s, struct buf *say)
{
    int64_t until = clock_mono_ms() + LIMIT_OUT_SOCKS_S * INT64_C(1000);
    struct str bytes;

    while (s->step != SOCKS_OPEN && s->step != SOCKS_FAILED) {
        TRY(conn_write(c, buf_str(say)));
        mem_wipe(say->ptr, say->len);
        buf_reset(say);
        TRY(conn_read_bytes(c, s->need, MAX(until - clock_mono_ms(), 0), &bytes));
        socks_take(s, bytes, say);
    }
    return OK;
}

enum status
socks_dial(const struct socks_dial *d, struct conn **out, struct smtp_answer *why)
{
    AUTO_BUF say = BUF(SAID_MAX);
    struct conn *c = NULL;
    struct socks s = {0};

    if (socks_begin(&d->wish, &s, &say) != OK) {
        tell(d, "its log-in, or the name of the host, is longer than SOCKS5 allows", why);
        return ERR_CLOSED;
    }
    TRY(reach(d, &c, why));
    enum status st = talk(c, &s, &say);
    if (st == OK && s.step == SOCKS_OPEN) {
        *out = c;
        return OK;
    }
    conn_free(&c);
    if (st == OK) {
        tell(d, s.why, why);
        return s.answered ? ERR_TEMP : ERR_CLOSED;
    }
    tell(d, st == ERR_TIMEOUT ? "no answer in time" : "connection lost", why);
    return st == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_CLOSED;
}
