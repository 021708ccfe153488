/* sync.c - what a session has told its client, and how it catches up with its box.
 *
 * The text goes out in pieces, so that a client that does not read costs no more than one.  Sending may suspend, and
 * the box may move on meanwhile: what is told is measured by the modseq and the array that it had at the beginning,
 * and what came later comes with the next command.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "imap/commands.h"

enum { PIECE = 1 << 15, PIECE_MAX = 1 << 17 };

static SUSPENDS enum status tell_expunged(struct imap_session *s, struct buf *b);
static void tell_exists(struct imap_session *s, struct buf *b);
static void tell_keywords(struct imap_session *s, struct buf *b);

/* "* 3 FETCH (UID 7 FLAGS (\Seen))": the UID because RFC 9051 section 7.5.2 asks for it, and RFC 3501 allows it. */
static void
tell_flags(const struct imap_session *s, size_t index, bool uid, struct buf *b)
{
    const struct box_entry *e = &s->array->at[index];

    buf_addf(b, "* %zu FETCH (", index + 1);
    if (uid)
        buf_addf(b, "UID %u ", e->uid);
    buf_add(b, STR("FLAGS "));
    imap_add_flags(b, s->box, e->flags);
    buf_add(b, STR(")\r\n"));
}

/* Sends a piece when it is large enough. */
static SUSPENDS enum status
send_piece(struct imap_session *s, struct buf *b)
{
    if (b->len < PIECE)
        return OK;
    TRY(conn_write(s->conn, buf_str(b)));
    buf_reset(b);
    tell_keywords(s, b);
    return OK;
}

static SUSPENDS enum status
tell_changed(struct imap_session *s, size_t count, struct buf *b)
{
    for (size_t i = 0; i < count; i++) {
        if (s->array->at[i].modseq <= s->modseq)
            continue;
        tell_flags(s, i, true, b);
        TRY(send_piece(s, b));
    }
    return OK;
}

/* OK also when the store is away: the news can wait. */
static SUSPENDS enum status
catch_up(struct imap_session *s)
{
    if (box_refresh(s->box, s, false) == OK || !s->box->gone)
        return OK;
    return imap_bye(s, "The mailbox was deleted"); /* RFC 2180 section 3.3 */
}

enum status
imap_sync(struct imap_session *s, bool may_expunge)
{
    AUTO_BUF b = BUF(PIECE_MAX);

    if (s->box == NULL)
        return OK;
    TRY(catch_up(s));
    if (s->bye)
        return OK;
    uint64_t upto = s->box->modseq;
    tell_keywords(s, &b);
    if (may_expunge)
        TRY(tell_expunged(s, &b));
    size_t told = s->count;
    tell_exists(s, &b);
    if (upto > s->modseq)
        TRY(tell_changed(s, told, &b));
    s->modseq = MAX(s->modseq, upto);
    return conn_write(s->conn, buf_str(&b));
}

enum status
imap_sync_keywords(struct imap_session *s)
{
    AUTO_BUF b = BUF(PIECE_MAX);

    tell_keywords(s, &b);
    return conn_write(s->conn, buf_str(&b));
}

/* ---- parts ---- */

/* Both arrays ascend.  What the new one lacks is gone; when it has something between what we told, which the store
 * never does, everything after that counts as gone and comes back as new. */
static enum status
tell_expunged(struct imap_session *s, struct buf *b)
{
    AUTO(box_array_unref) struct box_array *now = NULL;
    size_t kept = 0;

    if (s->array == s->box->array)
        return OK;
    now = box_array_ref(s->box->array);
    const size_t now_count = now->count;
    for (size_t i = 0; i < s->count; i++) {
        if (kept < now_count && now->at[kept].uid == s->array->at[i].uid) {
            kept++;
            continue;
        }
        buf_addf(b, "* %zu EXPUNGE\r\n", kept + 1);
        TRY(send_piece(s, b));
    }
    box_array_unref(&s->array);
    s->array = box_array_ref(now);
    s->count = kept;
    return OK;
}

/* New messages have numbers only in the latest array. */
static void
tell_exists(struct imap_session *s, struct buf *b)
{
    if (s->array != s->box->array || s->array->count == s->count)
        return;
    s->count = s->array->count;
    buf_addf(b, "* %zu EXISTS\r\n* 0 RECENT\r\n", s->count);
}

static void
tell_keywords(struct imap_session *s, struct buf *b)
{
    if (s->keyword_round == s->box->keyword_round)
        return;
    s->keyword_round = s->box->keyword_round;
    buf_add(b, STR("* FLAGS "));
    imap_add_flags(b, s->box, UINT32_MAX);
    buf_add(b, STR("\r\n"));
}

/* ---- STORE ---- */

static uint32_t
expected(const struct imap_told *t, uint32_t old)
{
    switch (t->op) { /* enum flag_op of store.ipc */
    case 0: return t->mask;
    case 1: return old | t->mask;
    default: return old & ~t->mask;
    }
}

/* Everything asked for is told, or, with .SILENT, nothing that the client can work out for itself; what others did
 * meanwhile is told in any case. */
enum status
imap_sync_stored(struct imap_session *s, const struct imap_told *t)
{
    AUTO_BUF b = BUF(PIECE_MAX);
    const struct imap_known *k = t->messages, *end = t->messages + t->count;

    TRY(catch_up(s));
    if (s->bye)
        return OK;
    uint64_t upto = s->box->modseq;
    tell_keywords(s, &b);
    for (size_t i = 0; i < s->count; i++) {
        const struct box_entry *e = &s->array->at[i];
        bool ours = k < end && k->index == i;
        bool changed = e->modseq > s->modseq;

        if (ours ? (t->silent ? changed && e->flags != expected(t, k->flags) : true) : changed)
            tell_flags(s, i, t->uid || !ours, &b);
        if (ours)
            k++;
        TRY(send_piece(s, &b));
    }
    tell_exists(s, &b);
    s->modseq = MAX(s->modseq, upto);
    return conn_write(s->conn, buf_str(&b));
}

void
imap_session_deselect(struct imap_session *s)
{
    box_array_unref(&s->array);
    box_close(&s->box);
    s->count = 0;
    s->modseq = 0;
    s->read_only = false;
    if (s->state == IMAP_SELECTED)
        s->state = IMAP_AUTH;
}
