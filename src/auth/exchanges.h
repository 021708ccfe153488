/* exchanges.h - SCRAM exchanges between their two steps.
 *
 * Owns:      per session of a worker at most one exchange: the account's keys, and what was said so far.
 * Promises:  an exchange ends, and its keys are wiped, when it is taken, after LIMIT_SCRAM_S, when its session,
 *            worker or account goes, or when there are more than entries_max.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_EXCHANGES_H
#define AUTH_EXCHANGES_H

#include "auth/scram.h"
#include "base/aged.h"
#include "base/buf.h"
#include "base/mem.h"

struct exchange {
    struct aged_node node;
    char key[16]; /* incarnation and session */
    uint64_t incarnation;
    struct scram_keys keys;
    bool may; /* false: nobody has this name, or its account is disabled */
    uint64_t account;
    struct str address; /* owned */
    struct str login;   /* owned; as it was written */
    uint8_t protocol;   /* role auth's: who asks, and why it would be refused */
    uint8_t reason;
    bool slow;          /* it was begun as the one try of an interval */
    struct buf message; /* AuthMessage as far as it goes */
    int64_t until_ms;
};
void exchange_free(struct exchange **x);

struct exchanges;
struct exchanges *exchanges_new(size_t entries_max);
void exchanges_free(struct exchanges **t);
/* A new one, in the place of any other of this session; valid until the next call. */
struct exchange *exchanges_begin(struct exchanges *t, uint64_t incarnation, uint64_t session);
/* Out of the table, the caller's to free; NULL: there is none (any more). */
struct exchange *exchanges_take(struct exchanges *t, uint64_t incarnation, uint64_t session);
void exchanges_forget_account(struct exchanges *t, uint64_t account);
void exchanges_forget_worker(struct exchanges *t, uint64_t incarnation);
size_t exchanges_count(const struct exchanges *t);

#endif
