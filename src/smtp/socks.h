/* socks.h - what is said to a SOCKS5 proxy, and what it answers: steps without a connection.
 *
 * socks_begin() gives what to send first; then, until step is SOCKS_OPEN or SOCKS_FAILED: read exactly `need` bytes,
 * hand them to socks_take(), send what it gives.
 * Owns:      nothing.
 * Promises:  need is from 1 to SOCKS_NEED_MAX; not a byte behind the proxy's answer is asked for, since what follows is
 *            the server's.  A log-in is offered only when there is one, and never said to a proxy that does not ask.
 * Never:     suspends, looks names up.
 * RFC:       1928, 1929.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_SOCKS_H
#define SMTP_SOCKS_H

#include <netinet/in.h>

#include "base/buf.h"
#include "base/mem.h"

#define SOCKS_NEED_MAX 257u
#define SOCKS_TEXT_MAX 100u

struct socks_wish {
    struct str name; /* of the host, at most 255 bytes, for the proxy to look up; empty: */
    const struct sockaddr_storage *at;
    uint16_t port;
    struct str user; /* at most 255 bytes; empty = no log-in */
    const struct secret *password;
};
enum socks_step {
    SOCKS_METHOD, /* which log-in */
    SOCKS_LOGIN,  /* what it thinks of ours */
    SOCKS_HEAD,   /* the beginning of its answer, as far as it tells how long the rest is */
    SOCKS_REST,
    SOCKS_OPEN,
    SOCKS_FAILED,
};
struct socks {
    const struct socks_wish *wish;
    enum socks_step step;
    size_t need;
    bool answered;            /* failed: the proxy works, and could not or would not connect */
    char why[SOCKS_TEXT_MAX]; /* failed: a sentence's end, such as "connection refused" */
};
/* ERR_LIMIT: the wish cannot be said in this protocol. */
MUST_USE enum status socks_begin(const struct socks_wish *w, struct socks *s, struct buf *out);
void socks_take(struct socks *s, struct str bytes, struct buf *out);

#endif
