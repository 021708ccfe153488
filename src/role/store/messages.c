/* messages.c - answers user: messages listed, read, added, flagged, copied, removed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define STORE_SERVE_HANDLERS_ONLY
#include "base/size.h"
#include "ipc/store_serve.h"
#include "role/store/judge.h"
#include "role/store/mail.h"
#include "role/store/store.h"
#include "role/store/trace.h"
#include "rt/clock.h"
#include "store/body.h"
#include "store/import.h"

#define WORK_BYTES        ((size_t)256 << 20) /* of one call, before its answer is cut to size */
#define RECORDS_REPLY_MAX (1u << 20)

static struct uid_set uids_of(const struct store_range *r, size_t n, struct arena *a);
static size_t ranges_into(const struct uid_range *r, size_t n, struct arena *a,
                          const struct store_range **out);
SUSPENDS static enum status keywords_of(struct cell *account, uint32_t mailbox, struct arena *a,
                                        const struct str **out, size_t *n_out);

enum status
store_serve_view(struct ipc_peer *from, const struct store_view *req, struct arena *a,
                 struct store_view_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    AUTO_BUF entries = BUF(STORE_VIEW_REPLY_ENTRIES_MAX);
    struct view_request r = {req->mailbox, req->from_uid, req->max};
    struct view_reply v;

    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(store_of(from), message_view(account, &r, &entries, &v), "view"));
    *rep = (struct store_view_reply){v.modseq, arena_str(a, buf_str(&entries)), v.more};
    return OK;
}

enum status
store_serve_changes(struct ipc_peer *from, const struct store_changes *req, struct arena *a,
                    struct store_changes_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    AUTO_ARENA *work = arena_new(WORK_BYTES);
    AUTO_BUF entries = BUF(STORE_CHANGES_REPLY_ENTRIES_MAX);
    struct changes_request r = {req->mailbox, req->since};
    struct store *s = store_of(from);
    struct changes_reply c;

    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(s, message_changes(account, &r, work, &entries, &c), "changes"));
    *rep = (struct store_changes_reply){
        .modseq = c.modseq,
        .full = c.full,
        .more = c.more,
        .entries = arena_str(a, buf_str(&entries)),
    };
    rep->vanished_count = ranges_into(c.vanished, c.vanished_count, a, &rep->vanished);
    return store_checked(
        s, keywords_of(account, req->mailbox, a, &rep->keywords, &rep->keywords_count), "mailbox");
}

enum status
store_serve_records(struct ipc_peer *from, const struct store_records *req, struct arena *a,
                    struct store_records_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    struct records_request r = {req->mids, req->mids_count, RECORDS_REPLY_MAX};
    struct records_reply found;

    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(store_of(from), message_records(account, &r, a, &found), "records"));
    struct store_record *list = ARENA_ARRAY(a, struct store_record, found.count + 1);
    for (size_t i = 0; i < found.count; i++) {
        const struct message_info *m = &found.messages[i];
        list[i] = (struct store_record){m->mid, m->size, m->received.us, m->saved.us, m->record};
    }
    /* At most as many as were asked for, which the call's list bounds. */
    *rep = (struct store_records_reply){list, found.count, (uint32_t)found.done};
    return OK;
}

enum status
store_serve_sizes(struct ipc_peer *from, const struct store_sizes *req, struct arena *a,
                  struct store_sizes_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    uint64_t *sizes = ARENA_ARRAY(a, uint64_t, req->mids_count + 1);

    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(store_of(from), message_sizes(account, req->mids, req->mids_count, sizes),
                      "sizes"));
    rep->sizes = sizes;
    rep->sizes_count = req->mids_count;
    return OK;
}

enum status
store_serve_uidls(struct ipc_peer *from, const struct store_uidls *req, struct arena *a,
                  struct store_uidls_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    const struct import_page page = {req->mailbox, req->from_uid,
                                     MIN(req->max, STORE_UIDLS_REPLY_UIDLS_MAX)};
    struct import_list l;

    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(store_of(from), import_list(account, &page, a, &l), "uidls"));
    struct store_uidl *list = ARENA_ARRAY(a, struct store_uidl, l.count + 1);
    for (size_t i = 0; i < l.count; i++)
        list[i] = (struct store_uidl){l.entries[i].uid, l.entries[i].uidl};
    *rep = (struct store_uidls_reply){list, l.count, l.more};
    return OK;
}

enum status
store_serve_body(struct ipc_peer *from, const struct store_body *req, struct arena *a,
                 struct store_body_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    struct body_range r = {req->offset, MIN(req->max, STORE_BODY_REPLY_BYTES_MAX)};
    struct body_reply body;

    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(store_of(from), message_body(account, req->mid, &r, a, &body), "body"));
    *rep = (struct store_body_reply){body.size, body.bytes};
    return OK;
}

enum status
store_serve_bodies(struct ipc_peer *from, const struct store_bodies *req, struct arena *a,
                   struct store_bodies_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    struct bodies_range r = {req->mids, req->mids_count,
                             MIN((size_t)req->max, (size_t)STORE_WHOLE_BODY_BYTES_MAX * 4),
                             STORE_WHOLE_BODY_BYTES_MAX};
    struct str *bodies = ARENA_ARRAY(a, struct str, r.count + 1);
    size_t n;

    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(store_of(from), message_bodies(account, &r, a, bodies, &n), "bodies"));
    struct store_whole_body *list = ARENA_ARRAY(a, struct store_whole_body, n + 1);
    for (size_t i = 0; i < n; i++)
        list[i] = (struct store_whole_body){r.mids[i], bodies[i]};
    *rep = (struct store_bodies_reply){list, n};
    return OK;
}

enum status
store_serve_append(struct ipc_peer *from, const struct store_append *req, struct arena *a,
                   struct store_append_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    struct store *s = store_of(from);
    struct intake_which which = {
        .source = store_source_of(from), .handle = req->handle, .bytes = req->body};
    struct intake_body body;
    struct message_place place;

    if (which.source == NULL)
        return ERR_CLOSED;
    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(s, intake_take(s->intake, &which, a, &body), "body"));
    const struct message_new m = {
        .blob = body.id,
        .size = body.size,
        .received = req->received != 0 ? (struct instant){req->received} : clock_now(),
        .flags = req->flags & FLAGS_SYSTEM,
        .keywords = req->keywords,
        .keyword_count = req->keywords_count,
        .record = body.facts.record,
        .sort = body.facts.sort,
        .message_id_hash = body.facts.message_id_hash,
        .reference_hashes = body.facts.reference_hashes,
        .reference_count = body.facts.reference_count,
    };
    enum status st = message_add(account, req->mailbox, &m, clock_now(), &place);
    if (st != OK) {
        engine_blob_forget(s->engine, body.id);
        if (st == ERR_QUOTA)
            store_quota_log(account);
        return store_checked(s, st, "append");
    }
    *rep = (struct store_append_reply){place.uidvalidity, place.uid, place.modseq};
    store_quota_tell(s, account, place.notice);
    return OK;
}

enum status
store_serve_flags(struct ipc_peer *from, const struct store_flags *req, struct arena *a,
                  struct store_flags_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    AUTO_ARENA *work = arena_new(WORK_BYTES);
    AUTO_BUF entries = BUF(STORE_FLAGS_REPLY_ENTRIES_MAX);
    struct store *s = store_of(from);
    struct flags_reply f;
    const struct flags_request r = {
        .mailbox = req->mailbox,
        .uids = uids_of(req->uids, req->uids_count, work),
        .op = (enum flag_op)req->op,
        .flags = req->flags & FLAGS_SYSTEM,
        .keywords = req->keywords,
        .keyword_count = req->keywords_count,
        .unchanged_since = req->unchanged_since,
    };

    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(s, message_flags(account, &r, work, &entries, &f), "flags"));
    if (f.lesson)
        store_learn(s, cell_id_of(account).id);
    *rep = (struct store_flags_reply){
        .modseq = f.modseq,
        .entries = arena_str(a, buf_str(&entries)),
        .truncated = f.truncated,
    };
    rep->refused_count = ranges_into(f.refused, f.refused_count, a, &rep->refused);
    return store_checked(
        s, keywords_of(account, req->mailbox, a, &rep->keywords, &rep->keywords_count), "mailbox");
}

enum status
store_serve_expunge(struct ipc_peer *from, const struct store_expunge *req, struct arena *a,
                    struct store_expunge_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    AUTO_ARENA *work = arena_new(WORK_BYTES);
    struct store *s = store_of(from);
    const struct expunge_request r = {req->mailbox, uids_of(req->uids, req->uids_count, work),
                                      req->deleted_only};
    struct expunge_reply x;

    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(s, message_expunge(account, &r, clock_now(), work, &x), "expunge"));
    store_trace_expunge(account, &r, &x);
    rep->modseq = x.modseq;
    rep->vanished_count = ranges_into(x.vanished, x.vanished_count, a, &rep->vanished);
    store_care(s, cell_id_of(account).id);
    return OK;
}

enum status
store_serve_copy(struct ipc_peer *from, const struct store_copy *req, struct arena *a,
                 struct store_copy_reply *rep)
{
    AUTO(cell_close) struct cell *account = NULL;
    AUTO_ARENA *work = arena_new(WORK_BYTES);
    struct store *s = store_of(from);
    const struct copy_request r = {req->mailbox, req->to, uids_of(req->uids, req->uids_count, work),
                                   req->move};
    struct copy_reply c;

    TRY(store_mail_account(from, req->session, &account));
    TRY(store_checked(s, message_copy(account, &r, clock_now(), work, &c), "copy"));
    if (c.lesson)
        store_learn(s, cell_id_of(account).id);
    store_trace_copy(account, &r, &c);
    *rep = (struct store_copy_reply){.modseq = c.modseq, .uidvalidity = c.uidvalidity};
    /* Both or neither: a list that is cut says something wrong. */
    if (c.from_count <= STORE_COPY_REPLY_FROM_MAX && c.into_count <= STORE_COPY_REPLY_INTO_MAX) {
        rep->from_count = ranges_into(c.from, c.from_count, a, &rep->from);
        rep->into_count = ranges_into(c.into, c.into_count, a, &rep->into);
    }
    store_care(s, cell_id_of(account).id);
    return OK;
}

/* A peer's list, in whatever order. */
static struct uid_set
uids_of(const struct store_range *r, size_t n, struct arena *a)
{
    struct uid_range *ranges = ARENA_ARRAY(a, struct uid_range, n + 1);

    for (size_t i = 0; i < n; i++)
        ranges[i] = (struct uid_range){r[i].first, r[i].last};
    return uid_set_normal(ranges, n, a);
}

/* Too many for the reply: none, and the asker learns it from the changes. */
static size_t
ranges_into(const struct uid_range *r, size_t n, struct arena *a, const struct store_range **out)
{
    if (n > STORE_CHANGES_REPLY_VANISHED_MAX)
        n = 0;
    struct store_range *ranges = ARENA_ARRAY(a, struct store_range, n + 1);
    for (size_t i = 0; i < n; i++)
        ranges[i] = (struct store_range){r[i].first, r[i].last};
    *out = ranges;
    return n;
}

static enum status
keywords_of(struct cell *account, uint32_t mailbox, struct arena *a, const struct str **out,
            size_t *n_out)
{
    struct mailbox_info info;

    TRY(mailbox_get(account, mailbox, a, &info));
    *out = info.keywords;
    *n_out = info.keyword_count;
    return OK;
}
