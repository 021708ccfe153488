/* spf_internal.h - one check of SPF under way.
 *
 * Failures:  inside a check, ERR_TEMP is "temperror", ERR_SYNTAX and ERR_LIMIT are "permerror"; `why` says the rest.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SPF_INTERNAL_H
#define POLICY_SPF_INTERNAL_H

#include "base/limits.h"
#include "policy/spf.h"
#include "policy/spf_macro.h"

/* One record that is evaluated: the first, or one that another includes. */
struct spf_level {
    struct str domain;
    struct spf_record record;
    size_t at; /* the next term */
};
struct spf_check {
    struct resolver *resolver;
    struct arena *a; /* ends with the check */
    struct spf_values values;
    int64_t until_ms;
    struct spf_level levels[LIMIT_SPF_TERMS + 1]; /* an include counts, so there are no more */
    size_t depth;                                 /* levels in use, 1 or more */
    unsigned terms, voids;
    bool asked_names; /* of the client: */
    struct str names[LIMIT_SPF_NAMES];
    size_t name_count;
    bool asked, secure; /* secure: everything until now */
    struct str mechanism, decided_by;
    struct problem why;
};

struct spf_level *spf_top(struct spf_check *c);
/* A name and a type.  OK with count 0: there is nothing.  ERR_TEMP, ERR_LIMIT, ERR_CANCELLED. */
MUST_USE SUSPENDS enum status spf_ask(struct spf_check *c, struct str name, enum dns_type type,
                                      struct dns_records *out);
MUST_USE enum status spf_count_term(struct spf_check *c);
/* Of a term or modifier of the top record, macros expanded. */
MUST_USE SUSPENDS enum status spf_target(struct spf_check *c, struct str domain, struct str *out);
/* Asks for the client's name when the text has %{p}. */
MUST_USE SUSPENDS enum status spf_fill_validated(struct spf_check *c, struct str text,
                                                 bool counted);
/* Any but include: does the term match the client?  spf_match.c. */
MUST_USE SUSPENDS enum status spf_match(struct spf_check *c, const struct spf_term *t, bool *out);
/* The names that the client's address has, and that have this address.  Asks once. */
MUST_USE SUSPENDS enum status spf_client_names(struct spf_check *c);

#endif
