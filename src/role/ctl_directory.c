/* ctl_directory.c - godwit account, alias and domain.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/size.h"
#include "role/command.h"
#include "role/ctl.h"
#include "setup/records.h"

#define TARGETS_MAX   64
#define RECORDS_BYTES 65536u

/* ---- account ---- */

static int
print_accounts(struct ctl *c, const struct admin_account *a, size_t n, json_t *all)
{
    char used[32], quota[32];

    for (size_t i = 0; i < n; i++) {
        if (c->json) {
            json_array_append_new(
                all, json_pack("{s:o, s:I, s:I, s:I, s:b}", "address", ctl_json_str(a[i].address),
                               "bytes", (json_int_t)a[i].bytes, "messages",
                               (json_int_t)a[i].messages, "quota_bytes",
                               (json_int_t)a[i].quota_bytes, "disabled", (int)a[i].disabled));
            continue;
        }
        printf("%-40s %8llu messages %10s of %s%s\n", ctl_text(c, a[i].address),
               (unsigned long long)a[i].messages, ctl_size_text(a[i].bytes, used, sizeof(used)),
               a[i].quota_bytes == 0 ? "no limit"
                                     : ctl_size_text(a[i].quota_bytes, quota, sizeof(quota)),
               a[i].disabled ? ", disabled" : "");
    }
    return CTL_OK;
}

/* The end of a list; none: what to say to a person when it is empty. */
static int
listed(const struct ctl *c, size_t count, json_t *all, const char *none)
{
    if (c->json)
        return ctl_print_json(all);
    if (count == 0)
        printf("%s\n", none);
    return CTL_OK;
}

static SUSPENDS int
list_accounts(struct ctl *c)
{
    struct admin_accounts req = {.after = STR(""), .only = ctl_address(c, 0)};
    struct admin_accounts_reply rep;
    json_t *all = c->json ? json_array() : NULL;
    size_t count = 0;

    do {
        enum status e = admin_accounts_call(c->store, &req, c->arena, &rep);
        if (e != OK)
            return ctl_fail(c, e);
        print_accounts(c, rep.accounts, rep.accounts_count, all);
        count += rep.accounts_count;
        if (rep.accounts_count > 0)
            req.after = rep.accounts[rep.accounts_count - 1].address;
    } while (rep.more && rep.accounts_count > 0);
    return listed(c, count, all, "there are no accounts; godwit account add ADDRESS makes one");
}

static SUSPENDS int
add_account(struct ctl *c)
{
    AUTO_SECRET password = {0};
    struct admin_account_add_reply rep;

    if (!ctl_read_password(&password))
        return CTL_FAILED;
    struct admin_account_add req = {
        .address = ctl_address(c, 0), .password = secret_str(&password), .quota_bytes = c->quota};
    enum status e = admin_account_add_call(c->store, &req, c->arena, &rep);
    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(json_pack("{s:o}", "address", ctl_json_str(rep.account.address)));
    printf("%.*s is ready\n", STR_FMT(rep.account.address));
    return CTL_OK;
}

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

static SUSPENDS int
remove_account(struct ctl *c)
{
    struct admin_account_remove req = {.address = ctl_address(c, 0)};
    struct admin_account_remove_reply rep;

    return done(c, admin_account_remove_call(c->store, &req, c->arena, &rep), "is removed");
}

static SUSPENDS int
set_password(struct ctl *c)
{
    AUTO_SECRET password = {0};
    struct admin_account_password_reply rep;

    if (!ctl_read_password(&password))
        return CTL_FAILED;
    struct admin_account_password req = {.address = ctl_address(c, 0),
                                         .password = secret_str(&password)};
    return done(c, admin_account_password_call(c->store, &req, c->arena, &rep),
                "has a new password");
}

static SUSPENDS int
set_disabled(struct ctl *c, bool disabled)
{
    struct admin_account_disable req = {.address = ctl_address(c, 0), .disabled = disabled};
    struct admin_account_disable_reply rep;

    return done(c, admin_account_disable_call(c->store, &req, c->arena, &rep),
                disabled ? "is disabled" : "is enabled");
}

static SUSPENDS int
disable_account(struct ctl *c)
{
    return set_disabled(c, true);
}

static SUSPENDS int
enable_account(struct ctl *c)
{
    return set_disabled(c, false);
}

static SUSPENDS int
set_quota(struct ctl *c)
{
    struct admin_account_quota req = {.address = ctl_address(c, 0)};
    struct admin_account_quota_reply rep;

    if (!ctl_read_size(c->argv[1], &req.quota_bytes)) {
        fprintf(stderr, "godwit account quota: read \"%s\", expected a size such as 5G, or none\n",
                c->argv[1]);
        return CTL_USAGE;
    }
    return done(c, admin_account_quota_call(c->store, &req, c->arena, &rep), "has a new quota");
}

static const struct ctl_verb account_verbs[] = {
    {"add", 1, 1, "[--quota SIZE] ADDRESS", add_account,
     "the password comes from the terminal or standard input"},
    {"list", 0, 0, "", list_accounts, "each with its messages, size and quota"},
    {"show", 1, 1, "ADDRESS", list_accounts, "one of them"},
    {"password", 1, 1, "ADDRESS", set_password, "a new one; sessions end"},
    {"app-password", 2, 3, "add|list|remove ADDRESS [NAME]", ctl_app_password,
     "passwords for programs; --for imap,pop3,submission, --expires DAYS"},
    {"quota", 2, 2, "ADDRESS SIZE|none", set_quota, "such as 5G"},
    {"disable", 1, 1, "ADDRESS", disable_account, "no log-in, no new mail"},
    {"enable", 1, 1, "ADDRESS", enable_account, "the opposite"},
    {"remove", 1, 1, "ADDRESS", remove_account, "its mail is dropped 14 days later"},
    {0},
};

int
account_command(int argc, char **argv)
{
    return ctl_main(argc, argv, account_verbs);
}

/* ---- alias ---- */

static SUSPENDS int
set_alias(struct ctl *c)
{
    struct str targets[TARGETS_MAX];
    struct admin_alias_set req = {.alias = {.address = ctl_address(c, 0), .targets = targets}};
    struct admin_alias_set_reply rep;

    for (int i = 1; i < c->argc; i++)
        targets[req.alias.targets_count++] = ctl_address(c, i);
    return done(c, admin_alias_set_call(c->store, &req, c->arena, &rep),
                c->argc == 1 ? "is removed" : "points there from now on");
}

static void
print_alias(struct ctl *c, const struct admin_alias *a, json_t *all)
{
    if (c->json) {
        json_t *targets = json_array();
        for (size_t i = 0; i < a->targets_count; i++)
            json_array_append_new(targets, ctl_json_str(a->targets[i]));
        json_array_append_new(
            all, json_pack("{s:o, s:o}", "address", ctl_json_str(a->address), "targets", targets));
        return;
    }
    printf("%-40s ->", ctl_text(c, a->address));
    for (size_t i = 0; i < a->targets_count; i++)
        printf(" %s", ctl_text(c, a->targets[i]));
    printf("\n");
}

static SUSPENDS int
list_aliases(struct ctl *c)
{
    struct admin_aliases req = {.after = STR("")};
    struct admin_aliases_reply rep;
    json_t *all = c->json ? json_array() : NULL;
    size_t count = 0;

    do {
        enum status e = admin_aliases_call(c->store, &req, c->arena, &rep);
        if (e != OK)
            return ctl_fail(c, e);
        for (size_t i = 0; i < rep.aliases_count; i++)
            print_alias(c, &rep.aliases[i], all);
        count += rep.aliases_count;
        if (rep.aliases_count > 0)
            req.after = rep.aliases[rep.aliases_count - 1].address;
    } while (rep.more && rep.aliases_count > 0);
    return listed(c, count, all, "there are no aliases");
}

static const struct ctl_verb alias_verbs[] = {
    {"set", 2, TARGETS_MAX, "ADDRESS TARGET...", set_alias,
     "mail to ADDRESS goes to every TARGET; @example.org catches all"},
    {"remove", 1, 1, "ADDRESS", set_alias, NULL},
    {"list", 0, 0, "", list_aliases, NULL},
    {0},
};

int
alias_command(int argc, char **argv)
{
    return ctl_main(argc, argv, alias_verbs);
}

/* ---- domain ---- */

static void
print_records(const struct ctl *c, const struct admin_domain *d)
{
    AUTO_BUF text = BUF(RECORDS_BYTES);
    struct records_domain r = {
        .name = d->name, .selector = d->selector, .dkim_record = d->dkim_record};

    records_write(c->config, &r, &text);
    printf("%.*s", STR_FMT(buf_str(&text)));
}

static void
print_domain(struct ctl *c, const struct admin_domain *d, json_t *all)
{
    if (c->json)
        json_array_append_new(all, json_pack("{s:o, s:i, s:o, s:o}", "name", ctl_json_str(d->name),
                                             "accounts", (int)d->accounts, "selector",
                                             ctl_json_str(d->selector), "dkim_record",
                                             ctl_json_str(d->dkim_record)));
    else
        printf("%-40.*s %u accounts, DKIM selector %.*s\n", STR_FMT(d->name), d->accounts,
               STR_FMT(d->selector.len > 0 ? d->selector : STR("none")));
}

static SUSPENDS int
list_domains(struct ctl *c)
{
    struct ctl_domains domains = {.store = c->store, .a = c->arena};
    const struct admin_domain *d;
    json_t *all = c->json ? json_array() : NULL;
    bool one = c->argc == 1;
    size_t found = 0;
    enum status e;

    while ((e = ctl_next_domain(&domains, &d)) == OK) {
        if (one && !str_eq_nocase(d->name, ctl_domain(c, 0)))
            continue;
        found++;
        if (one && !c->json)
            print_records(c, d);
        else
            print_domain(c, d, all);
    }
    if (e != ERR_NOT_FOUND || (one && found == 0))
        return ctl_fail(c, e);
    return listed(c, found, all, "there are no domains; godwit domain add NAME makes one");
}

static SUSPENDS int
add_domain(struct ctl *c)
{
    struct admin_domain_add req = {.name = ctl_domain(c, 0), .admin = ctl_address(c, 1)};
    struct admin_domain_add_reply rep;
    enum status e = admin_domain_add_call(c->store, &req, c->arena, &rep);

    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return done(c, e, "");
    printf("%.*s is served from now on\n", STR_FMT(rep.domain.name));
    print_records(c, &rep.domain);
    return CTL_OK;
}

static SUSPENDS int
remove_domain(struct ctl *c)
{
    struct admin_domain_remove req = {.name = ctl_domain(c, 0)};
    struct admin_domain_remove_reply rep;

    return done(c, admin_domain_remove_call(c->store, &req, c->arena, &rep),
                "is not served any more");
}

static const struct ctl_verb domain_verbs[] = {
    {"add", 1, 2, "NAME [ADMINISTRATOR]", add_domain,
     "postmaster, abuse and tls-reports go to ADMINISTRATOR"},
    {"list", 0, 0, "", list_domains, "each with its accounts and DKIM selector"},
    {"show", 1, 1, "NAME", list_domains, "every DNS record to set"},
    {"remove", 1, 1, "NAME", remove_domain, "refused while it has accounts or aliases"},
    {0},
};

int
domain_command(int argc, char **argv)
{
    return ctl_main(argc, argv, domain_verbs);
}
