/* select.c - SELECT, EXAMINE, CLOSE, UNSELECT.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "imap/commands.h"
#include "ipc/store_ipc.h"

#define SELECT_ARENA 65536u

/* Parameters as "(CONDSTORE)" or "(QRESYNC (1 2 3))" are taken and have no effect: their capabilities are not offered,
 * and clients that send them anyway cope.  RFC 4466 section 2.1. */
static bool
skip_parameters(struct scan *in)
{
    unsigned depth = 0;

    if (imap_scan_end(in))
        return true;
    if (!imap_scan_sp(in) || scan_at_end(in) || *in->pos != '(')
        return false;
    for (; !scan_at_end(in); in->pos++) {
        if (*in->pos == '(' && ++depth > LIMIT_IMAP_DEPTH)
            return false;
        if (*in->pos == ')' && --depth == 0) {
            in->pos++;
            return imap_scan_end(in);
        }
    }
    return false;
}

static void
add_unseen(const struct imap_session *s, struct buf *b)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->array->at[i].flags & IMAP_SEEN)
            continue;
        buf_addf(b, "* OK [UNSEEN %zu] The first unseen message\r\n", i + 1);
        return;
    }
}

static SUSPENDS enum status
describe(struct imap_cmd *c)
{
    AUTO_BUF b = BUF(65536);
    const struct imap_session *s = c->s;

    buf_add(&b, STR("* FLAGS "));
    imap_add_flags(&b, s->box, UINT32_MAX);
    buf_add(&b, STR("\r\n* OK [PERMANENTFLAGS "));
    if (s->read_only) {
        buf_add(&b, STR("()] No flag can be changed\r\n"));
    } else {
        imap_add_flags(&b, s->box, UINT32_MAX);
        b.len--; /* before the parenthesis */
        buf_add(&b, STR(" \\*)] These flags are kept\r\n"));
    }
    buf_addf(&b, "* %zu EXISTS\r\n* 0 RECENT\r\n", s->count);
    add_unseen(s, &b);
    buf_addf(&b, "* OK [UIDVALIDITY %u] These UIDs are for good\r\n", s->box->uidvalidity);
    buf_addf(&b, "* OK [UIDNEXT %u] The next message gets this or more\r\n", s->box->uidnext);
    TRY(conn_write(s->conn, buf_str(&b)));
    return imap_ok(c, s->read_only ? "READ-ONLY" : "READ-WRITE", "Selected");
}

static SUSPENDS enum status
open_mailbox(struct imap_session *s, struct str name)
{
    AUTO_ARENA *a = arena_new(SELECT_ARENA);
    struct store_mailbox m;

    TRY(imap_find_mailbox(s, name, a, &m));
    if (!m.selectable)
        return ERR_EXISTS;
    TRY(box_open(s, &m, &s->box));
    s->array = box_array_ref(s->box->array);
    s->count = s->array->count;
    s->modseq = s->box->modseq;
    s->keyword_round = s->box->keyword_round;
    s->state = IMAP_SELECTED;
    return OK;
}

/* RFC 3501 section 6.3.1: what was selected is so no more, also when this fails. */
static SUSPENDS enum status
select_mailbox(struct imap_cmd *c, bool read_only)
{
    struct str name;

    if (!imap_scan_sp(&c->in) || !imap_scan_mailbox(&c->in, c->arena, &name) ||
        !skip_parameters(&c->in))
        return imap_bad(c, "Expected a mailbox name");
    imap_session_deselect(c->s);
    enum status e = open_mailbox(c->s, name);
    if (e == ERR_EXISTS)
        return imap_no(c, "CANNOT", "That is only a level of names");
    if (e != OK)
        return imap_failed(c, e);
    c->s->read_only = read_only;
    return describe(c);
}

SUSPENDS enum status
imap_cmd_select(struct imap_cmd *c)
{
    return select_mailbox(c, false);
}

SUSPENDS enum status
imap_cmd_examine(struct imap_cmd *c)
{
    return select_mailbox(c, true);
}

SUSPENDS enum status
imap_cmd_unselect(struct imap_cmd *c)
{
    if (!imap_scan_end(&c->in))
        return imap_bad(c, "UNSELECT takes no argument");
    imap_session_deselect(c->s);
    return imap_ok(c, NULL, "Left the mailbox as it is");
}

/* RFC 3501 section 6.4.2: removes what is marked, without a word. */
SUSPENDS enum status
imap_cmd_close(struct imap_cmd *c)
{
    struct imap_session *s = c->s;

    if (!imap_scan_end(&c->in))
        return imap_bad(c, "CLOSE takes no argument");
    if (!s->read_only) {
        const struct store_range all = {.first = 1, .last = UINT32_MAX};
        enum status e = imap_expunge(s, &all, 1);
        if (e != OK && e != ERR_NOT_FOUND)
            return imap_write_failed(c, e);
    }
    imap_session_deselect(s);
    return imap_ok(c, NULL, "Closed");
}
