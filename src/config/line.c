/* line.c - a line of the configuration cut into words: blanks separate, "..." holds blanks, # ends.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"
#include "config/config_internal.h"

/* Only the file's own editor could put a NUL or an escape into it: say so rather than cut it off. */
static bool
has_control(struct str w)
{
    for (size_t i = 0; i < w.len; i++)
        if ((unsigned char)w.ptr[i] < ' ' || w.ptr[i] == 0x7f)
            return true;
    return false;
}

/* word = DQUOTE *not-DQUOTE DQUOTE / 1*not-blank.  No word holds a quote, so that every word can be
 * written back between quotes. */
static enum status
scan_word(struct scan *s, const struct config_line *l, struct str *out)
{
    const char *from = s->pos;
    char c;

    if (scan_char(s, '"')) {
        if (!scan_until(s, '"', out))
            return config_expected(l, scan_rest(s), "a closing \"");
        return scan_char(s, '"') ? OK : ERR_SYNTAX;
    }
    while (scan_peek(s, &c) && !ascii_is_space(c))
        s->pos++;
    struct str w = str_from(from, (size_t)(s->pos - from));
    if (str_find(w, '"') >= 0)
        return config_expected(l, w, "quotes around the whole word, and none inside");
    *out = w;
    return OK;
}

enum status
config_line_split(struct str text, struct config_line *l)
{
    struct scan s = scan_of(text);
    char c;

    l->count = 0;
    for (;;) {
        scan_skip_spaces(&s);
        if (!scan_peek(&s, &c) || c == '#')
            return OK;
        if (l->count == CONFIG_WORDS_MAX)
            return config_expected(l, scan_rest(&s), "at most 32 words");
        TRY(scan_word(&s, l, &l->words[l->count]));
        if (has_control(l->words[l->count]))
            return config_expected(l, STR("a control character"), "text");
        l->count++;
    }
}
