/* attempts.h - wrong log-ins: guessing is slow, and nobody else is locked out.
 *
 * Counts:    by address (IPv4 /32, IPv6 /64), by network (/24, /48), and by account over all addresses.  A device, an
 *            address from which this account logged in before, has a count of its own and no other: what strangers do
 *            never slows it.  A good log-in vouches for its address and network: they get ATTEMPTS_VOUCHED times as
 *            much for LIMIT_LOGIN_VOUCH_S, and no account's count holds for them.
 * Promises:  up to the number of base/limits.h nobody is refused; beyond, one try per growing interval, be it
 *            right or wrong.  Tries that are not judged yet count like wrong ones against the number: who comes when
 *            they fill it up waits until one is known, so that a burst gets no more guesses than a row of them.  A
 *            count leaks with time, and by nothing else: a good log-in pardons no guesses.
 *            Names count as they are written (lower case, with their domain), whether somebody has them or not.
 * Owns:      bounded tables with ages, in memory.  What good log-ins taught is apart from what wrong ones did, so that
 *            no number of wrong ones pushes it out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_ATTEMPTS_H
#define AUTH_ATTEMPTS_H

#include "base/arena.h"

#define ATTEMPTS_VOUCHED 10u

struct attempt {
    struct str peer; /* an address; what is none counts as one */
    struct str
        name; /* never told apart by what stands behind it; empty: none was given, and none is counted */
};
enum attempt_kind { ATTEMPT_ADDRESS, ATTEMPT_NETWORK, ATTEMPT_ACCOUNT, ATTEMPT_DEVICE };
#define ATTEMPT_KINDS (ATTEMPT_DEVICE + 1)

struct attempts;
struct attempts *attempts_new(void);
void attempts_free(struct attempts **t);
/* Is it more than the number?  Then what attempts_try() lets through has used up its interval. */
bool attempts_are_slow(struct attempts *t, const struct attempt *a);
/* May it be tried now?  Of those that come at the same time beyond the number, one.  For what is judged at once. */
MUST_USE bool attempts_try(struct attempts *t, const struct attempt *a);
/* The same for what takes its time: after ATTEMPT_MAY it is in the air until attempts_known(), with what was written
 * to `counted`.  ATTEMPT_WAIT: not before another one in the air is known. */
enum attempt_answer { ATTEMPT_MAY, ATTEMPT_WAIT, ATTEMPT_SLOWED };
MUST_USE enum attempt_answer attempts_begin(struct attempts *t, const struct attempt *a,
                                            unsigned *counted);
void attempts_known(struct attempts *t, const struct attempt *a, unsigned counted);
void attempts_wrong(struct attempts *t, const struct attempt *a);
void attempts_right(struct attempts *t, const struct attempt *a);

/* For people: how many were wrong, and in how many milliseconds the next is looked at. */
unsigned attempts_state(struct attempts *t, const struct attempt *a, int64_t *wait_ms_out);

/* Who is slowed now. */
struct attempts_penalty {
    enum attempt_kind kind;
    struct str
        what; /* address, network or name; of a device the address, a blank and the name; in the arena */
    uint32_t wrong;  /* as far as it has not leaked */
    uint32_t next_s; /* until the next try */
    uint32_t ends_s; /* until all is as before, if nothing more comes */
};
/* At most max, the latest first. */
size_t attempts_penalties(struct attempts *t, struct arena *a, struct attempts_penalty *out,
                          size_t max);
/* What is counted of an address, of a network and all in it, or of a name; returns how many counts. */
size_t attempts_forgive(struct attempts *t, struct str what);

#endif
