/* parse.c - atoms, strings, sets, flags and dates of IMAP commands.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "imap/parse.h"

#include <stdlib.h>

#include "base/encode.h"
#include "base/mem.h"
#include "base/size.h"

#define SET_RANGES_MAX 65536u
#define FLAGS_MAX      64u
#define TAG_MAX        128u
#define ATOM_MAX       1024u

/* CTL = %x00-1F / %x7F; atom-specials of RFC 3501 section 9.  8-bit bytes pass: names and search words of clients that
 * speak plain UTF-8. */
static bool
is_atom_char(char c)
{
    unsigned char u = (unsigned char)c;

    if (u <= 0x20 || u == 0x7f)
        return false;
    switch (c) {
    case '(':
    case ')':
    case '{':
    case '%':
    case '*':
    case '"':
    case '\\': return false;
    default: return true;
    }
}

/* ASTRING-CHAR = ATOM-CHAR / "]"; "]" is no atom-special in RFC 3501 either way it matters here. */
static bool
is_list_char(char c)
{
    return is_atom_char(c) || c == '%' || c == '*';
}

static bool
is_tag_char(char c)
{
    return is_atom_char(c) && c != '+';
}

/* ATOM-CHAR; 8-bit bytes would come back as atoms, which no client has to understand. */
static bool
is_flag_char(char c)
{
    return is_atom_char(c) && c != ']' && (unsigned char)c < 0x80;
}

bool
imap_scan_sp(struct scan *s)
{
    return scan_spaces(s); /* some clients send two */
}

bool
imap_scan_end(struct scan *s)
{
    struct scan t = *s;

    scan_skip_spaces(&t);
    if (!scan_at_end(&t))
        return false;
    *s = t;
    return true;
}

bool
imap_scan_tag(struct scan *s, struct str *out)
{
    return scan_while(s, is_tag_char, TAG_MAX, out);
}

bool
imap_scan_atom(struct scan *s, struct str *out)
{
    return scan_while(s, is_atom_char, ATOM_MAX, out);
}

/* quoted = DQUOTE *QUOTED-CHAR DQUOTE */
static bool
scan_quoted(struct scan *s, struct arena *a, struct str *out)
{
    struct scan t = *s;
    bool escaped = false;

    if (!scan_char(&t, '"'))
        return false;
    const char *from = t.pos;
    for (;; t.pos++) {
        if (scan_at_end(&t) || *t.pos == '\r' || *t.pos == '\n' || *t.pos == '\0')
            return false;
        if (*t.pos == '"')
            break;
        if (*t.pos != '\\')
            continue;
        escaped = true;
        t.pos++;
        if (scan_at_end(&t) || (*t.pos != '"' && *t.pos != '\\'))
            return false;
    }
    struct str raw = str_from(from, (size_t)(t.pos - from));
    t.pos++;
    *s = t;
    *out = raw.len == 0 ? STR("") : raw;
    if (!escaped)
        return true;
    char *to = arena_alloc(a, raw.len);
    size_t n = 0;
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] == '\\')
            i++;
        to[n++] = raw.ptr[i];
    }
    *out = str_from(to, n);
    return true;
}

/* literal = "{" number ["+"] "}" CRLF *CHAR8      RFC 3501 section 9, RFC 7888 */
static bool
scan_literal(struct scan *s, struct str *out)
{
    struct scan t = *s;
    struct str text;
    uint64_t size;

    if (!scan_char(&t, '{') || !scan_u64(&t, SIZE_MAX >> 1, &size))
        return false;
    scan_char(&t, '+');
    if (!scan_char(&t, '}') || !scan_char(&t, '\r') || !scan_char(&t, '\n') ||
        !scan_take(&t, (size_t)size, &text))
        return false;
    if (str_find(text, '\0') >= 0)
        return false;
    *out = text;
    *s = t;
    return true;
}

bool
imap_scan_string(struct scan *s, struct arena *a, struct str *out)
{
    return scan_quoted(s, a, out) || scan_literal(s, out);
}

bool
imap_scan_nstring(struct scan *s, struct arena *a, struct str *out)
{
    struct scan t = *s;
    struct str word;

    if (imap_scan_string(s, a, out))
        return true;
    if (!imap_scan_atom(&t, &word) || !str_eq_nocase(word, STR("NIL")))
        return false;
    *s = t;
    *out = STR_NONE;
    return true;
}

bool
imap_scan_astring(struct scan *s, struct arena *a, struct str *out)
{
    return imap_scan_string(s, a, out) || scan_while(s, is_atom_char, ATOM_MAX, out);
}

static bool
has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return true;
    return false;
}

/* A name as the store keeps it: UTF-8, INBOX in capitals, no separator at its end. */
static bool
normal_name(struct str raw, struct arena *a, struct str *out)
{
    AUTO_BUF name = BUF(4 * LIMIT_MAILBOX_NAME_BYTES);

    if (raw.len > 4 * LIMIT_MAILBOX_NAME_BYTES || has_control(raw))
        return false;
    if (!str_is_ascii(raw)) {
        if (!utf8_valid(raw))
            return false;
        buf_add(&name, raw);
    } else if (imap_utf7_decode(raw, &name) != OK) {
        buf_reset(&name);
        buf_add(&name, raw); /* a bare "&", as Thunderbird sends it after ENABLE UTF8 */
    }
    struct str text = buf_str(&name);
    while (text.len > 1 && text.ptr[text.len - 1] == '/')
        text.len--;
    if (text.len > LIMIT_MAILBOX_NAME_BYTES)
        return false;
    if (text.len == 0) {
        *out = STR("");
        return true;
    }
    char *copy = arena_dup(a, text.ptr, text.len);
    *out = str_from(copy, text.len);
    if (str_starts_nocase(*out, STR("INBOX")) && (text.len == 5 || copy[5] == '/'))
        mem_copy(copy, "INBOX", 5);
    return true;
}

bool
imap_scan_mailbox(struct scan *s, struct arena *a, struct str *out)
{
    struct scan t = *s;
    struct str raw;

    if (!imap_scan_astring(&t, a, &raw) || raw.len == 0 || !normal_name(raw, a, out))
        return false;
    *s = t;
    return true;
}

bool
imap_scan_list_mailbox(struct scan *s, struct arena *a, struct str *out)
{
    struct scan t = *s;
    struct str raw;

    if (!imap_scan_string(&t, a, &raw) && !scan_while(&t, is_list_char, ATOM_MAX, &raw))
        return false;
    /* The final separator counts in a pattern and a reference. */
    bool slash = raw.len > 1 && raw.ptr[raw.len - 1] == '/';
    if (!normal_name(raw, a, out))
        return false;
    if (slash)
        *out = arena_printf(a, "%.*s/", STR_FMT(*out));
    *s = t;
    return true;
}

bool
imap_literal_at_end(struct str line, struct imap_literal *out)
{
    bool sync = true;
    uint64_t size;

    if (line.len < 3 || line.ptr[line.len - 1] != '}')
        return false;
    ssize_t open = str_rfind(line, '{');
    if (open < 0)
        return false;
    struct str inside = str_sub(line, (size_t)open + 1, line.len - (size_t)open - 2);
    if (str_ends(inside, STR("+"))) {
        sync = false;
        inside.len--;
    }
    struct scan s = scan_of(inside);
    if (!scan_u64(&s, UINT64_MAX, &size) || !scan_at_end(&s))
        return false;
    *out = (struct imap_literal){.size = size, .sync = sync};
    return true;
}

/* ---- sets ---- */

/* seq-number = nz-number / "*" */
static bool
scan_number(struct scan *s, uint32_t *out)
{
    uint32_t n;

    if (scan_char(s, '*')) {
        *out = IMAP_STAR;
        return true;
    }
    if (!scan_u32(s, UINT32_MAX, &n) || n == 0)
        return false;
    *out = n;
    return true;
}

static size_t
count_commas(const struct scan *s)
{
    size_t n = 1;

    for (const char *p = s->pos; p < s->end && *p != ' '; p++)
        n += *p == ',';
    return n;
}

bool
imap_scan_set(struct scan *s, struct arena *a, struct imap_set *out)
{
    struct scan t = *s;
    struct imap_set set = {0};
    size_t max = count_commas(&t);

    if (scan_char(&t, '$')) {
        *out = (struct imap_set){.saved = true};
        *s = t;
        return true;
    }
    if (max > SET_RANGES_MAX)
        return false;
    set.at = ARENA_ARRAY(a, struct imap_range, max);
    do {
        struct imap_range r;
        if (!scan_number(&t, &r.first))
            return false;
        r.last = r.first;
        if (scan_char(&t, ':') && !scan_number(&t, &r.last))
            return false;
        set.at[set.count++] = r;
    } while (scan_char(&t, ','));
    *s = t;
    *out = set;
    return true;
}

static int
compare_ranges(const void *a, const void *b)
{
    const struct imap_range *x = a, *y = b;

    return x->first < y->first ? -1 : x->first > y->first;
}

bool
imap_set_has_star(const struct imap_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->at[i].first == IMAP_STAR || set->at[i].last == IMAP_STAR)
            return true;
    return false;
}

void
imap_set_resolve(struct imap_set *set, uint32_t largest)
{
    size_t n = 0;

    for (size_t i = 0; i < set->count; i++) {
        struct imap_range *r = &set->at[i];
        if (r->first == IMAP_STAR)
            r->first = largest;
        if (r->last == IMAP_STAR)
            r->last = largest;
        if (r->first > r->last) {
            uint32_t swap = r->first;
            r->first = r->last;
            r->last = swap;
        }
    }
    if (set->count > 1)
        qsort(set->at, set->count, sizeof(set->at[0]), compare_ranges);
    for (size_t i = 0; i < set->count; i++) {
        if (n > 0 && set->at[n - 1].last >= set->at[i].first - (set->at[i].first > 0))
            set->at[n - 1].last = MAX(set->at[n - 1].last, set->at[i].last);
        else
            set->at[n++] = set->at[i];
    }
    set->count = n;
}

bool
imap_set_has(const struct imap_set *set, uint32_t n)
{
    size_t lo = 0, hi = set->count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (n < set->at[mid].first)
            hi = mid;
        else if (n > set->at[mid].last)
            lo = mid + 1;
        else
            return true;
    }
    return false;
}

/* ---- flags ---- */

static const struct {
    struct str name;
    uint32_t bit;
} system_flags[] = {
    {STR("Answered"), IMAP_ANSWERED}, {STR("Flagged"), IMAP_FLAGGED},
    {STR("Deleted"), IMAP_DELETED},   {STR("Seen"), IMAP_SEEN},
    {STR("Draft"), IMAP_DRAFT},
};

/* flag = "\Answered" / ... / atom.  \Recent is taken and ignored: clients send back what they were told. */
static bool
scan_flag(struct scan *s, struct imap_flags *f)
{
    struct scan t = *s;
    struct str word;
    bool system = scan_char(&t, '\\');

    if (!scan_while(&t, is_flag_char, ATOM_MAX, &word))
        return false;
    if (!system) {
        if (word.len > LIMIT_KEYWORD_BYTES || f->keyword_count == FLAGS_MAX)
            return false;
        f->keywords[f->keyword_count++] = word;
        *s = t;
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(system_flags); i++) {
        if (str_eq_nocase(word, system_flags[i].name)) {
            f->system |= system_flags[i].bit;
            *s = t;
            return true;
        }
    }
    if (!str_eq_nocase(word, STR("Recent")))
        return false;
    *s = t;
    return true;
}

bool
imap_scan_flags(struct scan *s, struct arena *a, struct imap_flags *out)
{
    struct scan t = *s;
    struct imap_flags f = {.keywords = ARENA_ARRAY(a, struct str, FLAGS_MAX)};
    bool list = scan_char(&t, '(');

    scan_skip_spaces(&t);
    if (!list || !scan_char(&t, ')')) {
        do {
            if (!scan_flag(&t, &f))
                return false;
        } while (imap_scan_sp(&t) && !scan_at_end(&t) && (!list || *t.pos != ')'));
        if (list && !scan_char(&t, ')'))
            return false;
    }
    *s = t;
    *out = f;
    return true;
}

/* ---- dates ---- */

static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

static bool
scan_month(struct scan *s, int *out)
{
    struct scan t = *s;
    struct str name;

    if (!scan_take(&t, 3, &name))
        return false;
    for (int m = 0; m < 12; m++) {
        if (str_eq_nocase(name, str_from(months + 3 * m, 3))) {
            *out = m + 1;
            *s = t;
            return true;
        }
    }
    return false;
}

static bool
scan_int(struct scan *s, uint32_t max, int *out)
{
    uint32_t n;

    if (!scan_u32(s, max, &n))
        return false;
    *out = (int)n;
    return true;
}

static int
days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/* date-day "-" date-month "-" date-year */
static bool
scan_day(struct scan *s, struct civil *c)
{
    struct scan t = *s;

    scan_skip_spaces(&t); /* date-day-fixed may begin with SP */
    if (!scan_int(&t, 31, &c->day) || !scan_char(&t, '-') || !scan_month(&t, &c->month) ||
        !scan_char(&t, '-') || !scan_int(&t, 9999, &c->year) || c->day < 1 || c->year < 1 ||
        c->day > days_in(c->year, c->month))
        return false;
    *s = t;
    return true;
}

bool
imap_scan_date(struct scan *s, struct civil *out)
{
    struct scan t = *s;
    struct civil c = {0};
    bool quoted = scan_char(&t, '"');

    if (!scan_day(&t, &c) || (quoted && !scan_char(&t, '"')))
        return false;
    *out = c;
    *s = t;
    return true;
}

/* date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE */
bool
imap_scan_date_time(struct scan *s, struct instant *out)
{
    struct scan t = *s;
    struct civil c = {0};
    int zone;

    if (!scan_char(&t, '"') || !scan_day(&t, &c) || !imap_scan_sp(&t) ||
        !scan_int(&t, 23, &c.hour) || !scan_char(&t, ':') || !scan_int(&t, 59, &c.minute) ||
        !scan_char(&t, ':') || !scan_int(&t, 60, &c.second) || !imap_scan_sp(&t))
        return false;
    bool west = scan_char(&t, '-');
    if ((!west && !scan_char(&t, '+')) || !scan_int(&t, 2400, &zone) || zone % 100 > 59 ||
        !scan_char(&t, '"'))
        return false;
    int64_t offset = (zone / 100) * 3600 + (zone % 100) * 60;
    *out = (struct instant){(unix_from_civil(&c) - (west ? -offset : offset)) * 1000000};
    *s = t;
    return true;
}
