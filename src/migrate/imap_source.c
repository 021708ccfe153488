/* imap_source.c - folders, messages and bodies of an IMAP server; a connection that was lost is made anew.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "migrate/imap_internal.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/size.h"
#include "migrate/maildir.h"
#include "rt/clock.h"

enum { TRIES = 5, PAUSE_MS = 1000, LINE_MAX_BYTES = 8192, SAID_MAX = 120 };

struct opened { /* what a server says of a folder when it is opened */
    uint64_t exists, uidvalidity, uidnext;
    bool counted; /* exists was said at all */
};
struct listing { /* of a folder, while it comes */
    struct migrate_folder *f;
    struct arena *a;
    size_t cap;
    uint64_t exists;
};

static SUSPENDS bool again(struct imap_source *s, enum status *e, int *tries);
static SUSPENDS enum status drain(struct imap_source *s);
static SUSPENDS enum status examine(struct imap_source *s, const struct migrate_folder *f,
                                    struct opened *out);
static SUSPENDS enum status list_once(struct imap_source *s, struct migrate_folder *f,
                                      struct arena *a);
static SUSPENDS enum status read_list(struct imap_source *s, struct listing *l);
static enum status take_message(struct imap_source *s, struct listing *l,
                                const struct imap_reply_fetch *x);
static uint32_t words_of(struct listing *l, const struct imap_reply_fetch *x);
static void add_keys(struct migrate_folder *f, struct arena *a);
static void add_uidls(struct migrate_folder *f, struct str format, struct arena *a);
static SUSPENDS enum status body_once(struct imap_source *s, const struct migrate_folder *f,
                                      const struct migrate_message *m, struct instant *received);
static SUSPENDS enum status ask_ahead(struct imap_source *s, const struct migrate_folder *f,
                                      size_t from);
static SUSPENDS enum status read_body(struct imap_source *s, uint32_t uid,
                                      struct instant *received);

struct imap_source *
imap_source_new(const struct remote_server *server, const struct remote_login *login,
                uint32_t number)
{
    struct imap_source *s = MEM_NEW(struct imap_source);

    s->server = server;
    s->login = login;
    s->number = number;
    s->a = arena_new(IMAP_REPLY_ARENA(LIMIT_IMPORT_RESPONSE_BYTES));
    buf_init(&s->line, LINE_MAX_BYTES);
    buf_init(&s->text, LIMIT_IMPORT_RESPONSE_BYTES);
    s->window = IMAP_WINDOW;
    return s;
}

void
imap_source_free(struct imap_source **source)
{
    struct imap_source *s = *source;

    if (s == NULL)
        return;
    conn_free(&s->conn);
    arena_free(&s->a);
    buf_release(&s->line);
    buf_release(&s->text);
    mem_free(s);
    *source = NULL;
}

void
imap_source_uidls(struct imap_source *s, const struct pop3_list *list)
{
    s->uidls = list;
}

const char *
imap_source_wrong(const struct imap_source *s)
{
    return s->wrong.text;
}

const char *
imap_source_folder_wrong(const struct migrate_folder *f)
{
    return f->imap->wrong.text;
}

bool
imap_source_is_dead(const struct imap_source *s)
{
    return s->dead;
}

struct str
imap_source_program(const struct imap_source *s)
{
    return str_of(s->program);
}

/* After an attempt: is there to be another?  Then there is a connection. */
static bool
again(struct imap_source *s, enum status *e, int *tries)
{
    while (*e == ERR_CLOSED || *e == ERR_TIMEOUT || *e == ERR_TEMP) {
        imap_link_drop(s);
        if (++*tries == TRIES) {
            *e = ERR_TEMP;
            s->dead = true;
            return false;
        }
        *e = fiber_sleep((int64_t)PAUSE_MS << (*tries - 1));
        if (*e == OK)
            *e = imap_link_open(s);
        if (*e == OK)
            return true;
    }
    if (*e == ERR_DENIED)
        s->dead = true;
    if (*e == ERR_DENIED || *e == ERR_SYNTAX || *e == ERR_LIMIT || *e == ERR_CANCELLED)
        imap_link_drop(s);
    return false;
}

enum status
imap_source_tree(struct imap_source *s, struct arena *a, struct migrate_tree *out)
{
    enum status e;
    int tries = 0;

    do {
        e = s->conn == NULL ? imap_link_open(s) : OK;
        if (e == OK)
            e = imap_tree_once(s, a, out);
    } while (again(s, &e, &tries));
    return e;
}

/* ---- messages of a folder ---- */

enum status
imap_source_folder(struct migrate_folder *f, struct str uidl, struct arena *a)
{
    struct imap_source *s = f->imap;
    enum status e;
    int tries = 0;

    do {
        e = s->conn == NULL ? imap_link_open(s) : OK;
        if (e == OK)
            e = list_once(s, f, a);
    } while (again(s, &e, &tries));
    TRY(e);
    add_keys(f, a);
    if (s->uidls != NULL && str_eq(f->name, STR("INBOX")))
        f->uidls_lost = pop3_match(s->uidls, f->messages, f->count, a);
    else if (uidl.len > 0)
        add_uidls(f, uidl, a);
    return OK;
}

/* What is on its way to us must be read before a folder is left. */
static enum status
drain(struct imap_source *s)
{
    struct imap_reply r = {0};
    bool end = false;

    while (s->count > 0) {
        TRY(imap_link_next(s, &r));
        TRY(imap_link_is_end(s, &r, s->pending[s->first].tag, &end));
        if (!end)
            continue;
        s->first = (s->first + 1) % IMAP_WINDOW;
        s->count--;
    }
    s->bytes = 0;
    return OK;
}

static enum status
examine(struct imap_source *s, const struct migrate_folder *f, struct opened *out)
{
    struct opened o = {0};
    struct imap_reply r = {0};
    bool end = false;

    TRY(drain(s));
    s->folder = NULL;
    s->next = 0;
    imap_link_begin(s, "EXAMINE ");
    TRY(imap_link_string(s, str_of(f->path)));
    TRY(imap_link_send(s));
    while (!end) {
        TRY(imap_link_next(s, &r));
        TRY(imap_link_is_end(s, &r, s->tag, &end));
        if (r.kind == IMAP_REPLY_EXISTS) {
            o.exists = r.number;
            o.counted = true;
        }
        if (str_eq_nocase(r.code, STR("UIDVALIDITY")))
            o.uidvalidity = r.number;
        if (str_eq_nocase(r.code, STR("UIDNEXT")))
            o.uidnext = r.number;
    }
    if (r.condition != IMAP_SAYS_OK)
        return imap_link_fail(s, ERR_NOT_FOUND, "it cannot be opened: %.*s",
                              STR_FMT(str_sub(r.text, 0, SAID_MAX)));
    if (o.uidvalidity == 0 || o.uidvalidity > UINT32_MAX)
        return imap_link_fail(s, ERR_NOT_FOUND, "it has no UIDVALIDITY");
    if (!o.counted) /* none would be there, and all of it be removed here */
        return imap_link_fail(s, ERR_NOT_FOUND, "it does not say how many messages it has");
    s->folder = f;
    s->expunged = 0;
    *out = o;
    return OK;
}

static uint32_t
number_of(uint64_t n)
{
    return n <= LIMIT_IMPORT_NUMBER ? (uint32_t)n : 0; /* looked at */
}

static enum status
list_once(struct imap_source *s, struct migrate_folder *f, struct arena *a)
{
    struct listing l = {.f = f, .a = a};
    struct opened o = {0};

    f->messages = NULL;
    f->count = f->words_lost = 0;
    for (size_t i = 0; i < MIGRATE_KEYWORDS; i++)
        f->words[i] = STR_NONE;
    TRY(examine(s, f, &o));
    s->uidvalidity = (uint32_t)o.uidvalidity; /* examine() has looked at it */
    f->uidvalidity = number_of(o.uidvalidity);
    f->uidnext = number_of(o.uidnext);
    l.exists = o.exists;
    return l.exists > 0 ? read_list(s, &l) : OK;
}

static int
compare_uids(const void *a, const void *b)
{
    const struct migrate_message *x = a, *y = b;

    return (x->there > y->there) - (x->there < y->there);
}

/* A message may be told twice, when its flags change meanwhile. */
static enum status
read_list(struct imap_source *s, struct listing *l)
{
    struct migrate_folder *f = l->f;
    struct imap_reply r = {0};
    bool end = false;
    size_t n = 0;

    imap_link_begin(s, "UID FETCH 1:* (UID FLAGS RFC822.SIZE)");
    TRY(imap_link_send(s));
    while (!end) {
        TRY(imap_link_next(s, &r));
        TRY(imap_link_is_end(s, &r, s->tag, &end));
        const unsigned all = IMAP_FETCHED_UID | IMAP_FETCHED_FLAGS | IMAP_FETCHED_SIZE;
        if (r.kind == IMAP_REPLY_FETCH && (r.fetch.has & all) == all)
            TRY(take_message(s, l, &r.fetch));
    }
    if (r.condition != IMAP_SAYS_OK)
        return imap_link_fail(s, ERR_NOT_FOUND, "its messages cannot be listed: %.*s",
                              STR_FMT(str_sub(r.text, 0, SAID_MAX)));
    if (f->count > 1)
        qsort(f->messages, f->count, sizeof(f->messages[0]), compare_uids);
    for (size_t i = 0; i < f->count; i++) {
        if (i + 1 < f->count && compare_uids(&f->messages[i], &f->messages[i + 1]) == 0)
            continue;
        f->messages[n++] = f->messages[i];
    }
    f->count = n;
    if (n + s->expunged < l->exists)
        return imap_link_fail(s, ERR_NOT_FOUND, "it lists %zu messages and has %llu", n,
                              (unsigned long long)l->exists);
    return OK;
}

/* uid is 0 where the number is too high to be kept. */
static enum status
take_message(struct imap_source *s, struct listing *l, const struct imap_reply_fetch *x)
{
    struct migrate_folder *f = l->f;

    if (f->count == l->cap) {
        size_t cap = l->cap == 0 ? 256 : 2 * l->cap;
        if (cap > LIMIT_IMPORT_MESSAGES)
            return imap_link_fail(s, ERR_NOT_FOUND, "there are more messages than %u",
                                  (unsigned)LIMIT_IMPORT_MESSAGES);
        struct migrate_message *more = ARENA_ARRAY(l->a, struct migrate_message, cap);
        if (f->count > 0)
            mem_copy(more, f->messages, f->count * sizeof(*more));
        f->messages = more;
        l->cap = cap;
    }
    f->messages[f->count++] = (struct migrate_message){.uid = number_of(x->uid),
                                                       .flags = x->flags,
                                                       .keywords = words_of(l, x),
                                                       .there = x->uid,
                                                       .size = x->size};
    return OK;
}

static uint32_t
words_of(struct listing *l, const struct imap_reply_fetch *x)
{
    struct migrate_folder *f = l->f;
    uint32_t bits = 0;

    f->words_lost += x->keywords_lost;
    for (size_t i = 0; i < x->keyword_count; i++) {
        size_t at = 0;
        while (at < MIGRATE_KEYWORDS && f->words[at].len > 0 &&
               !str_eq_nocase(f->words[at], x->keywords[i]))
            at++;
        if (at == MIGRATE_KEYWORDS) {
            f->words_lost++;
            continue;
        }
        if (f->words[at].len == 0)
            f->words[at] = arena_str(l->a, x->keywords[i]);
        bits |= 1u << at;
    }
    return bits;
}

/* What is the same message the next time: who has it, UIDVALIDITY, UID. */
static void
add_keys(struct migrate_folder *f, struct arena *a)
{
    const struct imap_source *s = f->imap;

    for (size_t i = 0; i < f->count; i++) {
        struct migrate_message *m = &f->messages[i];
        m->key = arena_printf(a, "%08x.%u.%u", s->number, s->uidvalidity, m->there);
    }
}

static void
add_uidls(struct migrate_folder *f, struct str format, struct arena *a)
{
    const struct imap_source *s = f->imap;

    for (size_t i = 0; i < f->count; i++) {
        AUTO_BUF b = BUF(LIMIT_UIDL_BYTES + 1);
        const struct uidl_facts facts = {
            .uid = f->messages[i].there, .uidvalidity = s->uidvalidity, .base = STR("")};
        if (uidl_format(format, &facts, &b))
            f->messages[i].uidl = arena_str(a, buf_str(&b));
    }
}

/* ---- bodies ---- */

enum status
imap_source_body(const struct migrate_folder *f, const struct migrate_message *m, struct buf *out,
                 struct instant *received_out)
{
    struct imap_source *s = f->imap;
    struct instant received = {0};
    AUTO_BUF raw = BUF(out->max);
    enum status e;
    int tries = 0;

    if (m->size > out->max)
        return ERR_LIMIT;
    s->body = &raw;
    do {
        e = s->conn == NULL ? imap_link_open(s) : OK;
        if (e == OK)
            e = body_once(s, f, m, &received);
    } while (again(s, &e, &tries));
    s->body = NULL;
    if (e == ERR_LIMIT) /* of a line, say: not of this message */
        e = ERR_SYNTAX;
    TRY(e);
    if (s->body_over)
        return ERR_LIMIT;
    *received_out = received;
    return migrate_crlf(buf_str(&raw), out);
}

static enum status
body_once(struct imap_source *s, const struct migrate_folder *f, const struct migrate_message *m,
          struct instant *received)
{
    size_t at = (size_t)(m - f->messages); /* it is one of them */
    struct opened o = {0};

    ASSERT(m >= f->messages && at < f->count);
    buf_reset(s->body);
    s->body_over = false;
    if (s->folder != f) {
        enum status e = examine(s, f, &o);
        if (e == ERR_NOT_FOUND) /* of the folder, not of the message: it is to be listed anew */
            e = ERR_CONFLICT;
        TRY(e);
        if (o.uidvalidity != s->uidvalidity) {
            s->folder = NULL;
            return imap_link_fail(s, ERR_CONFLICT, "its UIDVALIDITY changed meanwhile");
        }
    }
    if (s->count > 0 && s->pending[s->first].m != m)
        TRY(drain(s));
    TRY(ask_ahead(s, f, at));
    return read_body(s, m->there, received);
}

/* The message at from, and those after it that will be asked for. */
static enum status
ask_ahead(struct imap_source *s, const struct migrate_folder *f, size_t from)
{
    if (s->count == 0)
        s->next = from;
    for (; s->count < s->window && s->next < f->count; s->next++) {
        const struct migrate_message *m = &f->messages[s->next];
        if (s->next != from && (!m->wanted || m->size > LIMIT_MESSAGE_BYTES))
            continue;
        if (s->count > 0 && s->bytes + m->size > IMAP_WINDOW_BYTES)
            break;
        imap_link_begin(s, "UID FETCH ");
        buf_addf(&s->line, "%u (UID INTERNALDATE BODY.PEEK[])", m->there);
        TRY(imap_link_send(s));
        s->pending[(s->first + s->count) % IMAP_WINDOW] = (struct imap_pending){s->tag, m};
        s->count++;
        s->bytes += m->size;
    }
    return OK;
}

/* A server may answer in another order, which the standard allows and none is known to do: it is asked one by one. */
static enum status
other_order(struct imap_source *s)
{
    if (s->window == 1)
        return imap_link_fail(s, ERR_SYNTAX, "it sends a message that was not asked for");
    s->window = 1;
    return imap_link_fail(s, ERR_CLOSED, "it answers in another order");
}

/* Why there is no body, by the end of the command.  told: the server said something of the message, so it is there.
 * Only one that is gone may be passed over in silence. */
static enum status
without_body(struct imap_source *s, const struct imap_reply *r, bool told)
{
    static const char *const later[] = {"UNAVAILABLE", "LIMIT", "INUSE"};

    if (str_eq_nocase(r->code, STR("EXPUNGEISSUED")))
        return ERR_NOT_FOUND;
    if (r->condition == IMAP_SAYS_OK)
        return told ? ERR_IO : ERR_NOT_FOUND;
    for (size_t i = 0; i < COUNT_OF(later); i++)
        if (str_eq_nocase(r->code, str_of(later[i])))
            return imap_link_fail(s, ERR_TEMP, "it does not give a message now: %.*s",
                                  STR_FMT(str_sub(r->text, 0, SAID_MAX)));
    return ERR_IO;
}

static enum status
read_body(struct imap_source *s, uint32_t uid, struct instant *received)
{
    const struct imap_pending *p = &s->pending[s->first];
    bool end = false, has_body = false, told = false;
    struct imap_reply r = {0};

    ASSERT(s->count > 0);
    while (!end) {
        TRY(imap_link_next(s, &r));
        TRY(imap_link_is_end(s, &r, p->tag, &end));
        if (r.kind != IMAP_REPLY_FETCH)
            continue;
        told |= (r.fetch.has & IMAP_FETCHED_UID) != 0 && r.fetch.uid == uid;
        if ((r.fetch.has & IMAP_FETCHED_BODY) == 0)
            continue;
        if ((r.fetch.has & IMAP_FETCHED_UID) == 0 || r.fetch.uid != uid || has_body)
            return other_order(s);
        has_body = r.fetch.body.ptr != NULL;
        if (has_body && r.fetch.body.len > 0) /* a short one, quoted */
            buf_add(s->body, r.fetch.body);
        *received = r.fetch.has & IMAP_FETCHED_DATE ? r.fetch.received : clock_now();
    }
    s->bytes -= MIN(s->bytes, p->m->size);
    s->first = (s->first + 1) % IMAP_WINDOW;
    s->count--;
    return has_body ? OK : without_body(s, &r, told);
}
