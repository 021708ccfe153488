/* bounce.h - envelope senders of ours that prove that a report is about mail of ours (mail/prvs.h).
 *
 * For the addresses that `bounce-signing` names what they submit leaves with a signed sender; for those of
 * `bounce-signing require` a report to the bare address is refused, since nothing with that sender left here.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_BOUNCE_H
#define ROLE_STORE_BOUNCE_H

#include "role/store/store.h"

/* The address inside a signed one, in a.  ERR_NOT_FOUND: it is none of ours.  ERR_DENIED: forged, or too old. */
MUST_USE SUSPENDS enum status store_bounce_inside(struct store *s, struct str address,
                                                  struct arena *a, struct str *out);
/* Is a report to this bare address about mail that never was? */
bool store_bounce_refused(const struct store *s, struct str address);
/* Signs the sender of an attempt, if its address has that. */
struct store_attempt;
MUST_USE SUSPENDS enum status store_bounce_sign(struct store *s, const struct queue_message *m,
                                                struct arena *a, struct store_attempt *at);

/* ---- role/store/forward.c ---- */
struct keys_mark;
/* 32 bytes by role keys.  While that is started again nobody can tell: ERR_TEMP. */
MUST_USE SUSPENDS enum status store_mark(struct store *s, const struct keys_mark *req,
                                         struct arena *a, struct str *mac_out);

#endif
