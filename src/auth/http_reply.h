/* http_reply.h - the reply of an HTTP server to one request on a connection of its own.
 *
 * Use:       the caller reads more and asks again while the answer is ERR_TEMP.
 * Promises:  a head of at most LIMIT_ASK_HEAD_BYTES and a body of at most body_max, or ERR_LIMIT; interim
 *            replies (1xx) are passed over; a length that is said twice or in two ways is refused.
 * Never:     follows a redirect, keeps a cookie, decodes a content coding.
 * RFC:       9112 sections 2 to 7.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_HTTP_REPLY_H
#define AUTH_HTTP_REPLY_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

struct http_reply {
    unsigned status;         /* 200 to 599 */
    struct str content_type; /* in the bytes; without parameters; empty: none is said */
    struct str body;         /* in the bytes or the arena */
};
/* bytes: all that came; ended: no more will.  ERR_TEMP: it is not complete.  ERR_SYNTAX: it is no reply. */
MUST_USE enum status http_reply_read(struct str bytes, bool ended, size_t body_max, struct arena *a,
                                     struct http_reply *out);

#endif
