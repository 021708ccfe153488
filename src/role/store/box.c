/* box.c - which mailbox of an account a message goes into.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store/judge.h"
#include "rt/clock.h"
#include "store/mailbox.h"

/* Junk is the mailbox with that special use, under whatever name; who removed it wants none. */
SUSPENDS static enum status
find_junk(struct cell *account, struct arena *a, struct store_box *out)
{
    struct mailbox_info info = {0};
    uint32_t id;

    enum status st = mailbox_find_special(account, SPECIAL_JUNK, &id);
    if (st == OK)
        st = mailbox_get(account, id, a, &info);
    if (st == OK && info.selectable) {
        out->id = id;
        out->name = info.name;
    }
    return st == ERR_NOT_FOUND ? OK : st;
}

enum status
store_add(const struct store *s, struct cell *account, const struct store_addition *m,
          struct message_place *out)
{
    struct store_box *box = m->box_out;

    *box = (struct store_box){
        .id = MAILBOX_INBOX, .junk = m->junk, .name = STR("INBOX"), .why = STR("")};
    if (!box->junk)
        TRY(store_spam_judge(s, account, m, box));
    if (box->junk)
        TRY(find_junk(account, m->a, box));
    enum status st = message_add(account, box->id, m->message, clock_now(), out);
    if (st != ERR_NOT_FOUND || box->id == MAILBOX_INBOX)
        return st;
    box->id = MAILBOX_INBOX; /* the other one was removed meanwhile */
    box->name = STR("INBOX");
    return message_add(account, MAILBOX_INBOX, m->message, clock_now(), out);
}
