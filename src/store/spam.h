/* spam.h - what an account has learned of wanted and unwanted mail: how many messages of each kind had a token.
 *
 * Who moves a message into the mailbox for junk, or gives it $Junk, says that it is unwanted; who moves it out of there
 * (but not to the trash), or gives it $NotJunk, says that it is wanted.  Such a change leaves a lesson in the same
 * commit: which messages, which kind.  Somebody who can read messages takes the lessons one by one, finds the tokens
 * and has them counted.
 *
 * Promises:  a message counts once, whatever is said of it how often: the last word holds, and the earlier one is taken
 *            back.  Counts of rare and old tokens go when there are more than LIMIT_SPAM_MODEL_TOKENS.
 *            So it is with its author: later mail of him is treated as the owner said last, if it is shown to be his;
 *            what could be forged makes nobody's mail unwanted.  At most LIMIT_SPAM_SENDERS, the latest.
 *            Nothing here changes the account's modseq: nobody is woken.
 * Never:     looks into a message: tokens are hashes.
 * Suspends:  all calls marked so.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_SPAM_H
#define STORE_SPAM_H

#include "store/work.h"

enum spam_kind { SPAM_UNKNOWN, SPAM_WANTED, SPAM_UNWANTED };

/* ---- lessons ---- */
struct spam_lesson {
    uint64_t id;
    enum spam_kind kind;
    const struct id_range *mids;
    size_t count;
};
/* The first; ERR_NOT_FOUND: there is none. */
MUST_USE SUSPENDS enum status spam_lesson_next(struct cell *account, struct arena *a,
                                               struct spam_lesson *out);
MUST_USE SUSPENDS enum status spam_lesson_done(struct cell *account, uint64_t id,
                                               struct instant now);
/* What the change of w says of these messages.  False: it says nothing, or too many lessons wait. */
struct spam_move {
    uint32_t from, to;
};
enum spam_kind spam_kind_of_move(const struct work *w, const struct spam_move *m);
enum spam_kind spam_kind_of_keywords(const struct str *keywords, size_t n);
MUST_USE SUSPENDS enum status spam_teach(struct work *w, enum spam_kind kind,
                                         const struct id_list *mids, bool *out);
/* The message is gone for good: what was learned stays, which one it was is forgotten. */
MUST_USE SUSPENDS enum status spam_forget(struct work *w, uint64_t mid);

/* ---- authors ---- */
/* author: correspondent_hash() of his address.  SPAM_UNKNOWN: nothing was said. */
MUST_USE SUSPENDS enum status spam_of_author(struct cell *account, uint64_t author,
                                             enum spam_kind *out);

/* ---- counts ---- */
struct spam_tokens {
    const uint64_t *hashes; /* each once, at most LIMIT_SPAM_TOKENS */
    size_t count;
    uint32_t version; /* of what makes tokens: counts of another one begin anew */
};
struct spam_said {
    uint64_t mid;
    enum spam_kind kind; /* SPAM_UNKNOWN: what was said before is taken back */
    uint64_t author;     /* 0: it has none */
    bool proven;         /* it is his */
};
/* ERR_NOT_FOUND: no such account. */
MUST_USE SUSPENDS enum status spam_learn(struct cell *account, const struct spam_said *said,
                                         const struct spam_tokens *t, struct instant now);
struct spam_count {
    uint16_t wanted, unwanted;
};
struct spam_known {
    uint32_t wanted, unwanted;       /* messages learned of */
    const struct spam_count *counts; /* in the order of the tokens; NULL: nothing was learned */
};
MUST_USE SUSPENDS enum status spam_look_up(struct cell *account, const struct spam_tokens *t,
                                           struct arena *a, struct spam_known *out);

/* ---- how they are stored ---- */
struct spam_totals {
    uint32_t version, wanted, unwanted;
};
void spam_totals_write(const struct spam_totals *t, struct buf *b);
MUST_USE enum status spam_totals_read(struct str value, struct spam_totals *out);
#define SPAM_ENTRY_BYTES \
    12u /* hash 6, wanted 2, unwanted 2, day 2: big-endian, ascending by hash */
struct spam_entry {
    uint64_t hash; /* 48 bits */
    struct spam_count count;
    uint16_t day; /* since 1970, of its last change */
};
/* A page of them: checked. */
MUST_USE enum status spam_page_check(struct str page, size_t *count_out);
struct spam_entry spam_page_get(struct str page, size_t i);

#endif
