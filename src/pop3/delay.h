/* delay.h - who logged in by POP3 a moment ago: pop3-login-delay.
 *
 * Owns:      the times of the last log-ins, of LIMIT_POP3_DELAYED accounts; the oldest are forgotten.  Each worker
 *            knows its own: with several of role user an account may log in so many times as often.
 * RFC:       2449 section 6.5 and 8.1.1.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POP3_DELAY_H
#define POP3_DELAY_H

#include <stdint.h>

struct delays;
struct delays *delays_new(uint32_t max);
void delays_free(struct delays **d);
/* 0: the account may log in now, and did; else so many seconds are left.  delay_s 0: it may always. */
uint32_t delays_log_in(struct delays *d, uint64_t account, uint32_t delay_s, int64_t now_ms);

#endif
