/* mailbox.c - CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, STATUS.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "imap/mailbox.h"

#include "base/size.h"
#include "imap/commands.h"

#define MAILBOX_ARENA 65536u

/* ---- asking the store ---- */

enum status
imap_find_mailbox(struct imap_session *s, struct str name, struct arena *a,
                  struct store_mailbox *m_out)
{
    struct store_mailbox_open req = {.session = s->id, .name = name};
    struct store_mailbox_open_reply rep;
    struct ipc_peer *store;
    enum status e;

    do {
        TRY(imap_store(s, &store));
        e = store_mailbox_open_call(store, &req, a, &rep);
    } while (hold_read_again(&s->hold, e));
    TRY(e);
    if (rep.mailbox.uidvalidity == 0)
        return ERR_NOT_FOUND;
    *m_out = rep.mailbox;
    return OK;
}

/* ---- making and removing ---- */

static const struct str special_names[IMAP_SPECIAL_COUNT] = {
    STR(""),        STR("\\Drafts"),  STR("\\Sent"), STR("\\Junk"),
    STR("\\Trash"), STR("\\Archive"), STR("\\All"),
};

struct str
imap_special_name(unsigned special)
{
    return special < IMAP_SPECIAL_COUNT ? special_names[special] : STR("");
}

/* " (USE (\Sent))"      RFC 6154 section 3.  ERR_NOT_FOUND: a use that is none. */
static enum status
scan_use(struct scan *in, uint8_t *special_out)
{
    struct str word;

    *special_out = 0;
    if (imap_scan_end(in))
        return OK;
    if (!imap_scan_sp(in) || !scan_str_nocase(in, STR("(USE (")) || !scan_char(in, '\\') ||
        !imap_scan_atom(in, &word) || !scan_str(in, STR("))")) || !imap_scan_end(in))
        return ERR_SYNTAX;
    for (uint8_t i = 1; i < IMAP_SPECIAL_COUNT; i++) {
        if (str_eq_nocase(word, str_skip(special_names[i], 1))) {
            *special_out = i;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

/* "CREATE" SP mailbox [SP "(" "USE" SP "(" [use-attr] ")" ")"] */
SUSPENDS enum status
imap_cmd_create(struct imap_cmd *c)
{
    AUTO_ARENA *a = arena_new(MAILBOX_ARENA);
    struct store_mailbox_create req = {.session = c->s->id};
    struct store_mailbox_create_reply rep;
    struct ipc_peer *store;

    if (!imap_scan_sp(&c->in) || !imap_scan_mailbox(&c->in, c->arena, &req.name))
        return imap_bad(c, "Expected CREATE mailbox");
    enum status e = scan_use(&c->in, &req.special);
    if (e == ERR_SYNTAX)
        return imap_bad(c, "Expected CREATE mailbox (USE (\\Sent))");
    if (e != OK)
        return imap_no(c, "USEATTR", "That special use is not known here");
    do {
        e = imap_store(c->s, &store);
        if (e == OK)
            e = store_mailbox_create_call(store, &req, a, &rep);
    } while (hold_write_again(&c->s->hold, e));
    return e == OK ? imap_ok(c, NULL, "Created") : imap_write_failed(c, e);
}

static SUSPENDS enum status
delete_failed(struct imap_cmd *c, enum status e)
{
    if (e == ERR_DENIED && !hold_forgotten(&c->s->hold))
        return imap_no(c, "CANNOT", "INBOX cannot be deleted");
    if (e == ERR_EXISTS)
        return imap_no(c, "HASCHILDREN", "Delete the mailboxes below it first");
    return imap_write_failed(c, e);
}

SUSPENDS enum status
imap_cmd_delete(struct imap_cmd *c)
{
    AUTO_ARENA *a = arena_new(MAILBOX_ARENA);
    struct imap_session *s = c->s;
    struct store_mailbox_delete req = {.session = s->id};
    struct store_mailbox_delete_reply rep;
    struct store_mailbox m;
    struct ipc_peer *store;
    struct str name;

    if (!imap_scan_sp(&c->in) || !imap_scan_mailbox(&c->in, c->arena, &name) ||
        !imap_scan_end(&c->in))
        return imap_bad(c, "Expected DELETE mailbox");
    if (str_eq(name, STR("INBOX")))
        return imap_no(c, "CANNOT", "INBOX cannot be deleted");
    enum status e = imap_find_mailbox(s, name, a, &m);
    if (e != OK)
        return imap_failed(c, e);
    req.id = m.id;
    do {
        e = imap_store(s, &store);
        if (e == OK)
            e = store_mailbox_delete_call(store, &req, a, &rep);
    } while (hold_write_again(&s->hold, e));
    if (e != OK)
        return delete_failed(c, e);
    if (s->box != NULL && s->box->mailbox == m.id)
        imap_session_deselect(s);
    imap_changed(s->account, 0, &m.id, 1);
    return imap_ok(c, NULL, "Deleted");
}

/* "RENAME" SP mailbox SP mailbox */
SUSPENDS enum status
imap_cmd_rename(struct imap_cmd *c)
{
    AUTO_ARENA *a = arena_new(MAILBOX_ARENA);
    struct store_mailbox_rename req = {.session = c->s->id};
    struct store_mailbox_rename_reply rep;
    struct store_mailbox m;
    struct ipc_peer *store;
    struct str from;

    if (!imap_scan_sp(&c->in) || !imap_scan_mailbox(&c->in, c->arena, &from) ||
        !imap_scan_sp(&c->in) || !imap_scan_mailbox(&c->in, c->arena, &req.name) ||
        !imap_scan_end(&c->in))
        return imap_bad(c, "Expected RENAME from to");
    enum status e = imap_find_mailbox(c->s, from, a, &m);
    if (e != OK)
        return imap_failed(c, e);
    req.id = m.id;
    do {
        e = imap_store(c->s, &store);
        if (e == OK)
            e = store_mailbox_rename_call(store, &req, a, &rep);
    } while (hold_write_again(&c->s->hold, e));
    if (e == ERR_DENIED && !hold_forgotten(&c->s->hold))
        return imap_no(c, "CANNOT", "A mailbox cannot go below itself");
    if (e != OK)
        return imap_write_failed(c, e);
    imap_changed(c->s->account, 0, &m.id, 1);
    return imap_ok(c, NULL, "Renamed");
}

static SUSPENDS enum status
subscribe(struct imap_cmd *c, bool on)
{
    AUTO_ARENA *a = arena_new(MAILBOX_ARENA);
    struct store_mailbox_subscribe req = {.session = c->s->id, .on = on};
    struct store_mailbox_subscribe_reply rep;
    struct ipc_peer *store;

    if (!imap_scan_sp(&c->in) || !imap_scan_mailbox(&c->in, c->arena, &req.name) ||
        !imap_scan_end(&c->in))
        return imap_bad(c, "Expected a mailbox name");
    enum status e;
    do {
        e = imap_store(c->s, &store);
        if (e == OK)
            e = store_mailbox_subscribe_call(store, &req, a, &rep);
    } while (hold_write_again(&c->s->hold, e));
    if (e != OK)
        return imap_write_failed(c, e);
    return imap_ok(c, NULL, on ? "Subscribed" : "Unsubscribed");
}

SUSPENDS enum status
imap_cmd_subscribe(struct imap_cmd *c)
{
    return subscribe(c, true);
}

SUSPENDS enum status
imap_cmd_unsubscribe(struct imap_cmd *c)
{
    return subscribe(c, false);
}

/* ---- STATUS ---- */

static const struct {
    struct str name;
    unsigned item;
} status_items[] = {
    {STR("MESSAGES"), IMAP_STATUS_MESSAGES},
    {STR("RECENT"), IMAP_STATUS_RECENT},
    {STR("UIDNEXT"), IMAP_STATUS_UIDNEXT},
    {STR("UIDVALIDITY"), IMAP_STATUS_UIDVALIDITY},
    {STR("UNSEEN"), IMAP_STATUS_UNSEEN},
    {STR("SIZE"), IMAP_STATUS_SIZE},                       /* RFC 8438 */
    {STR("DELETED"), IMAP_STATUS_DELETED},                 /* RFC 9051 section 6.3.11 */
    {STR("DELETED-STORAGE"), IMAP_STATUS_DELETED_STORAGE}, /* RFC 9208 section 4.1.4 */
};

/* "(" status-att *(SP status-att) ")" */
bool
imap_scan_status_items(struct scan *s, unsigned *items_out)
{
    struct scan t = *s;
    struct str word;
    unsigned items = 0;

    if (!scan_char(&t, '('))
        return false;
    scan_skip_spaces(&t);
    while (!scan_char(&t, ')')) {
        size_t i = 0;
        if (!imap_scan_atom(&t, &word))
            return false;
        while (i < COUNT_OF(status_items) && !str_eq_nocase(word, status_items[i].name))
            i++;
        if (i == COUNT_OF(status_items))
            return false;
        items |= status_items[i].item;
        scan_skip_spaces(&t);
    }
    if (items == 0)
        return false;
    *items_out = items;
    *s = t;
    return true;
}

static uint64_t
status_value(const struct store_mailbox *m, unsigned item)
{
    switch (item) {
    case IMAP_STATUS_MESSAGES: return m->exists;
    case IMAP_STATUS_UIDNEXT: return m->uidnext;
    case IMAP_STATUS_UIDVALIDITY: return m->uidvalidity;
    case IMAP_STATUS_UNSEEN: return m->unseen;
    case IMAP_STATUS_SIZE: return m->bytes;
    case IMAP_STATUS_DELETED: return m->deleted;
    default: return 0; /* RECENT */
    }
}

enum status
imap_add_status(struct imap_session *s, struct buf *b, const struct store_mailbox *m,
                unsigned items)
{
    uint64_t deleted = 0;
    const char *before = "";

    if ((items & IMAP_STATUS_DELETED_STORAGE) != 0)
        TRY(imap_deleted_bytes(s, m, &deleted));
    buf_add(b, STR("* STATUS "));
    imap_add_mailbox(b, m->name);
    buf_add(b, STR(" ("));
    for (size_t i = 0; i < COUNT_OF(status_items); i++) {
        unsigned item = status_items[i].item;
        if ((items & item) == 0)
            continue;
        buf_add_z(b, before);
        buf_add(b, status_items[i].name);
        buf_add_char(b, ' ');
        buf_add_u64(b, item == IMAP_STATUS_DELETED_STORAGE ? deleted : status_value(m, item));
        before = " ";
    }
    buf_add(b, STR(")\r\n"));
    return OK;
}

SUSPENDS enum status
imap_cmd_status(struct imap_cmd *c)
{
    AUTO_ARENA *a = arena_new(MAILBOX_ARENA);
    AUTO_BUF b = BUF(16 * LIMIT_MAILBOX_NAME_BYTES);
    struct store_mailbox m;
    struct str name;
    unsigned items;

    if (!imap_scan_sp(&c->in) || !imap_scan_mailbox(&c->in, c->arena, &name) ||
        !imap_scan_sp(&c->in) || !imap_scan_status_items(&c->in, &items) || !imap_scan_end(&c->in))
        return imap_bad(c, "Expected STATUS mailbox (items)");
    enum status e = imap_find_mailbox(c->s, name, a, &m);
    if (e != OK)
        return imap_failed(c, e);
    if (!m.selectable)
        return imap_no(c, "CANNOT", "That is only a level of names");
    m.name = name; /* as asked for */
    e = imap_add_status(c->s, &b, &m, items);
    if (e != OK)
        return imap_failed(c, e);
    TRY(conn_write(c->s->conn, buf_str(&b)));
    return imap_ok(c, NULL, "That is its status");
}
