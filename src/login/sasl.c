/* sasl.c - the mechanisms as steps of one exchange.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "login/sasl.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/scan.h"
#include "base/size.h"
#include "ipc/auth_ipc.h"
#include "login/oauth_read.h"
#include "login/scram_read.h"

/* What the next line of the client is. */
enum step {
    STEP_NONE,
    STEP_PLAIN,
    STEP_NAME, /* LOGIN */
    STEP_PASSWORD,
    STEP_SCRAM_FIRST,
    STEP_SCRAM_PLUS_FIRST,
    STEP_SCRAM_FINAL,
    STEP_OAUTH,
    STEP_XOAUTH2,
    STEP_OAUTH_END, /* the client's answer to why its token is refused */
    STEP_SCRAM_END, /* the empty answer to server-final-message: the session is granted already */
};

/* From client-first-message to the end. */
struct sasl_scram {
    struct buf binding; /* what "c=" must decode to */
    struct str name;    /* owned, for the log */
    struct str nonce;   /* owned: both halves */
    uint64_t account;   /* of STEP_SCRAM_END */
    struct str address; /* owned */
    uint32_t rights;
};

struct mechanism {
    struct str name;
    enum step first;
    struct str challenge; /* when there was no initial response */
};
/* By preference. */
static const struct mechanism mechanisms[] = {
    {STR("SCRAM-SHA-256-PLUS"), STEP_SCRAM_PLUS_FIRST, STR("")},
    {STR("SCRAM-SHA-256"), STEP_SCRAM_FIRST, STR("")},
    {STR("PLAIN"), STEP_PLAIN, STR("")},
    {STR("LOGIN"), STEP_NAME, STR("VXNlcm5hbWU6")}, /* "Username:" */
    {STR("OAUTHBEARER"), STEP_OAUTH, STR("")},
    {STR("XOAUTH2"), STEP_XOAUTH2, STR("")},
};
#define PASSWORD_PROMPT STR("UGFzc3dvcmQ6") /* "Password:" */

static struct str oauth_issuer; /* empty: no tokens are taken */

void
sasl_take_tokens(struct str issuer)
{
    oauth_issuer = issuer;
}

static const struct sasl_answer malformed = {.verdict = SASL_MALFORMED};

/* The exchange that a line goes on with. */
struct turn {
    struct sasl *x;
    const struct login_from *from;
    struct arena *arena;
};

static bool
is_offered(const struct conn *c, const struct mechanism *m)
{
    unsigned char binding[TLS_BINDING_BYTES];

    if (m->first == STEP_OAUTH || m->first == STEP_XOAUTH2)
        return oauth_issuer.len > 0;
    return m->first != STEP_SCRAM_PLUS_FIRST || conn_tls_binding(c, binding);
}

/* NeoMutt of Debian 12 picks -PLUS for SMTP when it is listed, cannot bind, and tries nothing else. */
static bool
is_listed(const struct conn *c, enum login_protocol p, const struct mechanism *m)
{
    return is_offered(c, m) && (m->first != STEP_SCRAM_PLUS_FIRST || p != LOGIN_SUBMISSION);
}

void
sasl_list(const struct conn *c, enum login_protocol p, struct str before, struct buf *out)
{
    for (size_t i = 0; i < COUNT_OF(mechanisms); i++) {
        if (!is_listed(c, p, &mechanisms[i]))
            continue;
        buf_add(out, before);
        buf_add(out, mechanisms[i].name);
    }
}

static void
scram_free(struct sasl_scram **s)
{
    if (*s == NULL)
        return;
    buf_release(&(*s)->binding);
    mem_str_free(&(*s)->name);
    mem_str_free(&(*s)->nonce);
    mem_str_free(&(*s)->address);
    mem_free(*s);
    *s = NULL;
}

void
sasl_end(struct sasl *x, const struct login_from *f)
{
    /* Auth has the exchange, or even a grant, under this number: a later log-in must not meet the news of its end. */
    if (x->scram != NULL)
        login_renew(f);
    x->step = STEP_NONE;
    mem_str_free(&x->name);
    scram_free(&x->scram);
}

static struct sasl_answer
failed(enum status e)
{
    return (struct sasl_answer){.verdict = SASL_FAILED, .status = e};
}

static struct sasl_answer
challenge(const struct turn *t, enum step next, struct str base64)
{
    t->x->step = (uint8_t)next;
    return (struct sasl_answer){.verdict = SASL_CHALLENGE,
                                .challenge = arena_str(t->arena, base64)};
}

static struct sasl_answer
challenge_text(const struct turn *t, enum step next, struct str text)
{
    AUTO_BUF base64 = BUF(2 * LIMIT_SASL_BYTES);

    buf_add_base64(&base64, text);
    return buf_status(&base64) == OK ? challenge(t, next, buf_str(&base64)) : failed(ERR_TEMP);
}

/* ---- PLAIN and LOGIN ---- */

static SUSPENDS struct sasl_answer
check(const struct turn *t, struct str name, const struct secret *password)
{
    struct sasl_answer done = {.verdict = SASL_DONE};
    enum status e = login_check(t->from, name, password, t->arena, &done.account);

    return e == OK ? done : failed(e);
}

static SUSPENDS struct sasl_answer
plain_line(const struct turn *t, struct str line)
{
    AUTO_SECRET_BUF decoded = BUF(LIMIT_SASL_BYTES);
    AUTO_SECRET password = {0};
    struct str name;

    switch (login_plain_read(line, &decoded, &name, &password)) {
    case OK: return check(t, name, &password);
    case ERR_DENIED: return (struct sasl_answer){.verdict = SASL_OTHER};
    default: return malformed;
    }
}

static struct sasl_answer
name_line(const struct turn *t, struct str line)
{
    AUTO_BUF decoded = BUF(LIMIT_PASSWORD_BYTES);

    if (login_word_read(line, &decoded) != OK || decoded.len == 0)
        return malformed;
    t->x->name = mem_str(buf_str(&decoded));
    return challenge(t, STEP_PASSWORD, PASSWORD_PROMPT);
}

static SUSPENDS struct sasl_answer
password_line(const struct turn *t, struct str line)
{
    AUTO_SECRET_BUF decoded = BUF(LIMIT_PASSWORD_BYTES);
    AUTO_SECRET password = {0};

    if (login_word_read(line, &decoded) != OK || !secret_set(&password, buf_str(&decoded)))
        return malformed;
    return check(t, t->x->name, &password);
}

/* ---- SCRAM ---- */

/* RFC 5802 section 6: what the client says of channel binding must fit the mechanism, and "y" is a lie of somebody
 * between us when we did list -PLUS.  binding gets the data that is bound to, if any. */
static enum status
judge_binding(const struct login_from *from, enum scram_flag flag, bool plus, struct buf *binding)
{
    unsigned char data[TLS_BINDING_BYTES];
    bool can = conn_tls_binding(from->conn, data);
    bool listed = can && from->protocol != LOGIN_SUBMISSION;

    switch (flag) {
    case SCRAM_CANNOT_BIND: return plus ? ERR_SYNTAX : OK;
    case SCRAM_NOT_OFFERED: return plus ? ERR_SYNTAX : listed ? ERR_DENIED : OK;
    case SCRAM_BINDS_ELSE: return plus ? ERR_DENIED : ERR_SYNTAX;
    case SCRAM_BINDS:
        if (!plus || !can)
            return ERR_SYNTAX;
        buf_add(binding, str_from((const char *)data, sizeof(data)));
        return OK;
    }
    UNREACHABLE();
}

/* Asks auth for server-first-message; writes it to out, and the whole nonce to the exchange. */
static SUSPENDS enum status
ask_first(const struct turn *t, const struct scram_first *f, struct str *out)
{
    struct auth_scram_first req = {
        .session = *t->from->session,
        .protocol = (uint8_t)t->from->protocol,
        .peer = conn_peer(t->from->conn),
        .login = f->name,
        .message = f->bare,
        .nonce = f->nonce,
    };
    struct auth_scram_first_reply rep;
    struct str nonce;

    if (f->name.len > 512)
        return ERR_DENIED;
    TRY(t->from->auth == NULL ? ERR_TEMP
                              : auth_scram_first_call(t->from->auth, &req, t->arena, &rep));
    *out = rep.message;
    struct scan s = scan_of(rep.message);
    if (!scan_str(&s, STR("r=")) || !scan_until(&s, ',', &nonce))
        return ERR_TEMP;
    t->x->scram->nonce = mem_str(nonce);
    return OK;
}

static SUSPENDS struct sasl_answer
scram_first_line(const struct turn *t, struct str line, bool plus)
{
    AUTO_BUF decoded = BUF(LIMIT_SASL_BYTES);
    struct scram_first f;
    struct str message;

    if (login_word_read(line, &decoded) != OK ||
        scram_first_read(buf_str(&decoded), t->arena, &f) != OK)
        return malformed;
    if (f.authzid.len > 0 && !str_eq_nocase(f.authzid, f.name))
        return (struct sasl_answer){.verdict = SASL_OTHER};
    struct sasl_scram *s = t->x->scram = MEM_NEW(struct sasl_scram);
    s->name = mem_str(f.name);
    s->binding = BUF(LIMIT_SASL_BYTES);
    buf_add(&s->binding, f.gs2);
    enum status e = judge_binding(t->from, f.flag, plus, &s->binding);
    if (e == ERR_SYNTAX)
        return malformed;
    if (e == OK)
        e = ask_first(t, &f, &message);
    if (e == OK)
        return challenge_text(t, STEP_SCRAM_FINAL, message);
    login_log(t->from, f.name, e, STR_NONE);
    return failed(e);
}

/* The session is granted when this is OK. */
static SUSPENDS enum status
ask_final(const struct turn *t, const struct scram_final *f, struct str *signature_out)
{
    struct sasl_scram *s = t->x->scram;
    struct auth_scram_final req = {
        .session = *t->from->session,
        .protocol = (uint8_t)t->from->protocol, /* in the order of auth.ipc */
        .peer = conn_peer(t->from->conn),
        .tls_version = login_tls_version(t->from->conn),
        .message = f->unproved,
        .proof = f->proof,
    };
    struct auth_scram_final_reply rep;

    ASSERT(s != NULL); /* scram_first_line() was here */
    if (!str_eq(f->nonce, s->nonce) || f->proof.len > 32 || f->binding.len != s->binding.len ||
        !mem_eq_const_time(f->binding.ptr, s->binding.ptr, s->binding.len))
        return ERR_DENIED;
    TRY(t->from->auth == NULL ? ERR_TEMP
                              : auth_scram_final_call(t->from->auth, &req, t->arena, &rep));
    s->account = rep.account;
    s->address = mem_str(rep.address);
    s->rights = rep.rights;
    *signature_out = rep.signature;
    return OK;
}

/* server-final-message goes as a challenge: none of the protocols has a place for it in its success. */
static SUSPENDS struct sasl_answer
scram_final_line(const struct turn *t, struct str line)
{
    AUTO_BUF decoded = BUF(LIMIT_SASL_BYTES);
    AUTO_BUF message = BUF(256);
    struct scram_final f;
    struct str signature;

    if (login_word_read(line, &decoded) != OK ||
        scram_final_read(buf_str(&decoded), t->arena, &f) != OK)
        return malformed;
    enum status e = ask_final(t, &f, &signature);
    login_log(t->from, t->x->scram->name, e, STR_NONE);
    if (e != OK)
        return failed(e);
    buf_add(&message, STR("v="));
    buf_add_base64(&message, signature);
    return challenge_text(t, STEP_SCRAM_END, buf_str(&message));
}

static struct sasl_answer
scram_end_line(const struct turn *t, struct str line)
{
    struct sasl_scram *s = t->x->scram;

    ASSERT(s != NULL); /* scram_final_line() was here */
    if (line.len > 0 && !str_eq(line, STR("=")))
        return malformed;
    struct sasl_answer done = {
        .verdict = SASL_DONE,
        .account = {.account = s->account,
                    .address = arena_str(t->arena, s->address),
                    .rights = s->rights},
    };
    scram_free(&t->x->scram); /* so that what was granted stays granted */
    return done;
}

/* ---- OAUTHBEARER, XOAUTH2 ---- */

/* RFC 7628 section 3.2.2; XOAUTH2 has a number of HTTP.  The client answers, then it has failed. */
static struct sasl_answer
refuse_token(const struct turn *t, bool x)
{
    AUTO_BUF why = BUF(2048);

    if (x)
        buf_add(&why, STR("{\"status\":\"401\",\"schemes\":\"bearer\"}"));
    else
        buf_addf(&why,
                 "{\"status\":\"invalid_token\",\"openid-configuration\":"
                 "\"%.*s/.well-known/openid-configuration\"}",
                 STR_FMT(oauth_issuer));
    return challenge_text(t, STEP_OAUTH_END, buf_str(&why));
}

static SUSPENDS enum status
ask_oauth(const struct turn *t, const struct oauth_first *f, struct login_account *out)
{
    const struct auth_oauth req = {
        .session = *t->from->session,
        .protocol = (uint8_t)t->from->protocol,
        .peer = conn_peer(t->from->conn),
        .tls_version = login_tls_version(t->from->conn),
        .login = f->name,
        .token = f->token,
    };
    struct auth_oauth_reply rep;

    if (f->name.len > 512 || f->token.len == 0)
        return ERR_DENIED;
    enum status e =
        t->from->auth == NULL ? ERR_TEMP : auth_oauth_call(t->from->auth, &req, t->arena, &rep);
    if (e == ERR_CLOSED) /* the outcome is unknown, as in login_check() */
        login_renew(t->from);
    TRY(e);
    *out = (struct login_account){
        .account = rep.account, .address = rep.address, .rights = rep.rights};
    return OK;
}

static SUSPENDS struct sasl_answer
oauth_line(const struct turn *t, struct str line, bool x)
{
    AUTO_SECRET_BUF decoded = BUF(LIMIT_OAUTH_BYTES);
    struct sasl_answer done = {.verdict = SASL_DONE};
    struct oauth_first f;

    if (login_word_read(line, &decoded) != OK ||
        (x ? oauth_x_read(buf_str(&decoded), &f)
           : oauth_bearer_read(buf_str(&decoded), t->arena, &f)) != OK)
        return malformed;
    enum status e = ask_oauth(t, &f, &done.account);
    login_log(t->from, f.name.len > 0 || e != OK ? f.name : done.account.address, e, STR_NONE);
    if (e == OK)
        return done;
    return e == ERR_DENIED ? refuse_token(t, x) : failed(e);
}

/* ---- the exchange ---- */

static SUSPENDS struct sasl_answer
take(const struct turn *t, enum step step, struct str line)
{
    switch (step) {
    case STEP_PLAIN: return plain_line(t, line);
    case STEP_NAME: return name_line(t, line);
    case STEP_PASSWORD: return password_line(t, line);
    case STEP_SCRAM_FIRST: return scram_first_line(t, line, false);
    case STEP_SCRAM_PLUS_FIRST: return scram_first_line(t, line, true);
    case STEP_SCRAM_FINAL: return scram_final_line(t, line);
    case STEP_SCRAM_END: return scram_end_line(t, line);
    case STEP_OAUTH: return oauth_line(t, line, false);
    case STEP_XOAUTH2: return oauth_line(t, line, true);
    case STEP_OAUTH_END: return failed(ERR_DENIED);
    case STEP_NONE: break;
    }
    UNREACHABLE();
}

struct sasl_answer
sasl_line(struct sasl *x, const struct login_from *f, struct str line, struct arena *a)
{
    const struct turn t = {x, f, a};
    enum step step = x->step;
    struct sasl_answer answer = {.verdict = SASL_CANCELLED};

    x->step = STEP_NONE;
    if (!str_eq(line, STR("*")))
        answer = take(&t, step, line);
    if (answer.verdict != SASL_CHALLENGE)
        sasl_end(x, f);
    return answer;
}

struct sasl_answer
sasl_begin(struct sasl *x, const struct login_from *f, const struct sasl_begin *how,
           struct arena *a)
{
    const struct turn t = {x, f, a};

    ASSERT(x->step == STEP_NONE && x->scram == NULL);
    for (size_t i = 0; i < COUNT_OF(mechanisms); i++) {
        const struct mechanism *m = &mechanisms[i];
        if (!str_eq_nocase(how->mechanism, m->name) || !is_offered(f->conn, m))
            continue;
        if (how->initial.len == 0)
            return challenge(&t, m->first, m->challenge);
        x->step = (uint8_t)m->first;
        return sasl_line(x, f, how->initial, a);
    }
    return (struct sasl_answer){.verdict = SASL_UNKNOWN};
}
