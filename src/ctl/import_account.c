/* import_account.c - the account that mail of another server goes to.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ctl/import_mail.h"

static SUSPENDS enum status load_boxes(const struct import_mail *im, struct import_account *acc,
                                       struct arena *a);

const char *
import_account_open(struct import_mail *im, struct import_account *acc, struct arena *a)
{
    const struct admin_accounts req = {.after = STR(""), .only = acc->address};
    struct admin_accounts_reply rep;

    enum status s = admin_accounts_call(im->c->store, &req, a, &rep);
    if (s == ERR_CLOSED)
        im->broken = s;
    if (s != OK || rep.accounts_count != 1)
        return s == OK || s == ERR_NOT_FOUND
                   ? "there is no such account: godwit account add makes it"
                   : status_name(s);
    acc->id = rep.accounts[0].id;
    s = load_boxes(im, acc, a);
    return s == OK ? NULL : status_name(s);
}

static enum status
load_boxes(const struct import_mail *im, struct import_account *acc, struct arena *a)
{
    struct admin_mail_boxes req = {.account = acc->id};
    struct admin_mail_boxes_reply rep = {.more = true};
    struct admin_mail_box *all = ARENA_ARRAY(a, struct admin_mail_box, LIMIT_MAILBOXES);

    while (rep.more) {
        TRY(admin_mail_boxes_call(im->c->store, &req, a, &rep));
        for (size_t i = 0; i < rep.boxes_count && acc->box_count < LIMIT_MAILBOXES; i++)
            all[acc->box_count++] = rep.boxes[i];
        if (rep.boxes_count == 0)
            break;
        req.after = rep.boxes[rep.boxes_count - 1].id;
    }
    acc->boxes = all;
    return OK;
}

enum status
import_account_subscribe(const struct import_mail *im, const struct import_account *acc,
                         struct arena *a)
{
    const struct migrate_tree *t = &acc->tree;

    for (size_t i = 0; i < t->subscribed_count; i++) {
        const struct admin_import_subscribe req = {acc->id, t->subscribed[i]};
        struct admin_import_subscribe_reply rep;
        bool has_folder = false;
        for (size_t k = 0; k < t->count; k++)
            has_folder |= str_eq(t->folders[k].name, t->subscribed[i]);
        if (has_folder)
            continue;
        enum status s = admin_import_subscribe_call(im->c->store, &req, a, &rep);
        if (s != ERR_SYNTAX && s != ERR_LIMIT && s != ERR_NOT_FOUND) /* it is nothing here */
            TRY(s);
    }
    return OK;
}
