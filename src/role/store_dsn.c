/* store_dsn.c - delivery reports to senders, RFC 3461, 3462 and 3464.
 *
 * Nothing of the original is parsed: its header, or all of it, goes back as it came.  A report names each
 * recipient as the sender wrote it, not what an alias made of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/size.h"
#include "mail/date.h"
#include "role/store.h"
#include "rt/clock.h"
#include "rt/random.h"

enum {
    FULL_MAX = 131072,  /* of an original that is returned whole */
    HEADER_MAX = 65536, /* of a header that is returned */
};
#define DAY_US INT64_C(86400000000)

struct report {
    struct store *s;
    const struct queue_message *m;
    const uint32_t *told;
    uint32_t kinds; /* QUEUE_NOTIFY_ bits of all recipients */
    char boundary[40];
};

static void write_header(const struct report *r, struct buf *b);
static void write_text(const struct report *r, struct buf *b);
static void write_text_rcpts(const struct report *r, uint32_t kind, const char *intro,
                             struct buf *b);
static void write_status(const struct report *r, struct buf *b);
static void write_rcpt(const struct report *r, const struct queue_rcpt *rcpt, uint32_t told,
                       struct buf *b);
SUSPENDS static enum status write_original(const struct report *r, struct buf *b);
static void part(const struct report *r, const char *type, bool eight_bit, struct buf *b);
static void add_clean(struct buf *b, struct str s);
static void add_date(struct buf *b, const char *field, struct instant t);
static const char *subject_of(uint32_t kinds);
static void random_hex(char *z, size_t bytes);

enum status
store_dsn(struct store *s, const struct queue_message *m, const uint32_t *told, struct buf *out)
{
    struct report r = {.s = s, .m = m, .told = told, .boundary = "report-"};

    for (size_t i = 0; i < m->rcpt_count; i++)
        r.kinds |= told[i];
    ASSERT(r.kinds != 0 && m->sender.len > 0);
    random_hex(r.boundary + 7, 16);
    write_header(&r, out);
    write_text(&r, out);
    write_status(&r, out);
    TRY(write_original(&r, out));
    buf_addf(out, "\r\n--%s--\r\n", r.boundary);
    return buf_status(out);
}

static void
write_header(const struct report *r, struct buf *b)
{
    const struct config *c = r->s->config;
    struct str domain = c->domain.len > 0 ? c->domain : c->host;
    char id[33];

    random_hex(id, 16);
    buf_add_z(b,
              "Return-Path: <>\r\n"); /* RFC 3464 section 2; stays here when the report leaves us */
    add_date(b, "Date", clock_now());
    buf_addf(b, "From: Mail delivery <postmaster@%.*s>\r\n", STR_FMT(domain));
    buf_add_z(b, "To: <");
    add_clean(b, r->m->sender);
    buf_addf(b, ">\r\nSubject: %s\r\n", subject_of(r->kinds));
    buf_addf(b, "Message-ID: <%s@%.*s>\r\n", id, STR_FMT(c->host));
    buf_add_z(b, "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"); /* RFC 3834 section 5 */
    buf_addf(b,
             "Content-Type: multipart/report; report-type=delivery-status;\r\n"
             "\tboundary=\"%s\"\r\n",
             r->boundary);
    buf_add_z(b, r->m->eight_bit || r->m->smtputf8 ? "Content-Transfer-Encoding: 8bit\r\n" : "");
    buf_add_z(b, "\r\nThis is a report on the delivery of a message, in MIME format.\r\n");
}

static void
write_text(const struct report *r, struct buf *b)
{
    part(r, "text/plain; charset=utf-8", r->m->smtputf8, b);
    buf_addf(b, "This is the mail server at %.*s.\r\n", STR_FMT(r->s->config->host));
    write_text_rcpts(r, QUEUE_NOTIFY_FAILURE,
                     "Your message could not be delivered to these addresses, and will not be "
                     "tried again:",
                     b);
    write_text_rcpts(r, QUEUE_NOTIFY_DELAY,
                     "Your message could not be delivered to these addresses yet.  It is being "
                     "tried again; you need not send it anew:",
                     b);
    write_text_rcpts(r, QUEUE_NOTIFY_SUCCESS,
                     "Your message was delivered, or handed to a server that sends no reports:", b);
    buf_add_z(b, "\r\n");
}

static void
write_text_rcpts(const struct report *r, uint32_t kind, const char *intro, struct buf *b)
{
    if ((r->kinds & kind) == 0)
        return;
    buf_addf(b, "\r\n%s\r\n\r\n", intro);
    for (size_t i = 0; i < r->m->rcpt_count; i++) {
        const struct queue_rcpt *rcpt = &r->m->rcpts[i];
        if ((r->told[i] & kind) == 0)
            continue;
        buf_add_z(b, "    <");
        add_clean(b, rcpt->original);
        buf_add_z(b, ">\r\n");
        if (rcpt->text.len > 0 && kind != QUEUE_NOTIFY_SUCCESS) {
            buf_add_z(b, "        ");
            add_clean(b, rcpt->text);
            buf_add_z(b, "\r\n");
        }
    }
}

/* RFC 3464 section 2; RFC 6533 section 3 for addresses beyond ASCII. */
static void
write_status(const struct report *r, struct buf *b)
{
    part(r, r->m->smtputf8 ? "message/global-delivery-status" : "message/delivery-status",
         r->m->smtputf8, b);
    if (r->m->envid.len > 0) {
        buf_add_z(b, "Original-Envelope-Id: ");
        add_clean(b, r->m->envid);
        buf_add_z(b, "\r\n");
    }
    buf_addf(b, "Reporting-MTA: dns; %.*s\r\n", STR_FMT(r->s->config->host));
    add_date(b, "Arrival-Date", r->m->arrived);
    for (size_t i = 0; i < r->m->rcpt_count; i++) {
        if (r->told[i] != 0)
            write_rcpt(r, &r->m->rcpts[i], r->told[i], b);
    }
}

static void
write_rcpt(const struct report *r, const struct queue_rcpt *rcpt, uint32_t told, struct buf *b)
{
    bool failed = told == QUEUE_NOTIFY_FAILURE, delayed = told == QUEUE_NOTIFY_DELAY;
    /* handed to a server that reports nothing is "relayed", RFC 3461 section 5.2.2 */
    const char *done = rcpt->account != 0 ? "delivered" : "relayed";
    struct str status = rcpt->enhanced.len > 0 ? rcpt->enhanced
                        : failed               ? STR("5.0.0")
                        : delayed              ? STR("4.0.0")
                                               : STR("2.0.0");

    buf_add_z(b, "\r\n");
    if (rcpt->orcpt.len > 0) {
        buf_add_z(b, "Original-Recipient: ");
        add_clean(b, rcpt->orcpt);
        buf_add_z(b, "\r\n");
    }
    buf_add_z(b, str_is_ascii(rcpt->original) ? "Final-Recipient: rfc822; "
                                              : "Final-Recipient: utf-8; ");
    add_clean(b, rcpt->original);
    buf_addf(b, "\r\nAction: %s\r\nStatus: ", failed ? "failed" : delayed ? "delayed" : done);
    add_clean(b, status);
    buf_add_z(b, "\r\n");
    if (rcpt->remote.len > 0) {
        buf_add_z(b, "Remote-MTA: dns; ");
        add_clean(b, rcpt->remote);
        buf_add_z(b, "\r\n");
    }
    if (rcpt->code != 0 && rcpt->text.len > 0) {
        buf_addf(b, "Diagnostic-Code: smtp; %u ", rcpt->code);
        add_clean(b, rcpt->text);
        buf_add_z(b, "\r\n");
    }
    if (delayed)
        add_date(b, "Will-Retry-Until",
                 (struct instant){r->m->arrived.us + LIMIT_QUEUE_DAYS * DAY_US});
}

/* The whole message only with a failure that asked for it (RET=FULL, RFC 3461 section 4.3). */
SUSPENDS static enum status
write_original(const struct report *r, struct buf *b)
{
    const struct queue_message *m = r->m;
    bool full = m->full_return && (r->kinds & QUEUE_NOTIFY_FAILURE) != 0 && m->size <= FULL_MAX;
    size_t want = full ? (size_t)m->size /* <= FULL_MAX */
                       : (size_t)MIN(m->header_bytes, (uint64_t)HEADER_MAX);
    AUTO_ARENA *a = arena_new(4 * (size_t)FULL_MAX);
    struct str bytes;

    part(r, full ? "message/rfc822" : "text/rfc822-headers", m->eight_bit || m->smtputf8, b);
    if (want == 0)
        return OK;
    TRY(engine_blob_read(r->s->engine, m->body, 0, want, a, &bytes));
    if (!full && m->header_bytes > bytes.len) /* whole lines */
        bytes.len = (size_t)(str_rfind(bytes, '\n') + 1);
    buf_add(b, bytes);
    return OK;
}

static void
part(const struct report *r, const char *type, bool eight_bit, struct buf *b)
{
    buf_addf(b, "\r\n--%s\r\nContent-Type: %s\r\n%s\r\n", r->boundary, type,
             eight_bit ? "Content-Transfer-Encoding: 8bit\r\n" : "");
}

/* What others sent may not end a line or a field. */
static void
add_clean(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        buf_add_char(b, (unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f ? ' ' : s.ptr[i]);
}

static void
add_date(struct buf *b, const char *field, struct instant t)
{
    buf_addf(b, "%s: ", field);
    date_write(b, (struct mail_date){.time = t});
    buf_add_z(b, "\r\n");
}

static const char *
subject_of(uint32_t kinds)
{
    if ((kinds & QUEUE_NOTIFY_FAILURE) != 0)
        return "Undeliverable mail";
    return (kinds & QUEUE_NOTIFY_DELAY) != 0 ? "Delayed mail (still being tried)"
                                             : "Delivered mail";
}

static void
random_hex(char *z, size_t bytes)
{
    unsigned char raw[16];

    ASSERT(bytes <= sizeof(raw));
    random_fill(raw, bytes);
    for (size_t i = 0; i < bytes; i++) {
        z[2 * i] = "0123456789abcdef"[raw[i] >> 4];
        z[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
    }
    z[2 * bytes] = '\0';
}
