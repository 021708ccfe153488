/* server.c - the life of a session: greeting, gathering of commands with their literals, dispatch by table.
 *
 * A command without literals is served from the connection's buffer; one with literals is gathered in s->command,
 * which holds memory only meanwhile.  The message of an APPEND never comes here (append.c).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "imap/commands.h"
#include "imap/user.h"
#include "ipc/store_ipc.h"
#include "login/login.h"
#include "rt/clock.h"

/* Sets of 65,536 ranges, 64 flags and some strings. */
/* Escaped strings take what they came in, one set 512 KiB, a SEARCH a megabyte more (search_parse.c). */
#define COMMAND_ARENA (8u << 20)
/* What a client may send after all when it did not wait for our "+" and the command is too large. */
#define SWALLOW_MAX (256u << 20)

const struct imap_world *imap_world;
static struct list strangers = {&strangers, &strangers}; /* sessions before log-in */

static void *session_opened(struct conn *c);
static void session_wake(void *session, enum wake why);
static void session_closed(void *session);
static SUSPENDS enum status serve_command(struct imap_session *s, struct str text);
static SUSPENDS enum status begin_literal(struct imap_session *s, struct str line,
                                          const struct imap_literal *lit);

const struct conn_ops imap_ops = {
    .opened = session_opened,
    .wake = session_wake,
    .closed = session_closed,
};

void
imap_init(const struct imap_world *w)
{
    imap_world = w;
    sasl_take_tokens(w->config->oauth.issuer);
}

/* ---- what other roles tell ---- */

void
imap_wake_idle(struct imap_session *s)
{
    if (s->rest == IMAP_REST_IDLE && s->box != NULL && s->box->stale)
        conn_note(s->conn);
}

void
imap_changed(uint64_t account, uint64_t modseq, const uint32_t *mailboxes, size_t n)
{
    struct imap_user *u = imap_user_find(account);

    if (u == NULL)
        return;
    box_mark_stale(account, modseq, mailboxes, n);
    list_each (node, &u->sessions)
        imap_wake_idle(LIST_ENTRY(node, struct imap_session, node));
}

void
imap_revoked(uint64_t account, uint64_t session)
{
    struct imap_user *u = imap_user_find(account);

    if (u == NULL)
        return;
    list_each (node, &u->sessions) {
        struct imap_session *s = LIST_ENTRY(node, struct imap_session, node);
        if (session == 0 || s->id == session) {
            s->revoked = true;
            conn_note(s->conn);
        }
    }
}

/* Sessions live on: what was being written when the store went ended by itself with BYE, and auth gives the new store
 * our grants again. */
void
imap_store_lost(void)
{
    size_t cursor = 0;
    struct imap_user *u;

    box_mark_all_stale();
    while ((u = imap_user_next(&cursor)) != NULL) {
        list_each (node, &u->sessions) {
            struct imap_session *s = LIST_ENTRY(node, struct imap_session, node);
            if (s->append != NULL)
                imap_append_store_lost(s->append);
        }
    }
}

void
imap_store_back(void)
{
    size_t cursor = 0;
    struct imap_user *u;

    while ((u = imap_user_next(&cursor)) != NULL)
        list_each (node, &u->sessions)
            imap_wake_idle(LIST_ENTRY(node, struct imap_session, node));
}

enum status
imap_store(struct imap_session *s, struct ipc_peer **out)
{
    return hold_store(&s->hold, &imap_world->store, out);
}

/* ---- gathering ---- */

void
imap_go_rest(struct imap_session *s, enum imap_rest rest)
{
    s->rest = rest;
    conn_rest(s->conn,
              rest == IMAP_REST_LITERAL || rest == IMAP_REST_APPEND ? REST_BYTES : REST_LINE);
}

static void
forget_memory(struct imap_session *s)
{
    login_wipe(&s->command); /* it may hold a password */
    mem_str_free(&s->tag);
    imap_sasl_end(s);
}

static void
forget_command(struct imap_session *s)
{
    forget_memory(s);
    s->literal_left = 0;
    s->too_big = false;
    imap_go_rest(s, IMAP_REST_COMMAND);
}

static SUSPENDS enum status
refuse_big(struct imap_session *s, struct str head)
{
    struct scan in = scan_of(s->tag.len > 0 ? s->tag : head);
    struct str tag = STR("*");

    if (!imap_scan_tag(&in, &tag))
        tag = STR("*");
    enum status e =
        conn_printf(s->conn, "%.*s BAD [TOOBIG] The command is too long\r\n", STR_FMT(tag));
    forget_command(s);
    TRY(e);
    return s->state == IMAP_NOT_AUTH ? imap_bye(s, "That is too much before log-in") : OK;
}

/* Goes on to the end of a command that is too large without keeping it. */
static void
begin_swallow(struct imap_session *s, struct str head)
{
    struct scan in = scan_of(head);
    struct str tag;

    if (s->tag.len == 0 && imap_scan_tag(&in, &tag))
        s->tag = mem_str(tag);
    login_wipe(&s->command);
    s->too_big = true;
}

/* A line of a command: its first, or one after a literal. */
static SUSPENDS enum status
gather_line(struct imap_session *s, struct str line)
{
    struct imap_literal lit;
    size_t max = s->state == IMAP_NOT_AUTH ? LIMIT_IMAP_PRELOGIN_BYTES : LIMIT_IMAP_COMMAND_BYTES;

    if (imap_literal_at_end(line, &lit))
        return begin_literal(s, line, &lit);
    if (s->too_big || s->command.len + line.len > max)
        return refuse_big(s, s->command.len > 0 ? buf_str(&s->command) : line);
    if (s->command.len == 0)
        return serve_command(s, line);
    AUTO(login_wipe) struct buf whole = s->command;
    s->command = BUF(LIMIT_IMAP_COMMAND_BYTES);
    buf_add(&whole, line);
    forget_command(s);
    return serve_command(s, buf_str(&whole));
}

static SUSPENDS enum status
keep_literal(struct imap_session *s, struct str line, const struct imap_literal *lit)
{
    buf_add(&s->command, line);
    buf_add(&s->command, STR("\r\n"));
    s->literal_left = lit->size;
    imap_go_rest(s, lit->size > 0 ? IMAP_REST_LITERAL : IMAP_REST_CONTINUE);
    return lit->sync ? conn_write(s->conn, STR("+ OK\r\n")) : OK;
}

/* RFC 3501 section 4.3, RFC 7888.  A client that waits for "+" is refused at once; one that does not sends everything
 * anyway. */
static enum status
begin_literal(struct imap_session *s, struct str line, const struct imap_literal *lit)
{
    bool before = s->state == IMAP_NOT_AUTH;
    size_t max = before ? LIMIT_IMAP_PRELOGIN_BYTES : LIMIT_IMAP_COMMAND_BYTES;
    bool taken = false;

    if (!s->too_big && !before && s->command.len + line.len < max) {
        AUTO_BUF head = BUF(LIMIT_IMAP_COMMAND_BYTES);
        buf_add(&head, buf_str(&s->command));
        buf_add(&head, line);
        TRY(imap_append_begin(s, buf_str(&head), lit, &taken));
    }
    if (taken) {
        login_wipe(&s->command);
        return OK;
    }
    /* 4: the CRLF after this line and the one at the end */
    bool fits = !s->too_big && lit->size <= max &&
                s->command.len + line.len + lit->size + 4 <= max &&
                (lit->sync || !before || lit->size <= LIMIT_IMAP_NONSYNC_PRELOGIN);
    if (fits)
        return keep_literal(s, line, lit);
    struct str head = s->command.len > 0 ? buf_str(&s->command) : line;
    if (lit->sync || before)
        return refuse_big(s, head);
    if (lit->size > SWALLOW_MAX) {
        TRY(refuse_big(s, head));
        return imap_bye(s, "That literal is too large");
    }
    begin_swallow(s, head);
    s->literal_left = lit->size;
    imap_go_rest(s, lit->size > 0 ? IMAP_REST_LITERAL : IMAP_REST_CONTINUE);
    return OK;
}

/* False when nothing more is there. */
static bool
gather_literal(struct imap_session *s)
{
    struct str bytes = conn_peek(s->conn, (size_t)MIN(s->literal_left, (uint64_t)SIZE_MAX));

    if (bytes.len == 0)
        return false;
    if (!s->too_big)
        buf_add(&s->command, bytes);
    s->literal_left -= bytes.len;
    conn_consume(s->conn, bytes.len);
    if (s->literal_left == 0)
        imap_go_rest(s, IMAP_REST_CONTINUE);
    return true;
}

/* ---- dispatch ---- */

static const struct imap_verb *
find_verb(struct str name)
{
    for (size_t i = 0; i < imap_verb_count; i++)
        if (str_eq_nocase(name, imap_verbs[i].name))
            return &imap_verbs[i];
    return NULL;
}

/* A page in somebody's browser may be made to send its request here: never answer that. */
static bool
is_http(struct str line)
{
    static const struct str methods[] = {STR("GET "),   STR("POST "),    STR("HEAD "),
                                         STR("PUT "),   STR("DELETE "),  STR("OPTIONS "),
                                         STR("TRACE "), STR("CONNECT "), STR("PATCH ")};

    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (str_starts(line, methods[i]))
            return true;
    return false;
}

static SUSPENDS enum status
wrong_state(struct imap_cmd *c)
{
    if (c->s->state == IMAP_NOT_AUTH)
        return imap_bad(c, "Log in first");
    return imap_bad(c, (c->verb->states & IMAP_NOT_AUTH) != 0 ? "You are logged in already"
                                                              : "Select a mailbox first");
}

/* command = tag SP verb [SP arguments] */
static SUSPENDS enum status
dispatch(struct imap_cmd *c)
{
    struct str word = STR_NONE;
    size_t length = scan_left(&c->in);

    if (!imap_scan_tag(&c->in, &c->tag) || !imap_scan_sp(&c->in)) {
        c->tag = STR("*");
        return imap_bad(c, "A command begins with a tag and a blank");
    }
    if (!imap_scan_atom(&c->in, &word))
        return imap_bad(c, "The command is missing");
    if (str_eq_nocase(word, STR("UID"))) {
        c->uid = true;
        if (!imap_scan_sp(&c->in) || !imap_scan_atom(&c->in, &word))
            return imap_bad(c, "UID of what?");
    }
    c->verb = find_verb(word);
    if (c->verb == NULL || (c->uid && !c->verb->has_uid))
        return imap_bad(c, "There is no such command");
    if ((c->verb->states & c->s->state) == 0)
        return wrong_state(c);
    /* Only sets of messages are ever so long. */
    if (length > LIMIT_IMAP_LINE_BYTES && !c->verb->has_uid &&
        str_find(scan_rest(&c->in), '\n') < 0)
        return imap_bad(c, "The line is too long");
    return c->verb->serve(c);
}

static enum status
serve_command(struct imap_session *s, struct str text)
{
    AUTO_ARENA *a = arena_new(COMMAND_ARENA);
    struct imap_cmd c = {.s = s, .arena = a, .in = scan_of(text)};

    return dispatch(&c);
}

static SUSPENDS enum status
serve_first_line(struct imap_session *s, struct str line)
{
    if (str_trim(line).len == 0) /* some clients send empty lines between commands */
        return OK;
    if (s->state == IMAP_NOT_AUTH && is_http(line)) {
        s->bye = true;
        return OK;
    }
    return gather_line(s, line);
}

static SUSPENDS enum status
serve_line(struct imap_session *s, struct str line)
{
    switch (s->rest) {
    case IMAP_REST_COMMAND: return serve_first_line(s, line);
    case IMAP_REST_CONTINUE:
        return s->append != NULL ? imap_append_line(s, line) : gather_line(s, line);
    case IMAP_REST_SASL: return imap_sasl_line(s, line);
    case IMAP_REST_IDLE: return imap_idle_line(s, line);
    case IMAP_REST_LITERAL:
    case IMAP_REST_APPEND: break;
    }
    UNREACHABLE();
}

static SUSPENDS enum status
broken_line(struct imap_session *s, const char *text)
{
    struct imap_cmd c = {.s = s, .tag = s->tag.len > 0 ? s->tag : STR("*")};
    enum status e = imap_bad(&c, text);

    if (s->append != NULL)
        imap_append_free(&s->append);
    forget_command(s);
    TRY(e);
    return s->state == IMAP_NOT_AUTH ? imap_bye(s, "Good bye") : OK;
}

static SUSPENDS enum status
serve_input(struct imap_session *s)
{
    while (!s->bye && !s->revoked) {
        struct str line;
        bool more = true;

        if (s->rest == IMAP_REST_LITERAL) {
            if (!gather_literal(s))
                return OK;
            continue;
        }
        if (s->rest == IMAP_REST_APPEND) {
            TRY(imap_append_bytes(s, &more));
            if (!more)
                return OK;
            continue;
        }
        switch (conn_line(s->conn, &line)) {
        case OK: TRY(serve_line(s, line)); break;
        case ERR_TEMP: return OK;
        case ERR_LIMIT: TRY(broken_line(s, "The line is too long")); break;
        case ERR_SYNTAX:
            TRY(broken_line(s, "A line ends with CR LF, and has no CR, LF or NUL inside"));
            break;
        default: return ERR_CLOSED;
        }
    }
    return OK;
}

/* ---- the life of a session ---- */

static FIBER_ENTRY void *
session_opened(struct conn *c)
{
    struct imap_session *s = MEM_NEW(struct imap_session);
    AUTO_BUF b = BUF(1024);

    s->conn = c;
    s->id = login_session_new();
    s->state = IMAP_NOT_AUTH;
    s->command = BUF(LIMIT_IMAP_COMMAND_BYTES);
    s->idle_since_ms = clock_mono_ms();
    list_push(&strangers, &s->node);
    conn_line_max(c, LIMIT_IMAP_PRELOGIN_BYTES);
    conn_deadline(c, LIMIT_IMAP_LOGIN_S * 1000);
    imap_go_rest(s, IMAP_REST_COMMAND);
    buf_add(&b, STR("* OK [CAPABILITY "));
    imap_capability_list(s, &b);
    buf_addf(&b, "] %.*s ready\r\n", STR_FMT(imap_world->config->host));
    if (conn_write(c, buf_str(&b)) != OK)
        conn_close(c);
    return s;
}

static SUSPENDS enum status
serve_timeout(struct imap_session *s)
{
    if (s->rest == IMAP_REST_IDLE)
        return imap_idle_timeout(s);
    return imap_bye(s, s->state == IMAP_NOT_AUTH ? "Nobody logged in"
                                                 : "Nothing was heard for too long");
}

/* A stranger who keeps talking does not stay for ever either. */
static SUSPENDS enum status
check_stranger(struct imap_session *s)
{
    if (s->state != IMAP_NOT_AUTH || s->bye ||
        clock_mono_ms() - s->idle_since_ms < LIMIT_IMAP_LOGIN_S * 1000)
        return OK;
    return imap_bye(s, "Nobody logged in");
}

static FIBER_ENTRY void
session_wake(void *session, enum wake why)
{
    struct imap_session *s = session;
    enum status e = OK;

    fiber_context()->session = conn_id(s->conn);
    switch (why) {
    case WAKE_INPUT:
        e = serve_input(s);
        if (e == OK)
            e = check_stranger(s);
        break;
    case WAKE_TIMEOUT: e = serve_timeout(s); break;
    case WAKE_NOTE:
        if (s->rest == IMAP_REST_IDLE && !s->revoked)
            e = imap_idle_news(s);
        break;
    case WAKE_EOF: s->bye = true; break;
    }
    if (e == OK && s->revoked)
        e = imap_bye(s, "Your session was ended");
    if (e != OK || s->bye)
        conn_close(s->conn);
}

static void
session_closed(void *session)
{
    struct imap_session *s = session;
    struct imap_user *u = s->state == IMAP_NOT_AUTH ? NULL : imap_user_find(s->account);

    imap_session_deselect(s);
    list_remove(&s->node);
    if (u != NULL) {
        u->session_count--;
        imap_user_drop(u);
        login_end(imap_world->auth, imap_world->store, s->id);
    }
    imap_append_free(&s->append);
    forget_memory(s);
    mem_str_free(&s->address);
    mem_free(s);
}
