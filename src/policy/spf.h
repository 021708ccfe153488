/* spf.h - may this client send mail for this domain?  Asks what the domain publishes (RFC 7208).
 *
 * Owns:      nothing; what the answer has lives in the caller's arena.
 * Promises:  a fault of DNS or of the record is a result, never a failure of the call; at most LIMIT_SPF_TERMS terms
 *            that ask, LIMIT_SPF_VOIDS of them without data, LIMIT_SPF_NAMES names of each MX or PTR, and LIMIT_SPF_S.
 * Never:     decides what becomes of the mail, writes header fields.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SPF_H
#define POLICY_SPF_H

#include "dns/resolver.h"
#include "policy/spf_record.h"

struct spf_question {
    struct subnet
        client; /* an address; IPv4 as IPv4, however the connection came: subnet_read_around() */
    struct str helo; /* as the client said it */
    struct str
        from; /* of MAIL, without brackets.  Empty: the identity is HELO, as postmaster@HELO */
    struct str host;   /* our name, for explanations; empty: "unknown" */
    int64_t now_s;     /* for explanations */
    int64_t budget_ms; /* in all; 0 = LIMIT_SPF_S */
};
struct spf_answer {
    enum spf_result result;
    struct str domain;     /* who was asked about; empty when there is none */
    struct str mechanism;  /* the term that decided, as published; empty: none did */
    struct str decided_by; /* the domain whose record has it, or failed */
    struct str
        explanation; /* of the domain, for its own words in a refusal; printable ASCII; empty: none */
    struct str problem; /* what is wrong, for none, temperror and permerror; empty otherwise */
    unsigned terms;     /* that asked */
    bool secure;        /* every answer was DNSSEC-validated, and there was one */
};
/* ERR_CANCELLED, and no other failure. */
MUST_USE SUSPENDS enum status spf_check(struct resolver *r, const struct spf_question *q,
                                        struct arena *a, struct spf_answer *out);

#endif
