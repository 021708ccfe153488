/* spamd.c - the protocol of SpamAssassin's spamd, as its PROTOCOL file has it.
 *
 *     request = "SYMBOLS SPAMC/1.5" CRLF *( name ": " value CRLF ) CRLF message
 *     answer  = "SPAMD/" version SP code SP words CRLF *( name ":" value CRLF ) CRLF names
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "filter/scanner.h"

/* What may be a user of spamd, which looks for files of that name. */
static bool
is_user(struct str address)
{
    for (size_t i = 0; i < address.len; i++) {
        char c = address.ptr[i];
        if (!ascii_is_alnum(c) && str_find(STR("@._+-"), c) < 0)
            return false;
    }
    return address.len > 0 && address.len <= 254 && address.ptr[0] != '-' && address.ptr[0] != '.';
}

void
spamd_head_write(struct buf *b, const struct scanner_mail *m)
{
    buf_addf(b, "SYMBOLS SPAMC/1.5\r\nContent-length: %llu\r\n", (unsigned long long)m->size);
    if (m->rcpt_count == 1 && is_user(m->rcpts[0]))
        buf_addf(b, "User: %.*s\r\n", STR_FMT(m->rcpts[0]));
    buf_add_z(b, "\r\n");
}

static bool
take_line(struct scan *s, struct str *out)
{
    ssize_t end = str_find(scan_rest(s), '\n');
    struct str line, skipped;

    if (end < 0 || !scan_take(s, (size_t)end, &line) || !scan_take(s, 1, &skipped))
        return false;
    if (str_ends(line, STR("\r")))
        line = str_sub(line, 0, line.len - 1);
    *out = line;
    return true;
}

/* The code is one of sysexits.h. */
static bool
read_status(struct str line, uint32_t *code, struct str *words)
{
    struct scan s = scan_of(line);
    uint32_t major, minor;

    if (!scan_str(&s, STR("SPAMD/")) || !scan_u32(&s, 99, &major) || !scan_char(&s, '.') ||
        !scan_u32(&s, 99, &minor) || !scan_spaces(&s) || !scan_u32(&s, 255, code))
        return false;
    *words = str_trim(scan_rest(&s));
    return true;
}

/* Spam: True ; 1000.0 / 5.0 */
static bool
read_verdict(struct str value, struct scanner_answer *out)
{
    struct scan s = scan_of(str_trim(value));

    bool yes = scan_str_nocase(&s, STR("True")) || scan_str_nocase(&s, STR("Yes"));
    if (!yes && !scan_str_nocase(&s, STR("False")) && !scan_str_nocase(&s, STR("No")))
        return false;
    scan_skip_spaces(&s);
    if (!scan_char(&s, ';'))
        return false;
    scan_skip_spaces(&s);
    if (!scanner_points(&s, &out->score))
        return false;
    scan_skip_spaces(&s);
    if (!scan_char(&s, '/'))
        return false;
    scan_skip_spaces(&s);
    if (!scanner_points(&s, &out->required) || !scan_at_end(&s))
        return false;
    out->wish = yes ? SCANNER_JUNK : SCANNER_FINE;
    out->has_score = true;
    return true;
}

enum status
spamd_answer_read(struct str bytes, struct arena *a, struct scanner_answer *out)
{
    struct scan s = scan_of(bytes);
    struct scanner_answer got = {.text = STR(""), .tests = STR("")};
    struct str line, name, words;
    uint32_t code;

    if (!take_line(&s, &line) || !read_status(line, &code, &words))
        return ERR_SYNTAX;
    if (code != 0) {
        got.text = scanner_text(words, SCANNER_TEXT_MAX, a);
        *out = got;
        return ERR_NOT_FOUND;
    }
    for (;;) {
        if (!take_line(&s, &line))
            return ERR_SYNTAX;
        if (line.len == 0)
            break;
        struct str value = line;
        if (!str_split(&value, ':', &name) || value.ptr == NULL)
            return ERR_SYNTAX;
        if (str_eq_nocase(str_trim(name), STR("Spam")) &&
            (got.has_score || !read_verdict(value, &got)))
            return ERR_SYNTAX;
    }
    if (!got.has_score)
        return ERR_SYNTAX;
    got.tests = scanner_text(scan_rest(&s), SCANNER_TESTS_MAX, a);
    *out = got;
    return OK;
}
