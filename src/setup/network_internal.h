/* network_internal.h - between the files that look records up: each says what it found in n->f, by one finding.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_NETWORK_INTERNAL_H
#define SETUP_NETWORK_INTERNAL_H

#include "setup/network.h"

/* network.c */
SUSPENDS struct record_seen network_see_address(struct network *n, const struct record *r);
SUSPENDS struct record_seen network_see_reverse(struct network *n, const struct record *r);
/* network_services.c */
SUSPENDS struct record_seen network_see_tlsa(struct network *n, const struct record *r);
SUSPENDS struct record_seen network_see_service(struct network *n, const struct record *r);
SUSPENDS struct record_seen network_see_web(struct network *n, const struct record *r);
/* network_domain.c: a note that says so. */
struct record_seen network_unknown(const struct network *n, const char *topic, struct str name);

#endif
