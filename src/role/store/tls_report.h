/* tls_report.h - reports to other domains about TLS with their servers (RFC 8460).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_TLS_REPORT_H
#define ROLE_STORE_TLS_REPORT_H

#include "role/store/report.h"

/* What role out says of the sessions of one attempt becomes counts of today. */
void store_tls_count(struct store *s, const struct store_queue_result *req);
MUST_USE SUSPENDS enum status store_tls_tell(struct store *s, const struct store_report *r,
                                             struct arena *a, enum store_report_end *out);

#endif
