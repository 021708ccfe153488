/* roles.c - the roles that are built into this binary.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/roles.h"

const struct role_verbs *const role_table[ROLE_COUNT] = {
    [ROLE_MX] = &role_mx,     [ROLE_USER] = &role_user,   [ROLE_KEYS] = &role_keys,
    [ROLE_AUTH] = &role_auth, [ROLE_STORE] = &role_store, [ROLE_COOK] = &role_cook,
    [ROLE_OUT] = &role_out,   [ROLE_ASK] = &role_ask,     [ROLE_API] = &role_api,
};
