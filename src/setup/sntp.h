/* sntp.h - one question for the time, and its answer (SNTP version 4, RFC 4330).
 *
 * Promises:  an answer counts only when it echoes the very time of the question.
 * Never:     sets a clock.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_SNTP_H
#define SETUP_SNTP_H

#include "base/status.h"
#include "base/str.h"

#define SNTP_BYTES 48
void sntp_ask(int64_t now_us, unsigned char out[SNTP_BYTES]);
/* by_us: how far the server's clock is ahead of ours, half of the way taken off.  ERR_SYNTAX: no answer to that
 * question; ERR_TEMP: the server itself does not know the time. */
MUST_USE enum status sntp_read(struct str answer, int64_t asked_us, int64_t got_us,
                               int64_t *by_us_out);

#endif
