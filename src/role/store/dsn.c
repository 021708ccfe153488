/* dsn.c - delivery reports to senders, RFC 3461, 3464 and 6533: what the queue knows, as mail/dsn.h writes it.
 *
 * A report names each recipient as the sender wrote it, not what an alias made of it.  Of the original only the
 * header is looked at; it goes back as it came, or all of it does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/dsn.h"
#include "base/encode.h"
#include "base/size.h"
#include "mail/address.h"
#include "mail/header.h"
#include "role/store/store.h"
#include "rt/clock.h"
#include "rt/random.h"

enum {
    FULL_MAX = 131072,  /* of an original that is returned whole */
    HEADER_MAX = 65536, /* of a header that is returned */
    DIAGNOSTIC_MAX = 600,
};
#define DAY_US INT64_C(86400000000)

static uint32_t fill_recipients(const struct queue_message *m, const uint32_t *told,
                                struct arena *a, struct dsn_recipient *list);
static struct dsn_recipient recipient_of(const struct queue_message *m, const struct queue_rcpt *r,
                                         uint32_t told, struct arena *a);
static enum dsn_action action_of(const struct queue_rcpt *r, uint32_t told);
static struct str diagnostic_of(const struct queue_rcpt *r, struct arena *a);
static struct str decoded(struct str xtext, struct arena *a);
static struct str decoded_orcpt(struct str orcpt, struct arena *a);
SUSPENDS static enum status read_original(const struct store *s, const struct queue_message *m,
                                          bool whole, struct arena *a, struct str *out);
static struct str message_id_of(struct str header);
static struct str subject_of(struct str header);
static void random_hex(char *z, size_t bytes);

enum status
store_dsn(struct store *s, const struct queue_message *m, const uint32_t *told, struct buf *out)
{
    AUTO_ARENA *a = arena_new(((size_t)4 * FULL_MAX) + (m->rcpt_count * ((size_t)8 << 10)));
    struct dsn_recipient *list = ARENA_ARRAY(a, struct dsn_recipient, m->rcpt_count);
    const struct config *c = s->config;
    struct str original;
    char unique[33];

    ASSERT(m->sender.len > 0);
    random_hex(unique, 16);
    struct dsn d = {
        .host = c->host,
        .domain = c->domain.len > 0 ? c->domain : c->host,
        .sender = m->sender,
        .unique = str_of(unique),
        .envelope_id = decoded(m->envid, a),
        .now = clock_now(),
        .arrival = m->arrived,
        .future_release = m->terms.hold_asked,
        .deliver_by = m->terms.by,
        .recipients = list,
        .count = fill_recipients(m, told, a, list),
    };
    /* The whole message only with a failure that asked for it (RET=FULL, RFC 3461 section 4.3). */
    bool failed = false;
    for (size_t i = 0; i < m->rcpt_count; i++)
        failed = failed || (told[i] & QUEUE_NOTIFY_FAILURE) != 0;
    /* RFC 8689 section 5: of what must not be read on the way only the header returns. */
    bool whole = failed && m->full_return && !m->terms.require_tls && m->size <= FULL_MAX;
    enum status st = read_original(s, m, whole, a, &original);
    bool lost =
        st == ERR_CORRUPT || st == ERR_NOT_FOUND; /* the sender must hear of it all the same */
    if (lost)
        original = STR("");
    else
        TRY(st);
    struct str header = str_sub(original, 0, header_block_len(original));
    d.original = lost ? DSN_NO_ORIGINAL : whole ? DSN_WHOLE_MESSAGE : DSN_HEADER_ONLY;
    d.original_utf8 = !str_is_ascii(header);
    d.subject = subject_of(header);
    d.message_id = message_id_of(header);
    /* RFC 3464 section 2; stays here when the report leaves us. */
    buf_add_z(out, "Return-Path: <>\r\n");
    return dsn_write(out, &d, original);
}

static uint32_t
fill_recipients(const struct queue_message *m, const uint32_t *told, struct arena *a,
                struct dsn_recipient *list)
{
    uint32_t n = 0;

    for (size_t i = 0; i < m->rcpt_count; i++)
        if (told[i] != 0)
            list[n++] = recipient_of(m, &m->rcpts[i], told[i], a);
    ASSERT(n > 0);
    return n;
}

static struct dsn_recipient
recipient_of(const struct queue_message *m, const struct queue_rcpt *r, uint32_t told,
             struct arena *a)
{
    bool done = told == QUEUE_NOTIFY_SUCCESS;
    bool late = told == QUEUE_NOTIFY_DELAY && m->terms.by_mode == QUEUE_BY_NOTIFY;

    return (struct dsn_recipient){
        .address = r->original,
        .original = decoded_orcpt(r->orcpt, a),
        .action = action_of(r, told),
        .status = late ? STR("4.4.7") : r->enhanced, /* RFC 2852 section 4.1.3 */
        .remote = r->remote,
        .diagnostic = done ? STR("") : diagnostic_of(r, a),
        .own_words = r->code == 0,
        .retry_until = {queue_terms_begin(&m->terms, m->arrived).us + LIMIT_QUEUE_DAYS * DAY_US},
    };
}

/* Handed to a server that reports nothing is "relayed", RFC 3461 section 5.2.2. */
static enum dsn_action
action_of(const struct queue_rcpt *r, uint32_t told)
{
    if (told == QUEUE_NOTIFY_FAILURE)
        return DSN_FAILED;
    if (told == QUEUE_NOTIFY_DELAY)
        return DSN_DELAYED;
    return r->account != 0 ? DSN_DELIVERED : DSN_RELAYED;
}

/* The reply as it was given: code, enhanced code, text. */
static struct str
diagnostic_of(const struct queue_rcpt *r, struct arena *a)
{
    AUTO_BUF b = BUF(DIAGNOSTIC_MAX);

    if (r->code != 0)
        buf_addf(&b, "%u ", r->code);
    if (r->code != 0 && r->enhanced.len > 0)
        buf_addf(&b, "%.*s ", STR_FMT(r->enhanced));
    buf_add(&b, r->text);
    return arena_str(a, buf_str(&b));
}

/* What cannot be decoded was checked when it came; none is better than garbage. */
static struct str
decoded(struct str xtext, struct arena *a)
{
    AUTO_BUF b = BUF(DIAGNOSTIC_MAX);

    return xtext_decode(xtext, &b) == OK ? arena_str(a, buf_str(&b)) : STR("");
}

/* orcpt = atom ";" xtext      RFC 3461 section 4.2; of "utf-8;" the reader of the report undoes what RFC 6533 section 3
 * wrote into it. */
static struct str
decoded_orcpt(struct str orcpt, struct arena *a)
{
    struct str rest = orcpt, type;

    if (!str_split(&rest, ';', &type) || rest.len == 0)
        return STR("");
    struct str plain = decoded(rest, a);
    if (plain.len == 0)
        return STR("");
    return arena_printf(a, "%.*s;%.*s", STR_FMT(type), STR_FMT(plain));
}

SUSPENDS static enum status
read_original(const struct store *s, const struct queue_message *m, bool whole, struct arena *a,
              struct str *out)
{
    size_t want = whole ? (size_t)m->size /* <= FULL_MAX */
                        : (size_t)MIN(m->header_bytes, (uint64_t)HEADER_MAX);
    struct str bytes = STR("");

    if (want > 0)
        TRY(engine_blob_read(s->engine, m->body, 0, want, a, &bytes));
    if (!whole && m->header_bytes > bytes.len) /* whole lines */
        bytes.len = (size_t)(str_rfind(bytes, '\n') + 1);
    *out = bytes;
    return OK;
}

static struct str
subject_of(struct str header)
{
    struct header_field f;

    return header_find(header, STR("Subject"), &f) ? f.value : STR("");
}

/* Without its brackets; anything else is left out. */
static struct str
message_id_of(struct str header)
{
    struct header_field f;

    if (!header_find(header, STR("Message-ID"), &f))
        return STR("");
    struct str id = str_trim(f.value);
    if (id.len < 3 || id.ptr[0] != '<' || id.ptr[id.len - 1] != '>' || !str_is_ascii(id))
        return STR("");
    return str_sub(id, 1, id.len - 2);
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
