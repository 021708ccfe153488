/* tokens_header.c - what a header says, and how: who writes to whom, by which program, what is missing or odd.
 *
 * Fields that servers on the way add, or that say where and when rather than what, give nothing (see tokens.h).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/scan.h"
#include "base/size.h"
#include "mail/address_list.h"
#include "mail/date.h"
#include "mail/encoded_word.h"
#include "mail/header.h"
#include "policy/tokens_internal.h"

enum {
    ADDRESS_BYTES = 320,
    VALUE_BYTES = 2048,
    FIELDS = 200,
    ADDRESSES = 64,
    SHAPE_BYTES = 24,
    NAME_BYTES = 40,
    GAP = 4,
};

struct head {
    struct token_set *s;
    struct header_index x;
    char from[ADDRESS_BYTES]; /* the first mailbox of From, lower case */
    size_t from_len, from_at; /* from_at: where the domain begins */
};

static bool
is_of_the_way(struct str name)
{
    static const char *const begins[] = {
        "received",
        "return-path",
        "delivered-to",
        "x-spam",
        "x-virus",
        "x-godwit",
        "delivery-",
        "status",
        "x-status",
        "x-keywords",
        "x-uid",
        "envelope-to",
        "x-original",
        "authentication-results",
        "arc-",
        "dkim-",
        "x-mozilla",
        "x-mime-auto",
        "x-pyzor",
        "x-envelope",
        "content-length",
        "lines",
        "x-gm-",
        "x-google-",
        "domainkey-",
        "x-scanned",
        "x-rspamd",
        "x-amavis",
        "date",
        "from",
        "to",
        "subject",
        "x-egroups",
        "x-apparently",
        "x-loop",
        "old-return",
    };
    size_t i = 0;

    while (i < COUNT_OF(begins) && !str_starts_nocase(name, str_of(begins[i])))
        i++;
    return i < COUNT_OF(begins);
}

/* Which fields there are: each name is a token. */
static void
add_fields(struct head *h)
{
    for (uint32_t i = 0; i < h->x.count && i < FIELDS; i++) {
        struct str name = h->x.at[i].field.name;
        char lower[NAME_BYTES];
        if (name.len > sizeof(lower) || is_of_the_way(name))
            continue;
        for (size_t j = 0; j < name.len; j++)
            lower[j] = ascii_lower(name.ptr[j]);
        token_add(h->s, STR("field"), str_from(lower, name.len));
    }
}

/* ---- who ---- */

static size_t
write_address(const struct address *at, char *out, size_t *domain_at_out)
{
    AUTO_BUF b = BUF(ADDRESS_BYTES);

    buf_add(&b, str_sub(at->mailbox, 0, ADDRESS_BYTES / 4));
    buf_add_char(&b, '@');
    *domain_at_out = b.len;
    buf_add(&b, str_sub(at->host, 0, ADDRESS_BYTES / 2));
    for (size_t i = 0; i < b.len; i++)
        out[i] = ascii_lower(b.ptr[i]);
    return b.len;
}

static struct str
from_domain(const struct head *h)
{
    return str_from(h->from + h->from_at, h->from_len - h->from_at);
}

static void
add_from(struct head *h)
{
    AUTO_ADDRESS_CURSOR c = {0};
    struct address at;
    uint32_t digits = 0, mailboxes = 0;

    address_cursor_init(&c, header_value(&h->x, HEADER_FROM));
    while (mailboxes < ADDRESSES && address_next(&c, &at)) {
        AUTO_BUF name = BUF(VALUE_BYTES);
        if (at.kind != ADDRESS_MAILBOX || ++mailboxes > 1)
            continue;
        h->from_len = write_address(&at, h->from, &h->from_at);
        encoded_word_decode(str_sub(at.name, 0, VALUE_BYTES / 4), &name);
        if (str_trim(buf_str(&name)).len == 0)
            token_add(h->s, STR("odd"), STR("a writer without a name"));
        tokens_of_text(h->s, STR("from name"), buf_str(&name));
    }
    for (size_t i = 0; i < h->from_at; i++)
        digits += ascii_is_digit(h->from[i]);
    if (mailboxes != 1)
        token_add_count(h->s, STR("writers"), mailboxes);
    if (h->from_len == 0)
        return;
    token_add(h->s, STR("from"), str_from(h->from, h->from_len));
    tokens_of_domain(h->s, STR("from domain"), from_domain(h));
    token_add_count(h->s, STR("digits in the writer"), digits);
}

static void
add_reply_to(struct head *h)
{
    AUTO_ADDRESS_CURSOR c = {0};
    struct address at;
    char to[ADDRESS_BYTES];
    size_t domain_at = 0;

    address_cursor_init(&c, header_value(&h->x, HEADER_REPLY_TO));
    if (!address_next(&c, &at) || at.kind != ADDRESS_MAILBOX)
        return;
    struct str reply = str_from(to, write_address(&at, to, &domain_at));
    struct str domain = str_skip(reply, domain_at);
    if (str_eq(reply, str_from(h->from, h->from_len)))
        token_add(h->s, STR("reply to"), STR("the writer"));
    else if (str_eq(domain, from_domain(h)))
        token_add(h->s, STR("reply to"), STR("the writer's domain"));
    else
        token_add(h->s, STR("reply to"), STR("elsewhere"));
    tokens_of_domain(h->s, STR("reply domain"), domain);
}

static void
add_recipients(struct head *h)
{
    static const enum header_id ids[] = {HEADER_TO, HEADER_CC};
    uint32_t n = 0, empty = 0;
    bool myself = false;

    for (size_t f = 0; f < COUNT_OF(ids); f++) {
        AUTO_ADDRESS_CURSOR c = {0};
        struct address at;
        address_cursor_init(&c, header_value(&h->x, ids[f]));
        while (n < ADDRESSES && address_next(&c, &at)) {
            char to[ADDRESS_BYTES];
            size_t domain_at = 0;
            if (at.kind != ADDRESS_MAILBOX) {
                empty += at.kind == ADDRESS_GROUP_START;
                continue;
            }
            n++;
            struct str address = str_from(to, write_address(&at, to, &domain_at));
            myself = myself || (h->from_len > 0 && str_eq(address, str_from(h->from, h->from_len)));
            token_add(h->s, STR("to"), address);
        }
    }
    token_add_count(h->s, STR("recipients"), n);
    if (myself)
        token_add(h->s, STR("odd"), STR("from and to are the same"));
    if (n == 0 && empty > 0)
        token_add(h->s, STR("odd"), STR("nobody is named as recipient"));
    if (h->x.first[HEADER_TO] == 0)
        token_add(h->s, STR("odd"), STR("no To field"));
}

/* ---- what ---- */

/* A run of spaces, and something behind it: the number that makes each copy another. */
static bool
has_gap(struct str subject)
{
    size_t spaces = 0;

    for (size_t i = 0; i < subject.len; i++) {
        spaces = ascii_is_space(subject.ptr[i]) ? spaces + 1 : 0;
        if (spaces == GAP)
            return true;
    }
    return false;
}

static void
add_subject(struct head *h)
{
    AUTO_BUF text = BUF(3 * VALUE_BYTES);
    struct str raw = str_sub(header_value(&h->x, HEADER_SUBJECT), 0, VALUE_BYTES);
    uint32_t capitals = 0, small = 0;

    if (h->x.first[HEADER_SUBJECT] == 0)
        token_add(h->s, STR("odd"), STR("no subject"));
    if (!str_is_ascii(raw))
        token_add(h->s, STR("odd"), STR("raw 8-bit text in the subject"));
    encoded_word_decode(raw, &text);
    struct str subject = str_trim(buf_str(&text));
    for (size_t i = 0; i < subject.len; i++) {
        capitals += subject.ptr[i] >= 'A' && subject.ptr[i] <= 'Z';
        small += subject.ptr[i] >= 'a' && subject.ptr[i] <= 'z';
    }
    if (capitals > 4 && small < capitals / 4)
        token_add(h->s, STR("subject"), STR("all capitals"));
    if (has_gap(subject))
        token_add(h->s, STR("subject"), STR("a gap"));
    if (str_find(subject, '!') >= 0)
        token_add(h->s, STR("subject"), STR("!"));
    if (str_find(subject, '?') >= 0)
        token_add(h->s, STR("subject"), STR("?"));
    bool answers = h->x.first[HEADER_IN_REPLY_TO] != 0 || h->x.first[HEADER_REFERENCES] != 0;
    if (str_starts_nocase(subject, STR("re:")) ||
        str_find_nocase(str_sub(subject, 0, 64), STR(" re:")) >= 0)
        token_add(h->s, STR("subject"), answers ? STR("an answer") : STR("an answer to nothing"));
    tokens_of_text(h->s, STR("subject"), subject);
}

/* Runs of letters and of digits become one character each: the hand of the program that made it. */
static void
add_message_id(struct head *h)
{
    struct str id = str_trim(header_value(&h->x, HEADER_MESSAGE_ID));
    AUTO_BUF shape = BUF(SHAPE_BYTES);
    ssize_t at = str_find(id, '@');
    char last = '\0';

    if (h->x.first[HEADER_MESSAGE_ID] == 0) {
        token_add(h->s, STR("odd"), STR("no Message-ID"));
        return;
    }
    if (at < 0) {
        token_add(h->s, STR("odd"), STR("a Message-ID without a domain"));
        return;
    }
    for (size_t i = 0; i < (size_t)at && shape.len < SHAPE_BYTES; i++) {
        char c = id.ptr[i];
        if (ascii_is_digit(c))
            c = '0';
        else if (ascii_is_alpha(c))
            c = c >= 'a' ? 'a' : 'A';
        if (c != last)
            buf_add_char(&shape, c);
        last = c;
    }
    token_add(h->s, STR("message-id"), buf_str(&shape));
    struct str domain = str_skip(id, (size_t)at + 1);
    domain = str_sub(domain, 0,
                     domain.len > 0 && str_ends(domain, STR(">")) ? domain.len - 1 : domain.len);
    bool same = str_ends_nocase(domain, from_domain(h)) || str_ends_nocase(from_domain(h), domain);
    token_add(h->s, STR("message-id domain"), same ? STR("the writer's") : STR("another"));
    if (str_find(domain, '.') < 0)
        token_add(h->s, STR("message-id domain"), STR("no domain"));
}

static void
add_date(struct head *h)
{
    struct mail_date d;
    struct str value = str_sub(str_trim(header_value(&h->x, HEADER_DATE)), 0, 128);

    if (h->x.first[HEADER_DATE] == 0) {
        token_add(h->s, STR("odd"), STR("no Date"));
        return;
    }
    if (date_parse(value, &d) != OK) {
        token_add(h->s, STR("odd"), STR("a Date that is none"));
        return;
    }
    if (d.zone_min % 30 != 0 || d.zone_min < -720 || d.zone_min > 840)
        token_add(h->s, STR("odd"), STR("a time zone that is none"));
    else if (str_ends(value, STR("GMT")) || str_ends(value, STR("UT")))
        token_add(h->s, STR("zone"), STR("by name"));
    if (str_find(value, ',') < 0)
        token_add(h->s, STR("odd"), STR("a Date without its day"));
}

/* The program's name without its version. */
static void
add_program(struct head *h, enum header_id id)
{
    struct str value = str_sub(str_trim(header_value(&h->x, id)), 0, TOKEN_WORD_MAX);
    size_t n = 0;

    while (n < value.len && !ascii_is_digit(value.ptr[n]) && value.ptr[n] != '(' &&
           value.ptr[n] != '/')
        n++;
    token_add(h->s, STR("program"), str_trim(str_sub(value, 0, n)));
}

void
tokens_of_header(struct token_set *s, struct str block)
{
    AUTO_ARENA *a = arena_new(8u << 20);
    struct head *h = ARENA_NEW(a, struct head);

    h->s = s;
    header_index(block, a, &h->x);
    add_from(h);
    add_reply_to(h);
    add_subject(h);
    add_message_id(h);
    add_date(h);
    add_program(h, HEADER_X_MAILER);
    add_program(h, HEADER_USER_AGENT);
    token_add(s, STR("priority"), str_sub(str_trim(header_value(&h->x, HEADER_X_PRIORITY)), 0, 8));
    token_add(s, STR("precedence"),
              str_sub(str_trim(header_value(&h->x, HEADER_PRECEDENCE)), 0, 16));
    token_add(s, STR("list"),
              str_sub(str_trim(header_value(&h->x, HEADER_LIST_ID)), 0, TOKEN_WORD_MAX));
    add_fields(h);
    add_recipients(h);
}
