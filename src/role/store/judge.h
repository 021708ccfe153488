/* judge.h - between what a stranger sent and a mailbox: the verdict, and which mailbox it is.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_JUDGE_H
#define ROLE_STORE_JUDGE_H

#include "ipc/store_ipc.h"
#include "role/store/store.h"
#include "store/message.h"

/* ---- role/store/deliver.c ---- */
/* Does the message go in circles?  ERR_LIMIT, with the reply to say so. */
MUST_USE enum status store_check_hops(const struct intake_facts *f);

/* ---- role/store/judge.c ---- */
struct store_judged {
    struct intake_body body; /* with its field */
    bool junk;
};
/* Instead of store_take() for a message with checks.  ERR_DENIED: refused, with the reply to say so. */
MUST_USE SUSPENDS enum status store_take_judged(struct ipc_peer *from,
                                                const struct intake_which *which,
                                                const struct store_deliver *req, struct arena *a,
                                                struct store_judged *out);

/* ---- role/store/box.c ---- */
/* Where a message went in an account: INBOX; junk went into the mailbox for that, if the account has one. */
struct store_box {
    uint32_t id;
    bool junk;
    struct str name, why; /* in the arena of the addition; why: of its spam score, or empty */
};
struct store_addition {
    const struct message_new *message;
    bool junk; /* for everybody */
    const struct intake_spam *spam;
    struct str asked; /* the address it was sent to */
    struct arena *a;
    struct store_box *box_out;
};
/* message_add() there. */
MUST_USE SUSPENDS enum status store_add(const struct store *s, struct cell *account,
                                        const struct store_addition *m, struct message_place *out);

/* ---- role/store/learn.c ---- */
/* There are lessons in this account, which are taken beside the work. */
void store_learn(struct store *s, uint64_t account);

/* ---- role/store/spam.c ---- */
/* Does its score make it junk, where nothing else speaks for it? */
bool store_spam_is_high(const struct intake_spam *spam);
/* Sets junk and why, when it is junk for this account. */
MUST_USE SUSPENDS enum status store_spam_judge(const struct store *s, struct cell *account,
                                               const struct store_addition *m,
                                               struct store_box *box);

#endif
