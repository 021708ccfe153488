/* ctl_life.c - godwit account: passwords, suspended accounts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "role/ctl.h"
#include "setup/options.h"

/* Of what this file did to the first argument. */
static int
done(const struct ctl *c, enum status e, const char *what)
{
    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(json_pack("{s:s}", "result", "ok"));
    printf("%.*s %s\n", STR_FMT(ctl_arg(c, 0)), what);
    return CTL_OK;
}

/* ---- passwords ---- */

bool
ctl_new_password(const struct ctl *c, struct secret *out)
{
    AUTO_BUF made = BUF(SECRET_MAX);

    if (!c->generate)
        return ctl_read_password(out);
    options_make_password(&made);
    bool ok = secret_set(out, buf_str(&made));
    mem_wipe(made.ptr, made.cap);
    return ok;
}

int
ctl_account_ready(struct ctl *c, struct str address, const struct secret *password)
{
    json_t *j = json_pack("{s:o}", "address", ctl_json_str(address));

    if (c->generate && c->json)
        json_object_set_new(j, "password", ctl_json_str(secret_str(password)));
    if (c->json)
        return ctl_print_json(j);
    json_decref(j);
    printf("%s is ready\n", ctl_text(c, address));
    if (c->generate)
        printf("password: %.*s\n", STR_FMT(secret_str(password)));
    return CTL_OK;
}

SUSPENDS int
ctl_account_password(struct ctl *c)
{
    AUTO_SECRET password = {0};
    struct admin_account_password_reply rep;

    if (!ctl_new_password(c, &password))
        return CTL_FAILED;
    struct admin_account_password req = {.address = ctl_address(c, 0),
                                         .password = secret_str(&password)};
    enum status e = admin_account_password_call(c->store, &req, c->arena, &rep);
    if (e == OK && c->json && c->generate)
        return ctl_print_json(json_pack("{s:s, s:o}", "result", "ok", "password",
                                        ctl_json_str(secret_str(&password))));
    int exit = done(c, e, "has a new password");
    if (exit == CTL_OK && c->generate)
        printf("password: %.*s\n", STR_FMT(secret_str(&password)));
    return exit;
}

/* ---- suspended accounts ---- */

static SUSPENDS int
set_suspended(struct ctl *c, bool suspended)
{
    struct admin_account_suspend req = {.address = ctl_address(c, 0), .suspended = suspended};
    struct admin_account_suspend_reply rep;

    return done(c, admin_account_suspend_call(c->store, &req, c->arena, &rep),
                suspended ? "is suspended" : "may log in again");
}

SUSPENDS int
ctl_account_suspend(struct ctl *c)
{
    return set_suspended(c, true);
}

SUSPENDS int
ctl_account_resume(struct ctl *c)
{
    return set_suspended(c, false);
}
