/* auth.c - capabilities, TLS, log-in and log-out, and the commands that need no mailbox.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "imap/commands.h"
#include "imap/user.h"
#include "login/login.h"
#include "login/sasl.h"

static SUSPENDS enum status refuse(struct imap_cmd *c, enum status e);
static SUSPENDS enum status welcome(struct imap_cmd *c, const struct login_account *account);

static bool
is_safe(const struct imap_session *s)
{
    return login_is_safe(s->conn, imap_world->config->plaintext_loopback);
}

/* ---- capabilities ---- */

/* The same before and after log-in but for what concerns the log-in itself: clients keep the first list they see. */
void
imap_capability_list(const struct imap_session *s, struct buf *b)
{
    buf_add(
        b, STR("IMAP4rev1 SASL-IR LITERAL+ ENABLE IDLE ID NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN "
               "LIST-EXTENDED LIST-STATUS SPECIAL-USE CREATE-SPECIAL-USE ESEARCH XLIST "
               "QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE"));
    if (s->state != IMAP_NOT_AUTH)
        return;
    if (!conn_is_tls(s->conn) && conn_listener(s->conn)->tls != NULL)
        buf_add(b, STR(" STARTTLS"));
    if (is_safe(s))
        sasl_list(s->conn, LOGIN_IMAP, STR(" AUTH="), b);
    else
        buf_add(b, STR(" LOGINDISABLED"));
}

SUSPENDS enum status
imap_cmd_capability(struct imap_cmd *c)
{
    AUTO_BUF b = BUF(1024);

    if (!imap_scan_end(&c->in))
        return imap_bad(c, "CAPABILITY takes no argument");
    buf_add(&b, STR("* CAPABILITY "));
    imap_capability_list(c->s, &b);
    buf_add(&b, STR("\r\n"));
    TRY(conn_write(c->s->conn, buf_str(&b)));
    return imap_ok(c, NULL, "That is what this server can do");
}

/* "ID" SP ("NIL" / "(" [string SP nstring *(...)] ")")      RFC 2971 */
SUSPENDS enum status
imap_cmd_id(struct imap_cmd *c)
{
    struct str word;

    if (!imap_scan_sp(&c->in))
        return imap_bad(c, "Expected ID NIL or ID (names and values)");
    if (scan_char(&c->in, '(')) {
        scan_skip_spaces(&c->in);
        while (!scan_char(&c->in, ')')) {
            if (!imap_scan_nstring(&c->in, c->arena, &word))
                return imap_bad(c, "Expected names and values as strings");
            scan_skip_spaces(&c->in);
        }
    } else if (!imap_scan_nstring(&c->in, c->arena, &word)) {
        return imap_bad(c, "Expected ID NIL or ID (names and values)");
    }
    if (!imap_scan_end(&c->in))
        return imap_bad(c, "Expected ID NIL or ID (names and values)");
    TRY(imap_untagged(c->s, "ID (\"name\" \"Godwit\")"));
    return imap_ok(c, NULL, "Pleased to meet you");
}

/* "ENABLE" 1*(SP capability)      RFC 5161: what is not known, or needs no switch, is passed over. */
SUSPENDS enum status
imap_cmd_enable(struct imap_cmd *c)
{
    struct str word;

    do {
        if (!imap_scan_sp(&c->in) || !imap_scan_atom(&c->in, &word))
            return imap_bad(c, "Enable what?");
    } while (!imap_scan_end(&c->in));
    TRY(imap_untagged(c->s, "ENABLED"));
    return imap_ok(c, NULL, "Nothing of that needs a switch");
}

/* RFC 2342 */
SUSPENDS enum status
imap_cmd_namespace(struct imap_cmd *c)
{
    if (!imap_scan_end(&c->in))
        return imap_bad(c, "NAMESPACE takes no argument");
    TRY(imap_untagged(c->s, "NAMESPACE ((\"\" \"/\")) NIL NIL"));
    return imap_ok(c, NULL, "One namespace");
}

/* NOOP and CHECK ask the store, so that who was told elsewhere of a change surely sees it here. */
SUSPENDS enum status
imap_cmd_noop(struct imap_cmd *c)
{
    if (!imap_scan_end(&c->in))
        return imap_bad(c, "There is an argument too many");
    if (c->s->box != NULL && box_refresh(c->s->box, c->s, true) != OK) {
        /* Away: the news comes with a later command.  Gone: imap_ok() says so. */
    }
    return imap_ok(c, NULL, "Done");
}

SUSPENDS enum status
imap_cmd_logout(struct imap_cmd *c)
{
    if (!imap_scan_end(&c->in))
        return imap_bad(c, "LOGOUT takes no argument");
    TRY(imap_bye(c->s, "Good bye"));
    return imap_ok(c, NULL, "Logged out");
}

/* RFC 3501 section 6.2.1: nothing learnt before the handshake is kept. */
SUSPENDS enum status
imap_cmd_starttls(struct imap_cmd *c)
{
    if (!imap_scan_end(&c->in))
        return imap_bad(c, "STARTTLS takes no argument");
    if (conn_is_tls(c->s->conn))
        return imap_bad(c, "TLS is on already");
    if (conn_listener(c->s->conn)->tls == NULL)
        return imap_no(c, "UNAVAILABLE", "TLS is not available now");
    TRY(imap_ok(c, NULL, "Begin TLS now"));
    return conn_starttls(c->s->conn);
}

/* ---- log-in ---- */

static struct login_from
whence(struct imap_session *s)
{
    return (struct login_from){.auth = imap_world->auth,
                               .store = imap_world->store,
                               .protocol = LOGIN_IMAP,
                               .session = &s->id,
                               .conn = s->conn};
}

static SUSPENDS enum status
refuse_clear(struct imap_cmd *c)
{
    return imap_no(c, "PRIVACYREQUIRED", "Use TLS first: passwords are never taken in clear");
}

/* "LOGIN" SP userid SP password */
SUSPENDS enum status
imap_cmd_login(struct imap_cmd *c)
{
    AUTO_SECRET password = {0};
    struct login_from from = whence(c->s);
    struct login_account account;
    struct str name, text;

    if (!is_safe(c->s))
        return refuse_clear(c);
    if (!imap_scan_sp(&c->in) || !imap_scan_astring(&c->in, c->arena, &name) ||
        !imap_scan_sp(&c->in) || !imap_scan_astring(&c->in, c->arena, &text) ||
        !imap_scan_end(&c->in))
        return imap_bad(c, "Expected LOGIN name password");
    if (!secret_set(&password, text))
        return imap_no(c, "AUTHENTICATIONFAILED", "Wrong name or password");
    enum status e = login_check(&from, name, &password, c->arena, &account);
    return e == OK ? welcome(c, &account) : refuse(c, e);
}

static SUSPENDS enum status
say(struct imap_cmd *c, const struct sasl_answer *answer)
{
    struct imap_session *s = c->s;

    switch (answer->verdict) {
    case SASL_CHALLENGE:
        s->tag = mem_str(c->tag);
        imap_go_rest(s, IMAP_REST_SASL);
        return conn_printf(s->conn, "+ %.*s\r\n", STR_FMT(answer->challenge));
    case SASL_DONE: return welcome(c, &answer->account);
    case SASL_CANCELLED: return imap_bad(c, "Log-in cancelled"); /* RFC 3501 section 6.2.2 */
    case SASL_MALFORMED: return imap_bad(c, "This is not a response of the mechanism");
    case SASL_UNKNOWN: return imap_no(c, "CANNOT", "CAPABILITY lists the mechanisms");
    case SASL_OTHER: return imap_no(c, "AUTHORIZATIONFAILED", "You can only act as yourself");
    case SASL_FAILED: return refuse(c, answer->status);
    }
    UNREACHABLE();
}

/* "AUTHENTICATE" SP mechanism [SP initial-response]      RFC 4959 */
SUSPENDS enum status
imap_cmd_authenticate(struct imap_cmd *c)
{
    struct login_from from = whence(c->s);
    struct sasl_begin how = {0};

    if (!is_safe(c->s))
        return refuse_clear(c);
    if (!imap_scan_sp(&c->in) || !imap_scan_atom(&c->in, &how.mechanism))
        return imap_bad(c, "Which mechanism?");
    if (imap_scan_sp(&c->in))
        how.initial = str_trim(scan_rest(&c->in));
    struct sasl_answer answer = sasl_begin(&c->s->sasl, &from, &how, c->arena);
    return say(c, &answer);
}

enum status
imap_sasl_line(struct imap_session *s, struct str line)
{
    AUTO_ARENA *a = arena_new(65536);
    AUTO(mem_str_free) struct str tag = s->tag;
    struct imap_cmd c = {.s = s, .arena = a, .tag = tag};
    struct login_from from = whence(s);

    s->tag = STR_NONE;
    imap_go_rest(s, IMAP_REST_COMMAND);
    struct sasl_answer answer = sasl_line(&s->sasl, &from, line, a);
    return say(&c, &answer);
}

void
imap_sasl_end(struct imap_session *s)
{
    struct login_from from = whence(s);

    sasl_end(&s->sasl, &from);
}

static enum status
refuse(struct imap_cmd *c, enum status e)
{
    bool last = e == ERR_LIMIT || ++c->s->logins >= LIMIT_LOGIN_ATTEMPTS;

    if (e == ERR_DENIED)
        TRY(imap_no(c, "AUTHENTICATIONFAILED", "Wrong name or password"));
    else if (e == ERR_LIMIT)
        TRY(imap_no(c, "LIMIT", "Too many attempts, try again later"));
    else
        TRY(imap_no(c, "UNAVAILABLE", "Passwords cannot be checked now, try again"));
    return last ? imap_bye(c->s, "Too many attempts to log in") : OK;
}

static SUSPENDS enum status
too_many(struct imap_cmd *c)
{
    login_end(imap_world->auth, imap_world->store, c->s->id);
    c->s->id = login_session_new();
    return imap_no(c, "LIMIT", "This account has too many connections");
}

static enum status
welcome(struct imap_cmd *c, const struct login_account *account)
{
    struct imap_session *s = c->s;
    AUTO_BUF code = BUF(1024);

    struct imap_user *u = imap_user_take(account->account);
    if (u->session_count >= LIMIT_SESSIONS_PER_ACCOUNT)
        return too_many(c);
    u->session_count++;
    list_remove(&s->node);
    list_push(&u->sessions, &s->node);
    s->account = account->account;
    mem_str_free(&s->address);
    s->address = mem_str(account->address);
    s->state = IMAP_AUTH;
    conn_authenticated(s->conn);
    conn_line_max(s->conn, LIMIT_IMAP_COMMAND_BYTES);
    conn_deadline(s->conn, LIMIT_IMAP_IDLE_S * 1000);
    buf_add(&code, STR("CAPABILITY "));
    imap_capability_list(s, &code);
    buf_add_char(&code, '\0');
    return imap_ok(c, code.ptr, "Logged in");
}
