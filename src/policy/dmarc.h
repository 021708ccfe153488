/* dmarc.h - may this message say From: that domain?  DMARC of RFC 9989, and of the records that RFC 7489 left.
 *
 * Use:       dmarc_from_header() for the authors, dmarc_names() for what must be asked, then dmarc_judge() with the
 *            answers.  Before signatures are verified, dmarc_names() takes all of them for good.
 * Promises:  pure functions of bytes; strings of a verdict point into its facts and answers.  Names are compared
 *            in normal form (mail/domain.h).
 * Rule:      which names belong together is decided by psd= tags, else by the Public Suffix List, else, where
 *            there is no list, by the tree walk alone (docs/decisions/one-organization.md).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_DMARC_H
#define POLICY_DMARC_H

#include "base/arena.h"
#include "base/limits.h"
#include "policy/dmarc_record.h"

struct psl_ctx_st; /* policy/suffixes.h */

/* Is there such a domain: has it an A, AAAA or MX record? */
enum dmarc_existence { DMARC_MAY_EXIST, DMARC_EXISTS, DMARC_EXISTS_NOT };

struct dmarc_author {
    struct str domain;
    enum dmarc_existence existence;
};
struct dmarc_from {
    struct dmarc_author authors[LIMIT_DMARC_AUTHORS]; /* each domain once */
    size_t count;
    size_t fields; /* From fields; RFC 5322 wants one */
    bool bad;      /* an address had no domain, or none that is a name */
    bool many;     /* there were more domains */
};
void dmarc_from_header(struct str header, struct arena *a, struct dmarc_from *out);
/* One more domain, as written. */
void dmarc_from_add(struct dmarc_from *f, struct str domain, struct arena *a);

enum dmarc_auth {
    DMARC_AUTH_FAIL, /* anything but the other two */
    DMARC_AUTH_PASS,
    DMARC_AUTH_TEMPERROR,
};
/* Something that was authenticated, or might have been: for SPF the domain of MAIL FROM, or of HELO where that was <>;
 * for DKIM the d= of a signature. */
struct dmarc_identity {
    bool dkim;
    enum dmarc_auth result;
    struct str domain; /* in normal form */
};
struct dmarc_facts {
    struct dmarc_from from;
    const struct dmarc_identity *identities;
    size_t identity_count;
    const struct psl_ctx_st *list; /* NULL: the tree walk alone */
};

/* Names of TXT records, "_dmarc." and a domain: first all that the authors need. */
struct dmarc_names {
    struct str names[LIMIT_DMARC_NAMES];
    size_t count;
};
void dmarc_names(const struct dmarc_facts *f, struct arena *a, struct dmarc_names *out);

enum dmarc_answer_kind { DMARC_ANSWER_NONE, DMARC_ANSWER_FOUND, DMARC_ANSWER_TEMPERROR };
struct dmarc_answer {
    struct str name; /* as asked, case ignored */
    enum dmarc_answer_kind kind;
    const struct str *texts; /* DMARC_ANSWER_FOUND: each record, its strings joined */
    size_t text_count;
};
struct dmarc_answers {
    const struct dmarc_answer *at;
    size_t count;
};

enum dmarc_result { /* RFC 8601 section 2.7, and RFC 7489 section 11.2; from good to bad */
                    DMARC_PASS,
                    DMARC_NONE,
                    DMARC_PERMERROR,
                    DMARC_TEMPERROR,
                    DMARC_FAIL,
};
const char *dmarc_result_name(enum dmarc_result r);

enum dmarc_reason {
    DMARC_ALIGNED,     /* what was authenticated is of the same organization */
    DMARC_NOT_ALIGNED, /* nothing of it is, or nothing was authenticated */
    DMARC_NO_RECORD,
    DMARC_NO_POLICY,   /* a record, but without a policy or anybody to report to */
    DMARC_RECORD_FAIL, /* the record could not be asked for */
    DMARC_AUTH_UNKNOWN, /* an aligned identity could not be judged, or the boundaries between domains not be found */
    DMARC_NO_AUTHOR,    /* no domain in From */
    DMARC_MANY_AUTHORS, /* more domains in From than are looked at: nothing honest looks like that */
    DMARC_BAD_AUTHOR, /* besides domains that do not fail an address without one: who it is, nobody can judge */
};
const char *dmarc_reason_name(enum dmarc_reason r);

struct dmarc_verdict {
    enum dmarc_result result;
    enum dmarc_reason reason;
    enum dmarc_policy
        disposition; /* what the domain asks for, never unsaid; NONE unless it failed */
    enum dmarc_policy
        policy; /* what it published for this author, t=y or not; unsaid without a record */
    const char *policy_tag; /* "p", "sp", "np"; "" without a record */
    struct str author; /* the domain in From that this is about: the one with the worst verdict */
    struct str policy_domain;   /* where the record is */
    struct str organization;    /* of the author */
    struct dmarc_record record; /* all zero without one */
    bool spf_aligned;           /* and passed */
    bool dkim_aligned;          /* one that passed */
};
void dmarc_judge(const struct dmarc_facts *f, const struct dmarc_answers *answers,
                 struct dmarc_verdict *out);

#endif
