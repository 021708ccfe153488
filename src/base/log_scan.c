/* log_scan.c - see log_scan.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/log_scan.h"

enum { NAME_BYTES = 32 };

static bool
is_name(char c)
{
    return (c >= 'a' && c <= 'z') || ascii_is_digit(c) || c == '_' || c == '.';
}

static bool
is_bare(char c)
{
    return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

static bool
is_hex(char c)
{
    return ascii_is_digit(c) || (c >= 'a' && c <= 'f');
}

/* quoted = DQUOTE *( printable / "\" ( DQUOTE / "\" / "x" 2hex ) ) DQUOTE */
static bool
scan_quoted(struct scan *s, struct str *out)
{
    struct scan t = *s;

    if (!scan_char(&t, '"'))
        return false;
    for (const char *from = t.pos;;) {
        char c;
        if (!scan_peek(&t, &c) || c < ' ' || c >= 0x7f)
            return false;
        t.pos++;
        if (c == '"') {
            *out = str_from(from, (size_t)(t.pos - 1 - from));
            *s = t;
            return true;
        }
        if (c != '\\')
            continue;
        if (scan_char(&t, '"') || scan_char(&t, '\\'))
            continue;
        if (scan_left(&t) < 3 || t.pos[0] != 'x' || !is_hex(t.pos[1]) || !is_hex(t.pos[2]))
            return false;
        t.pos += 3;
    }
}

bool
scan_log_field(struct scan *s, struct log_field *out)
{
    struct scan t = *s;
    struct log_field f = {0};
    char next;

    scan_skip_spaces(&t);
    if (!scan_while(&t, is_name, NAME_BYTES, &f.key) || !scan_char(&t, '='))
        return false;
    f.quoted = scan_quoted(&t, &f.value);
    if (!f.quoted && !scan_while(&t, is_bare, scan_left(&t), &f.value))
        return false;
    f.cut = f.quoted && scan_str(&t, STR("..."));
    if (scan_peek(&t, &next) && next != ' ')
        return false;
    *out = f;
    *s = t;
    return true;
}

static unsigned char
nibble(char c)
{
    return (unsigned char)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
}

void
log_value_read(const struct log_field *f, struct buf *b)
{
    struct str v = f->value;

    for (size_t i = 0; i < v.len; i++) {
        if (!f->quoted || v.ptr[i] != '\\') {
            buf_add_char(b, v.ptr[i]);
        } else if (v.ptr[i + 1] != 'x') { /* the scanner saw that an escape is whole */
            buf_add_char(b, v.ptr[++i]);
        } else {
            buf_add_char(b, (char)(nibble(v.ptr[i + 2]) << 4 | nibble(v.ptr[i + 3])));
            i += 3;
        }
    }
}
