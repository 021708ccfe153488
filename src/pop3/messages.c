/* messages.c - the mailbox as it was at log-in, and the commands over it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <endian.h>
#include <stdio.h>

#include "base/scan.h"
#include "base/size.h"
#include "ipc/store_ipc.h"
#include "mail/line.h"
#include "pop3/session.h"
#include "pop3/top.h"

#define ENTRY_BYTES 24u /* store.ipc: packed entries */
#define VIEW_MAX    32768u
#define SIZES_MAX   8192u
#define PIECE_MAX   (256u * 1024)
#define RANGES_MAX  65536u
#define UIDLS_MAX   1024u
#define UIDL_BYTES  (LIMIT_UIDL_BYTES + 1)
#define NO_MESSAGE  "There is no such message"

static SUSPENDS enum status number_error(struct pop3_session *s);

/* ---- the list ---- */

static struct pop3_message
entry_read(const char *p)
{
    struct pop3_message m = {0};
    uint32_t uid;

    mem_copy(&uid, p, sizeof(uid));
    mem_copy(&m.mid, p + 16, sizeof(m.mid));
    m.uid = le32toh(uid);
    m.mid = le64toh(m.mid);
    return m;
}

/* One page of the view; *from moves behind it. */
static SUSPENDS enum status
load_page(struct pop3_session *s, uint32_t *from, bool *more)
{
    AUTO_ARENA *a = arena_new(2u << 20);
    struct store_view req = {
        .session = s->id, .mailbox = s->mailbox, .from_uid = *from, .max = VIEW_MAX};
    struct store_view_reply rep;
    struct ipc_peer *store;
    enum status e;

    do {
        TRY(hold_store(&s->hold, &pop3_world->store, &store));
        e = store_view_call(store, &req, a, &rep);
    } while (hold_read_again(&s->hold, e));
    TRY(e);
    size_t n = rep.entries.len / ENTRY_BYTES;
    n = MIN(n, LIMIT_POP3_MESSAGES - s->count);
    if (n == 0) {
        *more = false;
        return OK;
    }
    s->messages = mem_resize(s->messages, s->count * sizeof(s->messages[0]),
                             (s->count + n) * sizeof(s->messages[0]));
    for (size_t i = 0; i < n; i++)
        s->messages[s->count++] = entry_read(rep.entries.ptr + i * ENTRY_BYTES);
    uint32_t last = s->messages[s->count - 1].uid;
    *more = rep.more && last < UINT32_MAX;
    *from = *more ? last + 1 : last;
    return OK;
}

static SUSPENDS enum status
load_sizes(struct pop3_session *s, size_t from, size_t n)
{
    AUTO_ARENA *a = arena_new(512u * 1024);
    uint64_t *mids = ARENA_ARRAY(a, uint64_t, n);
    struct store_sizes_reply rep;
    struct ipc_peer *store;
    enum status e;

    for (size_t i = 0; i < n; i++)
        mids[i] = s->messages[from + i].mid;
    struct store_sizes req = {.session = s->id, .mids = mids, .mids_count = n};
    do {
        TRY(hold_store(&s->hold, &pop3_world->store, &store));
        e = store_sizes_call(store, &req, a, &rep);
    } while (hold_read_again(&s->hold, e));
    TRY(e);
    if (rep.sizes_count != n)
        return ERR_CORRUPT;
    for (size_t i = 0; i < n; i++)
        s->messages[from + i].size = rep.sizes[i];
    return OK;
}

enum status
pop3_load(struct pop3_session *s)
{
    AUTO_ARENA *a = arena_new(65536);
    struct store_mailbox_open open = {.session = s->id, .name = STR("INBOX")};
    struct store_mailbox_open_reply opened;
    struct ipc_peer *store;
    uint32_t from = 1;
    bool more = true;
    enum status e;

    do {
        TRY(hold_store(&s->hold, &pop3_world->store, &store));
        e = store_mailbox_open_call(store, &open, a, &opened);
    } while (hold_read_again(&s->hold, e));
    TRY(e);
    s->mailbox = opened.mailbox.id;
    s->uidvalidity = opened.mailbox.uidvalidity;
    while (more)
        TRY(load_page(s, &from, &more));
    for (size_t i = 0; i < s->count; i += SIZES_MAX)
        TRY(load_sizes(s, i, MIN(SIZES_MAX, s->count - i)));
    return OK;
}

/* ---- numbers ---- */

/* msg-number: 1 to the count, and not deleted.  NULL when it is neither. */
static struct pop3_message *
find(struct pop3_session *s, struct str text, uint32_t *number_out)
{
    struct scan in = scan_of(str_trim(text));
    uint32_t n;

    if (!scan_u32(&in, UINT32_MAX, &n) || !scan_at_end(&in) || n == 0 || n > s->count ||
        s->messages[n - 1].deleted)
        return NULL;
    *number_out = n;
    return &s->messages[n - 1];
}

static SUSPENDS enum status
no_message(struct pop3_session *s)
{
    return pop3_err(s, "", NO_MESSAGE);
}

enum status
pop3_cmd_stat(struct pop3_session *s, struct str args)
{
    uint64_t count = 0, bytes = 0;

    (void)args;
    for (size_t i = 0; i < s->count; i++) {
        if (s->messages[i].deleted)
            continue;
        count++;
        bytes += s->messages[i].size;
    }
    return pop3_ok(s, "%llu %llu", (unsigned long long)count, (unsigned long long)bytes);
}

enum status
pop3_cmd_list(struct pop3_session *s, struct str args)
{
    if (args.len > 0) {
        uint32_t n;
        const struct pop3_message *m = find(s, args, &n);
        return m == NULL ? no_message(s) : pop3_ok(s, "%u %llu", n, (unsigned long long)m->size);
    }
    TRY(pop3_ok(s, "Sizes follow"));
    for (size_t i = 0; i < s->count; i++)
        if (!s->messages[i].deleted)
            TRY(conn_printf(s->conn, "%zu %llu\r\n", i + 1,
                            (unsigned long long)s->messages[i].size));
    return conn_write(s->conn, STR(".\r\n"));
}

/* ---- unique ids: those of the server that a message came from, else UIDVALIDITY and UID ---- */

struct uidl_page { /* of store.ipc, uidls */
    struct arena *a;
    struct store_uidls_reply rep;
    size_t at;
    bool loaded;
};

static SUSPENDS enum status
load_uidls(struct pop3_session *s, struct uidl_page *p, uint32_t from, uint32_t max)
{
    const struct store_uidls req = {
        .session = s->id, .mailbox = s->mailbox, .from_uid = from, .max = max};
    struct ipc_peer *store;
    enum status e;

    arena_reset(p->a);
    do {
        TRY(hold_store(&s->hold, &pop3_world->store, &store));
        e = store_uidls_call(store, &req, p->a, &p->rep);
    } while (hold_read_again(&s->hold, e));
    p->at = 0;
    p->loaded = e == OK;
    return e;
}

/* Messages are asked for by rising UID. */
static SUSPENDS enum status
uidl_of(struct pop3_session *s, struct uidl_page *p, const struct pop3_message *m, char *out)
{
    for (;;) {
        while (p->at < p->rep.uidls_count && p->rep.uidls[p->at].uid < m->uid)
            p->at++;
        if (p->loaded && (p->at < p->rep.uidls_count || !p->rep.more))
            break;
        TRY(load_uidls(s, p, m->uid, UIDLS_MAX));
    }
    const struct store_uidl *u = p->at < p->rep.uidls_count ? &p->rep.uidls[p->at] : NULL;
    if (u != NULL && u->uid == m->uid && u->uidl.len > 0)
        snprintf(out, UIDL_BYTES, "%.*s", STR_FMT(u->uidl));
    else
        snprintf(out, UIDL_BYTES, "%08x%08x", s->uidvalidity, m->uid);
    return OK;
}

static SUSPENDS enum status
uidl_all(struct pop3_session *s, struct uidl_page *p)
{
    char uidl[UIDL_BYTES];
    bool begun = false;

    for (size_t i = 0; i < s->count; i++) {
        if (s->messages[i].deleted)
            continue;
        enum status e = uidl_of(s, p, &s->messages[i], uidl);
        if (e != OK) /* in the middle there is no way to say no */
            return begun ? ERR_CLOSED : e;
        if (!begun)
            TRY(pop3_ok(s, "Unique ids follow"));
        begun = true;
        TRY(conn_printf(s->conn, "%zu %s\r\n", i + 1, uidl));
    }
    if (!begun)
        TRY(pop3_ok(s, "Unique ids follow"));
    return conn_write(s->conn, STR(".\r\n"));
}

enum status
pop3_cmd_uidl(struct pop3_session *s, struct str args)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    struct uidl_page p = {.a = a};
    char uidl[UIDL_BYTES];
    uint32_t n;
    enum status e;

    if (args.len > 0) {
        const struct pop3_message *m = find(s, args, &n);
        if (m == NULL)
            return no_message(s);
        e = load_uidls(s, &p, m->uid, 1);
        if (e == OK)
            e = uidl_of(s, &p, m, uidl);
        if (e == OK)
            return pop3_ok(s, "%u %s", n, uidl);
    } else {
        e = uidl_all(s, &p);
    }
    if (e == OK || e == ERR_CLOSED || e == ERR_TIMEOUT || e == ERR_CANCELLED)
        return e;
    return pop3_err(s, "[SYS/TEMP]", "Cannot read the mailbox now, try again");
}

/* ---- bodies ---- */

static SUSPENDS enum status
send_stuffed(struct pop3_session *s, struct line_encoder *e, struct str piece)
{
    struct scan in = scan_of(piece);
    struct str run;

    while (line_encode(e, &in, &run) == LINE_RUN)
        TRY(conn_write(s->conn, run));
    return OK;
}

static SUSPENDS enum status
read_piece(struct pop3_session *s, const struct store_body *req, struct arena *a,
           struct store_body_reply *rep)
{
    struct ipc_peer *store;
    enum status e;

    do {
        TRY(hold_store(&s->hold, &pop3_world->store, &store));
        e = store_body_call(store, req, a, rep);
    } while (hold_read_again(&s->hold, e));
    return e;
}

/* cut: NULL = everything.  ERR_NOT_FOUND: gone meanwhile, and nothing was sent. */
static SUSPENDS enum status
send_message(struct pop3_session *s, const struct pop3_message *m, struct pop3_top *cut)
{
    struct line_encoder stuffing;
    uint64_t offset = 0, size = 1;

    line_encoder_init(&stuffing);
    while (offset < size && (cut == NULL || !cut->done)) {
        AUTO_ARENA *a = arena_new(PIECE_MAX + 4096);
        struct store_body req = {
            .session = s->id, .mid = m->mid, .offset = offset, .max = PIECE_MAX};
        struct store_body_reply rep;

        enum status e = read_piece(s, &req, a, &rep);
        if (e != OK)
            return offset > 0        ? ERR_CLOSED /* in the middle there is no way to say no */
                   : e == ERR_CLOSED ? ERR_TEMP
                                     : e;
        if (offset == 0)
            TRY(pop3_ok(s, "%llu octets", (unsigned long long)rep.size));
        size = rep.size;
        if (rep.bytes.len == 0 && offset < size)
            return ERR_CLOSED;
        offset += rep.bytes.len;
        struct str piece =
            cut == NULL ? rep.bytes : str_sub(rep.bytes, 0, pop3_top_take(cut, rep.bytes));
        TRY(send_stuffed(s, &stuffing, piece));
    }
    return conn_write(s->conn, line_encode_end(&stuffing));
}

static SUSPENDS enum status
send_whole(struct pop3_session *s, struct str body)
{
    struct line_encoder stuffing;

    line_encoder_init(&stuffing);
    TRY(pop3_ok(s, "%zu octets", body.len));
    TRY(send_stuffed(s, &stuffing, body));
    return conn_write(s->conn, line_encode_end(&stuffing));
}

static SUSPENDS enum status
answer(struct pop3_session *s, const struct pop3_message *m, struct pop3_top *cut)
{
    enum status e = send_message(s, m, cut);

    if (e == ERR_NOT_FOUND)
        return pop3_err(s, "", "The message was removed meanwhile");
    if (e == OK || e == ERR_CLOSED || e == ERR_TIMEOUT || e == ERR_CANCELLED)
        return e;
    return pop3_err(s, "[SYS/TEMP]", "Cannot read the message now, try again");
}

enum status
pop3_cmd_retr(struct pop3_session *s, struct str args)
{
    uint32_t n;
    const struct pop3_message *m = find(s, args, &n);
    struct str body;

    if (m == NULL)
        return no_message(s);
    if (!pop3_ahead_take(s, n - 1, &body))
        return answer(s, m, NULL);
    enum status e = send_whole(s, body);
    pop3_ahead_done(s);
    return e;
}

/* "TOP" SP msg SP lines */
enum status
pop3_cmd_top(struct pop3_session *s, struct str args)
{
    struct pop3_top cut = {0};
    struct str rest = str_trim(args), number;
    uint32_t n;

    if (!str_split(&rest, ' ', &number))
        return number_error(s);
    struct scan in = scan_of(str_trim(rest));
    if (!scan_u64(&in, UINT64_MAX, &cut.lines_left) || !scan_at_end(&in))
        return number_error(s);
    const struct pop3_message *m = find(s, number, &n);
    return m == NULL ? no_message(s) : answer(s, m, &cut);
}

/* ---- deleting ---- */

enum status
pop3_cmd_dele(struct pop3_session *s, struct str args)
{
    uint32_t n;
    struct pop3_message *m = find(s, args, &n);

    if (m == NULL)
        return no_message(s);
    m->deleted = true;
    return pop3_ok(s, "Message %u goes at QUIT", n);
}

enum status
pop3_cmd_rset(struct pop3_session *s, struct str args)
{
    (void)args;
    for (size_t i = 0; i < s->count; i++)
        s->messages[i].deleted = false;
    return pop3_ok(s, "%zu messages", s->count);
}

static SUSPENDS enum status
expunge(struct pop3_session *s, const struct store_range *ranges, size_t n)
{
    AUTO_ARENA *a = arena_new(2u << 20);
    struct store_expunge req = {
        .session = s->id, .mailbox = s->mailbox, .uids = ranges, .uids_count = n};
    struct store_expunge_reply rep;
    struct ipc_peer *store;
    enum status e;

    do {
        TRY(hold_store(&s->hold, &pop3_world->store, &store));
        e = store_expunge_call(store, &req, a, &rep);
    } while (hold_write_again(&s->hold, e));
    return e;
}

enum status
pop3_update(struct pop3_session *s)
{
    AUTO_ARENA *a = arena_new(RANGES_MAX * sizeof(struct store_range) + 4096);
    struct store_range *ranges = NULL;
    size_t n = 0;

    for (size_t i = 0; i < s->count; i++) {
        if (!s->messages[i].deleted)
            continue;
        if (ranges == NULL)
            ranges = ARENA_ARRAY(a, struct store_range, RANGES_MAX);
        ranges[n++] = (struct store_range){.first = s->messages[i].uid, .last = s->messages[i].uid};
        if (n == RANGES_MAX) {
            TRY(expunge(s, ranges, n));
            n = 0;
        }
    }
    return n == 0 ? OK : expunge(s, ranges, n);
}

static enum status
number_error(struct pop3_session *s)
{
    return pop3_err(s, "", "Expected TOP message lines");
}
