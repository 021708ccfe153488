/* store_spam.c - is a message junk for this account?  By its spam score, and by whom its owner writes to.
 *
 * What is wanted is never lost over a score: it only says which mailbox, nothing is refused by it, and whom the
 * account has written to is above it.  A verdict of DMARC is another matter, and decided before (store_judge.c).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cook/verdict.h"
#include "policy/bayes.h"
#include "role/store_judge.h"
#include "store/correspondents.h"

#define THRESHOLD ((int64_t)(BAYES_JUNK * 100))

bool
store_spam_is_high(const struct intake_spam *spam)
{
    return spam->scored && !spam->allowed && spam->score >= THRESHOLD;
}

/* Anybody can write an address into From: it counts unless a check speaks against it. */
SUSPENDS static enum status
is_correspondent(struct cell *account, const struct intake_spam *spam, bool *out)
{
    *out = false;
    if (spam->author == 0 || spam->standing < STANDING_UNCHECKED)
        return OK;
    return correspondents_has(account, spam->author, out);
}

enum status
store_spam_judge(const struct store *s, struct cell *account, const struct store_addition *m,
                 struct store_box *box)
{
    const struct intake_spam *spam = m->spam;
    bool known;

    if (!store_spam_is_high(spam) || !config_spam_of(s->config, store_domain_of(m->asked)))
        return OK;
    TRY(is_correspondent(account, spam, &known));
    if (known) {
        box->why = STR("its author is a correspondent, so that its spam score does not count");
        return OK;
    }
    box->junk = true;
    box->why = arena_printf(m->a, "spam score %.2f: %.*s", (double)spam->score / 100,
                            STR_FMT(spam->words));
    return OK;
}
