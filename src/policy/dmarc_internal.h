/* dmarc_internal.h - the tree walk (RFC 9989 section 4.10) over answers that are known.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_DMARC_INTERNAL_H
#define POLICY_DMARC_INTERNAL_H

#include "policy/dmarc.h"

/* A name, then its parents: of 8 or more labels the next is that of 7. */
enum { WALK_QUERIES = 8 };
struct walk {
    struct str names[WALK_QUERIES];
    size_t count;
};
void walk_init(struct walk *w, struct str domain);

/* What is known of a name. */
enum look {
    LOOK_UNASKED,
    LOOK_NONE, /* no record, or several */
    LOOK_RECORD,
    LOOK_TEMPERROR,
};
enum look dmarc_look(const struct dmarc_answers *answers, struct str domain,
                     struct dmarc_record *out);

/* domain is name, or below it */
bool domain_within(struct str domain, struct str name);
/* The list says that organizations register below this name.  Without a list: false. */
bool is_suffix(const struct psl_ctx_st *list, struct str name);
/* By the list alone; name itself where it says nothing. */
struct str registered_or_self(const struct psl_ctx_st *list, struct str name);
/* False for names without a label in common, or registered apart: they are never one organization. */
bool may_align(const struct psl_ctx_st *list, struct str author, struct str domain);
/* The organization of a domain.  *unsure_out: an answer that would have counted is missing. */
struct str organization_of(const struct psl_ctx_st *list, const struct dmarc_answers *answers,
                           struct str domain, bool *unsure_out);

/* Whose record holds for an author. */
struct policy_source {
    enum look look; /* RECORD, NONE or TEMPERROR */
    struct str domain;
    struct dmarc_record record;
};
void policy_discover(const struct psl_ctx_st *list, const struct dmarc_answers *answers,
                     struct str author, struct policy_source *out);

/* Do the names that the authors need fit? */
bool authors_fit(const struct dmarc_from *from);

#endif
