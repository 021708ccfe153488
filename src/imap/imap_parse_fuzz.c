/* imap_parse_fuzz.c - every scanner of the grammar: nothing is consumed on failure, and what is taken is as promised.
 *
 * The first byte says which scanner; the rest is its input.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/mem.h"
#include "base/size.h"
#include "imap/parse.h"

enum { INPUT_MAX = 8192, KINDS = 9 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a failed scanner must leave alone. */
struct before {
    struct scan s;
    bool ok;
};

static void
check_consumed(const struct before *b, const struct scan *s)
{
    ASSERT(s->end == b->s.end && s->pos >= b->s.pos && s->pos <= s->end);
    ASSERT(b->ok ? s->pos > b->s.pos : s->pos == b->s.pos);
}

static void
check_string(int kind, struct scan *s, struct arena *a)
{
    struct before b = {.s = *s};
    struct str out = STR("untouched");

    b.ok = kind == 0   ? imap_scan_astring(s, a, &out)
           : kind == 1 ? imap_scan_nstring(s, a, &out)
           : kind == 2 ? imap_scan_tag(s, &out)
                       : imap_scan_atom(s, &out);
    check_consumed(&b, s);
    ASSERT(b.ok || str_eq(out, STR("untouched")));
    ASSERT(out.len <= scan_left(&b.s) || !b.ok);
    for (size_t i = 0; b.ok && i < out.len; i++) {
        ASSERT(out.ptr[i] != '\0');
        ASSERT(kind < 2 || ((unsigned char)out.ptr[i] > ' ' && out.ptr[i] != '"'));
    }
}

/* A name is UTF-8, within its bound, and comes back from the modified UTF-7 that we send. */
static void
check_mailbox(struct scan *s, struct arena *a)
{
    struct before b = {.s = *s};
    struct str name = STR("untouched"), again;
    AUTO_BUF wire = BUF(8 * LIMIT_MAILBOX_NAME_BYTES);

    b.ok = imap_scan_mailbox(s, a, &name);
    check_consumed(&b, s);
    if (!b.ok)
        return;
    ASSERT(name.len > 0 && name.len <= LIMIT_MAILBOX_NAME_BYTES && utf8_valid(name));
    ASSERT(name.len == 1 || name.ptr[name.len - 1] != '/');
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < ' ' || name.ptr[i] == 0x7f)
            return; /* such names are for the store to refuse */
    buf_add_char(&wire, '{');
    AUTO_BUF text = BUF(8 * LIMIT_MAILBOX_NAME_BYTES);
    imap_utf7_encode(name, &text);
    ASSERT(buf_status(&text) == OK && str_is_ascii(buf_str(&text)));
    buf_addf(&wire, "%zu}\r\n", text.len);
    buf_add(&wire, buf_str(&text));
    struct scan t = scan_of(buf_str(&wire));
    ASSERT(imap_scan_mailbox(&t, a, &again) && scan_at_end(&t) && str_eq(again, name));
}

static void
check_set(struct scan *s, struct arena *a)
{
    struct before b = {.s = *s};
    struct imap_set set = {0};

    b.ok = imap_scan_set(s, a, &set);
    check_consumed(&b, s);
    if (!b.ok || set.saved)
        return;
    ASSERT(set.count > 0 && set.count <= scan_left(&b.s));
    uint32_t some = set.at[set.count / 2].first;
    imap_set_resolve(&set, 1000);
    for (size_t i = 0; i < set.count; i++) {
        ASSERT(set.at[i].first <= set.at[i].last);
        ASSERT(i == 0 || set.at[i].first > set.at[i - 1].last + 1);
        ASSERT(imap_set_has(&set, set.at[i].first) && imap_set_has(&set, set.at[i].last));
    }
    ASSERT(imap_set_has(&set, some == IMAP_STAR ? 1000 : some));
    ASSERT(!imap_set_has(&set, 0));
}

static void
check_flags(struct scan *s, struct arena *a)
{
    struct before b = {.s = *s};
    struct imap_flags f = {0};

    b.ok = imap_scan_flags(s, a, &f);
    check_consumed(&b, s);
    ASSERT(f.system < 32 && f.keyword_count <= 64);
    for (size_t i = 0; b.ok && i < f.keyword_count; i++)
        ASSERT(f.keywords[i].len > 0 && f.keywords[i].len <= LIMIT_KEYWORD_BYTES);
}

static void
check_dates(struct scan *s)
{
    struct before b = {.s = *s};
    struct scan t = *s;
    struct civil c = {0};
    struct instant at = {77};

    b.ok = imap_scan_date(s, &c);
    check_consumed(&b, s);
    ASSERT(!b.ok || (c.year >= 1 && c.year <= 9999 && c.month >= 1 && c.month <= 12));
    ASSERT(!b.ok || (c.day >= 1 && c.day <= 31));
    b.ok = imap_scan_date_time(&t, &at);
    check_consumed(&b, &t);
    ASSERT(b.ok || at.us == 77);
}

/* The literal that a line ends with is the one that the scanner of strings will read. */
static void
check_literal(struct str line, struct arena *a)
{
    struct imap_literal lit;
    struct str out;
    AUTO_BUF whole = BUF(INPUT_MAX + 4096);

    if (!imap_literal_at_end(line, &lit) || lit.size > 1000)
        return;
    ssize_t open = str_rfind(line, '{');
    ASSERT(open >= 0);
    buf_add(&whole, str_skip(line, (size_t)open));
    buf_add(&whole, STR("\r\n"));
    for (uint64_t i = 0; i < lit.size; i++)
        buf_add_char(&whole, 'x');
    struct scan s = scan_of(buf_str(&whole));
    ASSERT(imap_scan_string(&s, a, &out) && out.len == lit.size && scan_at_end(&s));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > INPUT_MAX)
        return 0;
    AUTO_ARENA *a = arena_new(1u << 20);
    struct str in = str_from((const char *)data + 1, size - 1);
    struct scan s = scan_of(in);

    switch (data[0] % KINDS) {
    case 4: check_mailbox(&s, a); break;
    case 5: check_set(&s, a); break;
    case 6: check_flags(&s, a); break;
    case 7: check_dates(&s); break;
    case 8: check_literal(in, a); break;
    default: check_string(data[0] % KINDS, &s, a); break;
    }
    return 0;
}
