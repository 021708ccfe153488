/* tokens_html.c - what the marks of an HTML text say: where links lead, what is hidden, what is odd.
 *
 * Common elements give no tokens: most wanted mail is HTML too, and what is usual must not count against anyone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"
#include "base/size.h"
#include "policy/tokens_internal.h"

enum { ATTRIBUTES_MAX = 32, STYLE_MAX = 512 };

struct html {
    struct token_set *s;
    struct scan in;
    uint32_t comments, images, links;
};
struct attribute {
    struct str name, value;
};

static bool
is_any(struct str name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (str_eq_nocase(name, str_of(*names)))
            return true;
    return false;
}

static bool
is_html_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static void
skip_space(struct scan *s)
{
    while (!scan_at_end(s) && (is_html_space(*s->pos) || *s->pos == '/'))
        s->pos++;
}

/* name [= value], value in quotes or without.  False before ">" and at the end. */
static bool
next_attribute(struct scan *s, struct attribute *out)
{
    skip_space(s);
    const char *from = s->pos;
    while (!scan_at_end(s) && *s->pos != '=' && *s->pos != '>' && !is_html_space(*s->pos))
        s->pos++;
    *out = (struct attribute){str_from(from, (size_t)(s->pos - from)), STR("")};
    skip_space(s);
    if (!scan_char(s, '='))
        return out->name.len > 0;
    while (!scan_at_end(s) && is_html_space(*s->pos))
        s->pos++;
    char quote = '\0';
    if (scan_char(s, '"'))
        quote = '"';
    else if (scan_char(s, '\''))
        quote = '\'';
    from = s->pos;
    while (!scan_at_end(s) &&
           (quote != '\0' ? *s->pos != quote : *s->pos != '>' && !is_html_space(*s->pos)))
        s->pos++;
    out->value = str_from(from, (size_t)(s->pos - from));
    if (quote != '\0' && !scan_at_end(s))
        s->pos++;
    return true;
}

/* A value of a style that makes its text unseen. */
static bool
is_hiding(struct str style)
{
    AUTO_BUF b = BUF(STYLE_MAX);
    static const char *const hiding[] = {"display:none",  "visibility:hidden", "font-size:0",
                                         "font-size:1px", "opacity:0;",        "mso-hide:all"};

    style = str_sub(style, 0, STYLE_MAX);
    for (size_t i = 0; i < style.len; i++)
        if (!is_html_space(style.ptr[i]))
            buf_add_char(&b, ascii_lower(style.ptr[i]));
    for (size_t i = 0; i < COUNT_OF(hiding); i++)
        if (str_find_str(buf_str(&b), str_of(hiding[i])) >= 0)
            return true;
    return false;
}

static void
add_link(struct html *h, struct str value)
{
    struct str link = str_trim(value);

    if (str_starts_nocase(link, STR("http:")) || str_starts_nocase(link, STR("https:"))) {
        tokens_of_link(h->s, link);
        h->links++;
    } else if (str_starts_nocase(link, STR("javascript:")))
        token_add(h->s, STR("odd"), STR("a link to a script"));
}

static void
add_attribute(struct html *h, struct str element, const struct attribute *at)
{
    static const char *const links[] = {"href", "src", "action", "background", NULL};
    bool pixels = str_eq_nocase(at->name, STR("width")) || str_eq_nocase(at->name, STR("height"));

    if (is_any(at->name, links))
        add_link(h, at->value);
    else if (str_eq_nocase(at->name, STR("style")) && is_hiding(at->value))
        token_add(h->s, STR("odd"), STR("hidden text"));
    else if (pixels && str_eq_nocase(element, STR("img")) &&
             (str_eq(at->value, STR("0")) || str_eq(at->value, STR("1"))))
        token_add(h->s, STR("odd"), STR("an image of one pixel"));
    else if (str_eq_nocase(element, STR("font")) &&
             (str_eq_nocase(at->name, STR("size")) || str_eq_nocase(at->name, STR("color")))) {
        AUTO_BUF what = BUF(TOKEN_WORD_MAX);
        buf_add(&what, str_sub(at->name, 0, 8));
        buf_add_char(&what, '=');
        for (size_t i = 0; i < at->value.len && i < 16; i++)
            buf_add_char(&what, ascii_lower(at->value.ptr[i]));
        token_add(h->s, STR("font"), buf_str(&what));
    }
}

/* After "<". */
static void
add_element(struct html *h)
{
    static const char *const rare[] = {"form",   "script", "iframe",  "object", "embed",
                                       "applet", "input",  "marquee", "base",   NULL};
    struct attribute at;
    const char *from = h->in.pos;

    while (!scan_at_end(&h->in) && ascii_is_alnum(*h->in.pos))
        h->in.pos++;
    struct str element = str_from(from, (size_t)(h->in.pos - from));
    if (is_any(element, rare)) {
        char name[16];
        size_t n = MIN(element.len, sizeof(name));
        for (size_t i = 0; i < n; i++)
            name[i] = ascii_lower(element.ptr[i]);
        token_add(h->s, STR("html"), str_from(name, n));
    }
    h->images += str_eq_nocase(element, STR("img"));
    for (int i = 0; i < ATTRIBUTES_MAX && next_attribute(&h->in, &at); i++)
        add_attribute(h, element, &at);
    while (!scan_at_end(&h->in) && *h->in.pos != '>')
        h->in.pos++;
}

/* A comment between two letters breaks a word for those who read the source. */
static void
add_comment(struct html *h, bool in_word)
{
    ssize_t end = str_find_str(scan_rest(&h->in), STR("-->"));

    h->comments++;
    h->in.pos = end < 0 ? h->in.end : h->in.pos + end + 3;
    if (in_word && !scan_at_end(&h->in) && ascii_is_alpha(*h->in.pos))
        token_add(h->s, STR("odd"), STR("a comment inside a word"));
}

void
tokens_of_html(struct token_set *s, struct str html)
{
    struct html h = {.s = s, .in = scan_of(html)};
    struct str before;

    while (scan_until(&h.in, '<', &before)) {
        h.in.pos++;
        if (scan_str(&h.in, STR("!--")))
            add_comment(&h, before.len > 0 && ascii_is_alpha(before.ptr[before.len - 1]));
        else if (!scan_at_end(&h.in) && ascii_is_alpha(*h.in.pos))
            add_element(&h);
    }
    token_add_count(s, STR("comments"), h.comments);
    token_add_count(s, STR("images"), h.images);
    token_add_count(s, STR("html links"), h.links);
}
