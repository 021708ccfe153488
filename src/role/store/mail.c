/* mail.c - answers user: the account and its mailboxes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define STORE_SERVE_HANDLERS_ONLY
#include "role/store/mail.h"
#include "ipc/store_serve.h"
#include "role/store/store.h"
#include "role/store/trace.h"
#include "rt/clock.h"

static void fill(const struct mailbox_info *i, struct store_mailbox *out);
SUSPENDS static enum status get(struct cell *account, uint32_t id, struct arena *a,
                                struct store_mailbox *out);

/* enum<6> special of store.ipc and enum mailbox_special are one. */
static_assert(SPECIAL_ALL == STORE_MAILBOX_SPECIAL_MAX, "special uses");
static_assert(LIMIT_KEYWORDS == STORE_MAILBOX_KEYWORDS_MAX, "keywords");

enum status
store_mail_account(const struct ipc_peer *from, uint64_t session, struct cell **out)
{
    struct grant grant;

    TRY(store_session(from, session, &grant));
    *out = account_open(store_of(from)->cells, grant.account);
    return OK;
}

enum status
store_serve_account(struct ipc_peer *from, const struct store_account *req, struct arena *a,
                    struct store_account_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    struct directory_entry e = {0};
    struct account_info info;

    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(store_of(from), account_info(account, &info), "account"));
    enum status st = directory_by_id(store_of(from)->directory, info.id, a, &e);
    if (st != OK && st != ERR_NOT_FOUND) /* removed under a session that still works */
        return store_checked(store_of(from), st, "account");
    *rep = (struct store_account_reply){
        .account = info.id,
        .address = e.address,
        .modseq = info.modseq,
        .bytes = info.bytes,
        .messages = info.messages,
        .quota_bytes = info.quota.bytes,
        .quota_messages = info.quota.messages,
    };
    return OK;
}

enum status
store_serve_mailboxes(struct ipc_peer *from, const struct store_mailboxes *req, struct arena *a,
                      struct store_mailboxes_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    const struct mailbox_list *l;

    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(store_of(from),
                      mailbox_list(account, req->after, STORE_MAILBOXES_REPLY_MAILBOXES_MAX, a, &l),
                      "mailboxes"));
    struct store_mailbox *list = ARENA_ARRAY(a, struct store_mailbox, l->count + 1);
    for (size_t i = 0; i < l->count; i++)
        fill(&l->mailboxes[i], &list[i]);
    *rep = (struct store_mailboxes_reply){list, l->count, l->more};
    return OK;
}

enum status
store_serve_mailbox_open(struct ipc_peer *from, const struct store_mailbox_open *req,
                         struct arena *a, struct store_mailbox_open_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    struct mailbox_info info;

    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(store_of(from), mailbox_find(account, req->name, a, &info), "mailbox"));
    fill(&info, &rep->mailbox);
    return OK;
}

enum status
store_serve_mailbox_status(struct ipc_peer *from, const struct store_mailbox_status *req,
                           struct arena *a, struct store_mailbox_status_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;

    TRY(store_mail_account(from, req->session, &account));
    return store_checked(store_of(from), get(account, req->id, a, &rep->mailbox), "mailbox");
}

enum status
store_serve_mailbox_create(struct ipc_peer *from, const struct store_mailbox_create *req,
                           struct arena *a, struct store_mailbox_create_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    struct store *s = store_of(from);
    uint32_t id;

    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(
        s, mailbox_create(account, req->name, (enum mailbox_special)req->special, &id), "create"));
    return store_checked(s, get(account, id, a, &rep->mailbox), "mailbox");
}

enum status
store_serve_mailbox_delete(struct ipc_peer *from, const struct store_mailbox_delete *req,
                           struct arena *a, struct store_mailbox_delete_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    struct store *s = store_of(from);

    (void)rep;
    TRY(store_mail_account(from, req->session, &account));
    struct str name = store_trace_name(account, req->id, a);
    TRY(store_checked(s, mailbox_delete(account, req->id, clock_now()), "delete"));
    store_trace_drop(account, req->id, name);
    store_care(s, cell_id_of(account).id);
    return OK;
}

enum status
store_serve_mailbox_rename(struct ipc_peer *from, const struct store_mailbox_rename *req,
                           struct arena *a, struct store_mailbox_rename_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;

    (void)a;
    (void)rep;
    TRY(store_mail_account(from, req->session, &account));
    return store_checked(store_of(from), mailbox_rename(account, req->id, req->name, clock_now()),
                         "rename");
}

enum status
store_serve_mailbox_subscribe(struct ipc_peer *from, const struct store_mailbox_subscribe *req,
                              struct arena *a, struct store_mailbox_subscribe_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;

    (void)a;
    (void)rep;
    TRY(store_mail_account(from, req->session, &account));
    return store_checked(store_of(from), mailbox_subscribe(account, req->name, req->on),
                         "subscribe");
}

static enum status
get(struct cell *account, uint32_t id, struct arena *a, struct store_mailbox *out)
{
    struct mailbox_info info;

    TRY(mailbox_get(account, id, a, &info));
    fill(&info, out);
    return OK;
}

static void
fill(const struct mailbox_info *i, struct store_mailbox *out)
{
    *out = (struct store_mailbox){
        .id = i->id,
        .name = i->name,
        .uidvalidity = i->uidvalidity,
        .uidnext = i->uidnext,
        .modseq = i->modseq,
        .exists = i->exists,
        .unseen = i->unseen,
        .deleted = i->deleted,
        .bytes = i->bytes,
        .special = (uint8_t)i->special, /* a small enum */
        .subscribed = i->subscribed,
        .selectable = i->selectable,
        .has_children = i->has_children,
        .keywords = i->keywords,
        .keywords_count = i->keyword_count,
    };
}
