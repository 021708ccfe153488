/* mail.c - MAIL and RCPT: the envelope.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "ipc/store_ipc.h"
#include "smtp/session.h"

#define TRANSACTION_BYTES (4u << 20)

/* enum<4> class of store.ipc. */
enum rcpt_class { RCPT_LOCAL, RCPT_FOREIGN, RCPT_NO_USER, RCPT_OVER_QUOTA, RCPT_DISABLED };

/* Bits of store.ipc's notify. */
enum notify { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4, NOTIFY_DELAY = 8 };

struct param_rule {
    struct str key;
    bool submission_only; /* announced there alone */
    bool (*read)(struct smtp_transaction *t, struct str value);
};

static size_t rcpts_max(const struct smtp_session *s);
static struct str path_text(struct arena *a, const struct path *p);

/* ---- parameters of MAIL ---- */

static bool
param_size(struct smtp_transaction *t, struct str value)
{
    struct scan in = scan_of(value);

    return scan_u64(&in, UINT64_MAX, &t->size) && scan_at_end(&in);
}

/* 8BITMIME (RFC 6152): every byte is carried as it is, so both values say the same to us. */
static bool
param_body(struct smtp_transaction *t, struct str value)
{
    (void)t;
    return str_eq_nocase(value, STR("7BIT")) || str_eq_nocase(value, STR("8BITMIME"));
}

/* RFC 4954 section 5: taken, and not believed. */
static bool
param_auth(struct smtp_transaction *t, struct str value)
{
    AUTO_BUF decoded = BUF(1024);

    (void)t;
    return value.len > 0 && xtext_decode(value, &decoded) == OK;
}

static bool
param_ret(struct smtp_transaction *t, struct str value)
{
    t->full_return = str_eq_nocase(value, STR("FULL"));
    return t->full_return || str_eq_nocase(value, STR("HDRS"));
}

static bool
param_envid(struct smtp_transaction *t, struct str value)
{
    AUTO_BUF decoded = BUF(100); /* RFC 3461 section 4.4 */

    if (value.len == 0 || xtext_decode(value, &decoded) != OK)
        return false;
    t->envid = arena_str(t->arena, value);
    return true;
}

static const struct param_rule mail_params[] = {
    {STR("SIZE"), false, param_size},  {STR("BODY"), false, param_body},
    {STR("AUTH"), false, param_auth},  {STR("RET"), true, param_ret},
    {STR("ENVID"), true, param_envid},
};

static SUSPENDS enum status
read_mail_param(struct smtp_session *s, const struct esmtp_param *p, bool *stop)
{
    *stop = true;
    for (size_t i = 0; i < COUNT_OF(mail_params); i++) {
        if (!str_eq_nocase(p->key, mail_params[i].key) ||
            (mail_params[i].submission_only && !smtp_is_submission(s)))
            continue;
        *stop = !mail_params[i].read(&s->mail, p->value);
        return *stop ? smtp_error(s, 501, "5.5.4", "%.*s has no such value", STR_FMT(p->key)) : OK;
    }
    return smtp_error(s, 555, "5.5.4", "The parameter %.*s is not known here", STR_FMT(p->key));
}

/* Reads all parameters; *stop says that a refusal was sent. */
static SUSPENDS enum status
read_mail_params(struct smtp_session *s, struct scan *in, bool *stop)
{
    struct esmtp_param p;

    *stop = false;
    for (;;) {
        enum status e = esmtp_param_scan(in, &p);
        if (e == ERR_NOT_FOUND)
            return OK;
        if (e != OK) {
            *stop = true;
            return smtp_error(s, 501, "5.5.4", "These parameters cannot be read");
        }
        TRY(read_mail_param(s, &p, stop));
        if (*stop)
            return OK;
    }
}

static SUSPENDS enum status
check_sender(struct smtp_session *s, bool *stop)
{
    *stop = false;
    if (!smtp_is_submission(s) || s->mail.sender.len == 0)
        return OK;
    struct store_may_send_as ask = {.session = s->id, .address = s->mail.sender};
    struct store_may_send_as_reply answer;
    *stop = true;
    enum status e = store_may_send_as_call(smtp_world->store, &ask, s->mail.arena, &answer);
    if (e == ERR_DENIED) { /* store and auth were both started anew: nobody remembers this log-in */
        s->quit = true;
        return smtp_reply(s, 421, "4.7.0", "The server was restarted, please log in again");
    }
    if (e != OK)
        return smtp_reply(s, 451, "4.3.0", "Cannot check the sender now, try again");
    if (!answer.allowed)
        return smtp_error(s, 553, "5.7.1", "%.*s may not send as %.*s", STR_FMT(s->address),
                          STR_FMT(s->mail.sender));
    *stop = false;
    return OK;
}

/* "FROM:" Reverse-path [SP Mail-parameters]      RFC 5321 section 4.1.1.2 */
enum status
smtp_cmd_mail(struct smtp_session *s, struct str args)
{
    struct scan in = scan_of(args);
    struct path path;
    bool stop;
    unsigned flags = PATH_REVERSE | (smtp_is_submission(s) ? PATH_LENIENT : 0u);

    if (s->mail.open)
        return smtp_error(s, 503, "5.5.1", "One sender at a time: finish this message or say RSET");
    if (s->messages >= LIMIT_SMTP_MESSAGES_PER_CONN) {
        s->quit = true;
        return smtp_reply(s, 421, "4.7.0", "Enough for one connection, please open another");
    }
    smtp_reset(s);
    s->mail.arena = arena_new(TRANSACTION_BYTES);
    if (!scan_str_nocase(&in, STR("FROM:")) || path_scan(&in, flags, s->mail.arena, &path) != OK)
        return smtp_error(s, 501, "5.1.7", "Expected MAIL FROM:<address>");
    s->mail.sender = path_text(s->mail.arena, &path);
    TRY(read_mail_params(s, &in, &stop));
    if (stop)
        return OK;
    if (s->mail.size > smtp_world->config->message_bytes_max)
        return smtp_error(s, 552, "5.3.4", "The largest message is %llu bytes",
                          (unsigned long long)smtp_world->config->message_bytes_max);
    TRY(check_sender(s, &stop));
    if (stop)
        return OK;
    s->mail.rcpts = ARENA_ARRAY(s->mail.arena, struct smtp_rcpt, rcpts_max(s));
    s->mail.open = true;
    return smtp_reply(s, 250, "2.1.0", "Sender is fine");
}

/* ---- RCPT ---- */

/* "NEVER" / 1#("SUCCESS" / "FAILURE" / "DELAY")      RFC 3461 section 4.1 */
static bool
read_notify(struct str value, uint32_t *out)
{
    static const struct {
        struct str name;
        uint32_t bit;
    } words[] = {{STR("NEVER"), NOTIFY_NEVER},
                 {STR("SUCCESS"), NOTIFY_SUCCESS},
                 {STR("FAILURE"), NOTIFY_FAILURE},
                 {STR("DELAY"), NOTIFY_DELAY}};
    struct str word;
    uint32_t bits = 0;

    while (str_split(&value, ',', &word)) {
        uint32_t bit = 0;
        for (size_t i = 0; i < COUNT_OF(words); i++)
            if (str_eq_nocase(word, words[i].name))
                bit = words[i].bit;
        if (bit == 0)
            return false;
        bits |= bit;
    }
    if (bits == 0 || ((bits & NOTIFY_NEVER) != 0 && bits != NOTIFY_NEVER))
        return false;
    *out = bits;
    return true;
}

static bool
read_rcpt_param(struct smtp_session *s, const struct esmtp_param *p, struct smtp_rcpt *r)
{
    if (str_eq_nocase(p->key, STR("NOTIFY")))
        return read_notify(p->value, &r->notify);
    if (!str_eq_nocase(p->key, STR("ORCPT")) || p->value.len > 500 || str_find(p->value, ';') < 1)
        return false;
    r->orcpt = arena_str(s->mail.arena, p->value);
    return true;
}

static SUSPENDS enum status
read_rcpt_params(struct smtp_session *s, struct scan *in, struct smtp_rcpt *r, bool *stop)
{
    struct esmtp_param p;

    *stop = false;
    for (;;) {
        enum status e = esmtp_param_scan(in, &p);
        if (e == ERR_NOT_FOUND)
            return OK;
        *stop = true;
        if (e != OK)
            return smtp_error(s, 501, "5.5.4", "These parameters cannot be read");
        if (!smtp_is_submission(s))
            return smtp_error(s, 555, "5.5.4", "The parameter %.*s is not known here",
                              STR_FMT(p.key));
        if (!read_rcpt_param(s, &p, r))
            return smtp_error(s, 501, "5.5.4", "%.*s is not known or has no such value",
                              STR_FMT(p.key));
        *stop = false;
    }
}

static void
log_refusal(const struct smtp_session *s, struct str address, int code, const char *enhanced)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_SMTP_RCPT))
        return;
    log_str(&l, "peer", conn_peer(s->conn));
    log_str(&l, "helo", s->helo);
    log_str(&l, "from", s->mail.sender);
    log_str(&l, "to", address);
    log_u64(&l, "code", (uint64_t)code);
    log_str(&l, "enhanced", str_of(enhanced));
}

static const struct smtp_reply *
refusal_of(const struct smtp_session *s, unsigned class)
{
    static const struct smtp_reply no_relay = {554, "5.7.1", "This domain is not served here"};
    static const struct smtp_reply no_user = {550, "5.1.1", "There is no such address here"};
    static const struct smtp_reply full = {452, "4.2.2", "The mailbox is full"};
    static const struct smtp_reply disabled = {550, "5.2.1", "The mailbox takes no mail"};

    switch (class) {
    case RCPT_LOCAL: return NULL;
    case RCPT_FOREIGN: return smtp_is_submission(s) ? NULL : &no_relay;
    case RCPT_NO_USER: return &no_user;
    case RCPT_OVER_QUOTA: return &full;
    default: return &disabled;
    }
}

static SUSPENDS enum status
add_rcpt(struct smtp_session *s, const struct smtp_rcpt *r)
{
    struct store_rcpt ask = {.address = r->address, .size = s->mail.size};
    struct store_rcpt_reply answer;
    AUTO_ARENA *a = arena_new(4096);

    if (smtp_world->store == NULL || store_rcpt_call(smtp_world->store, &ask, a, &answer) != OK)
        return smtp_reply(s, 451, "4.3.0", "Cannot check the recipient now, try again");
    const struct smtp_reply *no = refusal_of(s, answer.class);
    if (no != NULL) {
        log_refusal(s, r->address, no->code, no->enhanced);
        return smtp_error(s, no->code, no->enhanced, "<%.*s>: %s", STR_FMT(r->address), no->text);
    }
    s->mail.rcpts[s->mail.rcpt_count++] = *r;
    return smtp_reply(s, 250, "2.1.5", "Recipient is fine");
}

/* "TO:" Forward-path [SP Rcpt-parameters]      RFC 5321 section 4.1.1.3 */
enum status
smtp_cmd_rcpt(struct smtp_session *s, struct str args)
{
    struct scan in = scan_of(args);
    struct path path;
    struct smtp_rcpt r = {0};
    bool stop;

    if (!s->mail.open)
        return smtp_error(s, 503, "5.5.1", "Say MAIL first");
    if (s->mail.rcpt_count == rcpts_max(s))
        return smtp_reply(s, 452, "4.5.3", "Too many recipients, send the rest in another message");
    if (!scan_str_nocase(&in, STR("TO:")) ||
        path_scan(&in, smtp_is_submission(s) ? PATH_LENIENT : 0u, s->mail.arena, &path) != OK)
        return smtp_error(s, 501, "5.1.3", "Expected RCPT TO:<address>");
    r.address = path_text(s->mail.arena, &path);
    TRY(read_rcpt_params(s, &in, &r, &stop));
    return stop ? OK : add_rcpt(s, &r);
}

/* ---- statics ---- */

static size_t
rcpts_max(const struct smtp_session *s)
{
    return smtp_is_submission(s) ? LIMIT_SUBMIT_RCPTS : LIMIT_SMTP_RCPTS;
}

static struct str
path_text(struct arena *a, const struct path *p)
{
    AUTO_BUF text = BUF(PATH_MAX_BYTES);

    path_write(&text, p);
    if (p->kind == PATH_POSTMASTER) {
        /* RFC 5321 section 4.5.1: the postmaster of whoever is asked. */
        buf_add_char(&text, '@');
        buf_add(&text, smtp_world->config->domain);
    }
    return buf_str(&text).len == 0 ? STR("") : arena_str(a, buf_str(&text));
}
