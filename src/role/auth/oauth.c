/* oauth.c - tokens of the configured issuer (auth/jwt.h) as a log-in.
 *
 * The keys come from a file of the configuration.  There is no network here: about what no key of that file has signed
 * role ask asks the issuer, if the configuration says where; else it is not good.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define AUTH_SERVE_HANDLERS_ONLY
#include "auth/jwt.h"
#include "base/mem.h"
#include "config/events.h"
#include "ipc/auth_serve.h"
#include "mail/names.h"
#include "role/auth/auth_internal.h"
#include "role/role.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "rt/random.h"

static struct jwt_keys *keys; /* NULL: none can be used */
static struct {
    struct str issuer, file;
} keys_of; /* owned: the lines of the configuration that keys are of */

static const struct config_oauth *
issuer(void)
{
    return &role_self()->config->oauth;
}

/* Else Jansson opens /dev/urandom when it first needs to hash a name. */
void
auth_oauth_prepare(void)
{
    json_object_seed((size_t)random_u64() | 1u); /* 0 would mean: do so now */
}

/* The configuration may name another issuer, another file or none by now: nobody is let in by keys of before. */
static void
follow_config(const struct config_oauth *o)
{
    if (str_eq(keys_of.issuer, o->issuer) && str_eq(keys_of.file, o->keys_file))
        return;
    jwt_keys_free(&keys);
    mem_str_free(&keys_of.issuer);
    mem_str_free(&keys_of.file);
    keys_of.issuer = mem_str(o->issuer);
    keys_of.file = mem_str(o->keys_file);
}

/* The keys of before stay when the new ones of the same file are of no use. */
void
auth_oauth_keys(const struct role_start *s)
{
    AUTO_BUF text = BUF(JWT_KEYS_BYTES);
    struct jwt_keys *fresh = NULL;

    follow_config(&s->config->oauth);
    auth_ask_renew(s);
    if (s->config->oauth.keys_file.len == 0)
        return;
    enum status e = role_file_read(s, s->config->oauth.keys_file, &text);
    if (e == OK)
        e = jwt_keys_read(buf_str(&text), &fresh);
    AUTO(logger_send) struct log_line l;
    if (event_begin(&l, e == OK ? EVENT_OAUTH_KEYS : EVENT_OAUTH_REFUSED)) {
        log_str(&l, "issuer", s->config->oauth.issuer);
        log_str(&l, "file", s->config->oauth.keys_file);
        if (e == OK)
            log_u64(&l, "keys", jwt_keys_count(fresh));
        else
            log_str(&l, "reason", str_of(status_name(e)));
    }
    if (e != OK)
        return;
    jwt_keys_free(&keys);
    keys = fresh;
}

/* Whom it names; account 0: nobody, or who was asked for is another. */
static SUSPENDS enum status
find_both(struct str address, struct str asked, struct arena *a, struct auth_found *out)
{
    AUTO_FOUND wish = {0};

    TRY(auth_find(name_address(address, a), a, out));
    if (asked.len == 0)
        return OK;
    TRY(auth_find(name_address(asked, a), a, &wish));
    if (wish.who.account != out->who.account)
        out->who.account = 0;
    return OK;
}

static SUSPENDS enum status
judge(struct str token, struct arena *a, struct str *address_out)
{
    const struct jwt_wanted wanted = {.issuer = issuer()->issuer,
                                      .audience = issuer()->audience,
                                      .now_s = clock_now().us / 1000000};

    if (keys != NULL && jwt_check(keys, token, &wanted, a, address_out) == OK)
        return OK;
    if (role_self()->config->introspection.url.len > 0)
        return auth_ask(token, &wanted, a, address_out);
    return keys == NULL ? ERR_TEMP : ERR_DENIED;
}

enum status
auth_serve_oauth(struct ipc_peer *from, const struct auth_oauth *req, struct arena *a,
                 struct auth_oauth_reply *rep)
{
    const struct auth_asked asked = {
        .peer = req->peer, .login = req->login, .protocol = req->protocol};
    AUTO_FOUND found = {0};
    struct str address;
    uint64_t since = auth_changes();

    AUTO_TRY under_way = {0};
    TRY(auth_try_begin(&asked, &under_way));
    enum status e = issuer()->issuer.len == 0 ? ERR_DENIED : judge(req->token, a, &address);
    if (e == ERR_DENIED)
        return auth_brake_refuse(&asked, AUTH_TOKEN);
    TRY(e);
    TRY(find_both(address, req->login, a, &found));
    if (found.who.account == 0 || found.disabled)
        return auth_brake_refuse(&asked, auth_reason_of(&found));
    if (auth_has_changed(found.who.account, since))
        return ERR_TEMP;
    struct auth_asked named = asked;
    if (named.login.len == 0)
        named.login = address;
    auth_brake_right(&named);
    auth_try_end(&under_way);
    const struct auth_session session = {.session = req->session,
                                         .account = found.who.account,
                                         .protocol = req->protocol,
                                         .peer = req->peer,
                                         .tls_version = req->tls_version};
    TRY(auth_grant(from, &session));
    *rep = (struct auth_oauth_reply){
        .account = found.who.account, .address = found.who.address, .rights = AUTH_RIGHTS_ALL};
    return OK;
}
