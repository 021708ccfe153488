/* fake_calls.c - the calls of store.ipc, answered from memory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define STORE_SERVE_HANDLERS_ONLY
#include "base/mem.h"
#include "base/size.h"
#include "ipc/store_serve.h"
#include "mail/record.h"
#include "testkit/fake_internal.h"

enum { FAKE_UIDLS_MAX = 2 /* so that there are pages */ };

/* ---- failures on order ---- */

enum status
fake_obey(struct ipc_peer *from, const char *verb)
{
    if (!str_eq(fake.fail_verb, str_of(verb)))
        return OK;
    mem_str_free(&fake.fail_verb);
    if (fake.fail_dies)
        ipc_close(from);
    return fake.fail_status;
}

static struct store_mailbox
describe(const struct fake_mailbox *m)
{
    struct store_mailbox out = {.id = fake_id(m),
                                .name = m->name,
                                .uidvalidity = m->uidvalidity,
                                .uidnext = m->uidnext,
                                .modseq = m->modseq,
                                .exists = (uint32_t)m->count,
                                .special = (uint8_t)m->special,
                                .subscribed = m->subscribed,
                                .selectable = m->selectable,
                                .has_children = fake_has_children(m),
                                .keywords = m->keywords,
                                .keywords_count = m->keyword_count};

    for (size_t i = 0; i < m->count; i++) {
        out.unseen += (m->messages[i].flags & 8) == 0;
        out.deleted += (m->messages[i].flags & 4) != 0;
        out.bytes += m->messages[i].body.len;
    }
    return out;
}

static bool
in_ranges(uint32_t uid, const struct store_range *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (uid >= r[i].first && uid <= r[i].last)
            return true;
    return false;
}

static struct fake_message *
by_mid(uint64_t mid)
{
    for (size_t i = 0; i < FAKE_MAILBOXES; i++)
        for (size_t k = 0; k < fake.boxes[i].count; k++)
            if (fake.boxes[i].messages[k].mid == mid)
                return &fake.boxes[i].messages[k];
    return NULL;
}

/* ---- the calls ---- */

SUSPENDS enum status
store_serve_mailboxes(struct ipc_peer *from, const struct store_mailboxes *req, struct arena *a,
                      struct store_mailboxes_reply *rep)
{
    struct store_mailbox *list = ARENA_ARRAY(a, struct store_mailbox, 256);

    TRY(fake_obey(from, "mailboxes"));
    for (uint32_t id = req->after + 1; id <= FAKE_MAILBOXES; id++) {
        if (fake_by_id(id) == NULL)
            continue;
        rep->more = rep->mailboxes_count == 256;
        if (rep->more)
            break;
        list[rep->mailboxes_count++] = describe(fake_by_id(id));
    }
    rep->mailboxes = list;
    return OK;
}

SUSPENDS enum status
store_serve_mailbox_open(struct ipc_peer *from, const struct store_mailbox_open *req,
                         struct arena *a, struct store_mailbox_open_reply *rep)
{
    const struct fake_mailbox *m = fake_find(req->name);

    (void)a;
    TRY(fake_obey(from, "mailbox_open"));
    if (m == NULL)
        return ERR_NOT_FOUND;
    rep->mailbox = describe(m);
    return OK;
}

SUSPENDS enum status
store_serve_account(struct ipc_peer *from, const struct store_account *req, struct arena *a,
                    struct store_account_reply *rep)
{
    (void)req, (void)a;
    TRY(fake_obey(from, "account"));
    *rep = (struct store_account_reply){.account = FAKE_ACCOUNT,
                                        .address = STR("u@test"),
                                        .modseq = fake.modseq,
                                        .quota_bytes = fake.quota_bytes,
                                        .quota_messages = fake.quota_messages};
    for (size_t i = 0; i < FAKE_MAILBOXES; i++) {
        const struct fake_mailbox *m = &fake.boxes[i];
        rep->messages += m->count;
        for (size_t k = 0; k < m->count; k++)
            rep->bytes += m->messages[k].body.len;
    }
    return OK;
}

SUSPENDS enum status
store_serve_mailbox_status(struct ipc_peer *from, const struct store_mailbox_status *req,
                           struct arena *a, struct store_mailbox_status_reply *rep)
{
    const struct fake_mailbox *m = fake_by_id(req->id);

    (void)from, (void)a;
    if (m == NULL)
        return ERR_NOT_FOUND;
    rep->mailbox = describe(m);
    return OK;
}

SUSPENDS enum status
store_serve_mailbox_create(struct ipc_peer *from, const struct store_mailbox_create *req,
                           struct arena *a, struct store_mailbox_create_reply *rep)
{
    (void)a;
    TRY(fake_obey(from, "mailbox_create"));
    if (fake_find(req->name) != NULL)
        return ERR_EXISTS;
    for (size_t at = 1; at < req->name.len; at++)
        if (req->name.ptr[at] == '/' && fake_find(str_sub(req->name, 0, at)) == NULL)
            fake_make(str_sub(req->name, 0, at), 0);
    struct fake_mailbox *m = fake_make(req->name, req->special);
    if (m == NULL)
        return ERR_LIMIT;
    rep->mailbox = describe(m);
    return OK;
}

SUSPENDS enum status
store_serve_mailbox_delete(struct ipc_peer *from, const struct store_mailbox_delete *req,
                           struct arena *a, struct store_mailbox_delete_reply *rep)
{
    struct fake_mailbox *m = fake_by_id(req->id);

    (void)a, (void)rep;
    TRY(fake_obey(from, "mailbox_delete"));
    if (m == NULL)
        return ERR_NOT_FOUND;
    if (fake_has_children(m)) {
        if (!m->selectable)
            return ERR_EXISTS;
        m->selectable = false;
        return OK;
    }
    fake_tell(m);
    fake_unmake(m);
    return OK;
}

/* RFC 3501 section 6.3.5: the messages go, INBOX stays. */
static enum status
rename_inbox(struct fake_mailbox *m, struct str name)
{
    struct fake_mailbox *to = fake_make(name, 0);

    for (size_t i = 0; i < m->count; i++)
        fake_add(to, m->messages[i].body, m->messages[i].flags & 31);
    while (m->count > 0)
        fake_take_out(m, m->count - 1);
    fake_tell(m);
    return OK;
}

SUSPENDS enum status
store_serve_mailbox_rename(struct ipc_peer *from, const struct store_mailbox_rename *req,
                           struct arena *a, struct store_mailbox_rename_reply *rep)
{
    struct fake_mailbox *m = fake_by_id(req->id);

    (void)from, (void)rep;
    if (m == NULL)
        return ERR_NOT_FOUND;
    if (fake_find(req->name) != NULL)
        return ERR_EXISTS;
    if (str_eq(m->name, STR("INBOX")))
        return rename_inbox(m, req->name);
    if (fake_is_below(req->name, m->name))
        return ERR_DENIED;
    struct str old = arena_str(a, m->name);
    for (size_t i = 0; i < FAKE_MAILBOXES; i++) {
        struct fake_mailbox *b = &fake.boxes[i];
        if (b->name.ptr == NULL || (!str_eq(b->name, old) && !fake_is_below(b->name, old)))
            continue;
        struct str name =
            arena_printf(a, "%.*s%.*s", STR_FMT(req->name), STR_FMT(str_skip(b->name, old.len)));
        mem_str_free(&b->name);
        b->name = mem_str(name);
    }
    return OK;
}

SUSPENDS enum status
store_serve_mailbox_subscribe(struct ipc_peer *from, const struct store_mailbox_subscribe *req,
                              struct arena *a, struct store_mailbox_subscribe_reply *rep)
{
    struct fake_mailbox *m = fake_find(req->name);

    (void)from, (void)a, (void)rep;
    if (m == NULL)
        return req->on ? ERR_NOT_FOUND : OK;
    m->subscribed = req->on;
    return OK;
}

static void
add_entry(struct buf *b, const struct fake_message *m)
{
    struct {
        uint32_t uid, flags;
        uint64_t modseq, mid;
    } e = {m->uid, m->flags, m->modseq, m->mid};

    buf_add(b, str_from((const char *)&e, sizeof(e)));
}

/* Small pages, so that tests see several. */
#define PAGE 1000u

SUSPENDS enum status
store_serve_view(struct ipc_peer *from, const struct store_view *req, struct arena *a,
                 struct store_view_reply *rep)
{
    const struct fake_mailbox *m = fake_by_id(req->mailbox);
    AUTO_BUF b = BUF(PAGE * 24);
    size_t n = 0;

    TRY(fake_obey(from, "view"));
    if (m == NULL)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < m->count; i++) {
        if (m->messages[i].uid < req->from_uid)
            continue;
        rep->more = n == MIN(PAGE, req->max);
        if (rep->more)
            break;
        add_entry(&b, &m->messages[i]);
        n++;
    }
    rep->modseq = fake.modseq;
    rep->entries = arena_str(a, buf_str(&b));
    return OK;
}

SUSPENDS enum status
store_serve_changes(struct ipc_peer *from, const struct store_changes *req, struct arena *a,
                    struct store_changes_reply *rep)
{
    const struct fake_mailbox *m = fake_by_id(req->mailbox);
    AUTO_BUF b = BUF(1u << 20);
    size_t n = 0;

    TRY(fake_obey(from, "changes"));
    if (m == NULL)
        return ERR_NOT_FOUND;
    struct store_range *gone = ARENA_ARRAY(a, struct store_range, m->vanished_count + 1);
    for (size_t i = 0; i < m->count; i++)
        if (m->messages[i].modseq > req->since)
            add_entry(&b, &m->messages[i]);
    for (size_t i = 0; i < m->vanished_count; i++)
        if (m->vanished[i].modseq > req->since)
            gone[n++] = (struct store_range){m->vanished[i].uid, m->vanished[i].uid};
    *rep = (struct store_changes_reply){.modseq = fake.modseq,
                                        .full = b.over,
                                        .entries = arena_str(a, b.over ? STR("") : buf_str(&b)),
                                        .vanished = gone,
                                        .vanished_count = n,
                                        .keywords = m->keywords,
                                        .keywords_count = m->keyword_count};
    return OK;
}

/* As cook makes it; nothing for a message that it could not read. */
static struct str
record_of(const struct fake_message *m, struct arena *a)
{
    AUTO_ARENA *work = arena_new(2 * MIME_ARENA_MAX + m->body.len);
    AUTO_BUF record = BUF(RECORD_MAX);
    struct mime_tree tree;

    if (m->unread)
        return STR("");
    mime_parse(m->body, work, &tree);
    ASSERT(record_write(m->body, &tree, work, &record) == OK);
    return arena_str(a, buf_str(&record));
}

SUSPENDS enum status
store_serve_records(struct ipc_peer *from, const struct store_records *req, struct arena *a,
                    struct store_records_reply *rep)
{
    struct store_record *list = ARENA_ARRAY(a, struct store_record, req->mids_count + 1);

    TRY(fake_obey(from, "records"));
    for (size_t i = 0; i < req->mids_count; i++) {
        const struct fake_message *m = by_mid(req->mids[i]);
        if (m != NULL)
            list[rep->records_count++] = (struct store_record){.mid = m->mid,
                                                               .size = m->body.len,
                                                               .received = m->received,
                                                               .saved = m->received,
                                                               .bytes = record_of(m, a)};
    }
    rep->records = list;
    rep->done = (uint32_t)req->mids_count;
    return OK;
}

SUSPENDS enum status
store_serve_sizes(struct ipc_peer *from, const struct store_sizes *req, struct arena *a,
                  struct store_sizes_reply *rep)
{
    uint64_t *sizes = ARENA_ARRAY(a, uint64_t, req->mids_count + 1);

    TRY(fake_obey(from, "sizes"));
    for (size_t i = 0; i < req->mids_count; i++) {
        const struct fake_message *m = by_mid(req->mids[i]);
        sizes[i] = m == NULL ? 0 : m->body.len;
    }
    rep->sizes = sizes;
    rep->sizes_count = req->mids_count;
    return OK;
}

SUSPENDS enum status
store_serve_uidls(struct ipc_peer *from, const struct store_uidls *req, struct arena *a,
                  struct store_uidls_reply *rep)
{
    const struct fake_mailbox *m = fake_by_id(req->mailbox);
    struct store_uidl *list = ARENA_ARRAY(a, struct store_uidl, FAKE_UIDLS_MAX);

    TRY(fake_obey(from, "uidls"));
    if (m == NULL)
        return ERR_NOT_FOUND;
    rep->uidls = list;
    for (size_t i = 0; i < m->count; i++) {
        const struct fake_message *x = &m->messages[i];
        if (x->uid < req->from_uid || x->uidl.len == 0)
            continue;
        rep->more = rep->uidls_count == MIN(req->max, FAKE_UIDLS_MAX);
        if (rep->more)
            break;
        list[rep->uidls_count++] = (struct store_uidl){x->uid, x->uidl};
    }
    return OK;
}

SUSPENDS enum status
store_serve_body(struct ipc_peer *from, const struct store_body *req, struct arena *a,
                 struct store_body_reply *rep)
{
    const struct fake_message *m = by_mid(req->mid);

    TRY(fake_obey(from, "body"));
    if (m == NULL)
        return ERR_NOT_FOUND;
    rep->size = m->body.len;
    rep->bytes = arena_str(a, str_sub(m->body, req->offset, req->max));
    return OK;
}

SUSPENDS enum status
store_serve_bodies(struct ipc_peer *from, const struct store_bodies *req, struct arena *a,
                   struct store_bodies_reply *rep)
{
    struct store_whole_body *list = ARENA_ARRAY(a, struct store_whole_body, req->mids_count + 1);
    size_t room = req->max;

    TRY(fake_obey(from, "bodies"));
    rep->bodies = list;
    for (size_t i = 0; i < req->mids_count; i++) {
        const struct fake_message *m = by_mid(req->mids[i]);
        if (m == NULL || m->body.len > room || m->body.len > STORE_WHOLE_BODY_BYTES_MAX)
            break;
        list[rep->bodies_count++] = (struct store_whole_body){req->mids[i], arena_str(a, m->body)};
        room -= m->body.len;
    }
    return OK;
}

SUSPENDS enum status
store_serve_blob_open(struct ipc_peer *from, const struct store_blob_open *req, struct arena *a,
                      struct store_blob_open_reply *rep)
{
    (void)req, (void)a;
    TRY(fake_obey(from, "blob_open"));
    for (uint32_t i = 0; i < FAKE_HANDLES; i++) {
        if (fake.blob_open[i])
            continue;
        fake.blob_open[i] = true;
        buf_init(&fake.blobs[i], 8u << 20);
        rep->handle = i + 1;
        return OK;
    }
    return ERR_LIMIT;
}

SUSPENDS enum status
store_serve_blob_add(struct ipc_peer *from, const struct store_blob_add *req, struct arena *a,
                     struct store_blob_add_reply *rep)
{
    (void)a, (void)rep;
    TRY(fake_obey(from, "blob_add"));
    if (req->handle == 0 || req->handle > FAKE_HANDLES || !fake.blob_open[req->handle - 1])
        return ERR_NOT_FOUND;
    buf_add(&fake.blobs[req->handle - 1], req->bytes);
    return OK;
}

SUSPENDS enum status
store_serve_blob_read(struct ipc_peer *from, const struct store_blob_read *req, struct arena *a,
                      struct store_blob_read_reply *rep)
{
    (void)a;
    TRY(fake_obey(from, "blob_read"));
    if (req->handle == 0 || req->handle > FAKE_HANDLES || !fake.blob_open[req->handle - 1])
        return ERR_NOT_FOUND;
    struct str left = str_skip(buf_str(&fake.blobs[req->handle - 1]), (size_t)req->offset);
    rep->bytes = str_sub(left, 0, req->max);
    return OK;
}

void
fake_blob_forget(uint32_t handle)
{
    if (handle == 0 || handle > FAKE_HANDLES || !fake.blob_open[handle - 1])
        return;
    buf_release(&fake.blobs[handle - 1]);
    fake.blob_open[handle - 1] = false;
}

bool
fake_body(uint32_t handle, struct str body, struct str *out)
{
    if (handle != 0 && (handle > FAKE_HANDLES || !fake.blob_open[handle - 1]))
        return false;
    *out = handle != 0 ? buf_str(&fake.blobs[handle - 1]) : body;
    return true;
}

SUSPENDS void
store_serve_stats(struct ipc_peer *from, const struct store_stats *req, struct arena *a)
{
    (void)from, (void)req, (void)a;
}

void
store_serve_trace(struct ipc_peer *from, const struct store_trace *req, struct arena *a)
{
    (void)from, (void)req, (void)a;
}

SUSPENDS enum status
store_serve_sts_get(struct ipc_peer *from, const struct store_sts_get *req, struct arena *a,
                    struct store_sts_get_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

SUSPENDS enum status
store_serve_sts_put(struct ipc_peer *from, const struct store_sts_put *req, struct arena *a,
                    struct store_sts_put_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

void
store_serve_blob_drop(struct ipc_peer *from, const struct store_blob_drop *req, struct arena *a)
{
    (void)from, (void)a;
    fake_blob_forget(req->handle);
}

SUSPENDS enum status
store_serve_append(struct ipc_peer *from, const struct store_append *req, struct arena *a,
                   struct store_append_reply *rep)
{
    struct fake_mailbox *m = fake_by_id(req->mailbox);
    uint32_t flags = req->flags;
    struct str body;

    (void)a;
    TRY(fake_obey(from, "append"));
    if (m == NULL || !fake_body(req->handle, req->body, &body))
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < req->keywords_count; i++)
        flags |= fake_keyword_bit(m, req->keywords[i]);
    struct fake_message *new = fake_add(m, body, flags);
    if (req->received != 0)
        new->received = req->received;
    fake_blob_forget(req->handle);
    *rep = (struct store_append_reply){m->uidvalidity, new->uid, new->modseq};
    fake_tell(m);
    return OK;
}

SUSPENDS enum status
store_serve_flags(struct ipc_peer *from, const struct store_flags *req, struct arena *a,
                  struct store_flags_reply *rep)
{
    struct fake_mailbox *m = fake_by_id(req->mailbox);
    AUTO_BUF b = BUF(1u << 20);
    uint32_t mask = req->flags;

    TRY(fake_obey(from, "flags"));
    if (m == NULL)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < req->keywords_count; i++) {
        uint32_t bit = fake_keyword_bit(m, req->keywords[i]);
        if (bit == 0)
            return ERR_LIMIT;
        mask |= bit;
    }
    for (size_t i = 0; i < m->count; i++) {
        struct fake_message *x = &m->messages[i];
        uint32_t now = req->op == 0 ? mask : req->op == 1 ? x->flags | mask : x->flags & ~mask;
        if (!in_ranges(x->uid, req->uids, req->uids_count) || now == x->flags)
            continue;
        fake_touch(m);
        x->flags = now;
        x->modseq = m->modseq;
        add_entry(&b, x);
    }
    *rep = (struct store_flags_reply){.modseq = m->modseq,
                                      .entries = arena_str(a, buf_str(&b)),
                                      .truncated = b.over,
                                      .keywords = m->keywords,
                                      .keywords_count = m->keyword_count};
    fake_tell(m);
    return OK;
}

SUSPENDS enum status
store_serve_expunge(struct ipc_peer *from, const struct store_expunge *req, struct arena *a,
                    struct store_expunge_reply *rep)
{
    struct fake_mailbox *m = fake_by_id(req->mailbox);

    (void)a;
    TRY(fake_obey(from, "expunge"));
    if (m == NULL)
        return ERR_NOT_FOUND;
    for (size_t i = m->count; i-- > 0;)
        if (in_ranges(m->messages[i].uid, req->uids, req->uids_count) &&
            (!req->deleted_only || (m->messages[i].flags & 4)))
            fake_take_out(m, i);
    rep->modseq = m->modseq;
    fake_tell(m);
    return OK;
}

SUSPENDS enum status
store_serve_copy(struct ipc_peer *from, const struct store_copy *req, struct arena *a,
                 struct store_copy_reply *rep)
{
    struct fake_mailbox *m = fake_by_id(req->mailbox), *to = fake_by_id(req->to);

    TRY(fake_obey(from, "copy"));
    if (m == NULL || to == NULL)
        return ERR_NOT_FOUND;
    size_t count = m->count, n = 0;
    struct store_range *f = ARENA_ARRAY(a, struct store_range, count + 1);
    struct store_range *t = ARENA_ARRAY(a, struct store_range, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct fake_message x = m->messages[i];
        if (!in_ranges(x.uid, req->uids, req->uids_count))
            continue;
        uint32_t uid = fake_add(to, x.body, x.flags & 31)->uid;
        f[n] = (struct store_range){x.uid, x.uid};
        t[n++] = (struct store_range){uid, uid};
    }
    for (size_t i = count; req->move && i-- > 0;)
        if (in_ranges(m->messages[i].uid, req->uids, req->uids_count))
            fake_take_out(m, i);
    *rep = (struct store_copy_reply){.modseq = fake.modseq,
                                     .uidvalidity = to->uidvalidity,
                                     .from = f,
                                     .from_count = n,
                                     .into = t,
                                     .into_count = n};
    fake_tell(m);
    fake_tell(to);
    return OK;
}

/* What no server of mail asks. */
#define NEVER(verb)                                                                                \
    SUSPENDS enum status store_serve_##verb(struct ipc_peer *from, const struct store_##verb *req, \
                                            struct arena *a, struct store_##verb##_reply *rep)     \
    {                                                                                              \
        (void)from, (void)req, (void)a, (void)rep;                                                 \
        return ERR_DENIED;                                                                         \
    }
NEVER(login_find)
NEVER(invitation_redeem)
NEVER(verifier_renew)
NEVER(grant)
NEVER(revoke)
NEVER(blocks)
NEVER(sealed_get)
NEVER(sealed_put)
NEVER(queue_lease)
NEVER(queue_body)
NEVER(queue_result)

SUSPENDS void
store_serve_session_end(struct ipc_peer *from, const struct store_session_end *req, struct arena *a)
{
    (void)from, (void)a;
    fake.ended++;
    fake.ended_session = req->session;
}

SUSPENDS void
store_serve_app_password_used(struct ipc_peer *from, const struct store_app_password_used *req,
                              struct arena *a)
{
    (void)from, (void)req, (void)a;
}
