/* dmarc_row.h - one record of an aggregate report, and the policy that held, as bytes that can be counted.
 *
 * Promises:  the same record of the same policy gives the same bytes; its count is not among them.  A row is at most
 *            LIMIT_TALLY_ROW_BYTES: signatures for which there is no room are left out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_DMARC_ROW_H
#define POLICY_DMARC_ROW_H

#include "policy/dmarc_report.h"

/* Of policy: domain, p, sp, np, adkim, aspf, fo, testing. */
void dmarc_row_write(const struct dmarc_report *policy, const struct report_record *r,
                     struct buf *b);
/* Strings point into row.  ERR_CORRUPT: it is none. */
MUST_USE enum status dmarc_row_read(struct str row, struct arena *a,
                                    struct dmarc_report *policy_out, struct report_record *r_out);

#endif
