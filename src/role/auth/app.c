/* app.c - app passwords (auth/app_password.h): made here, and compared here.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define AUTH_SERVE_HANDLERS_ONLY
#include "auth/app_password.h"
#include "base/limits.h"
#include "base/size.h"
#include "ipc/auth_serve.h"
#include "ipc/store_ipc.h"
#include "role/auth/auth_internal.h"
#include "role/role.h"
#include "rt/clock.h"

#define APP_KIND STR("app password") /* of auth/seal.h */
enum { DAY_S = 86400 };

static unsigned char app_key[SEAL_KEY_BYTES];
static_assert(SEAL_KEY_BYTES == APP_PASSWORD_HASH, "one key serves as the other");

static const struct store_app_password *compare(const struct auth_found *f,
                                                const unsigned char *hash);
static void tell_used(const struct auth_found *f, const struct store_app_password *p);

enum status
auth_app_begin(const struct seal *seal)
{
    return seal_derive(seal, APP_KIND, app_key);
}

enum status
auth_app_check(const struct auth_found *f, const struct secret *password, uint8_t protocol,
               struct auth_checked *out)
{
    char letters[APP_PASSWORD_LETTERS];
    unsigned char hash[APP_PASSWORD_HASH];

    if (!app_password_read(secret_str(password), letters))
        return ERR_NOT_FOUND;
    enum status e = app_password_hash(app_key, f->who.account, letters, hash);
    mem_wipe(letters, sizeof(letters));
    TRY(e);
    const struct store_app_password *p = compare(f, hash);
    if (p == NULL)
        return ERR_NOT_FOUND;
    out->app = p->id;
    out->app_name = p->name;
    if (f->disabled)
        return ERR_DENIED;
    if ((p->protocols >> protocol & 1u) == 0) {
        out->why = AUTH_PROTOCOL;
        return ERR_DENIED;
    }
    if (p->expires != 0 && clock_now().us >= p->expires) {
        out->why = AUTH_EXPIRED;
        return ERR_DENIED;
    }
    tell_used(f, p);
    return OK;
}

enum status
auth_serve_app_password_make(struct ipc_peer *from, const struct auth_app_password_make *req,
                             struct arena *a, struct auth_app_password_make_reply *rep)
{
    char text[APP_PASSWORD_TEXT], letters[APP_PASSWORD_LETTERS];
    unsigned char hash[APP_PASSWORD_HASH];

    (void)from;
    app_password_make(text);
    if (!app_password_read(str_from(text, sizeof(text)), letters))
        UNREACHABLE();
    TRY(app_password_hash(app_key, req->account, letters, hash));
    rep->password = arena_str(a, str_from(text, sizeof(text)));
    rep->hash = arena_str(a, str_from((const char *)hash, sizeof(hash)));
    mem_wipe(text, sizeof(text));
    mem_wipe(letters, sizeof(letters));
    return OK;
}

/* With as many as an account can have, whoever it is: how many it has, and whether somebody has the name, does not
 * show in the time. */
static const struct store_app_password *
compare(const struct auth_found *f, const unsigned char *hash)
{
    static const char zeros[APP_PASSWORD_HASH];
    static const struct store_app_password nothing = {.hash = {zeros, sizeof(zeros)}};
    const struct store_app_password *hit = NULL;

    for (size_t i = 0; i < LIMIT_APP_PASSWORDS; i++) {
        const struct store_app_password *p = i < f->app_count ? &f->apps[i] : &nothing;
        if (p->hash.len == APP_PASSWORD_HASH &&
            mem_eq_const_time(p->hash.ptr, hash, APP_PASSWORD_HASH))
            hit = p;
    }
    return hit == &nothing ? NULL : hit;
}

/* Once a day: a write per log-in would cost a sync each. */
static void
tell_used(const struct auth_found *f, const struct store_app_password *p)
{
    uint32_t today = (uint32_t)(clock_now().us / 1000000 / DAY_S); /* days since 1970 */
    const struct store_app_password_used note = {
        .address = f->who.address, .app = p->id, .day = today};

    if (today <= p->used_day)
        return;
    enum status e = store_app_password_used_note(role_peer(ROLE_STORE), &note);
    (void)e; /* it is not worth a log-in */
}
