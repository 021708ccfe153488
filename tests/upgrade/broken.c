/* broken.c - a server that starts well when it is tried, and not when it counts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/version.h"
#include "role/role.h"

const char godwit_version[] = "99.2.0";

extern const struct role_verbs role_mx, role_user, role_keys, role_auth, role_store, role_cook,
    role_out;
static struct role_verbs store;

static FIBER_ENTRY enum status
begin(const struct role_start *s, struct problem *why)
{
    if (s->rehearsal)
        return role_store.begin(s, why);
    problem_set(why, 0, "", "this program cannot open the data");
    return ERR_IO;
}

__attribute__((constructor)) static void
make_store(void)
{
    store = role_store;
    store.begin = begin;
}

const struct role_verbs *const role_table[ROLE_COUNT] = {
    [ROLE_MX] = &role_mx,     [ROLE_USER] = &role_user, [ROLE_KEYS] = &role_keys,
    [ROLE_AUTH] = &role_auth, [ROLE_STORE] = &store,    [ROLE_COOK] = &role_cook,
    [ROLE_OUT] = &role_out};
