/* client.c - connecting, greeting, TLS, log-in and replies of the sending side.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/client.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"
#include "mail/line.h"

enum {
    REPLY_LINES_MAX = 100,
    GREETING_S = LIMIT_OUT_REPLY_S,
    HELLO_S = LIMIT_OUT_REPLY_S,
    TLS_S = 120,
    AUTH_S = 120
};

struct smtp_client {
    struct conn *conn;
    unsigned extensions;
    uint64_t size_max;
    bool tls;
    struct line_encoder stuffing;
};

static SUSPENDS enum status say(struct smtp_client *c, struct str line, unsigned seconds,
                                struct smtp_answer *a);
static SUSPENDS enum status hello(struct smtp_client *c, const struct smtp_peer *p,
                                  struct smtp_answer *a);
static SUSPENDS enum status start_tls(struct smtp_client *c, const struct smtp_peer *p,
                                      struct smtp_answer *a);
static SUSPENDS enum status log_in(struct smtp_client *c, const struct smtp_peer *p,
                                   struct smtp_answer *a);

void
smtp_client_free(struct smtp_client **c)
{
    if (*c == NULL)
        return;
    conn_free(&(*c)->conn);
    mem_free(*c);
    *c = NULL;
}

static void
answer_set(struct smtp_answer *a, const char *text)
{
    struct problem p = {0};

    problem_set(&p, 0, "", "%s", text);
    *a = (struct smtp_answer){0};
    mem_copy(a->text, p.text, MIN(sizeof(p.text), sizeof(a->text)));
}

/* A refusal in words of status: 4xx for now, 5xx for good. */
static enum status
refusal(const struct smtp_answer *a)
{
    return a->code >= 500 ? ERR_DENIED : ERR_TEMP;
}

enum status
smtp_client_open(const struct smtp_peer *peer, struct smtp_client **out, struct smtp_answer *why)
{
    AUTO(smtp_client_free) struct smtp_client *c = MEM_NEW(struct smtp_client);
    enum status e;

    line_encoder_init(&c->stuffing);
    e = conn_connect(&peer->target, &c->conn);
    if (e != OK) {
        answer_set(why, e == ERR_TIMEOUT ? "connection timed out" : "connection refused");
        return e == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_CLOSED;
    }
    TRY(smtp_client_reply(c, GREETING_S, why));
    if (why->code != 220)
        return refusal(why);
    TRY(hello(c, peer, why));
    if (peer->tls != NULL && (c->extensions & SMTP_EXT_STARTTLS) != 0)
        TRY(start_tls(c, peer, why));
    if (peer->tls_required && !c->tls) {
        answer_set(why, "the server does not offer STARTTLS, which this route requires");
        return ERR_TEMP;
    }
    if (peer->user.len > 0)
        TRY(log_in(c, peer, why));
    *out = c;
    c = NULL;
    return OK;
}

unsigned
smtp_client_extensions(const struct smtp_client *c)
{
    return c->extensions;
}

uint64_t
smtp_client_size_max(const struct smtp_client *c)
{
    return c->size_max;
}

bool
smtp_client_is_tls(const struct smtp_client *c)
{
    return c->tls;
}

void
smtp_client_quit(struct smtp_client *c)
{
    struct smtp_answer ignored;

    if (say(c, STR("QUIT"), 5, &ignored) != OK)
        return; /* the message is delivered: how they part does not matter */
}

enum status
smtp_client_send(struct smtp_client *c, struct str line)
{
    ASSERT(str_find(line, '\r') < 0 && str_find(line, '\n') < 0);
    TRY(conn_write(c->conn, line));
    return conn_write(c->conn, STR("\r\n"));
}

/* ---- replies ---- */

/* Printable ASCII and well-formed enough for logs and reports; the rest becomes "?". */
static void
add_text(struct smtp_answer *a, size_t *n, struct str text)
{
    if (*n > 0 && *n < sizeof(a->text) - 1)
        a->text[(*n)++] = ' ';
    for (size_t i = 0; i < text.len && *n < sizeof(a->text) - 1; i++) {
        char c = text.ptr[i];
        a->text[(*n)++] = c >= 0x20 && c <= 0x7e ? c : '?';
    }
    a->text[*n] = '\0';
}

/* status-code = class "." subject "." detail      RFC 2034; taken off the front of text. */
static void
take_enhanced(struct smtp_answer *a, struct str *text)
{
    struct scan s = scan_of(*text);
    uint32_t class, subject, detail;

    if (!scan_u32(&s, 5, &class) || !scan_char(&s, '.') || !scan_u32(&s, 999, &subject) ||
        !scan_char(&s, '.') || !scan_u32(&s, 999, &detail) || (int)class != a->code / 100)
        return;
    struct str found = str_sub(*text, 0, (size_t)(s.pos - text->ptr));
    if (!scan_at_end(&s) && !scan_char(&s, ' '))
        return;
    if (!str_to_z(found, a->enhanced, sizeof(a->enhanced)))
        a->enhanced[0] = '\0';
    *text = scan_rest(&s);
}

/* Reply-line = Reply-code [ "-" / SP ] [ textstring ]      RFC 5321 section 4.2 */
static bool
read_reply_line(struct str line, int *code, bool *more, struct str *text)
{
    struct scan s = scan_of(line);
    uint32_t n;

    if (line.len < 3 || !ascii_is_digit(line.ptr[0]))
        return false;
    struct scan digits = scan_of(str_sub(line, 0, 3));
    if (!scan_u32(&digits, 599, &n) || !scan_at_end(&digits) || n < 200)
        return false;
    s.pos += 3;
    *code = (int)n;
    *more = scan_char(&s, '-');
    if (!*more && !scan_at_end(&s) && !scan_char(&s, ' '))
        return false;
    *text = scan_rest(&s);
    return true;
}

/* What EHLO announces, a line each. */
static void
note_extension(struct smtp_client *c, struct str text)
{
    static const struct {
        struct str word;
        unsigned bit;
    } known[] = {
        {STR("PIPELINING"), SMTP_EXT_PIPELINING},
        {STR("SIZE"), SMTP_EXT_SIZE},
        {STR("8BITMIME"), SMTP_EXT_8BITMIME},
        {STR("STARTTLS"), SMTP_EXT_STARTTLS},
        {STR("DSN"), SMTP_EXT_DSN},
        {STR("SMTPUTF8"), SMTP_EXT_SMTPUTF8},
    };
    struct str rest = text, word;

    if (!str_split(&rest, ' ', &word))
        return;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_eq_nocase(word, known[i].word))
            c->extensions |= known[i].bit;
    if (str_eq_nocase(word, STR("SIZE"))) {
        struct scan s = scan_of(str_trim(rest));
        uint64_t n;
        c->size_max = scan_u64(&s, UINT64_MAX, &n) ? n : 0;
    }
    if (str_eq_nocase(word, STR("AUTH")) && str_find_nocase(rest, STR("PLAIN")) >= 0)
        c->extensions |= SMTP_EXT_AUTH_PLAIN;
}

static SUSPENDS enum status
read_reply(struct smtp_client *c, unsigned seconds, struct smtp_answer *out, bool is_ehlo)
{
    struct smtp_answer a = {0};
    bool more = true;
    size_t n = 0;

    for (unsigned lines = 0; more; lines++) {
        struct str line, text;
        int code;
        enum status e = conn_read_line(c->conn, (int64_t)seconds * 1000, &line);
        if (e != OK) {
            answer_set(out, e == ERR_TIMEOUT ? "no answer in time" : "connection lost");
            return e == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_CLOSED;
        }
        if (lines == REPLY_LINES_MAX || !read_reply_line(line, &code, &more, &text) ||
            (lines > 0 && code != a.code)) {
            answer_set(out, "the answer is not SMTP");
            return ERR_CLOSED;
        }
        a.code = code;
        if (is_ehlo && lines > 0 && code == 250)
            note_extension(c, text);
        take_enhanced(&a, &text);
        add_text(&a, &n, text);
    }
    *out = a;
    return OK;
}

enum status
smtp_client_reply(struct smtp_client *c, unsigned seconds, struct smtp_answer *out)
{
    return read_reply(c, seconds, out, false);
}

static enum status
say(struct smtp_client *c, struct str line, unsigned seconds, struct smtp_answer *a)
{
    enum status e = smtp_client_send(c, line);

    if (e == OK)
        e = conn_flush(c->conn);
    if (e != OK) {
        answer_set(a, "connection lost");
        return ERR_CLOSED;
    }
    return smtp_client_reply(c, seconds, a);
}

/* ---- opening ---- */

static enum status
hello(struct smtp_client *c, const struct smtp_peer *p, struct smtp_answer *a)
{
    AUTO_BUF line = BUF(512);

    c->extensions = 0;
    c->size_max = 0;
    buf_addf(&line, "EHLO %.*s", STR_FMT(p->helo));
    enum status e = smtp_client_send(c, buf_str(&line));
    if (e == OK)
        e = conn_flush(c->conn);
    if (e != OK) {
        answer_set(a, "connection lost");
        return ERR_CLOSED;
    }
    TRY(read_reply(c, HELLO_S, a, true));
    if (a->code == 250)
        return OK;
    buf_reset(&line);
    buf_addf(&line, "HELO %.*s", STR_FMT(p->helo));
    TRY(say(c, buf_str(&line), HELLO_S, a));
    return a->code == 250 ? OK : refusal(a);
}

static enum status
start_tls(struct smtp_client *c, const struct smtp_peer *p, struct smtp_answer *a)
{
    TRY(say(c, STR("STARTTLS"), TLS_S, a));
    if (a->code != 220)
        return p->tls_required
                   ? ERR_TEMP
                   : OK; /* offered and refused: go on in clear, as opportunism has it */
    if (conn_connect_tls(c->conn, p->tls, p->name) != OK) {
        answer_set(a, "the TLS handshake failed");
        return ERR_SYNTAX;
    }
    c->tls = true;
    return hello(c, p, a);
}

/* AUTH PLAIN with initial response, RFC 4954 section 4. */
static enum status
log_in(struct smtp_client *c, const struct smtp_peer *p, struct smtp_answer *a)
{
    AUTO_BUF plain = BUF(1400);
    AUTO_BUF line = BUF(2048);

    ASSERT(p->password != NULL);
    if (!c->tls || (c->extensions & SMTP_EXT_AUTH_PLAIN) == 0) {
        answer_set(a, "the server does not offer AUTH PLAIN under TLS");
        return ERR_TEMP;
    }
    buf_add_char(&plain, '\0');
    buf_add(&plain, p->user);
    buf_add_char(&plain, '\0');
    buf_add(&plain, secret_str(p->password));
    buf_add_z(&line, "AUTH PLAIN ");
    buf_add_base64(&line, buf_str(&plain));
    enum status e = buf_status(&line) == OK ? say(c, buf_str(&line), AUTH_S, a) : ERR_DENIED;
    mem_wipe(plain.ptr, plain.cap);
    mem_wipe(line.ptr, line.cap);
    TRY(e);
    return a->code == 235
               ? OK
               : ERR_TEMP; /* a wrong password of ours is no reason to bounce users' mail */
}

/* ---- the message ---- */

enum status
smtp_client_body(struct smtp_client *c, struct str bytes)
{
    struct scan in = scan_of(bytes);
    struct str run;

    while (line_encode(&c->stuffing, &in, &run) == LINE_RUN)
        TRY(conn_write(c->conn, run));
    return OK;
}

enum status
smtp_client_body_end(struct smtp_client *c)
{
    TRY(conn_write(c->conn, line_encode_end(&c->stuffing)));
    line_encoder_init(&c->stuffing);
    return conn_flush(c->conn);
}
