/* spam.c - is a message junk for this account?  By its spam score, by what its owner moved, and by whom
 * he writes to.
 *
 * What is wanted is never lost over a score: it only says which mailbox, nothing is refused by it, and whom the
 * account has written to is above it.  A verdict of DMARC is another matter, and decided before (role/store/judge.c).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "cook/verdict.h"
#include "policy/bayes.h"
#include "role/store/judge.h"
#include "store/correspondents.h"
#include "store/spam.h"

enum { SCORE_ARENA = 1 << 20 };
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

/* With what the account itself has learned. */
SUSPENDS static enum status
score_of(struct cell *account, const struct intake_spam *spam, int64_t *out)
{
    AUTO_ARENA *a = arena_new(SCORE_ARENA);
    const struct spam_tokens t = {spam->tokens, spam->token_count, TOKENS_VERSION};
    struct spam_known known;

    *out = spam->score;
    TRY(spam_look_up(account, &t, a, &known));
    if (known.counts == NULL)
        return OK;
    struct bayes_count *counts = ARENA_ARRAY(a, struct bayes_count, t.count + 1);
    for (size_t i = 0; i < t.count; i++)
        counts[i] = (struct bayes_count){known.counts[i].wanted, known.counts[i].unwanted};
    const struct bayes_own own = {known.wanted, known.unwanted, counts};
    *out = llround(bayes_score(t.hashes, t.count, &own) * 100); /* thousands at most */
    return OK;
}

static struct str
say_score(const struct intake_spam *spam, int64_t score, struct arena *a)
{
    if (score == spam->score)
        return arena_printf(a, "spam score %.2f: %.*s", (double)score / 100, STR_FMT(spam->words));
    return arena_printf(a, "spam score %.2f by what was learned here, %.2f without: %.*s",
                        (double)score / 100, (double)spam->score / 100, STR_FMT(spam->words));
}

/* What the owner said of the author is above the score, and whom he writes to above both. */
enum status
store_spam_judge(const struct store *s, struct cell *account, const struct store_addition *m,
                 struct store_box *box)
{
    const struct intake_spam *spam = m->spam;
    enum spam_kind said = SPAM_UNKNOWN;
    int64_t score;
    bool known;

    if (!spam->scored || !config_spam_of(s->config, store_domain_of(m->asked)))
        return OK;
    if (spam->author != 0)
        TRY(spam_of_author(account, spam->author, &said));
    TRY(score_of(account, spam, &score));
    bool high = score >= THRESHOLD && !spam->allowed;
    bool unwanted = said == SPAM_UNWANTED && spam->standing == STANDING_PROVEN;
    if (score != spam->score)
        box->why = say_score(spam, score, m->a);
    if (!high && !unwanted)
        return OK;
    TRY(is_correspondent(account, spam, &known));
    if (known) {
        box->why = STR("its author is a correspondent, so that its spam score does not count");
    } else if (said == SPAM_WANTED && spam->standing >= STANDING_UNCHECKED) {
        box->why = STR("mail of its author was moved out of Junk, so that its spam score does not "
                       "count");
    } else {
        box->junk = true;
        box->why =
            unwanted ? STR("mail of its author was moved to Junk") : say_score(spam, score, m->a);
    }
    return OK;
}
