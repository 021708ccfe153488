/* store_box.c - which mailbox of an account a message goes into.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store_judge.h"
#include "rt/clock.h"
#include "store/mailbox.h"

static const struct store_box inbox = {MAILBOX_INBOX, {"INBOX", 5}};

/* Junk is the mailbox with that special use, under whatever name; who removed it wants none. */
SUSPENDS static enum status
find_box(struct cell *account, bool junk, struct arena *a, struct store_box *out)
{
    struct mailbox_info info;
    uint32_t id;

    *out = inbox;
    if (!junk)
        return OK;
    enum status st = mailbox_find_special(account, SPECIAL_JUNK, &id);
    if (st == OK)
        st = mailbox_get(account, id, a, &info);
    if (st == OK && info.selectable)
        *out = (struct store_box){id, info.name};
    return st == ERR_NOT_FOUND ? OK : st;
}

enum status
store_add(struct cell *account, bool junk, const struct store_addition *m,
          struct message_place *out)
{
    TRY(find_box(account, junk, m->a, m->box_out));
    enum status st = message_add(account, m->box_out->id, m->message, clock_now(), out);
    if (st != ERR_NOT_FOUND || m->box_out->id == MAILBOX_INBOX)
        return st;
    *m->box_out = inbox; /* the other one was removed meanwhile */
    return message_add(account, MAILBOX_INBOX, m->message, clock_now(), out);
}
