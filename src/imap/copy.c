/* copy.c - COPY and MOVE; sets of messages as the store wants them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "imap/commands.h"
#include "ipc/store_ipc.h"

#define COPY_ARENA (2u << 20)
#define CODE_MAX   (4u << 20) /* two sets of 65,536 ranges */

/* ---- sets ---- */

/* Numbers become UIDs: between two neighbours of a session's array there is no other message. */
static bool
numbers_to_uids(const struct imap_session *s, struct imap_set *set, struct store_range *out)
{
    for (size_t i = 0; i < set->count; i++) {
        struct imap_range r = set->at[i];
        if (r.first == 0 || r.last > s->count)
            return false;
        out[i] = (struct store_range){.first = s->array->at[r.first - 1].uid,
                                      .last = s->array->at[r.last - 1].uid};
    }
    return true;
}

bool
imap_uids(struct imap_cmd *c, struct imap_set *set, const struct store_range **uids_out,
          size_t *n_out)
{
    const struct imap_session *s = c->s;
    uint32_t last = s->count == 0 ? 0 : s->array->at[s->count - 1].uid;
    size_t n = 0;

    ASSERT(s->box != NULL);
    if (set->saved)
        return false;
    *n_out = 0;
    if (s->count == 0) /* "1:*" asks for nothing then; clients do that with an empty mailbox */
        return c->uid || imap_set_has_star(set);
    imap_set_resolve(set, c->uid ? last : (uint32_t)s->count);
    struct store_range *out = ARENA_ARRAY(c->arena, struct store_range, set->count);
    if (!c->uid) {
        if (!numbers_to_uids(s, set, out))
            return false;
        n = set->count;
    }
    for (size_t i = 0; c->uid && i < set->count; i++) {
        /* What was not announced yet is not meant. */
        struct store_range r = {.first = set->at[i].first, .last = MIN(set->at[i].last, last)};
        if (r.first <= r.last)
            out[n++] = r;
    }
    *uids_out = out;
    *n_out = n;
    return true;
}

/* ---- COPY, MOVE ---- */

struct copying {
    struct store_copy req;
    struct store_copy_reply rep;
    struct arena *arena;
};

static void
add_ranges(struct buf *b, const struct store_range *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_char(b, ',');
        buf_add_u64(b, r[i].first);
        if (r[i].last > r[i].first) {
            buf_add_char(b, ':');
            buf_add_u64(b, r[i].last);
        }
    }
}

/* "COPYUID" SP uidvalidity SP from SP to      RFC 4315 section 3; empty when nothing was copied. */
static void
add_copyuid(struct buf *b, const struct store_copy_reply *rep)
{
    if (rep->from_count == 0)
        return;
    buf_addf(b, "COPYUID %u ", rep->uidvalidity);
    add_ranges(b, rep->from, rep->from_count);
    buf_add_char(b, ' ');
    add_ranges(b, rep->into, rep->into_count);
}

/* RFC 6851 section 4.3: COPYUID of MOVE goes before the EXPUNGE replies. */
static SUSPENDS enum status
answer(struct imap_cmd *c, const struct copying *k)
{
    AUTO_BUF code = BUF(CODE_MAX);

    add_copyuid(&code, &k->rep);
    if (buf_status(&code) != OK || code.len == 0)
        return imap_ok(c, NULL, "Done"); /* of none, or of too many to name them */
    if (k->req.move) {
        TRY(conn_write(c->s->conn, STR("* OK [")));
        TRY(conn_write(c->s->conn, buf_str(&code)));
        TRY(conn_write(c->s->conn, STR("] Moved\r\n")));
        return imap_ok(c, NULL, "Moved");
    }
    buf_add_char(&code, '\0');
    return imap_ok(c, code.ptr, "Copied");
}

static SUSPENDS enum status
do_copy(struct imap_cmd *c, struct str name, struct copying *k)
{
    struct imap_session *s = c->s;
    struct store_mailbox to;
    struct ipc_peer *store;
    enum status e;

    TRY(imap_find_mailbox(s, name, k->arena, &to));
    if (!to.selectable)
        return ERR_NOT_FOUND;
    k->req.session = s->id;
    k->req.mailbox = s->box->mailbox;
    k->req.to = to.id;
    do {
        TRY(imap_store(s, &store));
        e = store_copy_call(store, &k->req, k->arena, &k->rep);
    } while (hold_write_again(&s->hold, e));
    TRY(e);
    imap_changed(s->account, k->rep.modseq, &to.id, 1);
    if (k->req.move)
        imap_changed(s->account, k->rep.modseq, &k->req.mailbox, 1);
    return OK;
}

/* Did another session take away some of the messages that the client still knows by number? */
static SUSPENDS bool
any_gone(struct imap_session *s, const struct store_range *uids, size_t n)
{
    if (box_refresh(s->box, s, false) != OK || s->array == s->box->array)
        return false; /* a store that is away will say so itself */
    const struct box_array *now = s->box->array;
    for (size_t i = 0; i < n; i++) {
        size_t told = box_array_find(s->array, s->count, uids[i].first);
        size_t left = box_array_find(now, now->count, uids[i].first);
        for (; told < s->count && s->array->at[told].uid <= uids[i].last; told++, left++)
            if (left == now->count || now->at[left].uid != s->array->at[told].uid)
                return true;
    }
    return false;
}

/* sequence-set SP mailbox */
static SUSPENDS enum status
copy(struct imap_cmd *c, bool move)
{
    AUTO_ARENA *a = arena_new(COPY_ARENA);
    struct copying k = {.arena = a, .req = {.move = move}};
    struct imap_set set;
    struct str name;

    if (!imap_scan_sp(&c->in) || !imap_scan_set(&c->in, c->arena, &set) || !imap_scan_sp(&c->in) ||
        !imap_scan_mailbox(&c->in, c->arena, &name) || !imap_scan_end(&c->in))
        return imap_bad(c, "Expected a set of messages and a mailbox");
    if (!imap_uids(c, &set, &k.req.uids, &k.req.uids_count))
        return imap_bad(c, "There is no message of such a number");
    if (move && c->s->read_only)
        return imap_no(c, "READ-ONLY", "The mailbox was opened to look only");
    if (k.req.uids_count == 0)
        return imap_ok(c, NULL, "There was no such message");
    if (!c->uid && any_gone(c->s, k.req.uids, k.req.uids_count))
        return imap_no(c, "EXPUNGEISSUED", "Some of the messages were removed meanwhile");
    enum status e = do_copy(c, name, &k);
    if (e == ERR_NOT_FOUND)
        return imap_no(c, "TRYCREATE", "There is no such mailbox");
    return e == OK ? answer(c, &k) : imap_write_failed(c, e);
}

SUSPENDS enum status
imap_cmd_copy(struct imap_cmd *c)
{
    return copy(c, false);
}

SUSPENDS enum status
imap_cmd_move(struct imap_cmd *c)
{
    return copy(c, true);
}
