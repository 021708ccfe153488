/* tls_report.h - reports about TLS between mail servers: the record that asks for them, written, read.
 *
 * Promises:  bytes that JSON cannot hold become "?".  Reading takes what others write: members that are not known are
 *            passed over, one text stands for a list of one, and results that nobody knows stay as they are.  Texts are
 *            cut at LIMIT_REPORT_TEXT_BYTES and have no control characters.
 * Never:     believes a report: whoever can write to the address can send one.
 * RFC:       8460 sections 3 and 4.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TLS_REPORT_H
#define POLICY_TLS_REPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

enum tls_policy_type { TLS_POLICY_NONE, TLS_POLICY_TLSA, TLS_POLICY_STS };
#define TLS_POLICY_TYPES 3u
const char *tls_policy_name(enum tls_policy_type t); /* "no-policy-found", "tlsa", "sts" */

/* Section 4.3. */
enum tls_result {
    TLS_RESULT_SUCCESS, /* no result type: counted in the summary */
    TLS_RESULT_STARTTLS_NOT_SUPPORTED,
    TLS_RESULT_HOST_MISMATCH,
    TLS_RESULT_EXPIRED,
    TLS_RESULT_NOT_TRUSTED,
    TLS_RESULT_VALIDATION_FAILURE,
    TLS_RESULT_TLSA_INVALID,
    TLS_RESULT_DNSSEC_INVALID,
    TLS_RESULT_DANE_REQUIRED,
    TLS_RESULT_STS_FETCH_ERROR,
    TLS_RESULT_STS_INVALID,
    TLS_RESULT_STS_WEBPKI_INVALID,
};
#define TLS_RESULTS 12u
const char *tls_result_name(enum tls_result r);
/* False: nobody knows it. */
bool tls_result_of(struct str name, enum tls_result *out);
/* What it means, in words for people, about the server that was asked. */
const char *tls_result_words(enum tls_result r);

struct tls_report_failure {
    struct str result;
    struct str sending_ip;
    struct str mx_host;
    struct str mx_helo;
    struct str receiving_ip;
    uint64_t count;
    struct str info; /* a URI */
    struct str reason;
    struct tls_report_failure *next;
};
struct tls_report_policy {
    struct str type;
    const struct str *texts; /* the policy: lines of MTA-STS, or records of TLSA */
    size_t text_count;
    struct str domain;
    const struct str *mx_hosts; /* patterns */
    size_t mx_host_count;
    uint64_t successes, failures; /* sessions */
    struct tls_report_failure *details;
    struct tls_report_policy *next;
};
struct tls_report {
    struct str organization;
    struct str contact;
    struct str id;
    int64_t begin_s, end_s; /* since the epoch; 0: not said */
    struct tls_report_policy *policies;
    size_t policy_count;
};

/* Empty texts and lists that may be left out are.  ERR_LIMIT: b is too small. */
MUST_USE enum status tls_report_write(struct buf *b, const struct tls_report *r);
/* What an arena needs at most. */
enum { TLS_REPORT_ARENA = 8 * LIMIT_TLS_REPORT_BYTES };
/* ERR_SYNTAX: no JSON, or no report; ERR_LIMIT: too large, too many policies or details. */
MUST_USE enum status tls_report_read(struct str json, struct arena *a, struct tls_report *out);
/* gzip or bare JSON.  ERR_SYNTAX: damaged, or neither; ERR_LIMIT: it would be too large. */
MUST_USE enum status tls_report_unpack(struct str packed, struct buf *json);

/* rua= of the one record of _smtp._tls that counts, for tls_rua_next(); false: none, or several. */
MUST_USE bool tls_rua_choose(const struct str *texts, size_t n, struct str *rua_out);
/* The next URI of the list that is one and begins with mailto: or https: */
bool tls_rua_next(struct str *list, struct str *uri_out);
/* The address of a mailto: URI (RFC 6068), without what a "?" adds; false: it is none. */
MUST_USE bool tls_rua_address(struct str uri, struct buf *out);

#endif
