/* auth.c - AUTH (RFC 4954): SASL in SMTP's words; role auth decides.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/session.h"

static SUSPENDS enum status say(struct smtp_session *s, const struct sasl_answer *answer);

static struct login_from
whence(struct smtp_session *s)
{
    return (struct login_from){.auth = smtp_world->auth,
                               .store = smtp_world->store,
                               .protocol = LOGIN_SUBMISSION,
                               .session = &s->id,
                               .conn = s->conn};
}

enum status
smtp_cmd_auth(struct smtp_session *s, struct str args)
{
    AUTO_ARENA *a = arena_new(65536);
    struct login_from from = whence(s);
    struct sasl_begin how;

    if (!smtp_is_submission(s))
        return smtp_error(s, 503, "5.5.1", "Users log in on port 465 or 587");
    if (s->account != 0 || s->login.len > 0)
        return smtp_error(s, 503, "5.5.1", "You are logged in");
    if (s->mail.open)
        return smtp_error(s, 503, "5.5.1", "Not in the middle of a message");
    if (!smtp_may_login(s))
        return smtp_error(s, 538, "5.7.11",
                          "Use STARTTLS first: passwords are never taken in clear");
    smtp_line_split(args, &how.mechanism, &how.initial);
    struct sasl_answer answer = sasl_begin(&s->sasl, &from, &how, a);
    return say(s, &answer);
}

enum status
smtp_sasl_line(struct smtp_session *s, struct str line)
{
    AUTO_ARENA *a = arena_new(65536);
    struct login_from from = whence(s);

    s->rest = SMTP_REST_COMMAND;
    struct sasl_answer answer = sasl_line(&s->sasl, &from, line, a);
    return say(s, &answer);
}

void
smtp_sasl_end(struct smtp_session *s)
{
    struct login_from from = whence(s);

    s->rest = SMTP_REST_COMMAND;
    sasl_end(&s->sasl, &from);
}

/* ---- statics ---- */

static SUSPENDS enum status
refuse(struct smtp_session *s, enum status e)
{
    if (e != ERR_DENIED && e != ERR_LIMIT)
        return smtp_reply(s, 454, "4.7.0", "Cannot check passwords now, try again");
    if (++s->logins < LIMIT_LOGIN_ATTEMPTS && e == ERR_DENIED)
        return smtp_error(s, 535, "5.7.8", "Wrong name or password");
    s->quit = true;
    return smtp_reply(s, 421, "4.7.0", "Too many attempts, good bye");
}

static SUSPENDS enum status
welcome(struct smtp_session *s, const struct login_account *account)
{
    s->account = account->account;
    s->address = mem_str(account->address);
    conn_authenticated(s->conn);
    return smtp_reply(s, 235, "2.7.0", "Welcome");
}

static enum status
say(struct smtp_session *s, const struct sasl_answer *answer)
{
    switch (answer->verdict) {
    case SASL_CHALLENGE:
        s->rest = SMTP_REST_SASL;
        return conn_printf(s->conn, "334 %.*s\r\n", STR_FMT(answer->challenge));
    case SASL_DONE: return welcome(s, &answer->account);
    case SASL_CANCELLED: return smtp_error(s, 501, "5.7.0", "Log-in cancelled");
    case SASL_MALFORMED:
        return smtp_error(s, 501, "5.5.2", "This is not a response of the mechanism");
    case SASL_UNKNOWN: return smtp_error(s, 504, "5.5.4", "EHLO lists the mechanisms");
    case SASL_OTHER: return smtp_error(s, 535, "5.7.8", "Wrong name or password");
    case SASL_FAILED: return refuse(s, answer->status);
    }
    UNREACHABLE();
}
