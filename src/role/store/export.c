/* export.c - the mail of an account, for the godwit command: mailboxes, lists, bodies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#include <endian.h>

#include "base/mem.h"
#include "base/size.h"
#include "ipc/admin_serve.h"
#include "role/store/admin.h"
#include "store/account.h"
#include "store/body.h"
#include "store/import.h"

SUSPENDS static enum status add_info(struct cell *account, struct admin_mail_item *items, size_t n);
SUSPENDS static enum status add_uidls(struct cell *account, uint32_t box,
                                      const struct admin_mail_list_reply *l, struct arena *a,
                                      struct admin_mail_item *items);

void
store_admin_box(const struct mailbox_info *i, struct admin_mail_box *out)
{
    *out = (struct admin_mail_box){
        .id = i->id,
        .name = i->name,
        .uidvalidity = i->uidvalidity,
        .uidnext = i->uidnext,
        .exists = i->exists,
        .special = (uint8_t)i->special, /* a small enum */
        .subscribed = i->subscribed,
        .selectable = i->selectable,
        .keywords = i->keywords,
        .keywords_count = i->keyword_count,
    };
}

enum status
admin_serve_mail_boxes(struct ipc_peer *from, const struct admin_mail_boxes *req, struct arena *a,
                       struct admin_mail_boxes_reply *rep)
{
    struct store *s = store_of(from);
    AUTO(cell_close) struct cell *account = account_open(s->cells, req->account);
    const struct mailbox_list *l;

    TRY(store_checked(s, mailbox_list(account, req->after, ADMIN_MAIL_BOXES_REPLY_BOXES_MAX, a, &l),
                      "mailboxes"));
    struct admin_mail_box *list = ARENA_ARRAY(a, struct admin_mail_box, l->count + 1);
    for (size_t i = 0; i < l->count; i++)
        store_admin_box(&l->mailboxes[i], &list[i]);
    *rep = (struct admin_mail_boxes_reply){list, l->count, l->more};
    return OK;
}

enum status
admin_serve_mail_list(struct ipc_peer *from, const struct admin_mail_list *req, struct arena *a,
                      struct admin_mail_list_reply *rep)
{
    struct store *s = store_of(from);
    AUTO(cell_close) struct cell *account = account_open(s->cells, req->account);
    AUTO_BUF entries = BUF(ADMIN_MAIL_LIST_REPLY_ITEMS_MAX * VIEW_ENTRY_BYTES);
    const struct view_request r = {req->box, req->from_uid, ADMIN_MAIL_LIST_REPLY_ITEMS_MAX};
    struct view_reply v;

    TRY(store_checked(s, message_view(account, &r, &entries, &v), "view"));
    struct admin_mail_item *items = ARENA_ARRAY(a, struct admin_mail_item, v.count + 1);
    for (uint32_t i = 0; i < v.count; i++) {
        const char *p = entries.ptr + (size_t)i * VIEW_ENTRY_BYTES;
        uint64_t words[3];
        mem_copy(words, p, sizeof(words));
        uint64_t first = le64toh(words[0]); /* uid, flags: 32 bits each */
        items[i] = (struct admin_mail_item){
            .uid = (uint32_t)first, .flags = (uint32_t)(first >> 32), .mid = le64toh(words[2])};
    }
    TRY(store_checked(s, add_info(account, items, v.count), "records"));
    *rep = (struct admin_mail_list_reply){items, v.count, v.more};
    return store_checked(s, add_uidls(account, req->box, rep, a, items), "uidls");
}

enum status
admin_serve_mail_body(struct ipc_peer *from, const struct admin_mail_body *req, struct arena *a,
                      struct admin_mail_body_reply *rep)
{
    struct store *s = store_of(from);
    AUTO(cell_close) struct cell *account = account_open(s->cells, req->account);
    const struct body_range r = {req->offset, ADMIN_MAIL_BODY_REPLY_BYTES_MAX};
    struct body_reply body;

    TRY(store_checked(s, message_body(account, req->mid, &r, a, &body), "body"));
    *rep = (struct admin_mail_body_reply){body.size, body.bytes};
    return OK;
}

/* Sizes and dates.  What was removed meanwhile has none, and its body is not there. */
static enum status
add_info(struct cell *account, struct admin_mail_item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct message_info info;
        enum status st = message_find(account, items[i].mid, &info);
        if (st == ERR_NOT_FOUND)
            continue;
        TRY(st);
        items[i].size = info.size;
        items[i].received = info.received.us;
    }
    return OK;
}

static enum status
add_uidls(struct cell *account, uint32_t box, const struct admin_mail_list_reply *l,
          struct arena *a, struct admin_mail_item *items)
{
    struct import_page page = {.mailbox = box, .max = ADMIN_MAIL_LIST_REPLY_ITEMS_MAX};
    struct import_list known = {.more = l->items_count > 0};
    size_t at = 0;

    if (known.more)
        page.from_uid = items[0].uid;
    while (known.more && at < l->items_count) {
        TRY(import_list(account, &page, a, &known));
        for (size_t i = 0; i < known.count; i++) {
            page.from_uid = known.entries[i].uid + 1;
            while (at < l->items_count && items[at].uid < known.entries[i].uid)
                at++;
            if (at < l->items_count && items[at].uid == known.entries[i].uid)
                items[at].uidl = known.entries[i].uidl;
        }
    }
    return OK;
}
