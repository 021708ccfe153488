/* bayes.h - how likely a message is unwanted, by its tokens: a prior that ships, and what an account learned.
 *
 * Each token has a weight: the logarithm of how much more often unwanted messages have it than wanted ones, drawn
 * towards nothing the fewer messages had it.  Tokens of the header and of the build of a message count twice.  The
 * score is the sum of the weights over the square root of their number, so that ten clear words say more in a short
 * message; above 0 it leans to unwanted, from BAYES_JUNK on it is junk.  What an account said of its own mail counts
 * as many messages of the prior.  docs/decisions/spam-by-counting.md has the figures.
 *
 * Promises:  the weights that bayes_explain() gives add up to the score.  Pure; the prior is constant data.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_BAYES_H
#define POLICY_BAYES_H

#include "policy/tokens.h"

/* At this score one in a thousand wanted messages, or fewer, is taken for junk. */
#define BAYES_JUNK 5.0

struct bayes_count {
    uint16_t wanted, unwanted;
};
/* What an account learned: messages of each kind, and of those the ones with each token, in the tokens' order. */
struct bayes_own {
    uint32_t wanted, unwanted;
    const struct bayes_count *counts; /* NULL: nothing */
};
/* own may be NULL. */
double bayes_score(const uint64_t *hashes, size_t n, const struct bayes_own *own);

struct bayes_word {
    struct str word;
    double weight; /* its part of the score */
};
/* The heaviest, at most max, by size; the count is returned.  Tokens without weight are left out. */
size_t bayes_explain(const struct tokens *t, const struct bayes_own *own, struct bayes_word *out,
                     size_t max);

/* ---- the prior's file: spam_prior.bin ---- */
/* version 4, wanted messages 4, unwanted 4, then for each token the upper 4 bytes of its 48, and how many wanted and
 * unwanted messages had it, a byte each: big-endian, ascending. */
#define PRIOR_HEAD_BYTES  12u
#define PRIOR_ENTRY_BYTES 6u
/* Is it one that bayes_score() can use? */
bool bayes_prior_ok(struct str file);
struct str bayes_prior(void);

#endif
