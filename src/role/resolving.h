/* resolving.h - the resolver that the configuration asks for, in the roles that make connections.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_RESOLVING_H
#define ROLE_RESOLVING_H

#include "config/config.h"
#include "dns/resolver.h"

MUST_USE SUSPENDS enum status role_resolver_new(const struct config *c, struct resolver **out,
                                                struct problem *why);

#endif
