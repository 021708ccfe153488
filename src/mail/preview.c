/* preview.c - the first words of a message.  See preview.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/preview.h"
#include "base/encode.h"
#include "base/scan.h"
#include "base/size.h"
#include "mail/charset.h"

/* Source bytes that are looked at: plain text says something at once, newsletters begin with style sheets. */
enum { PLAIN_SOURCE_MAX = 2048, HTML_SOURCE_MAX = 32768, TEXT_MAX = 4096 };

/* Where the text is: the first text/plain that has any, else the first text/html. */
static const struct mime_part *
choose(struct str message, const struct mime_tree *t, struct arena *a)
{
    const struct mime_part *html = NULL;

    for (uint32_t i = 0; i < t->count; i++) {
        const struct mime_part *p = &t->parts[i];
        struct str body = str_sub(message, p->body_at, p->end - p->body_at);

        if (p->kind != MIME_LEAF || !str_eq_nocase(p->type, STR("text")) ||
            str_trim(str_sub(body, 0, PLAIN_SOURCE_MAX)).len == 0 || mime_is_attachment(p, a))
            continue;
        if (str_eq_nocase(p->subtype, STR("plain")))
            return p;
        if (html == NULL && str_eq_nocase(p->subtype, STR("html")))
            html = p;
    }
    return html;
}

/* Without a character that the end of the source cuts off; else all would pass for another charset. */
static struct str
whole_characters(struct str bytes)
{
    size_t n = bytes.len;

    while (n > 0 && bytes.len - n < 3 && ((unsigned char)bytes.ptr[n - 1] & 0xc0) == 0x80)
        n--;
    return n > 0 && (unsigned char)bytes.ptr[n - 1] >= 0xc0 ? str_sub(bytes, 0, n - 1) : bytes;
}

static void
decode(struct str message, const struct mime_part *p, struct arena *a, struct buf *out)
{
    bool html = str_eq_nocase(p->subtype, STR("html"));
    size_t most = html ? HTML_SOURCE_MAX : PLAIN_SOURCE_MAX;
    struct str body = str_sub(message, p->body_at, MIN(p->end - p->body_at, most));
    struct transfer_decoder d;
    struct content c;
    struct str charset = STR_NONE;
    AUTO_BUF bytes = BUF(most + 8);

    transfer_decoder_init(&d, mime_transfer(p));
    transfer_decode(&d, body, &bytes);
    mime_content(p, a, &c);
    (void)param_raw(&c.params, STR("charset"), &charset);
    bool cut = body.len < p->end - p->body_at;
    struct str text = cut ? whole_characters(buf_str(&bytes)) : buf_str(&bytes);
    if (charset.len == 0)
        charset_guess_to_utf8(text, out);
    else
        charset_to_utf8(charset, text, out);
}

/* Characters that show nothing; newsletters fill previews with them. */
static bool
is_invisible(uint32_t c)
{
    return c == 0xad || c == 0x34f || (c >= 0x200b && c <= 0x200f) || c == 0x2060 || c == 0xfeff ||
           c == 0xfffd || (c >= 0x202a && c <= 0x202e) || c == 0x61c || c == 0x115f;
}

static bool
is_space(uint32_t c)
{
    return c <= ' ' || c == 0x7f || c == 0xa0 || (c >= 0x80 && c < 0xa0) ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x3000;
}

/* The first words; lines that begin with ">" are skipped. */
static void
add_words(struct str text, struct buf *out)
{
    struct scan s = scan_of(text);
    size_t start = out->len;
    bool bol = true;
    bool space = false;
    uint32_t c = 0;

    while (!scan_at_end(&s)) {
        if (bol && *s.pos == '>') {
            while (s.pos < s.end && *s.pos != '\n')
                s.pos++;
            continue;
        }
        if (!scan_utf8(&s, &c)) {
            s.pos++;
            continue;
        }
        bol = c == '\n';
        if (is_invisible(c))
            continue;
        if (is_space(c)) {
            space = out->len > start;
            continue;
        }
        AUTO_BUF one = BUF(8);
        if (space)
            buf_add_char(&one, ' ');
        buf_add_utf8(&one, c);
        if (out->len - start + one.len > PREVIEW_MAX)
            return;
        buf_add(out, buf_str(&one));
        space = false;
    }
}

void
preview_write(struct str message, const struct mime_tree *t, struct arena *a, struct buf *out)
{
    const struct mime_part *p = choose(message, t, a);

    if (p == NULL)
        return;
    AUTO_BUF text = BUF((size_t)HTML_SOURCE_MAX * 4);
    decode(message, p, a, &text);
    if (str_eq_nocase(p->subtype, STR("plain"))) {
        add_words(buf_str(&text), out);
        return;
    }
    AUTO_BUF plain = BUF((size_t)HTML_SOURCE_MAX * 4);
    html_to_text(buf_str(&text), &plain);
    add_words(buf_str(&plain), out);
}

static bool
scan_named_entity(struct scan *s, uint32_t *out)
{
    static const struct {
        struct str name;
        uint32_t c;
    } named[] = {{{"amp;", 4}, '&'},      {{"lt;", 3}, '<'},       {{"gt;", 3}, '>'},
                 {{"quot;", 5}, '"'},     {{"apos;", 5}, '\''},    {{"nbsp;", 5}, ' '},
                 {{"zwnj;", 5}, 0x200c},  {{"zwj;", 4}, 0x200d},   {{"shy;", 4}, 0xad},
                 {{"ndash;", 6}, 0x2013}, {{"mdash;", 6}, 0x2014}, {{"hellip;", 7}, 0x2026},
                 {{"euro;", 5}, 0x20ac},  {{"copy;", 5}, 0xa9},    {{"auml;", 5}, 0xe4},
                 {{"ouml;", 5}, 0xf6},    {{"uuml;", 5}, 0xfc},    {{"szlig;", 6}, 0xdf},
                 {{"eacute;", 7}, 0xe9},  {{"lsquo;", 6}, 0x2018}, {{"rsquo;", 6}, 0x2019},
                 {{"ldquo;", 6}, 0x201c}, {{"rdquo;", 6}, 0x201d}};

    for (size_t i = 0; i < COUNT_OF(named); i++) {
        if (scan_str(s, named[i].name)) {
            *out = named[i].c;
            return true;
        }
    }
    return false;
}

/* &name; &#10; &#x0a; at the cursor, which is after "&" */
static bool
scan_entity(struct scan *s, uint32_t *out)
{
    struct scan t = *s;
    uint32_t value = 0;

    if (scan_named_entity(s, out))
        return true;
    if (!scan_char(&t, '#'))
        return false;
    bool hex = scan_char(&t, 'x') || scan_char(&t, 'X');
    const char *from = t.pos;
    for (; t.pos < t.end && t.pos - from < 8; t.pos++) {
        char c = ascii_lower(*t.pos);
        uint32_t digit = 0;
        if (ascii_is_digit(c))
            digit = (uint32_t)(c - '0');
        else if (hex && c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a') + 10;
        else
            break;
        value = value * (hex ? 16u : 10u) + digit;
    }
    if (t.pos == from || !scan_char(&t, ';') || value == 0 || value > 0x10ffff ||
        (value >= 0xd800 && value < 0xe000))
        return false;
    *out = value;
    *s = t;
    return true;
}

/* Elements whose content is not text. */
static bool
is_hidden(struct str name)
{
    return str_eq_nocase(name, STR("style")) || str_eq_nocase(name, STR("script")) ||
           str_eq_nocase(name, STR("title")) || str_eq_nocase(name, STR("head"));
}

static bool
is_inline(struct str name)
{
    static const struct str inlines[] = {{"a", 1},   {"b", 1},      {"i", 1},    {"u", 1},
                                         {"em", 2},  {"strong", 6}, {"span", 4}, {"font", 4},
                                         {"sub", 3}, {"sup", 3},    {"code", 4}};
    for (size_t i = 0; i < COUNT_OF(inlines); i++)
        if (str_eq_nocase(inlines[i], name))
            return true;
    return false;
}

/* Moves behind the end tag of a hidden element, or to the end. */
static void
skip_element(struct scan *s, struct str name)
{
    while (s->pos < s->end) {
        struct scan t = *s;
        if (scan_str(&t, STR("</")) && scan_str_nocase(&t, name)) {
            *s = t;
            break;
        }
        s->pos++;
    }
    while (s->pos < s->end && *s->pos != '>')
        s->pos++;
    scan_char(s, '>');
}

/* A tag or comment after its "<". */
static void
skip_tag(struct scan *s, struct buf *out)
{
    if (scan_str(s, STR("!--"))) {
        ssize_t end = str_find_str(scan_rest(s), STR("-->"));
        s->pos = end < 0 ? s->end : s->pos + end + 3;
        return;
    }
    bool closing = scan_char(s, '/');
    const char *from = s->pos;
    while (s->pos < s->end && ascii_is_alnum(*s->pos))
        s->pos++;
    struct str name = str_from(from, (size_t)(s->pos - from));
    while (s->pos < s->end && *s->pos != '>')
        s->pos++;
    scan_char(s, '>');
    if (!closing && is_hidden(name))
        skip_element(s, name);
    else if (!is_inline(name))
        buf_add_char(out, ' ');
}

static bool
is_tag(const struct scan *s)
{
    return scan_left(s) > 1 && s->pos[0] == '<' &&
           (ascii_is_alpha(s->pos[1]) || s->pos[1] == '/' || s->pos[1] == '!' || s->pos[1] == '?');
}

void
html_to_text(struct str html, struct buf *out)
{
    struct scan s = scan_of(html);
    uint32_t c = 0;

    ASSERT(out != NULL);
    while (!scan_at_end(&s) && !out->over) {
        const char *from = s.pos;
        while (s.pos < s.end && *s.pos != '<' && *s.pos != '&')
            s.pos++;
        buf_add(out, str_from(from, (size_t)(s.pos - from)));
        if (is_tag(&s)) {
            s.pos++;
            skip_tag(&s, out);
        } else if (scan_char(&s, '<')) {
            buf_add_char(out, '<');
        } else if (scan_char(&s, '&')) {
            if (scan_entity(&s, &c))
                buf_add_utf8(out, c);
            else
                buf_add_char(out, '&');
        }
    }
}
