/* append.c - APPEND: the message goes to the store piece by piece while it comes.
 *
 * A message of at most one piece is sent with the call itself, a larger one through a blob.  What the client sends
 * after a refusal, because it did not wait for "+", is thrown away up to the end of the command.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/size.h"
#include "imap/commands.h"
#include "ipc/store_ipc.h"

#define PIECE_MAX    (256u * 1024)
#define APPEND_ARENA 32768u
#define REPLY_ARENA  65536u
/* More than this is not even thrown away. */
#define REFUSED_FACTOR 4u

struct imap_append {
    struct ipc_peer *store; /* the channel that the handle is of */
    uint32_t handle;        /* 0 = everything is still here */
    struct buf piece;
    uint64_t left;
    uint32_t mailbox;
    struct imap_flags flags; /* in the arena */
    struct instant received;
    struct arena *arena;
    enum status failed;
    bool
        several; /* MULTIAPPEND, which is not offered: taken to the end of the command, and refused */
};

/* What stands before the message. */
struct head {
    struct str tag, mailbox;
    struct imap_flags flags;
    struct instant received;
};

/* ---- life ---- */

static void
drop_handle(struct imap_append *p)
{
    struct store_blob_drop drop = {.handle = p->handle};

    if (p->handle != 0 && store_blob_drop_note(p->store, &drop) != OK) {
        /* The channel is gone, and the handle with it. */
    }
    p->handle = 0;
}

void
imap_append_free(struct imap_append **a)
{
    struct imap_append *p = *a;

    *a = NULL;
    if (p == NULL)
        return;
    drop_handle(p);
    buf_release(&p->piece);
    arena_free(&p->arena);
    mem_free(p);
}

/* What the old store had of the message is lost; what is still here all the same could be sent anew. */
void
imap_append_store_lost(struct imap_append *p)
{
    if (p->handle == 0)
        return;
    p->handle = 0;
    p->failed = ERR_TEMP;
    buf_release(&p->piece);
}

static void
keep_flags(struct imap_append *p, const struct imap_flags *f)
{
    p->flags.system = f->system;
    if (f->keyword_count == 0)
        return;
    p->flags.keywords = ARENA_ARRAY(p->arena, struct str, f->keyword_count);
    for (size_t i = 0; i < f->keyword_count; i++)
        p->flags.keywords[p->flags.keyword_count++] = arena_str(p->arena, f->keywords[i]);
}

/* ---- the beginning ---- */

/* tag SP "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal */
static bool
scan_head(struct str text, struct arena *a, struct head *out)
{
    struct scan s = scan_of(text);
    struct head h = {0};
    struct imap_literal lit;
    struct str verb;
    char next;

    if (!imap_scan_tag(&s, &h.tag) || !imap_scan_sp(&s) || !imap_scan_atom(&s, &verb) ||
        !str_eq_nocase(verb, STR("APPEND")) || !imap_scan_sp(&s) ||
        !imap_scan_mailbox(&s, a, &h.mailbox) || !imap_scan_sp(&s))
        return false;
    if (scan_peek(&s, &next) && next == '(' &&
        (!imap_scan_flags(&s, a, &h.flags) || !imap_scan_sp(&s)))
        return false;
    if (scan_peek(&s, &next) && next == '"' &&
        (!imap_scan_date_time(&s, &h.received) || !imap_scan_sp(&s)))
        return false;
    struct str rest = scan_rest(&s);
    if (rest.len == 0 || str_rfind(rest, '{') != 0 || !imap_literal_at_end(rest, &lit))
        return false;
    *out = h;
    return true;
}

static SUSPENDS enum status
find_target(struct imap_session *s, struct str name, uint64_t size, uint32_t *id_out)
{
    AUTO_ARENA *a = arena_new(REPLY_ARENA);
    struct store_mailbox m;

    if (size > imap_world->config->message_bytes_max)
        return ERR_LIMIT;
    if (size == 0)
        return ERR_SYNTAX;
    TRY(imap_find_mailbox(s, name, a, &m));
    if (!m.selectable)
        return ERR_NOT_FOUND;
    *id_out = m.id;
    return OK;
}

static SUSPENDS enum status
refuse(struct imap_cmd *c, enum status e)
{
    switch (e) {
    case ERR_NOT_FOUND: return imap_no(c, "TRYCREATE", "There is no such mailbox");
    case ERR_LIMIT: return imap_no(c, "TOOBIG", "The message is too large");
    case ERR_SYNTAX: return imap_no(c, NULL, "A message cannot be empty");
    default: return imap_failed(c, e);
    }
}

enum status
imap_append_begin(struct imap_session *s, struct str head, const struct imap_literal *lit,
                  bool *taken_out)
{
    AUTO_ARENA *a = arena_new(APPEND_ARENA);
    struct head h;
    uint32_t mailbox = 0;

    if (!scan_head(head, a, &h))
        return OK;
    *taken_out = true;
    struct imap_cmd c = {.s = s, .arena = a, .tag = h.tag};
    enum status e = find_target(s, h.mailbox, lit->size, &mailbox);
    if (e != OK && lit->sync) {
        imap_go_rest(s, IMAP_REST_COMMAND);
        return refuse(&c, e);
    }
    if (e != OK && lit->size / REFUSED_FACTOR > imap_world->config->message_bytes_max) {
        TRY(refuse(&c, e));
        return imap_bye(s, "That is far too large");
    }
    struct imap_append *p = MEM_NEW(struct imap_append);
    p->arena = arena_new(APPEND_ARENA);
    buf_init(&p->piece, PIECE_MAX);
    p->mailbox = mailbox;
    p->received = h.received;
    p->left = lit->size;
    p->failed = e;
    keep_flags(p, &h.flags);
    s->append = p;
    s->tag = mem_str(h.tag);
    imap_go_rest(s, lit->size > 0 ? IMAP_REST_APPEND : IMAP_REST_CONTINUE);
    return lit->sync ? conn_write(s->conn, STR("+ OK\r\n")) : OK;
}

/* ---- the message ---- */

static SUSPENDS enum status
send_piece(struct imap_session *s, struct imap_append *p)
{
    AUTO_ARENA *a = arena_new(REPLY_ARENA);
    struct store_blob_add_reply added;

    if (p->handle == 0) {
        struct store_blob_open open = {.size_hint = p->piece.len + p->left};
        struct store_blob_open_reply opened;
        struct ipc_peer *store;
        TRY(imap_store(s, &store));
        TRY(store_blob_open_call(store, &open, a, &opened));
        p->store = store;
        p->handle = opened.handle;
    }
    struct store_blob_add add = {.handle = p->handle, .bytes = buf_str(&p->piece)};
    TRY(store_blob_add_call(p->store, &add, a, &added));
    buf_reset(&p->piece);
    return OK;
}

/* Nothing was promised yet: whatever fails here is a plain NO at the end. */
static SUSPENDS void
keep(struct imap_session *s, struct imap_append *p, struct str bytes)
{
    if (p->failed != OK)
        return;
    if (p->piece.len + bytes.len > PIECE_MAX) {
        enum status e = send_piece(s, p);
        if (e != OK && p->failed == OK)
            p->failed = e == ERR_CLOSED ? ERR_TEMP : e;
        if (p->failed != OK) {
            buf_release(&p->piece);
            return;
        }
    }
    buf_add(&p->piece, bytes);
}

enum status
imap_append_bytes(struct imap_session *s, bool *more_out)
{
    struct imap_append *p = s->append;
    struct str bytes = conn_peek(s->conn, (size_t)MIN(p->left, (uint64_t)LIMIT_CONN_INPUT_BYTES));

    *more_out = bytes.len > 0;
    if (bytes.len == 0)
        return OK;
    keep(s, p, bytes);
    p->left -= bytes.len;
    conn_consume(s->conn, bytes.len);
    if (p->left == 0)
        imap_go_rest(s, IMAP_REST_CONTINUE);
    return OK;
}

/* ---- the end ---- */

static SUSPENDS enum status
commit(struct imap_session *s, struct imap_append *p, struct store_append_reply *rep)
{
    AUTO_ARENA *a = arena_new(REPLY_ARENA);
    struct ipc_peer *store;

    TRY(p->failed);
    if (p->handle != 0 && p->piece.len > 0) {
        enum status e = send_piece(s, p);
        if (p->failed != OK || e == ERR_CLOSED)
            return ERR_TEMP;
        TRY(e);
    }
    struct store_append req = {.session = s->id,
                               .mailbox = p->mailbox,
                               .handle = p->handle,
                               .body = p->handle == 0 ? buf_str(&p->piece) : STR_NONE,
                               .flags = p->flags.system,
                               .keywords = p->flags.keywords,
                               .keywords_count = p->flags.keyword_count,
                               .received = p->received.us};
    bool small = p->handle == 0; /* whatever a store says to a handle, that is gone then */
    enum status e;
    do {
        TRY(imap_store(s, &store));
        TRY(p->failed); /* a handle is of the old channel, and what it holds is lost */
        e = store_append_call(store, &req, a, rep);
        p->handle = 0;
    } while (hold_write_again(&s->hold, e) && small);
    return e;
}

/* The client sends one more message without waiting: that goes by too. */
static bool
goes_on(struct imap_session *s, struct str line)
{
    struct imap_literal lit;

    if (!imap_literal_at_end(line, &lit) || lit.sync)
        return false;
    s->append->several = true;
    s->append->failed = ERR_SYNTAX;
    s->append->left = lit.size;
    drop_handle(s->append);
    buf_release(&s->append->piece);
    imap_go_rest(s, lit.size > 0 ? IMAP_REST_APPEND : IMAP_REST_CONTINUE);
    return true;
}

/* After the message: the end of the command. */
enum status
imap_append_line(struct imap_session *s, struct str line)
{
    struct store_append_reply rep;
    char code[48];

    if (goes_on(s, line))
        return OK;
    AUTO(imap_append_free) struct imap_append *p = s->append;
    AUTO(mem_str_free) struct str tag = s->tag;
    struct imap_cmd c = {.s = s, .tag = tag};

    /* Still s->append while it suspends: imap_store_lost() must find it. */
    s->tag = STR_NONE;
    imap_go_rest(s, IMAP_REST_COMMAND);
    bool ends = str_trim(line).len == 0 && !p->several;
    enum status e = ends ? commit(s, p, &rep) : ERR_SYNTAX;
    s->append = NULL;
    if (!ends)
        return imap_bad(&c, "One message at a time");
    if (p->failed != OK)
        return refuse(&c, p->failed);
    if (e == ERR_NOT_FOUND || e == ERR_LIMIT)
        return refuse(&c, e);
    if (e == ERR_SYNTAX)
        return imap_no(&c, NULL, "The message cannot be read");
    if (e != OK)
        return imap_write_failed(&c, e);
    imap_changed(s->account, rep.modseq, &p->mailbox, 1);
    snprintf(code, sizeof(code), "APPENDUID %u %u", rep.uidvalidity, rep.uid);
    return imap_ok(&c, code, "Saved");
}

/* Only what imap_append_begin() did not understand comes here. */
SUSPENDS enum status
imap_cmd_append(struct imap_cmd *c)
{
    return imap_bad(c, "Expected APPEND mailbox [(flags)] [\"date\"] {size}");
}
