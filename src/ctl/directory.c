/* directory.c - godwit account and alias.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/size.h"
#include "ctl/account.h"
#include "ctl/command.h"
#include "store/quota.h"

#define TARGETS_MAX 64
#define FORWARD_MAX 16

/* ---- account ---- */

static void
print_words(struct ctl *c, const char *before, const struct str *list, size_t n)
{
    printf("%s", before);
    for (size_t i = 0; i < n; i++)
        printf(" %s", ctl_text(c, list[i]));
}

static void
print_account(struct ctl *c, const struct admin_account *a)
{
    char used[32], quota[32], since[32];

    printf("%-40s %8llu messages %10s of ", ctl_text(c, a->address),
           (unsigned long long)a->messages, ctl_size_text(a->bytes, used, sizeof(used)));
    if (a->quota_bytes == 0)
        printf("no limit");
    else
        printf("%s (%llu %%)", ctl_size_text(a->quota_bytes, quota, sizeof(quota)),
               (unsigned long long)quota_percent(a->bytes, a->quota_bytes));
    if (a->full_since != 0)
        printf(", full since %s", ctl_time_text(a->full_since, since, sizeof(since)));
    printf("%s%s", a->disabled ? ", disabled" : "", a->suspended ? ", suspended" : "");
    if (!a->has_password)
        printf(", no password");
    if (a->invited_until != 0)
        printf(", invited until %s", ctl_time_text(a->invited_until, since, sizeof(since)));
    if (a->forward_count > 0)
        print_words(c, a->keep ? ", kept and forwarded to" : ", forwarded to", a->forward,
                    a->forward_count);
    if (a->send_as_count > 0)
        print_words(c, ", may write as", a->send_as, a->send_as_count);
    printf("\n");
}

static int
print_accounts(struct ctl *c, const struct admin_account *a, size_t n, json_t *all)
{
    for (size_t i = 0; i < n; i++) {
        if (c->json)
            json_array_append_new(all, view_account(&a[i]));
        else
            print_account(c, &a[i]);
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
    size_t count = 0;

    if (account_options.deleted)
        return ctl_account_deleted(c);
    json_t *all = c->json ? json_array() : NULL;
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

    if ((account_options.from != NULL) == (c->argc == 1)) {
        fprintf(stderr, "godwit account add: expected an address, or --from FILE\n");
        return CTL_USAGE;
    }
    if (account_options.dry_run && account_options.from == NULL) {
        fprintf(stderr, "godwit account add: --dry-run goes with --from\n");
        return CTL_USAGE;
    }
    if (account_options.from != NULL)
        return ctl_invite_options(c) ? ctl_account_add_many(c) : CTL_USAGE;
    if (!ctl_invite_options(c))
        return CTL_USAGE;
    if (account_options.invite)
        return ctl_account_add_invited(c);
    if (!ctl_new_password(&password))
        return CTL_FAILED;
    struct admin_account_add req = {.address = ctl_address(c, 0),
                                    .password = secret_str(&password),
                                    .quota_bytes = account_options.quota};
    enum status e = admin_account_add_call(c->store, &req, c->arena, &rep);
    if (e != OK)
        return ctl_fail(c, e);
    return ctl_account_ready(c, rep.account.address, &password);
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

/* Kept unless told otherwise: who forgets a word loses no mail. */
static SUSPENDS int
forward_account(struct ctl *c)
{
    struct str targets[FORWARD_MAX];
    struct admin_account_forward req = {.address = ctl_address(c, 0),
                                        .targets = targets,
                                        .keep = !account_options.keep_not && !account_options.off};
    struct admin_account_forward_reply rep;

    if (account_options.off != (c->argc == 1) ||
        (account_options.off && (account_options.keep || account_options.keep_not))) {
        fprintf(stderr, "godwit account forward: expected targets, or --off and nothing besides\n");
        return CTL_USAGE;
    }
    for (int i = 1; i < c->argc; i++)
        targets[req.targets_count++] = ctl_address(c, i);
    return done(c, admin_account_forward_call(c->store, &req, c->arena, &rep),
                account_options.off ? "is not forwarded any more"
                : req.keep          ? "is kept and forwarded from now on"
                                    : "is forwarded from now on");
}

static SUSPENDS int
set_send_as(struct ctl *c)
{
    struct str others[TARGETS_MAX];
    struct admin_account_send_as req = {
        .address = ctl_address(c, 0), .others = others, .remove = account_options.remove};
    struct admin_account_send_as_reply rep;

    if (c->argc == 1 && !account_options.remove) {
        fprintf(stderr, "godwit account send-as: expected addresses, or --remove\n");
        return CTL_USAGE;
    }
    for (int i = 1; i < c->argc; i++)
        others[req.others_count++] = ctl_address(c, i);
    return done(c, admin_account_send_as_call(c->store, &req, c->arena, &rep),
                !account_options.remove ? "may write as these from now on"
                : c->argc == 1          ? "may write as its own addresses alone"
                                        : "may not write as these any more");
}

static const struct ctl_verb account_verbs[] = {
    {"add", 1, 1, "[--quota SIZE] [--generate | --invite] ADDRESS | --from FILE [--dry-run]",
     add_account, "the password comes from the terminal or standard input, or is made and shown", 0,
     (const char *const *)&account_options.from},
    {"list", 0, 0, "[--deleted]", list_accounts, "each with its messages, size and quota"},
    {"show", 1, 1, "ADDRESS", list_accounts, "one of them"},
    {"password", 1, 1, "[--generate | --invite [--valid 7d]] ADDRESS", ctl_account_password,
     "a new one; sessions end; --invite lets its person set it"},
    {"passwd", 1, 1, "[--generate | --invite] ADDRESS", ctl_account_password, "the same"},
    {"redeem", 1, 1, "ADDRESS", ctl_account_redeem,
     "set the password with an invitation: both are asked for"},
    {"app-password", 2, 3, "add|list|remove ADDRESS [NAME]", ctl_app_password,
     "passwords for programs; --for imap,pop3,submission, --expires DAYS"},
    {"quota", 2, 2, "ADDRESS SIZE|none", set_quota, "such as 5G"},
    {"forward", 1, 1 + FORWARD_MAX, "ADDRESS TARGET... [--no-keep] | --off", forward_account,
     "new mail goes there as well, or only there"},
    {"send-as", 1, 1 + TARGETS_MAX, "ADDRESS OTHER... | --remove", set_send_as,
     "besides its own addresses; @example.org is all of a domain"},
    {"disable", 1, 1, "ADDRESS", disable_account, "no log-in, no new mail"},
    {"enable", 1, 1, "ADDRESS", enable_account, "the opposite"},
    {"suspend", 1, 1, "ADDRESS", ctl_account_suspend, "no log-in; mail still comes"},
    {"resume", 1, 1, "ADDRESS", ctl_account_resume, "the opposite"},
    {"delete", 1, 1, "[--now] ADDRESS", ctl_account_delete,
     "its mail is dropped 14 days later, or now"},
    {"remove", 1, 1, "[--now] ADDRESS", ctl_account_delete, "the same"},
    {"undelete", 1, 1, "[--as NEWADDRESS] ADDRESS", ctl_account_undelete,
     "with its mail, password and quota"},
    {"export", 1, 1, "[--mail mbox|none] [--deleted] ADDRESS --to FOLDER", ctl_account_export,
     "all that is kept about it, as JSON, and its mail"},
    {0},
};

struct account_options account_options;
static const struct ctl_option account_table[] = {
    {"--quota", CTL_SIZE, &account_options.quota},
    {"--generate", CTL_FLAG, &account_options.generate},
    {"--invite", CTL_FLAG, &account_options.invite},
    {"--valid", CTL_DURATION, &account_options.valid},
    {"--now", CTL_FLAG, &account_options.now},
    {"--deleted", CTL_FLAG, &account_options.deleted},
    {"--keep", CTL_FLAG, &account_options.keep},
    {"--no-keep", CTL_FLAG, &account_options.keep_not},
    {"--off", CTL_FLAG, &account_options.off},
    {"--remove", CTL_FLAG, &account_options.remove},
    {"--as", CTL_TEXT, &account_options.as},
    {"--for", CTL_TEXT, &account_options.for_text},
    {"--expires", CTL_TEXT, &account_options.expires},
    {"--to", CTL_TEXT, &account_options.to},
    {"--mail", CTL_TEXT, &account_options.mail},
    {"--from", CTL_TEXT, &account_options.from},
    {"--dry-run", CTL_FLAG, &account_options.dry_run},
    {0},
};

int
account_command(int argc, char **argv)
{
    return ctl_main(argc, argv, account_verbs, account_table);
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
        json_array_append_new(all, view_alias(a));
        return;
    }
    printf("%-40s", ctl_text(c, a->address));
    print_words(c, " ->", a->targets, a->targets_count);
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
    return ctl_main(argc, argv, alias_verbs, NULL);
}
