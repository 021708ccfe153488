/* destination.h - how many conversations a destination gets at once, and which destinations are left alone.
 *
 * A destination is a domain, or the host and port of a route.  It starts with LIMIT_OUT_FIRST conversations;
 * each window full of answers adds one, up to LIMIT_OUT_PER_DOMAIN; each failure to reach it halves them, down to one.
 * One that could not be reached is left alone for a while (absent.h): who waits for it is sent away at once.
 * Owns:      the counts.  At most LIMIT_OUT_CONNS conversations in all.
 * Promises:  who waits is served in turn; a destination at its limit holds no place that another could use.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_DESTINATION_H
#define SMTP_DESTINATION_H

#include "base/str.h"
#include "rt/fiber.h"

struct destinations;
struct destination;

struct destinations *destinations_new(void);
void destinations_free(struct destinations **ds); /* nobody is in one */
/* OK: end with destination_leave().  ERR_TEMP: it does not answer, for the reason that *why_out says until the next
 * call.  hurry: try it all the same. */
MUST_USE SUSPENDS enum status destination_enter(struct destinations *ds, struct str name,
                                                bool hurry, struct destination **out,
                                                const char **why_out);
/* why: how it could not be reached, NULL when it was. */
void destination_leave(struct destinations *ds, struct destination *d, const char *why);
uint32_t destination_window(const struct destination *d); /* for tests */

#endif
