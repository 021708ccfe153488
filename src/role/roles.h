/* roles.h - what each file of a role exports.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_ROLES_H
#define ROLE_ROLES_H

#include "role/role.h"

extern const struct role_verbs role_mx, role_user, role_keys, role_auth, role_store, role_cook,
    role_out, role_ask, role_api;

#endif
