/* record.c - the record of a message, made anew when the store has none that can be used.
 *
 * That is so when the message was too strange for cook, or was delivered by a version with other records.  The whole
 * body is read for it, so that this is slow, but no message is beyond reach.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "imap/record.h"
#include "base/size.h"
#include "imap/commands.h"
#include "ipc/store_ipc.h"

enum { PIECE_MAX = 1 << 20 };

enum status
imap_records(struct imap_session *s, const uint64_t *mids, size_t count, struct arena *a,
             struct store_records_reply *rep)
{
    const struct store_records req = {.session = s->id, .mids = mids, .mids_count = count};
    struct ipc_peer *store;
    enum status e;

    do {
        TRY(imap_store(s, &store));
        e = store_records_call(store, &req, a, rep);
    } while (hold_read_again(&s->hold, e));
    TRY(e);
    return rep->done == 0 || rep->done > count ? ERR_CORRUPT : OK;
}

enum status
imap_read_body(struct imap_session *s, uint64_t mid, uint64_t size, struct buf *body)
{
    while (body->len < size) {
        AUTO_ARENA *a = arena_new(PIECE_MAX + 4096);
        struct store_body req = {
            .session = s->id, .mid = mid, .offset = body->len, .max = PIECE_MAX};
        struct store_body_reply rep;
        struct ipc_peer *store;
        enum status e;

        do {
            TRY(imap_store(s, &store));
            e = store_body_call(store, &req, a, &rep);
        } while (hold_read_again(&s->hold, e));
        TRY(e);
        if (rep.bytes.len == 0)
            return ERR_CORRUPT;
        buf_add(body, rep.bytes);
        TRY(buf_status(body));
    }
    return OK;
}

enum status
imap_record(struct imap_session *s, const struct store_record *r, struct buf *made,
            struct record *out)
{
    AUTO_BUF body = BUF(IMAP_BODY_MAX);
    struct mime_tree tree;
    enum status e = record_open(r->bytes, out);

    /* The size counts as well: what is told of a message agrees with its bytes. */
    if (e == OK && out->size == r->size)
        return OK;
    TRY(imap_read_body(s, r->mid, r->size, &body));
    AUTO_ARENA *a = arena_new(2 * (size_t)MIME_ARENA_MAX + body.len);
    mime_parse(buf_str(&body), a, &tree);
    buf_reset(made);
    TRY(record_write(buf_str(&body), &tree, a, made));
    return record_open(buf_str(made), out);
}
