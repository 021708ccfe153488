/* prvs.h - envelope senders that prove that a report is about mail of ours (Bounce Address Tag Validation).
 *
 *     prvs=KDDDSSSSSS=local@domain    K: 0; DDD: the last digits of the day until which it is good; SSSSSS: 24
 *                                    bits of a MAC, in hexadecimal
 *
 * Others make the same form, so lists and greylists that know it look through it to the address inside.
 *
 * Promises:  what prvs_write() makes is read back by prvs_read(), in whatever case a host returned it.
 * Never:     computes a MAC: who calls has SHA-256 bytes over prvs_signed() from role keys.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_PRVS_H
#define MAIL_PRVS_H

#include "base/arena.h"
#include "base/buf.h"

#define PRVS_SIGNED_MAX 1024u
#define PRVS_TAG_CHARS  10u

struct prvs {
    struct str tag;     /* KDDDSSSSSS */
    struct str address; /* what is inside, with its domain */
};
/* Does it begin like one, be it forged or cut off? */
bool prvs_is(struct str address);
/* Strings live in a.  ERR_NOT_FOUND: not of this form.  ERR_SYNTAX: it is, and a part is wrong. */
MUST_USE enum status prvs_read(struct str address, struct arena *a, struct prvs *out);
/* What the MAC is made over: key, day and address, without regard to case. */
void prvs_signed(const struct prvs *p, struct buf *b);
bool prvs_is_signed(const struct prvs *p, struct str mac);
/* day: since 1970. */
bool prvs_is_fresh(const struct prvs *p, int64_t day);
/* To be signed: the tag without its MAC, from today on good for LIMIT_PRVS_DAYS.  ERR_NOT_FOUND: an address that cannot
 * bear one, for it is quoted, too long or has one already. */
MUST_USE enum status prvs_wrap(struct str address, int64_t day, struct arena *a, struct prvs *out);
struct str prvs_write(const struct prvs *p, struct str mac, struct arena *a);

#endif
