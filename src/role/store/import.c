/* import.c - mail of other servers on its way in, for the godwit command.
 *
 * A batch is one commit.  Bodies go through a cook like all others; one that no cook can read is left out alone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#include "store/import.h"
#include "base/mem.h"
#include "base/size.h"
#include "ipc/admin_serve.h"
#include "role/store/admin.h"
#include "rt/clock.h"
#include "store/account.h"

enum {
    WORK_BYTES = 256 << 20,  /* of one batch */
    RECORDS_BYTES = 8 << 20, /* so many bytes of records end a batch early */
    RECORD_ROOM = 8 << 20,   /* for what one more message may need */
};

struct batch {
    struct message_new messages[ADMIN_IMPORT_ADD_MESSAGES_MAX];
    struct import_origin origins[ADMIN_IMPORT_ADD_MESSAGES_MAX];
    size_t index[ADMIN_IMPORT_ADD_MESSAGES_MAX]; /* in the request */
    size_t count, taken;
};

SUSPENDS static enum status take_bodies(struct ipc_peer *from, const struct admin_import_add *req,
                                        struct arena *a, struct batch *b);
static void keep_body(struct batch *b, const struct admin_import_message *m,
                      const struct intake_body *body);
SUSPENDS static enum status add_batch(struct ipc_peer *from, const struct admin_import_add *req,
                                      struct batch *b, struct admin_import_add_reply *rep);
static struct intake_source *source_of(struct ipc_peer *p);

enum status
admin_serve_import_open(struct ipc_peer *from, const struct admin_import_open *req, struct arena *a,
                        struct admin_import_open_reply *rep)
{
    struct store *s = store_of(from);
    AUTO(cell_close) struct cell *account = account_open(s->cells, req->account);
    const struct import_mailbox m = {.name = req->name,
                                     .special = (enum mailbox_special)req->special,
                                     .uidvalidity = req->uidvalidity,
                                     .uidnext = req->uidnext,
                                     .subscribed = req->subscribed};
    struct mailbox_info info;
    uint32_t id;

    TRY(store_admin_done(s, import_open(account, &m, &id), "import", req->name));
    TRY(store_checked(s, import_state(account, id, &rep->last), "import"));
    TRY(store_checked(s, mailbox_get(account, id, a, &info), "mailbox"));
    store_admin_box(&info, &rep->box);
    return OK;
}

enum status
admin_serve_import_subscribe(struct ipc_peer *from, const struct admin_import_subscribe *req,
                             struct arena *a, struct admin_import_subscribe_reply *rep)
{
    struct store *s = store_of(from);
    AUTO(cell_close) struct cell *account = account_open(s->cells, req->account);

    (void)a;
    (void)rep;
    return store_checked(s, mailbox_subscribe(account, req->name, true), "subscribe");
}

enum status
admin_serve_import_known(struct ipc_peer *from, const struct admin_import_known *req,
                         struct arena *a, struct admin_import_known_reply *rep)
{
    struct store *s = store_of(from);
    AUTO(cell_close) struct cell *account = account_open(s->cells, req->account);
    const struct import_page page = {req->box, req->from_uid, ADMIN_IMPORT_KNOWN_REPLY_KNOWN_MAX};
    struct import_list l;

    TRY(store_checked(s, import_list(account, &page, a, &l), "import"));
    struct admin_import_known_item *list =
        ARENA_ARRAY(a, struct admin_import_known_item, l.count + 1);
    for (size_t i = 0; i < l.count; i++)
        list[i] = (struct admin_import_known_item){l.entries[i].uid, l.entries[i].source,
                                                   l.entries[i].flags, l.entries[i].key};
    *rep = (struct admin_import_known_reply){list, l.count, l.more};
    return OK;
}

enum status
admin_serve_import_blob(struct ipc_peer *from, const struct admin_import_blob *req, struct arena *a,
                        struct admin_import_blob_reply *rep)
{
    uint32_t handle = req->handle;

    (void)a;
    if (handle == 0)
        TRY(intake_open(source_of(from), req->size_hint, false, &handle));
    TRY(store_checked(store_of(from), intake_add(source_of(from), handle, req->bytes), "body"));
    rep->handle = handle;
    return OK;
}

enum status
admin_serve_import_add(struct ipc_peer *from, const struct admin_import_add *req, struct arena *a,
                       struct admin_import_add_reply *rep)
{
    AUTO_ARENA *work = arena_new(WORK_BYTES);
    struct batch *b = ARENA_NEW(work, struct batch);
    uint32_t *uids = ARENA_ARRAY(a, uint32_t, req->messages_count + 1);

    rep->uids = uids;
    rep->last = req->last;
    enum status st = take_bodies(from, req, work, b);
    if (st == OK && b->count > 0)
        st = add_batch(from, req, b, rep);
    if (st != OK) {
        for (size_t i = 0; i < b->count; i++)
            engine_blob_forget(store_of(from)->engine, b->messages[i].blob);
        return store_checked(store_of(from), st, "import");
    }
    for (size_t i = 0; i < b->count; i++)
        uids[b->index[i]] = b->origins[i].uid;
    rep->uids_count = b->taken;
    return OK;
}

enum status
admin_serve_import_flags(struct ipc_peer *from, const struct admin_import_flags *req,
                         struct arena *a, struct admin_import_flags_reply *rep)
{
    struct store *s = store_of(from);
    AUTO(cell_close) struct cell *account = account_open(s->cells, req->account);
    struct import_change *list = ARENA_ARRAY(a, struct import_change, req->flags_count + 1);
    const struct import_changes c = {req->box, list, req->flags_count};

    (void)rep;
    for (size_t i = 0; i < req->flags_count; i++)
        list[i] = (struct import_change){req->flags[i].uid, req->flags[i].flags,
                                         req->flags[i].keywords, req->flags[i].keywords_count};
    return store_checked(s, import_flags(account, &c), "import");
}

enum status
admin_serve_import_remove(struct ipc_peer *from, const struct admin_import_remove *req,
                          struct arena *a, struct admin_import_remove_reply *rep)
{
    struct store *s = store_of(from);
    AUTO(cell_close) struct cell *account = account_open(s->cells, req->account);
    struct uid_range *ranges = ARENA_ARRAY(a, struct uid_range, req->uids_count + 1);

    (void)rep;
    for (size_t i = 0; i < req->uids_count; i++)
        ranges[i] = (struct uid_range){req->uids[i], req->uids[i]};
    const struct import_gone g = {req->box, uid_set_normal(ranges, req->uids_count, a)};
    TRY(store_checked(s, import_remove(account, &g, clock_now()), "import"));
    store_care(s, req->account);
    return OK;
}

/* ---- a batch ---- */

/* As many as there is room for.  What cannot be read at all is left out: its UID is said to be 0. */
static enum status
take_bodies(struct ipc_peer *from, const struct admin_import_add *req, struct arena *a,
            struct batch *b)
{
    struct store *s = store_of(from);
    size_t records = 0;

    while (b->taken < req->messages_count && records < RECORDS_BYTES &&
           arena_left(a) > RECORD_ROOM) {
        const struct admin_import_message *m = &req->messages[b->taken];
        const struct intake_which which = {
            .source = source_of(from), .handle = m->handle, .bytes = m->body};
        struct intake_body body;
        enum status st = m->key.len > 0 ? intake_take(s->intake, &which, a, &body) : ERR_SYNTAX;
        if (st == OK) {
            b->index[b->count] = b->taken;
            keep_body(b, m, &body);
            records += body.facts.record.len;
        } else if (st != ERR_LIMIT && st != ERR_SYNTAX) {
            return st;
        }
        b->taken++;
    }
    return OK;
}

/* RFC 1939 section 7; one that POP3 cannot say is none. */
static struct str
unique_id(struct str s)
{
    bool good = s.len <= LIMIT_UIDL_BYTES;

    for (size_t i = 0; good && i < s.len; i++)
        good = s.ptr[i] >= 0x21 && s.ptr[i] <= 0x7e;
    return good ? s : STR_NONE;
}

static void
keep_body(struct batch *b, const struct admin_import_message *m, const struct intake_body *body)
{
    b->messages[b->count] = (struct message_new){
        .blob = body->id,
        .size = body->size,
        .received = {m->received},
        .flags = m->flags & FLAGS_SYSTEM,
        .keywords = m->keywords,
        .keyword_count = m->keywords_count,
        .record = body->facts.record,
        .sort = body->facts.sort,
        .message_id_hash = body->facts.message_id_hash,
        .reference_hashes = body->facts.reference_hashes,
        .reference_count = body->facts.reference_count,
    };
    b->origins[b->count++] = (struct import_origin){
        .uid = m->uid, .source = m->source, .key = m->key, .uidl = unique_id(m->uidl)};
}

static enum status
add_batch(struct ipc_peer *from, const struct admin_import_add *req, struct batch *b,
          struct admin_import_add_reply *rep)
{
    struct store *s = store_of(from);
    AUTO(cell_close) struct cell *account = account_open(s->cells, req->account);
    AUTO_ARENA *a = arena_new(1 << 20);
    struct message_place *places = ARENA_ARRAY(a, struct message_place, b->count);
    const struct import_batch ib = {
        .uidvalidity = req->uidvalidity, .last = req->last, .origins = b->origins};
    const struct message_batch mb = {req->box, b->messages, b->count, &ib};

    TRY(message_add_all(account, &mb, clock_now(), places));
    for (size_t i = 0; i < b->count; i++)
        b->origins[i].uid = places[i].uid;
    rep->last = places[b->count - 1].uid;
    return OK;
}

/* Made for the first large body of the channel; role/store/admin.c ends it. */
static struct intake_source *
source_of(struct ipc_peer *p)
{
    if (ipc_state(p) == NULL)
        ipc_set_state(p, intake_source_new(store_of(p)->intake, false, false));
    return ipc_state(p);
}
