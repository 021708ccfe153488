/* life.c - godwit account: passwords, suspended and deleted accounts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/limits.h"
#include "ctl/account.h"
#include "mail/names.h"
#include "rt/fiber.h"
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
ctl_new_password(struct secret *out)
{
    AUTO_BUF made = BUF(SECRET_MAX);

    if (!account_options.generate)
        return ctl_read_password(out);
    options_make_password(&made);
    bool ok = secret_set(out, buf_str(&made));
    mem_wipe(made.ptr, made.cap);
    return ok;
}

int
ctl_account_ready(struct ctl *c, struct str address, const struct secret *password)
{
    json_t *j = json_pack("{s:o}", "address", view_str(address));

    if (account_options.generate && c->json)
        json_object_set_new(j, "password", view_str(secret_str(password)));
    if (c->json)
        return ctl_print_json(j);
    json_decref(j);
    printf("%s is ready\n", ctl_text(c, address));
    if (account_options.generate)
        printf("password: %.*s\n", STR_FMT(secret_str(password)));
    return CTL_OK;
}

SUSPENDS int
ctl_account_password(struct ctl *c)
{
    AUTO_SECRET password = {0};
    struct admin_account_password_reply rep;

    if (!ctl_invite_options(c))
        return CTL_USAGE;
    if (account_options.invite)
        return ctl_account_invite(c);
    if (!ctl_new_password(&password))
        return CTL_FAILED;
    struct admin_account_password req = {.address = ctl_address(c, 0),
                                         .password = secret_str(&password)};
    enum status e = admin_account_password_call(c->store, &req, c->arena, &rep);
    if (e == OK && c->json && account_options.generate)
        return ctl_print_json(
            json_pack("{s:s, s:o}", "result", "ok", "password", view_str(secret_str(&password))));
    int exit = done(c, e, "has a new password");
    if (exit == CTL_OK && account_options.generate)
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

/* ---- deleted accounts ---- */

enum { AGAIN_MS = 200, STEPS_BETWEEN_WORDS = 5 };

static SUSPENDS int
say_purged(struct ctl *c, const struct admin_account_delete_reply *gone)
{
    if (c->json)
        return ctl_print_json(json_pack(
            "{s:s, s:o, s:I, s:i}", "result", "ok", "address", view_str(gone->deleted.address),
            "messages", (json_int_t)gone->deleted.messages, "queued", (int)gone->queued));
    printf("%s is gone with %llu messages, and %u that it had in the queue\n",
           ctl_text(c, gone->deleted.address), (unsigned long long)gone->deleted.messages,
           gone->queued);
    printf("What lasts elsewhere: mail that was delivered to others, backups of the data, lines of "
           "the "
           "log, aliases that lead to it\n");
    return CTL_OK;
}

/* Waits for the end of the account.  Who does not wait has it all the same: the server goes on by itself. */
static SUSPENDS int
purge(struct ctl *c, const struct admin_account_delete_reply *gone)
{
    const struct admin_account_purge req = {.id = gone->deleted.id};
    struct admin_account_purge_reply rep = {.more = true};
    enum status e = OK;

    for (int i = 0; e == OK && rep.more; i++) {
        if (i % STEPS_BETWEEN_WORDS == STEPS_BETWEEN_WORDS - 1)
            fprintf(stderr, "%llu messages are left\n", (unsigned long long)rep.messages);
        e = admin_account_purge_call(c->store, &req, c->arena, &rep);
        if (e == ERR_TEMP) { /* the server is at it by itself */
            e = fiber_sleep(AGAIN_MS);
            rep.more = true;
        }
    }
    return e == OK || e == ERR_NOT_FOUND ? say_purged(c, gone) : ctl_fail(c, e);
}

SUSPENDS int
ctl_account_delete(struct ctl *c)
{
    struct admin_account_delete req = {.address = ctl_address(c, 0), .now = account_options.now};
    struct admin_account_delete_reply rep;
    enum status e = admin_account_delete_call(c->store, &req, c->arena, &rep);
    char day[40];

    if (e != OK)
        return ctl_fail(c, e);
    if (account_options.now)
        return purge(c, &rep);
    if (c->json)
        return ctl_print_json(json_pack("{s:s, s:o, s:I}", "result", "ok", "address",
                                        view_str(rep.deleted.address), "ends",
                                        (json_int_t)rep.deleted.ends));
    printf("%s is deleted; until %s godwit account undelete brings it back with its mail\n",
           ctl_text(c, rep.deleted.address), ctl_time_text(rep.deleted.ends, day, sizeof(day)));
    return CTL_OK;
}

SUSPENDS int
ctl_account_undelete(struct ctl *c)
{
    struct admin_account_undelete req = {
        .address = ctl_address(c, 0),
        .as = account_options.as == NULL ? STR("")
                                         : name_address(str_of(account_options.as), c->arena)};
    struct admin_account_undelete_reply rep;
    enum status e = admin_account_undelete_call(c->store, &req, c->arena, &rep);

    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(json_pack("{s:s, s:o, s:I}", "result", "ok", "address",
                                        view_str(rep.account.address), "messages",
                                        (json_int_t)rep.account.messages));
    printf("%s is back with %llu messages\n", ctl_text(c, rep.account.address),
           (unsigned long long)rep.account.messages);
    return CTL_OK;
}

static void
print_deleted(struct ctl *c, const struct admin_deleted *d, json_t *all)
{
    char size[32], day[40];

    if (c->json)
        json_array_append_new(all, view_deleted(d));
    else
        printf("%-40s %8llu messages %10s until %s\n", ctl_text(c, d->address),
               (unsigned long long)d->messages, ctl_size_text(d->bytes, size, sizeof(size)),
               ctl_time_text(d->ends, day, sizeof(day)));
}

SUSPENDS int
ctl_account_deleted(struct ctl *c)
{
    struct admin_deleted_accounts req = {0};
    struct admin_deleted_accounts_reply rep;
    json_t *all = json_array();
    size_t count = 0;

    do {
        enum status e = admin_deleted_accounts_call(c->store, &req, c->arena, &rep);
        if (e != OK)
            return ctl_fail(c, e);
        for (size_t i = 0; i < rep.accounts_count; i++)
            print_deleted(c, &rep.accounts[i], all);
        count += rep.accounts_count;
        if (rep.accounts_count > 0) {
            req.after_ends = rep.accounts[rep.accounts_count - 1].ends;
            req.after = rep.accounts[rep.accounts_count - 1].id;
        }
    } while (rep.more && rep.accounts_count > 0);
    if (c->json)
        return ctl_print_json(all);
    json_decref(all);
    if (count == 0)
        printf("no account was deleted in the last %d days\n", LIMIT_UNDELETE_DAYS);
    return CTL_OK;
}
