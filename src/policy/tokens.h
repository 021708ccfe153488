/* tokens.h - what a message is made of, for the spam score: words and pairs of words of its texts, what its header says
 * and how, where its links lead, what is odd about it.
 *
 * Owns:      nothing; all lies in the arena, which needs TOKENS_ARENA besides what the tree took.
 * Promises:  never fails; linear time; each token stands once, with a word that a person can read (valid UTF-8, no
 *            control characters).  The same bytes give the same tokens in the same order, whoever asks.
 *            What servers on the way add (Received, Return-Path, Authentication-Results, marks of filters) gives none:
 *            a message scores the same when it comes and when its owner moves it.
 * Limits:    the first LIMIT_SPAM_BYTES of the message, LIMIT_SPAM_TOKENS tokens, LIMIT_SPAM_TEXT_BYTES of decoded
 *            text, LIMIT_SPAM_PARTS parts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TOKENS_H
#define POLICY_TOKENS_H

#include "mail/mime.h"

#define TOKENS_ARENA (8u << 20)
/* Of the words, so that stored hashes keep their meaning: any change of what tokens there are raises it. */
#define TOKENS_VERSION 1u

struct token {
    uint64_t hash; /* of the word, but for the lowest bit: token_is_structure() */
    struct str word;
};
struct tokens {
    const struct token *at;
    uint32_t count;
    bool cut; /* a limit was reached */
};
/* t: of that message. */
void tokens_find(struct str message, const struct mime_tree *t, struct arena *a,
                 struct tokens *out);
/* Of the header or the build, not of the texts: "kind:word". */
static inline bool
token_is_structure(uint64_t hash)
{
    return (hash & 1) != 0;
}
/* Words that name persons, or say only where a message was kept: they count for an account, never in the prior. */
bool token_is_personal(struct str word);

#endif
