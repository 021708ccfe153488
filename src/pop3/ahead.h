/* ahead.h - the next messages, fetched together: for clients that take one after the other.
 *
 * Owns:      up to AHEAD_BYTES of bodies a session, AHEAD_ALL_BYTES in all of this process; none of a session that has
 *            been at rest for AHEAD_MS, once anybody fetches again.
 * Promises:  what pop3_ahead_take() gives is the whole body, and stays until pop3_ahead_done().
 * Never:     fails: when it has nothing, the body is to be had in the usual way, which also says what is wrong.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POP3_AHEAD_H
#define POP3_AHEAD_H

#include "base/arena.h"
#include "base/list.h"
#include "ipc/store_ipc.h"

struct pop3_session;
struct pop3_ahead { /* a member of the session; begins as zeroes */
    struct list node;
    struct arena *a; /* NULL = nothing is held */
    struct store_bodies_reply rep;
    size_t at;    /* the first that was not taken */
    size_t bytes; /* counted */
    size_t next;  /* the message that a client asks for which takes one after the other */
    int64_t since_ms;
    bool busy; /* one is being sent */
};
/* Message number i + 1 of the session. */
SUSPENDS bool pop3_ahead_take(struct pop3_session *s, size_t i, struct str *body_out);
void pop3_ahead_done(struct pop3_session *s);
void pop3_ahead_end(struct pop3_session *s);

#endif
