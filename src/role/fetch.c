/* fetch.c - see fetch.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/fetch.h"

#include "base/limits.h"
#include "base/size.h"
#include "rt/clock.h"
#include "rt/conn.h"

enum { ADDRESSES_MAX = 4, CONNECT_MS = 10000, REQUEST_BYTES = 2048, HTTPS_PORT = 443 };

static SUSPENDS enum status
connect_any(struct fetch *f, struct arena *a, struct conn **out)
{
    struct dns_addresses found = {0};
    uint16_t port = f->port != 0 ? f->port : HTTPS_PORT;
    enum status e = resolver_addresses(f->resolver, f->host, DNS_IPV4 | DNS_IPV6, a, &found);

    if (e != OK || found.count == 0) {
        f->why = "its name is not found";
        return e != OK ? e : ERR_NOT_FOUND;
    }
    f->why = "no connection";
    e = ERR_CLOSED;
    for (size_t i = 0; i < MIN(found.count, (size_t)ADDRESSES_MAX); i++) {
        struct conn_target to = {.addr = found.at[i], .timeout_ms = MIN(CONNECT_MS, f->timeout_ms)};
        bool six = to.addr.ss_family == AF_INET6;
        to.addr_len = six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
        if (six)
            ((struct sockaddr_in6 *)(void *)&to.addr)->sin6_port = htons(port);
        else
            ((struct sockaddr_in *)(void *)&to.addr)->sin_port = htons(port);
        e = conn_connect(&to, out);
        if (e == OK || e == ERR_CANCELLED)
            return e;
    }
    return e;
}

static SUSPENDS enum status
read_reply(struct fetch *f, struct conn *c, int64_t until_ms, struct arena *a,
           struct http_reply *out)
{
    AUTO_BUF got = BUF(2 * (LIMIT_ASK_HEAD_BYTES + f->body_max));

    for (;;) {
        struct str some;
        TRY(conn_read_some(c, MAX(until_ms - clock_mono_ms(), 0), &some));
        bool ended = some.len == 0;
        buf_add(&got, some);
        conn_consume(c, some.len);
        TRY(buf_status(&got));
        AUTO_ARENA *own = arena_new(2 * f->body_max + LIMIT_ASK_HEAD_BYTES);
        enum status e = http_reply_read(buf_str(&got), ended, f->body_max, own, out);
        if (e == ERR_TEMP)
            continue;
        if (e == OK) { /* they lie in got or own */
            out->body = out->body.len > 0 ? arena_str(a, out->body) : STR("");
            out->content_type =
                out->content_type.len > 0 ? arena_str(a, out->content_type) : STR("");
        }
        return e;
    }
}

static SUSPENDS enum status
converse(struct fetch *f, struct conn *c, struct arena *a, struct http_reply *out)
{
    int64_t until_ms = clock_mono_ms() + f->timeout_ms;
    AUTO_BUF request = BUF(REQUEST_BYTES);
    enum status e = conn_connect_tls(c, f->tls, f->host);

    if (e != OK) {
        f->why = e == ERR_DENIED ? "its certificate is not to be trusted" : "no TLS";
        return e;
    }
    f->why = "no answer in time";
    buf_addf(&request,
             "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: Godwit\r\nAccept: text/plain\r\n"
             "Connection: close\r\n\r\n",
             STR_FMT(f->path), STR_FMT(f->host));
    TRY(buf_status(&request));
    TRY(conn_write(c, buf_str(&request)));
    TRY(conn_flush(c));
    e = read_reply(f, c, until_ms, a, out);
    if (e == ERR_SYNTAX || e == ERR_LIMIT)
        f->why = "its answer is none of HTTP, or too long";
    return e;
}

enum status
fetch_get(struct fetch *f, struct arena *a, struct http_reply *out)
{
    AUTO_ARENA *own = arena_new(65536);
    struct conn *c = NULL;

    TRY(connect_any(f, own, &c));
    enum status e = converse(f, c, a, out);
    conn_free(&c);
    return e;
}
