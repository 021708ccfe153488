/* pool.h - connections to other servers that wait a moment for the next message.
 *
 * Owns:      the connections that it keeps: each for LIMIT_OUT_KEEP_S, and not after LIMIT_OUT_KEEP_MESSAGES messages
 *            or LIMIT_OUT_KEEP_MAX_S since it was opened; LIMIT_OUT_CONNS in all.
 * Promises:  a name gets only connections that were kept under it; the youngest first.  Where the other side has ended
 *            it, or said what nobody asked for, it is closed instead.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_POOL_H
#define SMTP_POOL_H

#include "smtp/client.h"

struct pool;
struct pool *pool_new(void);
SUSPENDS void pool_free(struct pool **p);
/* NULL when there is none. */
struct smtp_client *pool_take(struct pool *p, struct str name);
/* Takes *c over, or parts with it politely. */
SUSPENDS void pool_keep(struct pool *p, struct str name, struct smtp_client **c, int64_t now_ms);
/* Parts with those whose time is over; once a second. */
SUSPENDS void pool_sweep(struct pool *p, int64_t now_ms);

#endif
