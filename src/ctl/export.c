/* export.c - godwit export: the mail of an account as files that other mail servers, and godwit import, read.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ctl/command.h"
#include "ctl/export_mail.h"
#include "mail/names.h"

static struct {
    const char *account, *to;
} typed;

static SUSPENDS int
export_as(struct ctl *c, enum export_kind kind)
{
    struct export_mail x = {.c = c, .kind = kind, .to = typed.to};
    const struct admin_accounts req = {
        .after = STR(""),
        .only = name_address(str_of(typed.account != NULL ? typed.account : ""), c->arena)};
    struct admin_accounts_reply rep;
    char size[32];

    if (typed.account == NULL || typed.to == NULL) {
        fprintf(stderr, "usage: godwit export %s --account ADDRESS --to FOLDER\n", c->verb->name);
        return CTL_USAGE;
    }
    enum status s = admin_accounts_call(c->store, &req, c->arena, &rep);
    if (s != OK)
        return ctl_fail(c, s);
    x.account = rep.accounts_count == 1 ? rep.accounts[0].id : 0;
    s = export_mail(&x);
    if (s != OK)
        return export_mail_fail(&x, "export", s);
    int exit = export_mail_losses(&x);
    if (c->json)
        ctl_print_json(json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "mailboxes",
                                 (json_int_t)x.mailboxes, "messages", (json_int_t)x.messages,
                                 "bytes", (json_int_t)x.bytes, "lost_keywords",
                                 (json_int_t)x.lost_keywords, "unreadable",
                                 (json_int_t)x.unreadable, "left_out", (json_int_t)x.left_out));
    else
        printf("%llu mailboxes, %llu messages, %s\n", (unsigned long long)x.mailboxes,
               (unsigned long long)x.messages, ctl_size_text(x.bytes, size, sizeof(size)));
    return exit;
}

static SUSPENDS int
export_maildir(struct ctl *c)
{
    return export_as(c, EXPORT_MAILDIR);
}

static SUSPENDS int
export_mbox(struct ctl *c)
{
    return export_as(c, EXPORT_MBOX);
}

static const struct ctl_verb export_verbs[] = {
    {"maildir", 0, 0, "--account ADDRESS --to FOLDER", export_maildir,
     "with UIDs, flags, dates and subscriptions"},
    {"mbox", 0, 0, "--account ADDRESS --to FOLDER", export_mbox,
     "the same, a file for each mailbox"},
    {0},
};

static const struct ctl_option export_options[] = {
    {"--account", CTL_TEXT, &typed.account},
    {"--to", CTL_TEXT, &typed.to},
    {0},
};

int
export_command(int argc, char **argv)
{
    return ctl_main(argc, argv, export_verbs, export_options);
}
