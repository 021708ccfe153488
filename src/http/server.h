/* server.h - HTTP/1.1 on a connection: requests one after the other, pipelined or not, each with its answer in order.
 *
 * A session rests as data for the lines of a head, then for the bytes of a body; a fiber works only on what has come.
 * Owns:      its sessions, and what an exchange holds until its end.
 * Promises:  an answer for every request that could be read, and one that says why for any other, after which the
 *            connection ends; a body past what begin() allowed is 413, a head that comes too slowly 408.  What of a
 *            body nobody wants is read and thrown away, up to a bound, so that the answer arrives.
 * Never:     compresses, caches, or looks at a field that is none of framing's.
 * RFC:       9110, 9112.  TRACE and CONNECT are not known; HEAD is GET without the body.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/arena.h"
#include "http/head.h"
#include "rt/conn.h"

struct http_exchange {
    struct conn *conn;
    struct arena *arena; /* until the exchange ends */
    const struct http_head *head;
    size_t body_max;    /* begin() sets it; 0 = none is wanted */
    bool in_pieces;     /* begin() sets it: piece() hears the body as it comes */
    struct buf body;    /* else this is all of it, for serve() */
    void *state;        /* of whoever serves; end() lets go of it */
    struct buf headers; /* http_header() */
    bool answered;
    bool last;   /* the connection ends after the answer */
    bool parted; /* the answer comes in chunks */
};
/* How one service is spoken.  All but serve may be NULL. */
struct http_service {
    /* The head has come: who asks, and may they?  Answers at once, or says how much body may follow. */
    void (*begin)(struct http_exchange *x);                   /* SUSPENDS */
    void (*piece)(struct http_exchange *x, struct str bytes); /* SUSPENDS */
    void (*serve)(struct http_exchange *x); /* SUSPENDS; all of the request is there */
    void (*refused)(struct http_exchange *x,
                    struct http_refusal why); /* SUSPENDS: says it its way */
    void (*end)(struct http_exchange *x);
};
/* Which service speaks on the listeners of a kind (struct listener); before the first of them starts. */
#define HTTP_KINDS_MAX 32
void http_serve(int kind, const struct http_service *how);
extern const struct conn_ops http_ops;
#define HTTP_SHED_LINE                                                                   \
    STR("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n" \
        "\r\n")

/* ---- answers ---- */

/* A field of the answer to come.  value: text of ours, or checked: it may not have control characters. */
void http_header(struct http_exchange *x, const char *name, struct str value);
/* The whole answer.  type: empty when there is no body. */
SUSPENDS void http_answer(struct http_exchange *x, unsigned status, struct str type,
                          struct str body);
/* In parts: begin, any number of parts, finish.  ERR_CLOSED: nobody listens any more. */
SUSPENDS void http_answer_begin(struct http_exchange *x, unsigned status, struct str type);
MUST_USE SUSPENDS enum status http_answer_part(struct http_exchange *x, struct str bytes);
SUSPENDS void http_answer_finish(struct http_exchange *x);
const char *http_reason(unsigned status); /* "Not Found" */

#endif
