/* ask.c - the other way to judge a token: what its issuer says of it, by role ask.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/introspection.h"
#include "auth/token_cache.h"
#include "base/mem.h"
#include "ipc/ask_ipc.h"
#include "role/auth/auth_internal.h"
#include "role/role.h"

enum { ARENA_BYTES = 131072 };

static struct token_cache *good;
static struct str asked; /* owned: the endpoint that said so, and as whom it was asked */

/* What one endpoint said is nothing to another. */
void
auth_ask_renew(const struct role_start *s)
{
    const struct config_introspection *i = &s->config->introspection;
    AUTO_BUF now = BUF(16384);

    buf_addf(&now, "%.*s ", STR_FMT(i->url));
    buf_addf(&now, "%.*s ", STR_FMT(i->client));
    buf_addf(&now, "%.*s ", STR_FMT(s->config->oauth.issuer));
    buf_addf(&now, "%.*s", STR_FMT(s->config->oauth.audience));
    buf_add_z(&now, s->config->oauth.usernames ? " username" : "");
    if (good == NULL)
        good = token_cache_new();
    if (str_eq(asked, buf_str(&now)))
        return;
    mem_str_free(&asked);
    asked = mem_str(buf_str(&now));
    token_cache_clear(good);
}

static void
take(const struct ask_token_reply *rep, struct introspection *out)
{
    *out = (struct introspection){
        .active = rep->active,
        .issuer = rep->issuer,
        .address = rep->address,
        .has_audience = rep->has_audience,
        .audience_count = rep->audiences_count,
        .expires_s = rep->expires,
        .not_before_s = rep->not_before,
    };
    ASSERT(rep->audiences_count <= INTROSPECTION_AUDIENCES_MAX); /* the bound of ask.ipc */
    for (size_t i = 0; i < rep->audiences_count; i++)
        out->audiences[i] = rep->audiences[i];
}

enum status
auth_ask(struct str token, const struct jwt_wanted *w, struct arena *a, struct str *address_out)
{
    AUTO_ARENA *room = arena_new(ARENA_BYTES);
    const struct ask_token req = {.token = token};
    struct ask_token_reply rep;
    struct introspection said;

    if (token_cache_find(good, token, a, address_out))
        return OK;
    struct str before = mem_str(asked);
    enum status e = ask_token_call(role_peer(ROLE_ASK), &req, room, &rep);
    bool same = str_eq(before, asked);
    mem_str_free(&before);
    if (e != OK || !same)
        return ERR_TEMP; /* never a reason to let anybody in, nor to call the token bad */
    take(&rep, &said);
    if (!introspection_fits(&said, w))
        return ERR_DENIED;
    *address_out = arena_str(a, said.address);
    token_cache_add(good, token, said.address, said.expires_s);
    return OK;
}
