/* login.c - USER and PASS, AUTH.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "pop3/session.h"
#include "rt/clock.h"

static SUSPENDS enum status refuse(struct pop3_session *s, enum status e);
static SUSPENDS enum status welcome(struct pop3_session *s, const struct login_account *account);

static struct login_from
whence(struct pop3_session *s)
{
    return (struct login_from){.auth = pop3_world->auth,
                               .store = pop3_world->store,
                               .protocol = LOGIN_POP3,
                               .session = &s->id,
                               .conn = s->conn};
}

static bool
is_safe(const struct pop3_session *s)
{
    return login_is_safe(s->conn, pop3_world->config->plaintext_loopback);
}

static SUSPENDS enum status
refuse_clear(struct pop3_session *s)
{
    return pop3_err(s, "", "Use STLS first: passwords are never taken in clear");
}

enum status
pop3_cmd_user(struct pop3_session *s, struct str args)
{
    if (!is_safe(s))
        return refuse_clear(s);
    mem_str_free(&s->name);
    if (args.len == 0 || args.len > 512)
        return pop3_err(s, "", "Expected USER name");
    s->name = mem_str(args);
    return pop3_ok(s, "Now the password");
}

/* "immediately after a successful USER command", RFC 1939 section 7: a name is good for one password. */
enum status
pop3_cmd_pass(struct pop3_session *s, struct str args)
{
    AUTO_ARENA *a = arena_new(8192);
    AUTO_SECRET password = {0};
    struct login_from from = whence(s);
    struct login_account account;

    if (!is_safe(s))
        return refuse_clear(s);
    if (s->name.len == 0)
        return pop3_err(s, "", "Say USER first");
    struct str name = arena_str(a, s->name);
    mem_str_free(&s->name);
    if (!secret_set(&password, args))
        return pop3_err(s, "[AUTH]", "Wrong name or password");
    enum status e = login_check(&from, name, &password, a, &account);
    return e == OK ? welcome(s, &account) : refuse(s, e);
}

static SUSPENDS enum status
say(struct pop3_session *s, const struct sasl_answer *answer)
{
    switch (answer->verdict) {
    case SASL_CHALLENGE:
        s->rest = POP3_REST_SASL;
        return conn_printf(s->conn, "+ %.*s\r\n", STR_FMT(answer->challenge));
    case SASL_DONE: return welcome(s, &answer->account);
    case SASL_CANCELLED: return pop3_err(s, "", "Log-in cancelled");
    case SASL_MALFORMED: return pop3_err(s, "", "This is not a response of the mechanism");
    case SASL_UNKNOWN: return pop3_err(s, "", "CAPA lists the mechanisms");
    case SASL_OTHER: return pop3_err(s, "[AUTH]", "Wrong name or password");
    case SASL_FAILED: return refuse(s, answer->status);
    }
    UNREACHABLE();
}

static SUSPENDS enum status
list_mechanisms(struct pop3_session *s)
{
    AUTO_BUF b = BUF(512);

    buf_add(&b, STR("+OK Mechanisms"));
    sasl_list(s->conn, LOGIN_POP3, STR("\r\n"), &b);
    buf_add(&b, STR("\r\n.\r\n"));
    return conn_write(s->conn, buf_str(&b));
}

/* "AUTH" [SP mechanism [SP initial-response]]      RFC 5034 section 4.  Old Outlook asks with "AUTH" and a blank
 * for the list. */
enum status
pop3_cmd_auth(struct pop3_session *s, struct str args)
{
    AUTO_ARENA *a = arena_new(65536);
    struct login_from from = whence(s);
    struct str rest = str_trim(args);
    struct sasl_begin how = {0};

    if (!is_safe(s))
        return refuse_clear(s);
    if (rest.len == 0 ||
        !str_split(&rest, ' ', &how.mechanism)) /* Outlook leaves a blank behind AUTH */
        return list_mechanisms(s);
    how.initial = str_trim(rest);
    struct sasl_answer answer = sasl_begin(&s->sasl, &from, &how, a);
    return say(s, &answer);
}

enum status
pop3_sasl_line(struct pop3_session *s, struct str line)
{
    AUTO_ARENA *a = arena_new(65536);
    struct login_from from = whence(s);

    s->rest = POP3_REST_COMMAND;
    struct sasl_answer answer = sasl_line(&s->sasl, &from, line, a);
    return say(s, &answer);
}

void
pop3_sasl_end(struct pop3_session *s)
{
    struct login_from from = whence(s);

    s->rest = POP3_REST_COMMAND;
    sasl_end(&s->sasl, &from);
}

static enum status
refuse(struct pop3_session *s, enum status e)
{
    if (e == ERR_LIMIT || ++s->logins >= LIMIT_LOGIN_ATTEMPTS)
        s->quit = true;
    if (e == ERR_DENIED)
        return pop3_err(s, "[AUTH]", "Wrong name or password");
    if (e == ERR_LIMIT)
        return pop3_err(s, "[SYS/TEMP]", "Too many attempts, try again later");
    return pop3_err(s, "[SYS/TEMP]", "Cannot check passwords now, try again");
}

static enum status
welcome(struct pop3_session *s, const struct login_account *account)
{
    uint32_t left_s = delays_log_in(pop3_delays, account->account,
                                    pop3_world->config->pop3_login_delay_s, clock_mono_ms());
    char text[80];

    s->account = account->account;
    conn_authenticated(s->conn);
    if (left_s > 0) { /* the log-in itself ends with the session */
        s->quit = true;
        snprintf(text, sizeof(text), "Your mail was looked at a moment ago, try again in %u s",
                 left_s);
        return pop3_err(s, "[LOGIN-DELAY]", text);
    }
    if (pop3_load(s) != OK) {
        s->quit = true;
        return pop3_err(s, "[SYS/TEMP]", "Cannot open the mailbox now, try again");
    }
    return pop3_ok(s, "%zu messages", s->count);
}
