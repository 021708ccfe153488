/* imitation.h - names in the From field of a message that may be there to look like others.
 *
 * What is said of each name is what it looks like, as a number (homograph.h): who knows whose mail a reader awaits
 * compares that, and needs no text for it.
 *
 * Promises:  pure functions; never fail on any value; at most IMITATION_NAMES names, each once, in normal form
 *            (mail/domain.h).  Names that are quite usual are never "mixed".
 * Use:       homograph_open() before a role's jail.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_IMITATION_H
#define POLICY_IMITATION_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/str.h"

#define IMITATION_NAMES ((size_t)LIMIT_IMITATION_NAMES)

struct psl_ctx_st; /* policy/suffixes.h */

struct imitation_name {
    struct str domain;
    struct str parent; /* what an organization registered of it; empty: the same, or nobody */
    uint64_t look, parent_look; /* 0: none */
    bool shown;                 /* in the name that people read instead of the address */
};
struct imitation {
    struct imitation_name at[IMITATION_NAMES]; /* authors' domains come first */
    size_t count;
    struct str mixed; /* a domain that mixes alphabets as no language does; empty: none does */
    bool mixed_shown; /* it, or a word, stands in the name that people read */
};

/* list: NULL = none.  What out points to is in a. */
void imitation_find(struct str header, const struct psl_ctx_st *list, struct arena *a,
                    struct imitation *out);

#endif
