/* setup_fill.c - domain, DKIM key and account: by the running server, or by one that lives just for this.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/size.h"
#include "ctl/setup.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "rt/spawn.h"

enum { START_MS = 120000, STOP_MS = 60000, PAUSE_MS = 50, KEY_TRIES = 200 };

struct server {
    struct spawn_child child;
    int lifeline; /* it ends when this is closed */
    bool runs;
};

static SUSPENDS enum status find_server(struct ctl_setup *s, struct server *v);
static SUSPENDS enum status stop_server(struct ctl_setup *s, struct server *v);
static SUSPENDS enum status add_all(struct ctl_setup *s);

enum status
ctl_setup_fill(struct ctl_setup *s)
{
    struct server v = {.lifeline = -1};
    enum status e = find_server(s, &v);

    if (e == OK)
        e = add_all(s);
    enum status end = stop_server(s, &v);
    return e != OK ? e : end;
}

/* ---- the server ---- */

static enum status
start_server(struct ctl_setup *s, struct server *v)
{
    const char *const args[] = {"serve", "--for-setup", "-c", s->ctl.config_path, NULL};
    int ends[2] = {-1, -1};
    enum status e = spawn_init();

    fflush(stdout);
    if (e == OK)
        e = control_pair(ends);
    if (e == OK)
        e = spawn_role(args, ends[1], &v->child);
    fd_close(&ends[1]);
    v->lifeline = ends[0];
    v->runs = e == OK;
    if (e != OK)
        problem_set(&s->why, 0, "", "cannot start the server: %s", status_name(e));
    return e;
}

/* The store and the keys role have met: domains get their key at once. */
static SUSPENDS bool
is_ready(struct ctl_setup *s)
{
    struct admin_status req = {0};
    struct admin_status_reply rep;

    if (s->ctl.store == NULL && ctl_connect(&s->ctl) != OK)
        return false;
    if (admin_status_call(s->ctl.store, &req, s->a, &rep) != OK)
        return false;
    for (size_t i = 0; i < rep.roles_count; i++)
        if (str_eq(rep.roles[i].name, STR("keys.0")) && rep.roles[i].connected)
            return true;
    return false;
}

static bool
has_ended(struct server *v)
{
    struct spawn_end end;

    if (spawn_reap(&v->child, &end) == ERR_TEMP)
        return false;
    v->runs = false;
    return true;
}

static SUSPENDS enum status
find_server(struct ctl_setup *s, struct server *v)
{
    int64_t end = clock_mono_ms() + START_MS;

    if (s->ctl.store != NULL) {
        ctl_setup_did("using", STR("the running server"), "");
        return OK;
    }
    s->own_server = true;
    TRY(start_server(s, v));
    while (!is_ready(s)) {
        if (has_ended(v))
            problem_set(&s->why, 0, "", "the server did not start: see its reason above%s%.*s",
                        str_eq(s->ctl.config->log_file, STR("stderr")) ? "" : ", or in ",
                        STR_FMT(s->ctl.config->log_file));
        else if (ctl_setup_interrupted())
            problem_set(&s->why, 0, "", "interrupted");
        else if (clock_mono_ms() > end)
            problem_set(&s->why, 0, "", "the server was not ready after two minutes");
        if (s->why.text[0] != '\0')
            return ERR_TEMP;
        TRY(fiber_sleep(PAUSE_MS));
    }
    return OK;
}

static SUSPENDS enum status
stop_server(struct ctl_setup *s, struct server *v)
{
    int64_t end = clock_mono_ms() + STOP_MS;

    if (s->ctl.store != NULL)
        ipc_close(s->ctl.store);
    s->ctl.store = NULL;
    fd_close(&v->lifeline);
    while (v->runs && !has_ended(v)) {
        if (clock_mono_ms() > end)
            spawn_kill(&v->child, 9);
        TRY(fiber_sleep(PAUSE_MS));
    }
    return OK;
}

/* ---- what it makes ---- */

static enum status
refused(struct ctl_setup *s, enum status e, const char *what, struct str object)
{
    const struct problem *p = ipc_problem();

    problem_set(&s->why, 0, "", "%s %.*s: %s", what, STR_FMT(object),
                p->text[0] != '\0' ? p->text : status_name(e));
    return e;
}

static SUSPENDS enum status
find_domain(struct ctl_setup *s, bool *found_out)
{
    struct ctl_domains all = {.store = s->ctl.store, .a = s->a};
    const struct admin_domain *d;
    enum status e;

    *found_out = false;
    while ((e = ctl_next_domain(&all, &d)) == OK)
        *found_out = *found_out || str_eq_nocase(d->name, s->domain);
    return e == ERR_NOT_FOUND ? OK : e;
}

/* Calling it again is how a key that was not ready comes. */
static SUSPENDS enum status
put_domain(struct ctl_setup *s, struct str admin)
{
    struct admin_domain_add req = {.name = s->domain, .admin = admin};
    struct admin_domain_add_reply rep = {0};
    const struct admin_domain_keys keys = {.name = s->domain};

    for (int i = 0; i < KEY_TRIES; i++) {
        TRY(admin_domain_add_call(s->ctl.store, &req, s->a, &rep));
        s->dns = rep.domain;
        if (rep.domain.selector.len > 0)
            return admin_domain_keys_call(s->ctl.store, &keys, s->a, &s->keys);
        TRY(fiber_sleep(PAUSE_MS));
    }
    return ERR_TIMEOUT;
}

static SUSPENDS enum status
has_account(struct ctl_setup *s, bool *found_out)
{
    struct admin_accounts req = {.after = STR(""), .only = s->admin};
    struct admin_accounts_reply rep = {0};
    enum status e = admin_accounts_call(s->ctl.store, &req, s->a, &rep);

    *found_out = e == OK && rep.accounts_count > 0;
    return e == ERR_NOT_FOUND ? OK : e;
}

static bool
get_password(struct ctl_setup *s)
{
    AUTO_BUF made = BUF(SECRET_MAX);

    if (s->password_given)
        return true;
    if (s->interactive) {
        printf("  Password for %.*s (Ctrl-D: make one for me)\n", STR_FMT(s->admin));
        fflush(stdout);
        if (ctl_read_password(&s->password))
            return true;
        if (ctl_setup_interrupted())
            return false;
    }
    options_make_password(&made);
    s->password_made = secret_set(&s->password, buf_str(&made));
    mem_wipe(made.ptr, made.cap);
    return s->password_made;
}

static SUSPENDS enum status
add_account(struct ctl_setup *s)
{
    struct admin_account_add req = {.address = s->admin};
    struct admin_account_add_reply rep;
    struct str domain = str_skip(s->admin, (size_t)str_rfind(s->admin, '@') + 1);
    bool there = false;

    enum status e = has_account(s, &there);
    if (e != OK)
        return refused(s, e, "cannot look up", s->admin);
    if (there) {
        ctl_setup_did("kept", s->admin, "its password stays");
        return OK;
    }
    if (!str_eq_nocase(domain, s->domain))
        return OK; /* somebody elsewhere looks after this domain */
    if (!get_password(s))
        return ERR_CANCELLED;
    req.password = secret_str(&s->password);
    e = admin_account_add_call(s->ctl.store, &req, s->a, &rep);
    if (e != OK)
        return refused(s, e, "cannot make the account", s->admin);
    s->account_added = true;
    ctl_setup_did("added", s->admin, "the first account");
    return OK;
}

/* On a server that lives on: what was added goes again. */
static SUSPENDS void
take_back(struct ctl_setup *s)
{
    struct admin_account_delete account = {.address = s->admin};
    struct admin_account_delete_reply account_rep;
    struct admin_domain_remove domain = {.name = s->domain};
    struct admin_domain_remove_reply domain_rep;

    if (s->account_added &&
        admin_account_delete_call(s->ctl.store, &account, s->a, &account_rep) != OK)
        fprintf(stderr, "godwit setup: %.*s could not be removed again\n", STR_FMT(s->admin));
    if (s->domain_added && admin_domain_remove_call(s->ctl.store, &domain, s->a, &domain_rep) != OK)
        fprintf(stderr, "godwit setup: %.*s could not be removed again\n", STR_FMT(s->domain));
}

static SUSPENDS enum status
add_domain_and_account(struct ctl_setup *s)
{
    bool there = false;
    enum status e = find_domain(s, &there);

    /* The account before the aliases: it may be postmaster itself. */
    if (e == OK)
        e = put_domain(s, STR(""));
    if (e != OK)
        return refused(s, e, "cannot serve", s->domain);
    s->domain_added = !there;
    ctl_setup_did(there ? "kept" : "added", s->domain,
                  there ? "served already" : "the domain, with a DKIM key (RSA 2048)");
    TRY(add_account(s));
    e = put_domain(s, s->admin);
    if (e != OK)
        return refused(s, e, "cannot make the aliases of", s->domain);
    if (!there)
        ctl_setup_did("added", STR("postmaster, abuse, tls-reports"), "lead to the administrator");
    return ctl_setup_interrupted() ? ERR_CANCELLED : OK;
}

static SUSPENDS enum status
add_all(struct ctl_setup *s)
{
    enum status e = add_domain_and_account(s);

    if (e != OK)
        take_back(s);
    return e;
}
