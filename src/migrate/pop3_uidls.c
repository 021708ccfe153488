/* pop3_uidls.c - another server's POP3 is asked what it calls its messages.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "migrate/pop3_uidls.h"

#include "base/mem.h"
#include "base/scan.h"

enum { REPLY_MS = LIMIT_IMPORT_REPLY_S * 1000, LINE_BYTES = 4096, SAID_MAX = 120, ARRAY_MIN = 256 };

struct talk {
    const struct remote_server *server;
    const struct remote_login *login;
    struct conn *conn;
    struct problem *why;
};

static SUSPENDS enum status talk(struct talk *t, struct arena *a, struct pop3_list *out);
static SUSPENDS enum status log_in(struct talk *t);
static SUSPENDS enum status tell(struct talk *t, struct buf *line);
static SUSPENDS enum status answer(struct talk *t, const char *to, struct str *text_out);
static SUSPENDS enum status say(struct talk *t, const char *words);
static SUSPENDS enum status next_line(struct talk *t, struct str *line_out, bool *more_out);
static SUSPENDS enum status read_uidls(struct talk *t, struct arena *a, struct pop3_list *out);
static SUSPENDS enum status read_sizes(struct talk *t, struct pop3_list *l);

enum status
pop3_uidls(const struct remote_server *server, const struct remote_login *login, struct arena *a,
           struct pop3_list *out, struct problem *why)
{
    struct talk t = {.server = server, .login = login, .why = why};

    enum status e = remote_connect(server, &t.conn, why);
    if (e == OK)
        e = talk(&t, a, out);
    conn_free(&t.conn);
    return e;
}

static enum status
talk(struct talk *t, struct arena *a, struct pop3_list *out)
{
    struct pop3_list l = {0};
    struct str text;

    TRY(answer(t, "the greeting", &text));
    if (t->server->mode == REMOTE_STARTTLS) {
        TRY(say(t, "STLS"));
        TRY(remote_secure(t->server, t->conn, t->why));
    }
    TRY(log_in(t));
    TRY(say(t, "UIDL"));
    TRY(read_uidls(t, a, &l));
    TRY(say(t, "LIST"));
    TRY(read_sizes(t, &l));
    TRY(say(t, "QUIT"));
    *out = l;
    return OK;
}

/* Two identities need SASL; else USER and PASS, which every server has. */
static enum status
log_in(struct talk *t)
{
    const struct remote_login *l = t->login;
    AUTO_BUF line = BUF(LINE_BYTES);
    struct str text;

    if (str_find(l->user, '\n') >= 0 || str_find(l->password, '\n') >= 0)
        return ERR_SYNTAX;
    if (l->master.len > 0 && l->separator == '\0') {
        buf_add_z(&line, "AUTH PLAIN");
        TRY(tell(t, &line));
        TRY(answer(t, "AUTH PLAIN", &text));
        TRY(remote_plain(l, &line));
    } else {
        buf_add_z(&line, "USER ");
        remote_user(l, &line);
        TRY(tell(t, &line));
        TRY(answer(t, "USER", &text));
        buf_add_z(&line, "PASS ");
        buf_add(&line, l->password);
    }
    enum status e = tell(t, &line);
    mem_wipe(line.ptr, line.cap);
    TRY(e);
    return answer(t, "the password", &text);
}

static enum status
lost(struct talk *t, enum status e)
{
    if (e == ERR_CANCELLED)
        return e;
    problem_set(t->why, 0, "", "POP3: %s",
                e == ERR_TIMEOUT                    ? "no answer in time"
                : e == ERR_SYNTAX || e == ERR_LIMIT ? "what it says is not POP3"
                                                    : "the connection was lost");
    return e == ERR_SYNTAX || e == ERR_LIMIT ? ERR_SYNTAX : ERR_TEMP;
}

/* Empties the line. */
static enum status
tell(struct talk *t, struct buf *line)
{
    buf_add(line, STR("\r\n"));
    enum status e = buf_status(line);
    if (e == OK)
        e = conn_write(t->conn, buf_str(line));
    buf_reset(line);
    return e == OK ? OK : lost(t, e);
}

/* A status: "+OK", "+" with what SASL asks, "-ERR" and why. */
static enum status
answer(struct talk *t, const char *to, struct str *text_out)
{
    enum status e = conn_read_line(t->conn, REPLY_MS, text_out);
    if (e != OK)
        return lost(t, e);
    if (str_starts(*text_out, STR("+")))
        return OK;
    if (!str_starts_nocase(*text_out, STR("-ERR")))
        return lost(t, ERR_SYNTAX);
    problem_set(t->why, 0, "", "POP3 refuses %s: %.*s", to,
                STR_FMT(str_sub(*text_out, 0, SAID_MAX)));
    return ERR_DENIED;
}

static enum status
say(struct talk *t, const char *words)
{
    AUTO_BUF line = BUF(LINE_BYTES);
    struct str text;

    buf_add_z(&line, words);
    TRY(tell(t, &line));
    return answer(t, words, &text);
}

static enum status
next_line(struct talk *t, struct str *line_out, bool *more_out)
{
    enum status e = conn_read_line(t->conn, REPLY_MS, line_out);
    if (e != OK)
        return lost(t, e);
    *more_out = !str_eq(*line_out, STR("."));
    return OK;
}

static enum status
read_uidls(struct talk *t, struct arena *a, struct pop3_list *out)
{
    struct pop3_list l = {0};
    size_t cap = 0;
    struct str line;
    bool more = false;

    for (;;) {
        struct pop3_entry e;
        TRY(next_line(t, &line, &more));
        if (!more)
            break;
        if (!pop3_uidl_line(line, &e) || (l.count > 0 && e.number <= l.at[l.count - 1].number))
            return lost(t, ERR_SYNTAX);
        if (l.count == LIMIT_IMPORT_MESSAGES)
            return lost(t, ERR_LIMIT);
        if (l.count == cap) {
            cap = cap == 0 ? ARRAY_MIN : 2 * cap;
            struct pop3_entry *at = ARENA_ARRAY(a, struct pop3_entry, cap);
            if (l.count > 0)
                mem_copy(at, l.at, l.count * sizeof(*at));
            l.at = at;
        }
        e.uidl = arena_str(a, e.uidl);
        l.at[l.count++] = e;
    }
    *out = l;
    return OK;
}

/* In the same order; one that the other list does not have is passed over. */
static enum status
read_sizes(struct talk *t, struct pop3_list *l)
{
    size_t at = 0, lines = 0;
    struct str line;
    bool more = false;

    for (;;) {
        struct pop3_entry e;
        TRY(next_line(t, &line, &more));
        if (!more)
            return OK;
        if (!pop3_size_line(line, &e) || lines++ == LIMIT_IMPORT_MESSAGES)
            return lost(t, ERR_SYNTAX);
        while (at < l->count && l->at[at].number < e.number)
            at++;
        if (at < l->count && l->at[at].number == e.number)
            l->at[at].size = e.size;
    }
}
