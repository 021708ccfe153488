/* destination.h - how many attempts a destination gets at once, and which destinations are left alone.
 *
 * A destination is a domain, or the host and port of a route.  The first attempt goes alone, until somebody there has
 * taken a connection: then LIMIT_OUT_FIRST at once; each window full of answers adds one, up to LIMIT_OUT_PER_DOMAIN;
 * each failure to reach it halves them, down to one.  One that could not be reached is left alone for a while
 * (absent.h): who waits for it is sent away at once.
 * A visit is one attempt.  It has one of LIMIT_OUT_CONNS places, but to look somebody up and to wait for a connection
 * needs none: after LIMIT_OUT_REACH_MS without one its place goes to whoever waits for a place (destinations_lend()),
 * and once it is connected it takes the next that is free, before all others.  At most LIMIT_OUT_REACHING are without.
 * A visit to who did not answer the last time begins without.
 * Owns:      the counts.
 * Promises:  who waits is served in turn; a destination at its limit holds no place that another could use, and one
 *            that does not answer holds none for long.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_DESTINATION_H
#define SMTP_DESTINATION_H

#include "base/str.h"
#include "rt/fiber.h"

struct destinations;
struct destination;
struct visit { /* the caller's, from destination_enter() to destination_leave() */
    struct destination *to;
    struct list node; /* while it has a place and is not connected */
    int64_t since_ms; /* it looks for a connection */
    bool placed, connected;
};

struct destinations *destinations_new(void);
void destinations_free(struct destinations **ds); /* nobody is in one */
/* Gives places on, until it is cancelled: on a fiber of its own. */
SUSPENDS void destinations_lend(struct destinations *ds);
/* OK: end with destination_leave().  ERR_TEMP: it does not answer, for the reason that *why_out says until the next
 * call.  hurry: try it all the same. */
MUST_USE SUSPENDS enum status destination_enter(struct destinations *ds, struct str name,
                                                bool hurry, struct visit *v, const char **why_out);
/* A connection is there, and is going to be used.  May wait for a place; ERR_CANCELLED. */
MUST_USE SUSPENDS enum status destination_reached(struct destinations *ds, struct visit *v);
/* It is over, and another is looked for. */
void destination_seek(struct destinations *ds, struct visit *v);
/* why: how it could not be reached, NULL when it was. */
void destination_leave(struct destinations *ds, struct visit *v, const char *why);
/* Nobody there was asked: what is known of it stays. */
void destination_leave_unasked(struct destinations *ds, struct visit *v);
uint32_t destination_window(const struct destination *d); /* for tests */

#endif
