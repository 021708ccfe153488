/* verdict_internal.h - what is known of a message once it is judged; shared by verdict.c and verdict_write.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef COOK_VERDICT_INTERNAL_H
#define COOK_VERDICT_INTERNAL_H

#include "cook/verdict.h"
#include "policy/arc.h"
#include "policy/dmarc.h"
#include "policy/imitation.h"

enum { NAMES_MAX = LIMIT_DKIM_NAMES + LIMIT_DMARC_NAMES };
static_assert((int)NAMES_MAX == (int)COOK_LOOK_REPLY_NAMES_MAX, "room for every name");
static_assert(LIMIT_DMARC_AUTHORS == COOK_LOOK_REPLY_EXISTS_MAX, "room for every author");
static_assert(IMITATION_NAMES == COOK_LOOK_REPLY_LOOKS_MAX, "room for every name");
static_assert(IMITATION_NAMES == COOK_JUDGE_IMITATES_MAX, "room for every name");
static_assert(LIMIT_DKIM_SIGNATURES == COOK_VERDICT_SIGNATURES_MAX, "room for every signature");

/* A sign that others handed it on, who may have broken its signatures. */
struct verdict_look {
    struct arena *arena;
    struct cook_stranger who; /* in arena */
    const struct psl_ctx_st *list;
    struct dkim *dkim;
    struct dmarc_from from;
    struct str spf_domain; /* in normal form; empty = none */
    struct str names[NAMES_MAX];
    struct str exists[LIMIT_DMARC_AUTHORS];
    uint32_t keys, names_count; /* names of keys come first */
    bool report;                /* its subject is that of a report about mail */
    bool handed_on;             /* its header shows a list or a forwarder */
    struct imitation imitation;
    struct cook_look_of looks[IMITATION_NAMES];
};
struct verdict_parts {
    const struct verdict_look *look;
    const struct verdict_host *host;
    struct dkim_verdict dkim[LIMIT_DKIM_SIGNATURES];
    uint32_t dkim_count;
    struct arc_verdict arc;
    struct dmarc_verdict dmarc;
    enum verdict_disposition disposition;
};

/* verdict_write.c */
enum { WARNINGS_MAX = 2048 }; /* bytes, of the field of a judge */
/* Authentication-Results alone. */
struct str verdict_field(const struct verdict_parts *p, struct arena *a);

/* verdict_warning.c: in words, without the names of fields; each line is one field. */
struct str verdict_warning(const struct verdict_look *l, const struct cook_judge *req,
                           struct arena *a);
struct str verdict_warning_fields(struct str warning, struct arena *a);

#endif
