/* out_internal.h - what the files of role out share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_OUT_OUT_INTERNAL_H
#define ROLE_OUT_OUT_INTERNAL_H

#include "dns/resolver.h"

/* The resolver of the configuration of now, which lives for as long as somebody holds it; NULL: not begun yet. */
struct upstream {
    struct resolver *resolver;
    uint32_t users;
};
struct upstream *out_upstream_hold(void);
void out_upstream_let_go(struct upstream *u); /* NULL is fine */

#endif
