/* tls_row.h - how TLS with one mail server went, as bytes that can be counted, and counts of them as a report.
 *
 * Promises:  the same fact gives the same bytes.  Of a success nothing but the policy is kept, so that all sessions of
 *            a day are few rows.  A row is at most TLS_ROW_MAX bytes: texts are cut, that of a policy at a line.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TLS_ROW_H
#define POLICY_TLS_ROW_H

#include "policy/tls_report.h"

struct tls_fact {
    enum tls_policy_type policy;
    enum tls_result result;
    struct str domain; /* of the policy */
    struct str text;   /* of the policy: lines */
    struct str host;
    struct str sending, receiving; /* addresses */
    struct str reason;
};
#define TLS_ROW_MAX (LIMIT_TLS_FACT_TEXT_BYTES + 800u)

void tls_row_write(const struct tls_fact *f, struct buf *b);
/* Strings point into row.  ERR_CORRUPT: it is none. */
MUST_USE enum status tls_row_read(struct str row, struct tls_fact *out);
/* Adds so many sessions to a report; what is added lives in a.  Beyond the bounds of a report only the sums grow, or
 * nothing. */
void tls_row_add(struct tls_report *r, const struct tls_fact *f, uint64_t count, struct arena *a);

#endif
