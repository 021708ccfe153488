/* spf_record.h - a record of SPF as its terms.  Pure: nobody is asked.
 *
 * Promises:  one pass; what the grammar does not have is refused, wherever it stands; strings point into the record.
 * RFC:       7208 section 4.5, 4.6 and 12.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SPF_RECORD_H
#define POLICY_SPF_RECORD_H

#include "base/arena.h"
#include "base/status.h"
#include "base/subnet.h"

enum spf_result {
    SPF_NONE, /* there is no record, or no domain to ask about */
    SPF_NEUTRAL,
    SPF_PASS,
    SPF_FAIL,
    SPF_SOFTFAIL,
    SPF_TEMPERROR,
    SPF_PERMERROR,
};
const char *spf_result_name(enum spf_result r); /* RFC 8601 section 2.7.2: lower case */

enum spf_mechanism { SPF_ALL, SPF_INCLUDE, SPF_A, SPF_MX, SPF_PTR, SPF_IP4, SPF_IP6, SPF_EXISTS };
struct spf_term {
    enum spf_mechanism mechanism;
    enum spf_result result; /* where it matches, by its qualifier */
    struct str text;        /* as published */
    struct str domain;      /* with its macros; empty: that of the record */
    struct subnet network;  /* ip4, ip6 */
    uint8_t bits4, bits6;   /* a, mx: so many leading bits are compared */
};
struct spf_record {
    const struct spf_term *terms;
    size_t count;
    struct str redirect, explanation; /* with their macros; empty: none */
};
/* Begins like one: "v=spf1", then a space or nothing. */
bool spf_record_is(struct str text);
/* What the arena needs for text. */
#define SPF_RECORD_ARENA(text) ((text).len * 128 + 1024)
/* Of a text that is one.  ERR_SYNTAX, ERR_LIMIT: why says which term, and that needs text. */
MUST_USE enum status spf_record_read(struct str text, struct arena *a, struct spf_record *out,
                                     struct problem *why);

#endif
