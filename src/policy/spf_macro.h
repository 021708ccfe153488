/* spf_macro.h - the macros of SPF: what they may look like, and what they become.  Pure.
 *
 * Promises:  what spf_macro_is_domain() and spf_macro_is_text() accept expands, unless the result is too long.
 * RFC:       7208 section 7.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SPF_MACRO_H
#define POLICY_SPF_MACRO_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/subnet.h"

/* <domain-spec>: ends in a label that could be a top-level domain, or in a macro; nothing of c, r, t. */
bool spf_macro_is_domain(struct str text);
/* <macro-string>, all letters: the value of a modifier that nobody knows. */
bool spf_macro_is_string(struct str text);
/* <explain-string>: the same with spaces. */
bool spf_macro_is_text(struct str text);
/* Is there %{p}, say?  letter in lower case; text was accepted. */
bool spf_macro_has(struct str text, char letter);

/* What the letters stand for. */
struct spf_values {
    struct str local;         /* l; s is both with "@" */
    struct str sender_domain; /* o */
    struct str domain;        /* d: whose record it is */
    struct subnet client;     /* i, c, v: an address */
    struct str helo;          /* h */
    struct str validated;     /* p; asked for only where it stands */
    struct str host;          /* r: ours */
    int64_t now_s;            /* t */
};
/* Appends to b.  ERR_LIMIT: too long for b, or a value is longer than LIMIT_SPF_VALUE_BYTES. */
MUST_USE enum status spf_macro_expand(struct str text, const struct spf_values *v, struct buf *b);
/* The name to ask: at most 253 bytes, without labels on the left where it is longer; without final dot. */
MUST_USE enum status spf_macro_target(struct str text, const struct spf_values *v, struct arena *a,
                                      struct str *out);

#endif
