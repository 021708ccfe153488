/* attempts.h - wrong log-ins per network, so that guessing is slow and nobody else is locked out.
 *
 * Owns:      a bounded table of address prefixes (/32 for IPv4, /64 for IPv6), the one that was wrong
 *            longest ago first out; memory only.
 * Promises:  a prefix that keeps to ATTEMPTS_FREE wrong log-ins is never refused; beyond, one try per
 *            growing interval (1 s doubling to 64 s).  A good log-in clears the prefix.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_ATTEMPTS_H
#define AUTH_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define ATTEMPTS_FREE    20u
#define ATTEMPTS_ENTRIES 65536u

struct attempts;
struct attempts *attempts_new(void);
void attempts_free(struct attempts **t);
bool attempts_allowed(struct attempts *t, struct str peer);
/* For people: how many were wrong, and in how many milliseconds the next is allowed. */
unsigned attempts_state(struct attempts *t, struct str peer, int64_t *wait_ms_out);
void attempts_wrong(struct attempts *t, struct str peer);
void attempts_right(struct attempts *t, struct str peer);

#endif
