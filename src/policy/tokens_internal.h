/* tokens_internal.h - shared by the readers of tokens: header, text, HTML.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TOKENS_INTERNAL_H
#define POLICY_TOKENS_INTERNAL_H

#include "base/limits.h"
#include "policy/tokens.h"

#define TOKEN_WORD_MAX 64u

struct token_set {
    struct token *at;
    uint32_t count, max; /* max: how many the present reader may fill */
    bool cut;
    uint32_t *slots; /* of a hash table: index + 1 */
    struct arena *a;
    struct buf word;  /* being built */
    size_t text_left; /* of LIMIT_SPAM_TEXT_BYTES */
};
/* "kind:word", or the word alone when kind is empty.  It is made printable and cut at TOKEN_WORD_MAX. */
void token_add(struct token_set *s, struct str kind, struct str word);
/* Of a count: "kind:0", "kind:1", "kind:2-3", "kind:4-7", ... */
void token_add_count(struct token_set *s, struct str kind, uint64_t n);

/* ---- tokens_header.c ---- */
void tokens_of_header(struct token_set *s, struct str block);

/* ---- tokens_text.c ---- */
/* Words and pairs of UTF-8 text. */
void tokens_of_text(struct token_set *s, struct str kind, struct str text);
/* "scheme://host/path" or "host/path". */
void tokens_of_link(struct token_set *s, struct str link);
/* The name and what stands above it, to two labels: a.b.c, b.c. */
void tokens_of_domain(struct token_set *s, struct str kind, struct str domain);

/* ---- tokens_html.c ---- */
/* Links and what is odd; its text is for tokens_of_text(). */
void tokens_of_html(struct token_set *s, struct str html);

#endif
