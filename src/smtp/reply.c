/* reply.c - see reply.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/reply.h"

#include "base/scan.h"
#include "base/size.h"
#include "base/status.h"
#include "mail/enhanced.h"

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

/* mechanisms = sasl-mech *(SP sasl-mech)      RFC 4954 section 3 */
static bool
offers_plain(struct str mechanisms)
{
    struct str word;

    while (str_split(&mechanisms, ' ', &word))
        if (str_eq_nocase(word, STR("PLAIN")))
            return true;
    return false;
}

/* deliverby-param = min-by-time *( "," extension-token )      RFC 2852 section 2 */
static uint32_t
by_min(struct str param)
{
    struct scan s = scan_of(str_trim(param));
    uint32_t n;

    return scan_u32(&s, 999999999, &n) && (scan_at_end(&s) || scan_char(&s, ',')) ? n : 0;
}

/* What EHLO announces, a line each. */
static void
note_extension(struct smtp_offer *o, struct str text)
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
        {STR("CHUNKING"), SMTP_EXT_CHUNKING},
        {STR("DELIVERBY"), SMTP_EXT_DELIVERBY},
        {STR("MT-PRIORITY"), SMTP_EXT_MT_PRIORITY},
        {STR("REQUIRETLS"), SMTP_EXT_REQUIRETLS},
    };
    struct str rest = text, word;

    if (!str_split(&rest, ' ', &word))
        return;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_eq_nocase(word, known[i].word))
            o->extensions |= known[i].bit;
    if (str_eq_nocase(word, STR("SIZE"))) {
        struct scan s = scan_of(str_trim(rest));
        uint64_t n;
        o->size_max = scan_u64(&s, UINT64_MAX, &n) && scan_at_end(&s) ? n : 0;
    }
    if (str_eq_nocase(word, STR("DELIVERBY")))
        o->by_min_s = by_min(rest);
    if (str_eq_nocase(word, STR("AUTH")) && offers_plain(rest))
        o->extensions |= SMTP_EXT_AUTH_PLAIN;
}

bool
smtp_reading_line(struct smtp_reading *r, struct str line, struct smtp_offer *offer)
{
    struct str text;
    bool more;
    int code;

    ASSERT(!r->complete);
    if (r->lines == SMTP_REPLY_LINES_MAX || !read_reply_line(line, &code, &more, &text) ||
        (r->lines > 0 && code != r->answer.code))
        return false;
    r->answer.code = code;
    /* The first line of EHLO's answer is a name. */
    if (offer != NULL && r->lines > 0 && code == 250)
        note_extension(offer, text);
    (void)enhanced_take(&text, code, r->answer.enhanced);
    add_text(&r->answer, &r->used, text);
    r->lines++;
    r->complete = !more;
    return true;
}
