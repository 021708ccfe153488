/* mbox.c - From_ lines, and the fields of a header in which programs keep what they know of a message.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "migrate/mbox.h"

#include "base/encode.h"
#include "base/size.h"
#include "imap/parse.h"
#include "mail/date.h"
#include "migrate/maildir.h"

enum { LINE_BYTES = 1000, WORDS = 24, VALUE_BYTES = 16384, OWN_FIELDS_MAX = 16 };

/* ---- From_ lines ---- */

static size_t
split_words(struct str line, struct str words[WORDS])
{
    size_t n = 0;

    for (size_t i = 0; i < line.len && n < WORDS; i++) {
        size_t from = i;
        while (i < line.len && !ascii_is_space(line.ptr[i]) && line.ptr[i] != '\r')
            i++;
        if (i > from)
            words[n++] = str_sub(line, from, i - from);
    }
    return n;
}

/* A name of three letters out of a row of them; a comma may follow. */
static bool
is_name(struct str word, struct str table)
{
    if (word.len == 4 && word.ptr[3] == ',')
        word.len--;
    for (size_t i = 0; word.len == 3 && i < table.len; i += 3)
        if (str_eq_nocase(word, str_sub(table, i, 3)))
            return true;
    return false;
}

static bool
is_month(struct str word)
{
    return is_name(word, STR("JanFebMarAprMayJunJulAugSepOctNovDec"));
}

/* "+0100", "CET", "(CET)" */
static bool
is_zone(struct str word)
{
    if (word.len > 1 && (word.ptr[0] == '+' || word.ptr[0] == '-'))
        return ascii_is_digit(word.ptr[1]);
    if (word.len > 0 && word.ptr[0] == '(')
        return true;
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] < 'A' || word.ptr[i] > 'Z')
            return false;
    return word.len >= 1 && word.len <= 5;
}

struct from_date {
    struct str day, month, year, time;
    struct str zone; /* the best that was there; empty = UTC */
    bool summer;     /* "MET DST": an hour more */
    struct scan_words {
        const struct str *at;
        size_t left;
    } in;
};

static struct str
next_word(struct from_date *d)
{
    if (d->in.left == 0)
        return STR_NONE;
    d->in.left--;
    return *d->in.at++;
}

static void
read_zones(struct from_date *d)
{
    while (d->in.left > 0 && is_zone(*d->in.at)) {
        struct str word = next_word(d);
        if (str_eq_nocase(word, STR("DST")))
            d->summer = true;
        else if (d->zone.len == 0 || ascii_is_digit(word.ptr[word.len - 1]))
            d->zone = word;
    }
}

/* Day name; then "Nov 30 18:10:16 2026", zones before the year or behind it, or "30 Nov 2026 18:10:16 +0100".  Then
 * nothing, or "remote from" of UUCP. */
static bool
read_date(struct from_date *d, struct instant *out)
{
    AUTO_BUF text = BUF(LINE_BYTES + 8);
    struct mail_date date;

    if (!is_name(next_word(d), STR("SunMonTueWedThuFriSat")))
        return false;
    bool unix_order = d->in.left > 0 && is_month(*d->in.at);
    if (unix_order)
        d->month = next_word(d);
    d->day = next_word(d);
    if (!unix_order) {
        d->month = next_word(d);
        d->year = next_word(d);
    }
    d->time = next_word(d);
    if (str_find(d->time, ':') < 0 || !is_month(d->month))
        return false;
    read_zones(d);
    if (unix_order)
        d->year = next_word(d);
    read_zones(d);
    if (d->in.left > 0 && !str_eq(*d->in.at, STR("remote")))
        return false;
    buf_addf(&text, "%.*s %.3s %.*s %.*s %.*s", STR_FMT(d->day), d->month.ptr, STR_FMT(d->year),
             STR_FMT(d->time), STR_FMT(d->zone));
    if (buf_status(&text) != OK || date_parse(buf_str(&text), &date) != OK)
        return false;
    out->us = date.time.us - (d->summer ? INT64_C(3600000000) : 0);
    return true;
}

/* The sender may be anything, also more than one word, or none. */
bool
mbox_from_read(struct str line, struct instant *received_out)
{
    struct str words[WORDS];

    if (!str_starts(line, MBOX_FROM) || line.len > LINE_BYTES)
        return false;
    size_t n = split_words(str_skip(line, MBOX_FROM.len), words);
    for (size_t i = 0; i < n; i++) {
        struct from_date d = {.in = {words + i, n - i}};
        if (read_date(&d, received_out))
            return true;
    }
    return false;
}

static bool
is_sender(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    return s.len > 0 && s.len <= 300;
}

void
mbox_from_write(struct str sender, struct instant received, struct buf *b)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t seconds = received.us / 1000000 - (received.us % 1000000 < 0);
    /* the years 1 to 9999, which date_parse() reads */
    seconds = MAX(MIN(seconds, INT64_C(253402300799)), INT64_C(-62135596800));
    struct civil c = civil_from_unix(seconds);

    ASSERT(c.weekday >= 0 && c.weekday < 7 && c.month >= 1 && c.month <= 12);
    buf_addf(b, "From %.*s %.3s %.3s %2d %02d:%02d:%02d %04d\n",
             STR_FMT(is_sender(sender) ? sender : STR("MAILER-DAEMON")),
             days + (ptrdiff_t)c.weekday * 3, months + ((ptrdiff_t)c.month - 1) * 3, c.day, c.hour,
             c.minute, c.second, c.year);
}

/* ---- fields ---- */

enum field {
    OF_MESSAGE,
    SUBJECT, /* is read, and of the message */
    OWN,
    STATUS,
    X_STATUS,
    KEYWORDS,
    UID,
    BASE,
    PSEUDO,
    LENGTH,
    UIDL,
    MOZILLA_STATUS,
    MOZILLA_KEYS,
    MOZILLA_OTHER
};

static enum field
field_of(struct str name)
{
    static const struct {
        struct str name;
        enum field field;
    } fields[] = {
        {{"Subject", 7}, SUBJECT},
        {{"X-Godwit-Mbox", 13}, OWN},
        {{"Status", 6}, STATUS},
        {{"X-Status", 8}, X_STATUS},
        {{"X-Keywords", 10}, KEYWORDS},
        {{"X-UID", 5}, UID},
        {{"X-IMAPbase", 10}, BASE},
        {{"X-IMAP", 6}, PSEUDO},
        {{"Content-Length", 14}, LENGTH},
        {{"X-UIDL", 6}, UIDL},
        {{"X-Mozilla-Status", 16}, MOZILLA_STATUS},
        {{"X-Mozilla-Keys", 14}, MOZILLA_KEYS},
        {{"X-Mozilla-Status2", 17}, MOZILLA_OTHER},
    };

    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (str_eq_nocase(fields[i].name, name))
            return fields[i].field;
    return OF_MESSAGE;
}

/* Of a line; one without a colon is no field. */
static enum field
field_of_line(struct str line)
{
    ssize_t colon = str_find(line, ':');

    return colon < 0 ? OF_MESSAGE : field_of(str_trim(str_sub(line, 0, (size_t)colon)));
}

static bool
is_of_message(enum field f)
{
    return f == OF_MESSAGE || f == SUBJECT;
}

static uint32_t
flags_of(struct str value)
{
    static const struct {
        char letter;
        uint32_t flag;
    } letters[] = {{'R', MIGRATE_SEEN},
                   {'A', MIGRATE_ANSWERED},
                   {'F', MIGRATE_FLAGGED},
                   {'T', MIGRATE_DRAFT},
                   {'D', MIGRATE_DELETED}};
    uint32_t flags = 0;

    for (size_t i = 0; i < value.len; i++)
        for (size_t k = 0; k < COUNT_OF(letters); k++)
            if (letters[k].letter == value.ptr[i])
                flags |= letters[k].flag;
    return flags;
}

static void
add_words(struct mbox_head *h, struct str value)
{
    buf_add_char(&h->words, ' ');
    buf_add(&h->words, value);
}

/* X-Mozilla-Status: four hexadecimal digits */
static void
read_mozilla(struct mbox_head *h, struct str value)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < value.len && i < 4; i++) {
        char c = ascii_lower(value.ptr[i]);
        ssize_t digit = str_find(STR("0123456789abcdef"), c);
        if (digit < 0)
            return;
        bits = bits << 4 | (uint32_t)digit; /* found: 0 to 15 */
    }
    h->flags |= (bits & 1 ? MIGRATE_SEEN : 0u) | (bits & 2 ? MIGRATE_ANSWERED : 0u) |
                (bits & 4 ? MIGRATE_FLAGGED : 0u);
    h->expunged = h->expunged || (bits & 8) != 0;
    if (bits & 0x1000)
        add_words(h, STR("$Forwarded"));
}

/* "1234567890 0000000042 word word" */
static void
read_base(struct mbox_head *h, struct str value)
{
    struct scan s = scan_of(value);
    uint32_t uidvalidity, last;

    if (!scan_u32(&s, LIMIT_IMPORT_NUMBER, &uidvalidity) || !scan_spaces(&s) ||
        !scan_u32(&s, LIMIT_IMPORT_NUMBER - 1, &last))
        return;
    h->uidvalidity = uidvalidity;
    h->uid_last = last;
}

/* One that POP3 cannot say is none. */
static void
read_uidl(struct mbox_head *h, struct str value)
{
    if (!h->own)
        return;
    buf_reset(&h->uidl);
    if (uidl_is(value))
        buf_add(&h->uidl, value);
}

/* A field came to its end. */
static void
end_field(struct mbox_head *h)
{
    struct str value = str_trim(buf_str(&h->value));
    struct scan s = scan_of(value);

    switch ((enum field)h->field) {
    case SUBJECT:
        h->named = h->named || str_find_str(value, STR("FOLDER INTERNAL DATA")) >= 0;
        break;
    case STATUS: h->flags |= flags_of(value) & MIGRATE_SEEN; break;
    case X_STATUS: h->flags |= flags_of(value) & ~(uint32_t)MIGRATE_SEEN; break;
    case KEYWORDS:
    case MOZILLA_KEYS: add_words(h, value); break;
    case UID:
        if (!scan_u32(&s, LIMIT_IMPORT_NUMBER, &h->uid))
            h->uid = 0;
        break;
    case PSEUDO:
        h->has_base = true;
        read_base(h, value);
        break;
    case BASE: read_base(h, value); break;
    case LENGTH: h->has_length = scan_u64(&s, INT64_MAX, &h->length); break;
    case UIDL: read_uidl(h, value); break;
    case MOZILLA_STATUS: read_mozilla(h, value); break;
    case OF_MESSAGE:
    case OWN:
    case MOZILLA_OTHER: break;
    }
    h->field = OF_MESSAGE;
    buf_reset(&h->value);
}

/* "X-Godwit-Mbox: 5", behind it "open", "exact"; it is never folded. */
static bool
read_own(struct mbox_head *h, struct str value)
{
    struct scan s = scan_of(str_trim(value));
    uint32_t n;

    if (!scan_u32(&s, OWN_FIELDS_MAX, &n))
        return false;
    h->own = true;
    h->own_left = n;
    h->open = scan_str(&s, STR(" open"));
    h->exact = scan_str(&s, STR(" exact"));
    h->field = OWN;
    return true;
}

/* A field begins.  One that is of the message in the part that is Godwit's own: another program took some out there. */
static bool
begin_field(struct mbox_head *h, struct str line)
{
    bool first = !h->later;
    struct str value = str_skip(line, (size_t)(str_find(line, ':') + 1)); /* -1 at least */

    end_field(h);
    h->later = true;
    if (h->own && h->exact && h->own_left == 0)
        return true;
    enum field f = field_of_line(line);
    if (first && f == OWN && read_own(h, value))
        return false;
    if (h->own && h->own_left > 0 && is_of_message(f))
        h->own = h->open = false;
    if ((!h->own || h->own_left == 0) && (f == OWN || f == UIDL))
        f = OF_MESSAGE;
    h->own_left -= h->own_left > 0;
    h->field = (int)f;
    if (f != OF_MESSAGE)
        buf_add(&h->value, str_sub(value, 0, VALUE_BYTES));
    return is_of_message(f);
}

bool
mbox_is_confusing(struct str message)
{
    struct str line;

    if (message.len > 0 && ascii_is_space(message.ptr[0]))
        return true;
    while (str_split(&message, '\n', &line) && line.len > 0 && !str_eq(line, STR("\r")))
        if (!is_of_message(field_of_line(line)))
            return true;
    return false;
}

bool
mbox_head_line(struct mbox_head *h, struct str line, bool begins)
{
    if (!h->later) {
        h->words = BUF(VALUE_BYTES);
        h->uidl = BUF(LIMIT_UIDL_BYTES);
        h->value = BUF(VALUE_BYTES);
    }
    bool goes_on = !begins || (h->later && line.len > 0 && ascii_is_space(line.ptr[0]));
    if (!goes_on || (begins && h->own && h->exact && h->own_left == 0))
        return begin_field(h, line);
    if (h->field != OF_MESSAGE)
        buf_add(&h->value, line);
    return is_of_message((enum field)h->field);
}

void
mbox_head_end(struct mbox_head *h)
{
    end_field(h);
    h->pseudo = h->has_base && h->named;
}

void
mbox_head_release(struct mbox_head *h)
{
    buf_release(&h->words);
    buf_release(&h->uidl);
    buf_release(&h->value);
}

bool
mbox_keyword_next(struct str *words, struct str *out)
{
    struct str word;

    while (str_split(words, ' ', &word)) {
        struct scan s = scan_of(str_trim(word));
        if (str_is_ascii(word) && imap_scan_atom(&s, out) && scan_at_end(&s) &&
            out->len <= LIMIT_KEYWORD_BYTES)
            return true;
    }
    return false;
}
