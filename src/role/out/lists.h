/* lists.h - lists in DNS (dnsbl and dnswl of the configuration): which of them work, and who is on them.
 *
 * Promises:  a list is asked about nobody before its own test (RFC 5782 section 5) went well, nor after it, until the
 *            next one, when it said something that no list says: a list that was given up lists nobody.
 *            Of IPv4 and IPv6 apart, since many lists have one of them.
 * Never:     decides what being listed costs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_OUT_LISTS_H
#define ROLE_OUT_LISTS_H

#include "config/config.h"
#include "dns/resolver.h"

/* Those of this configuration from now on, which must stay; what is known of lists that were there before is kept. */
void out_lists_renew(const struct config *c);
/* Tests those whose time has come. */
SUSPENDS void out_lists_test(struct resolver *r);
/* Until the next one must be tested; FIBER_FOREVER: there is none. */
int64_t out_lists_rest_ms(void);
/* Those that may be asked about a client; the array lives in a. */
size_t out_lists_for(const struct subnet *client, struct arena *a, const struct config_list ***out);
/* Is the client on it?  What cannot be told until then is no. */
SUSPENDS bool out_lists_has(struct resolver *r, const struct config_list *list,
                            const struct subnet *client, int64_t until_ms);

#endif
