/* dial.h - the first of several addresses that takes a connection.
 *
 * Each address begins LIMIT_OUT_STAGGER_MS after the one before it, or as soon as that has failed (the idea of
 * RFC 8305), so that a dead address costs that long and not its time-out.
 * Owns:      the attempts that lost; they end by themselves.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_DIAL_H
#define SMTP_DIAL_H

#include "rt/conn.h"

#define DIAL_MAX 16u

struct dialled {
    struct conn *conn;
    size_t index; /* of the target that it leads to */
};
/* failed_out[i]: what became of each target that did not answer; OK for those that were not tried or not waited for.
 * ERR_TIMEOUT when one timed out and none answered, else ERR_CLOSED. */
MUST_USE SUSPENDS enum status dial(const struct conn_target *targets, size_t n, struct dialled *out,
                                   enum status *failed_out);

#endif
