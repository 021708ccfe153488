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
#include "rt/clock.h"
#include "rt/conn_finding.h"
#include "smtp/fold.h"

enum {
    GREETING_S = LIMIT_OUT_REPLY_S,
    HELLO_S = LIMIT_OUT_REPLY_S,
    TLS_S = 120,
    AUTH_S = 120,
    RESET_S = 30
};
enum { CHUNK_MAX = 1 << 20 }; /* of a chunk, its longer lines folded */

struct smtp_client {
    struct conn *conn;
    struct smtp_offer offer;
    bool tls;
    bool idle;   /* between transactions */
    bool broken; /* nothing more is to be said */
    unsigned messages;
    int64_t opened_ms;
    struct line_encoder stuffing;
    struct fold fold;
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

void
smtp_answer_set(struct smtp_answer *a, const char *text)
{
    struct problem p = {0};

    problem_set(&p, 0, "", "%s", text);
    *a = (struct smtp_answer){0};
    mem_copy(a->text, p.text, MIN(sizeof(p.text), sizeof(a->text)));
}

static void
find(const struct smtp_peer *p, enum tls_result result, const char *reason)
{
    if (p->found == NULL)
        return;
    p->found->asked = true;
    p->found->result = result;
    p->found->reason = reason;
}

static void
find_by_handshake(const struct smtp_client *c, const struct smtp_peer *p)
{
    static const enum tls_result results[] = {
        [TLS_LACKS_NOTHING] = TLS_RESULT_SUCCESS,
        [TLS_LACKS_NAME] = TLS_RESULT_HOST_MISMATCH,
        [TLS_LACKS_TIME] = TLS_RESULT_EXPIRED,
        [TLS_LACKS_TRUST] = TLS_RESULT_NOT_TRUSTED,
        [TLS_LACKS_MATCH] = TLS_RESULT_VALIDATION_FAILURE,
        [TLS_LACKS_HANDSHAKE] = TLS_RESULT_VALIDATION_FAILURE,
    };
    struct tls_finding f = conn_tls_finding(c->conn);

    find(p, results[f.lack], f.why);
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
    c->opened_ms = clock_mono_ms();
    c->conn = peer->conn;
    e = c->conn != NULL ? OK : conn_connect(&peer->target, &c->conn);
    if (e != OK) {
        smtp_answer_set(why, e == ERR_TIMEOUT ? "connection timed out" : "connection refused");
        return e == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_CLOSED;
    }
    if (peer->found != NULL && !conn_own_addr(c->conn, &peer->found->own))
        peer->found->own = (struct sockaddr_storage){0};
    TRY(smtp_client_reply(c, GREETING_S, why));
    if (why->code != 220)
        return refusal(why);
    TRY(hello(c, peer, why));
    if (peer->tls != NULL && (c->offer.extensions & SMTP_EXT_STARTTLS) != 0)
        TRY(start_tls(c, peer, why));
    else if (peer->tls != NULL)
        find(peer, TLS_RESULT_STARTTLS_NOT_SUPPORTED, "");
    if (peer->tls_required && !c->tls) {
        smtp_answer_set(why, "the server does not offer STARTTLS, which is required");
        why->of_tls = true;
        return ERR_SYNTAX;
    }
    if (peer->user.len > 0)
        TRY(log_in(c, peer, why));
    c->idle = true;
    *out = c;
    c = NULL;
    return OK;
}

unsigned
smtp_client_extensions(const struct smtp_client *c)
{
    return c->offer.extensions;
}

uint64_t
smtp_client_size_max(const struct smtp_client *c)
{
    return c->offer.size_max;
}

uint32_t
smtp_client_by_min_s(const struct smtp_client *c)
{
    return c->offer.by_min_s;
}

bool
smtp_client_is_tls(const struct smtp_client *c)
{
    return c->tls;
}

void
smtp_client_ended(struct smtp_client *c, bool finished)
{
    struct smtp_answer a;

    c->messages++;
    /* A body that was broken off leaves a line unfinished; the next one begins anew. */
    line_encoder_init(&c->stuffing);
    c->fold = (struct fold){0};
    if (!c->broken && !finished && (say(c, STR("RSET"), RESET_S, &a) != OK || a.code != 250))
        c->broken = true;
    c->idle = !c->broken;
}

bool
smtp_client_is_idle(struct smtp_client *c)
{
    /* What it says unasked would pass for the answer to what is said next. */
    return c->idle && !c->broken && conn_is_quiet(c->conn);
}

unsigned
smtp_client_messages(const struct smtp_client *c)
{
    return c->messages;
}

int64_t
smtp_client_opened_ms(const struct smtp_client *c)
{
    return c->opened_ms;
}

const struct sockaddr_storage *
smtp_client_address(const struct smtp_client *c)
{
    return conn_peer_addr(c->conn);
}

void
smtp_client_bye(struct smtp_client *c)
{
    /* How they part does not matter: every message has its answer. */
    if (smtp_client_is_idle(c) && smtp_client_send(c, STR("QUIT")) == OK)
        c->broken = true;
}

enum status
smtp_client_send(struct smtp_client *c, struct str line)
{
    ASSERT(str_find(line, '\r') < 0 && str_find(line, '\n') < 0);
    c->idle = false;
    TRY(conn_write(c->conn, line));
    return conn_write(c->conn, STR("\r\n"));
}

/* ---- replies ---- */

/* offer: of EHLO, else NULL. */
static SUSPENDS enum status
read_reply(struct smtp_client *c, unsigned seconds, struct smtp_answer *out,
           struct smtp_offer *offer)
{
    struct smtp_reading r = {0};

    while (!r.complete) {
        struct str line;
        enum status e = conn_read_line(c->conn, (int64_t)seconds * 1000, &line);
        if (e == ERR_SYNTAX || (e == OK && !smtp_reading_line(&r, line, offer))) {
            c->broken = true;
            smtp_answer_set(out, "the answer is not SMTP");
            return ERR_CLOSED;
        }
        if (e != OK) {
            c->broken = true;
            smtp_answer_set(out, e == ERR_TIMEOUT ? "no answer in time" : "connection lost");
            return e == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_CLOSED;
        }
    }
    c->broken = c->broken || r.answer.code == 421; /* RFC 5321 section 3.8: it closes */
    *out = r.answer;
    return OK;
}

enum status
smtp_client_reply(struct smtp_client *c, unsigned seconds, struct smtp_answer *out)
{
    return read_reply(c, seconds, out, NULL);
}

static enum status
say(struct smtp_client *c, struct str line, unsigned seconds, struct smtp_answer *a)
{
    enum status e = smtp_client_send(c, line);

    if (e == OK)
        e = conn_flush(c->conn);
    if (e != OK) {
        smtp_answer_set(a, "connection lost");
        return ERR_CLOSED;
    }
    return smtp_client_reply(c, seconds, a);
}

/* ---- opening ---- */

static enum status
hello(struct smtp_client *c, const struct smtp_peer *p, struct smtp_answer *a)
{
    AUTO_BUF line = BUF(512);

    c->offer = (struct smtp_offer){0};
    buf_addf(&line, "EHLO %.*s", STR_FMT(p->helo));
    enum status e = smtp_client_send(c, buf_str(&line));
    if (e == OK)
        e = conn_flush(c->conn);
    if (e != OK) {
        smtp_answer_set(a, "connection lost");
        return ERR_CLOSED;
    }
    TRY(read_reply(c, HELLO_S, a, &c->offer));
    if (a->code == 250)
        return OK;
    if (a->code < 500) /* it has EHLO, but not now: HELO would hide what it can take */
        return refusal(a);
    buf_reset(&line);
    buf_addf(&line, "HELO %.*s", STR_FMT(p->helo));
    TRY(say(c, buf_str(&line), HELLO_S, a));
    return a->code == 250 ? OK : refusal(a);
}

static SUSPENDS enum status
shake_hands(struct smtp_client *c, const struct smtp_peer *p, struct smtp_answer *a)
{
    enum status e = p->dane != NULL ? conn_connect_tls_dane(c->conn, p->tls, p->dane)
                                    : conn_connect_tls(c->conn, p->tls, p->name);

    find_by_handshake(c, p);
    if (e == OK)
        return OK;
    smtp_answer_set(a, e != ERR_DENIED   ? "the TLS handshake failed"
                       : p->dane == NULL ? "the certificate does not prove the name of the server"
                                         : "the certificate is none that the TLSA records mean");
    a->of_tls = true;
    return e != ERR_DENIED && p->tls_required ? ERR_TEMP : ERR_SYNTAX;
}

static enum status
start_tls(struct smtp_client *c, const struct smtp_peer *p, struct smtp_answer *a)
{
    TRY(say(c, STR("STARTTLS"), TLS_S, a));
    /* Offered and refused: go on in clear, as opportunism has it, if it does not hang up. */
    if (a->code != 220) {
        a->of_tls = true;
        find(p, TLS_RESULT_VALIDATION_FAILURE, "STARTTLS was offered, and refused");
        return p->tls_required || c->broken ? ERR_TEMP : OK;
    }
    TRY(shake_hands(c, p, a));
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
    if (!c->tls || (c->offer.extensions & SMTP_EXT_AUTH_PLAIN) == 0) {
        smtp_answer_set(a, "the server does not offer AUTH PLAIN under TLS");
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
    struct str line, run;

    while (fold_next(&c->fold, &in, &line)) {
        struct scan text = scan_of(line);
        while (line_encode(&c->stuffing, &text, &run) == LINE_RUN)
            TRY(conn_write(c->conn, run));
    }
    return OK;
}

enum status
smtp_client_body_end(struct smtp_client *c)
{
    TRY(conn_write(c->conn, line_encode_end(&c->stuffing)));
    line_encoder_init(&c->stuffing);
    c->fold = (struct fold){0};
    return conn_flush(c->conn);
}

static void
add_folded(struct smtp_client *c, struct buf *b, struct str bytes)
{
    struct scan in = scan_of(bytes);
    struct str run;

    while (fold_next(&c->fold, &in, &run))
        buf_add(b, run);
}

enum status
smtp_client_chunk(struct smtp_client *c, struct str head, struct str bytes, bool last)
{
    AUTO_BUF text = BUF(CHUNK_MAX);
    AUTO_BUF line = BUF(64);

    add_folded(c, &text, head);
    add_folded(c, &text, bytes);
    TRY(buf_status(&text));
    buf_addf(&line, "BDAT %zu%s", text.len, last ? " LAST" : "");
    TRY(smtp_client_send(c, buf_str(&line)));
    TRY(conn_write(c->conn, buf_str(&text)));
    if (last)
        c->fold = (struct fold){0};
    return conn_flush(c->conn);
}
