/* dsn.c - delivery status notifications.  See dsn.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/dsn.h"
#include "base/encode.h"
#include "base/size.h"
#include "mail/encoded_word.h"
#include "mail/enhanced.h"
#include "mail/header_write.h"

enum { SUBJECT_MAX = 200, TEXT_MAX = 900, ADDRESS_TEXT_MAX = 600 };

static void add_human_part(struct buf *b, const struct dsn *d);
static void add_status_part(struct buf *b, const struct dsn *d);

/* How things stand for all recipients together: the worst. */
static enum dsn_action
worst(const struct dsn *d)
{
    enum dsn_action action = DSN_EXPANDED;

    for (uint32_t i = 0; i < d->count; i++)
        action = MIN(action, d->recipients[i].action);
    return action;
}

static struct str
title(enum dsn_action action)
{
    static const struct str titles[DSN_ACTION_COUNT] = {
        [DSN_FAILED] = {"Not delivered", 13},         [DSN_DELAYED] = {"Delayed", 7},
        [DSN_DELIVERED] = {"Delivered", 9},           [DSN_RELAYED] = {"Handed on", 9},
        [DSN_EXPANDED] = {"Handed on to a list", 19},
    };
    return titles[action];
}

/* Printable text on one line, cut at a character's border; bytes that are no UTF-8 become "?". */
static void
add_clean(struct buf *b, struct str text, size_t max)
{
    struct scan s = scan_of(str_trim(text));
    size_t start = b->len;
    uint32_t c = 0;

    while (!scan_at_end(&s) && b->len - start + 4 <= max) {
        if (!scan_utf8(&s, &c)) {
            s.pos++;
            c = '?';
        }
        buf_add_utf8(b, c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0) ? ' ' : c);
    }
}

static void
add_subject(struct buf *b, const struct dsn *d)
{
    AUTO_BUF plain = BUF(8192);
    AUTO_BUF text = BUF(SUBJECT_MAX + 64);
    AUTO_BUF words = BUF(2048);

    buf_add(&text, title(worst(d)));
    if (str_trim(d->subject).len > 0) {
        encoded_word_decode(str_sub(d->subject, 0, 2000), &plain);
        buf_add(&text, STR(": "));
        add_clean(&text, buf_str(&plain), SUBJECT_MAX);
    }
    encoded_word_write(&words, buf_str(&text));
    header_write(b, STR("Subject"), buf_str(&words));
}

static void
add_boundary(struct buf *b, const struct dsn *d)
{
    buf_add(b, STR("=_report_"));
    buf_add(b, str_sub(d->unique, 0, 60));
}

static void
add_delimiter(struct buf *b, const struct dsn *d, bool last)
{
    buf_add(b, STR("\r\n--"));
    add_boundary(b, d);
    buf_add(b, last ? STR("--\r\n") : STR("\r\n"));
}

static void
add_header(struct buf *b, const struct dsn *d)
{
    AUTO_BUF text = BUF(2048);

    header_write_date(b, d->now);
    buf_addf(&text, "Mail Delivery System <postmaster@%.*s>", STR_FMT(d->domain));
    header_write(b, STR("From"), buf_str(&text));
    buf_reset(&text);
    buf_add_char(&text, '<');
    add_clean(&text, d->sender, ADDRESS_TEXT_MAX);
    buf_add_char(&text, '>');
    header_write(b, STR("To"), buf_str(&text));
    add_subject(b, d);
    header_write_message_id(b, d->unique, d->host);
    if (d->message_id.len > 0 && d->message_id.len < TEXT_MAX) {
        buf_reset(&text);
        buf_add_char(&text, '<');
        add_clean(&text, d->message_id, TEXT_MAX);
        buf_add_char(&text, '>');
        header_write(b, STR("In-Reply-To"), buf_str(&text));
        header_write(b, STR("References"), buf_str(&text));
    }
    buf_add(
        b, STR("Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
               "Content-Transfer-Encoding: 8bit\r\n" /* as its parts may be, RFC 2045 section 6.4 */
               "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\""));
    add_boundary(b, d);
    buf_add(b, STR("\"\r\n"));
}

/* The end of a part's header. */
static void
add_encoding(struct buf *b, bool ascii)
{
    buf_add(b, ascii ? STR("Content-Transfer-Encoding: 7bit\r\n\r\n")
                     : STR("Content-Transfer-Encoding: 8bit\r\n\r\n"));
}

void
dsn_begin(struct buf *b, const struct dsn *d)
{
    ASSERT(d->count > 0 && d->unique.len >= 16 && d->host.len > 0 && d->domain.len > 0);
    add_header(b, d);
    add_delimiter(b, d, false);
    add_human_part(b, d);
    add_delimiter(b, d, false);
    add_status_part(b, d);
    if (d->original == DSN_NO_ORIGINAL) /* RFC 6522 section 3: the third part may be left out */
        return;
    add_delimiter(b, d, false);
    if (d->original == DSN_WHOLE_MESSAGE) {
        buf_add(b, d->original_utf8 ? STR("Content-Type: message/global\r\n")
                                    : STR("Content-Type: message/rfc822\r\n"));
        buf_add(b, STR("Content-Description: Your message\r\n"));
        add_encoding(b, false);
        return;
    }
    buf_add(b, d->original_utf8 ? STR("Content-Type: message/global-headers\r\n")
                                : STR("Content-Type: text/rfc822-headers\r\n"));
    buf_add(b, STR("Content-Description: Header of your message\r\n"));
    add_encoding(b, !d->original_utf8);
}

void
dsn_end(struct buf *b, const struct dsn *d)
{
    add_delimiter(b, d, true);
}

enum status
dsn_write(struct buf *b, const struct dsn *d, struct str original)
{
    dsn_begin(b, d);
    buf_add(b, original);
    dsn_end(b, d);
    return buf_status(b);
}

/* RFC 3463 section 3 and the registry of RFC 5248; a code ends the search, a prefix is for the rest of its
 * kind. */
struct str
dsn_explain(struct str status)
{
    static const struct {
        struct str code; /* without the first digit, which only says whether it is for good */
        const char *text;
    } meanings[] = {
        {{".1.1", 4}, "There is no such address at that domain. Check its spelling."},
        {{".1.2", 4}, "There is no such mail domain. Check the spelling behind the @."},
        {{".1.3", 4}, "The address is not written as an address should be."},
        {{".1.6", 4}, "The person has moved and left no new address."},
        {{".1.8", 4}, "The receiving server does not accept your own address as sender."},
        {{".1.10", 5}, "That domain says that it takes no mail at all."},
        {{".1.", 3}, "The receiving server does not accept this address."},
        {{".2.1", 4}, "The mailbox is switched off."},
        {{".2.2", 4}, "The mailbox is full. Try again later or reach the person in another way."},
        {{".2.3", 4}, "The message is too large for this mailbox. Send less or share a link."},
        {{".2.", 3}, "There is a problem with the mailbox."},
        {{".3.4", 4},
         "The message is too large for the receiving server. Send less or share a link."},
        {{".3.", 3}, "The receiving server has a problem of its own."},
        {{".4.1", 4}, "The receiving server did not answer."},
        {{".4.2", 4}, "The connection to the receiving server broke."},
        {{".4.4", 4}, "It could not be found out which server takes mail for that domain."},
        {{".4.6", 4}, "The message went round in a circle. Tell the postmaster of that domain."},
        {{".4.7", 4}, "It could not be delivered in time."},
        {{".4.", 3}, "The receiving server could not be reached."},
        {{".5.3", 4}, "The message has too many recipients. Send it to fewer at a time."},
        {{".5.", 3}, "The servers did not understand each other. Tell your postmaster."},
        {{".6.7", 4}, "The receiving server cannot take addresses in other alphabets."},
        {{".6.", 3}, "The receiving server cannot take the content of the message."},
        {{".7.10", 5},
         "You asked for a protected way, and the receiving server offers none that can be "
         "trusted."},
        {{".7.30", 5},
         "You asked for a protected way, and not all of the way to the recipient is one."},
        {{".7.", 3},
         "The receiving server refused the message by its rules, perhaps as unwanted mail."},
    };
    struct str code = str_skip(status, 1);

    for (size_t i = 0; i < COUNT_OF(meanings); i++) {
        bool prefix = str_ends(meanings[i].code, STR(".")) && meanings[i].code.len > 1;
        if (prefix ? str_starts(code, meanings[i].code) : str_eq(code, meanings[i].code))
            return str_of(meanings[i].text);
    }
    return STR("The receiving server gave no reason that is known here.");
}

static void
add_introduction(struct buf *b, enum dsn_action action)
{
    static const char *const texts[DSN_ACTION_COUNT] = {
        [DSN_FAILED] =
            "Your message could not be delivered to the recipients below. It will not be\r\n"
            "tried again. They have not received it.\r\n",
        [DSN_DELAYED] =
            "Your message has not reached the recipients below yet. You need not do\r\n"
            "anything: it is tried again by itself, and you are told if it cannot be\r\n"
            "delivered in the end.\r\n",
        [DSN_DELIVERED] =
            "Your message was put into the mailboxes of the recipients below, as you\r\n"
            "asked to be told.\r\n",
        [DSN_RELAYED] =
            "Your message was handed to the servers of the recipients below. Those may\r\n"
            "not tell you about delivery.\r\n",
        [DSN_EXPANDED] =
            "Your message was handed on to the lists below. You will not be told about\r\n"
            "each of their members.\r\n",
    };

    buf_add_z(b, texts[action]);
}

/* One recipient as people read it. */
static void
add_human_recipient(struct buf *b, const struct dsn_recipient *r)
{
    buf_add(b, STR("\r\n  "));
    add_clean(b, r->address, ADDRESS_TEXT_MAX);
    buf_add(b, STR("\r\n"));
    if (r->action == DSN_FAILED || r->action == DSN_DELAYED) {
        buf_add(b, STR("    "));
        buf_add(b, dsn_explain(r->status));
        buf_add(b, STR("\r\n"));
    }
    if (r->diagnostic.len > 0) {
        buf_add(b, STR("    "));
        if (r->remote.len > 0 && !r->own_words) {
            add_clean(b, r->remote, 255);
            buf_add(b, STR(" said: "));
        }
        add_clean(b, r->diagnostic, 600);
        buf_add(b, STR("\r\n"));
    }
    if (r->action == DSN_DELAYED && r->retry_until.us > 0) {
        AUTO_BUF date = BUF(64);
        header_write_date(&date, r->retry_until);
        buf_add(b, STR("    It is tried until "));
        buf_add(b, str_trim(str_skip(buf_str(&date), 6))); /* without "Date: " */
        buf_add(b, STR(".\r\n"));
    }
}

/* The recipients of each outcome under its own introduction. */
static void
add_human_text(struct buf *b, const struct dsn *d)
{
    buf_add(b, STR("This is the mail system at "));
    buf_add(b, d->host);
    buf_add(b, STR(".\r\n"));
    for (int action = DSN_FAILED; action < DSN_ACTION_COUNT; action++) {
        bool begun = false;
        for (uint32_t i = 0; i < d->count; i++) {
            if (d->recipients[i].action != (enum dsn_action)action)
                continue;
            if (!begun) {
                buf_add(b, STR("\r\n"));
                add_introduction(b, (enum dsn_action)action);
            }
            begun = true;
            add_human_recipient(b, &d->recipients[i]);
        }
    }
    if (d->original == DSN_NO_ORIGINAL) {
        buf_add(b,
                STR("\r\nThis server cannot read your message any more, so it does not come back "
                    "to you.\r\nThe details for your postmaster follow.\r\n"));
        return;
    }
    buf_add(b, STR("\r\nThe details for your postmaster and "));
    buf_add(b, d->original == DSN_WHOLE_MESSAGE ? STR("your message follow.\r\n")
                                                : STR("the header of your message follow.\r\n"));
}

static void
add_human_part(struct buf *b, const struct dsn *d)
{
    AUTO_BUF text = BUF(b->max);

    add_human_text(&text, d);
    b->over = b->over || text.over;
    buf_add(b, STR("Content-Type: text/plain; charset=utf-8\r\n"
                   "Content-Description: What happened\r\n"));
    add_encoding(b, str_is_ascii(buf_str(&text)));
    buf_add(b, buf_str(&text));
}

/* type ";" text of RFC 3464 section 2.1.2 */
static void
add_typed(struct buf *b, struct str name, struct str type, struct str text)
{
    AUTO_BUF value = BUF(2048);

    add_clean(&value, type, 40);
    buf_add(&value, STR("; "));
    add_clean(&value, text, TEXT_MAX);
    header_write(b, name, buf_str(&value));
}

static void
add_date(struct buf *b, struct str name, struct instant t)
{
    AUTO_BUF date = BUF(64);

    if (t.us <= 0)
        return;
    header_write_date(&date, t);
    header_write(b, name, str_skip(buf_str(&date), 6)); /* without "Date: " */
}

static struct str
action_name(enum dsn_action action)
{
    static const struct str names[DSN_ACTION_COUNT] = {
        [DSN_FAILED] = {"failed", 6},       [DSN_DELAYED] = {"delayed", 7},
        [DSN_DELIVERED] = {"delivered", 9}, [DSN_RELAYED] = {"relayed", 7},
        [DSN_EXPANDED] = {"expanded", 8},
    };
    return names[action];
}

/* One that can be read, else the class that the action asks for. */
static struct str
status_code(const struct dsn_recipient *r)
{
    struct scan s = scan_of(r->status);
    char code[ENHANCED_BYTES];

    if (scan_enhanced(&s, code) && scan_at_end(&s))
        return r->status;
    switch (r->action) {
    case DSN_FAILED: return STR("5.0.0");
    case DSN_DELAYED: return STR("4.0.0");
    default: return STR("2.0.0");
    }
}

/* per-recipient-fields       RFC 3464 section 2.3 */
static void
add_status_recipient(struct buf *b, const struct dsn_recipient *r)
{
    bool utf8 = !str_is_ascii(r->address);
    struct str rest = r->original;
    struct str type = STR_NONE;

    buf_add(b, STR("\r\n"));
    if (str_split(&rest, ';', &type) && rest.len > 0)
        add_typed(b, STR("Original-Recipient"), str_is_ascii(rest) ? type : STR("utf-8"), rest);
    add_typed(b, STR("Final-Recipient"), utf8 ? STR("utf-8") : STR("rfc822"), r->address);
    header_write(b, STR("Action"), action_name(r->action));
    header_write(b, STR("Status"), status_code(r));
    if (r->remote.len > 0)
        add_typed(b, STR("Remote-MTA"), STR("dns"), r->remote);
    if (r->diagnostic.len > 0)
        add_typed(b, STR("Diagnostic-Code"),
                  r->remote.len > 0 && !r->own_words ? STR("smtp") : STR("x-godwit"),
                  r->diagnostic);
    add_date(b, STR("Last-Attempt-Date"), r->last_attempt);
    if (r->action == DSN_DELAYED)
        add_date(b, STR("Will-Retry-Until"), r->retry_until);
}

static void
add_status_part(struct buf *b, const struct dsn *d)
{
    bool utf8 = false;

    for (uint32_t i = 0; i < d->count; i++)
        utf8 = utf8 || !str_is_ascii(d->recipients[i].address) ||
               !str_is_ascii(d->recipients[i].original) ||
               !str_is_ascii(d->recipients[i].diagnostic);
    buf_add(b, utf8 ? STR("Content-Type: message/global-delivery-status\r\n"
                          "Content-Transfer-Encoding: 8bit\r\n")
                    : STR("Content-Type: message/delivery-status\r\n"));
    buf_add(b, STR("Content-Description: Details for the postmaster\r\n\r\n"));
    if (d->envelope_id.len > 0) {
        AUTO_BUF id = BUF(TEXT_MAX);
        add_clean(&id, d->envelope_id, TEXT_MAX);
        header_write(b, STR("Original-Envelope-Id"), buf_str(&id));
    }
    add_typed(b, STR("Reporting-MTA"), STR("dns"), d->host);
    add_date(b, STR("Arrival-Date"), d->arrival);
    add_date(b, STR("Deliver-By-Date"), d->deliver_by);
    if (d->future_release.len > 0)
        header_write(b, STR("Future-Release-Request"), d->future_release);
    for (uint32_t i = 0; i < d->count; i++)
        add_status_recipient(b, &d->recipients[i]);
}
