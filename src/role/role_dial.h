/* role_dial.h - a connection to a policy server or milter of the configuration, begun by boss.
 *
 * Promises:  the descriptor is a stream socket that is connected or about to be; it is the caller's.
 * Limits:    LIMIT_FILTER_DIALS.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_ROLE_DIAL_H
#define ROLE_ROLE_DIAL_H

#include "role/control.h"

/* where: struct config_filter.  ERR_TEMP: there is nobody now.  ERR_LIMIT: nobody was tried: too much is asked of
 * boss, or it said nothing. */
MUST_USE SUSPENDS enum status role_dial(struct str where, int64_t timeout_ms, int *fd_out);
/* Boss's answer; p's descriptor is taken when somebody waits for it. */
void role_dialled(const struct control *c, struct control_packet *p);

#endif
