/* param.c - content types, dispositions and parameters.  See param.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/param.h"
#include "base/encode.h"
#include "base/scan.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"
#include "mail/header.h"

static bool
is_blank(char c)
{
    return ascii_is_space(c) || c == '\r' || c == '\n';
}

/* tspecials of RFC 2045 section 5.1, controls and space end a token. */
static bool
is_token(char c)
{
    static const char tspecials[] = "()<>@,;:\\\"/[]?=";
    unsigned char u = (unsigned char)c;

    return u > ' ' && u < 0x7f && str_find(str_from(tspecials, sizeof(tspecials) - 1), c) < 0;
}

static struct str
scan_token(struct scan *s)
{
    const char *from = s->pos;

    while (s->pos < s->end && is_token(*s->pos))
        s->pos++;
    return str_from(from, (size_t)(s->pos - from));
}

/* quoted-string after its opening quote; a missing closing quote is forgiven.  Borrowed when it is plain. */
static struct str
scan_quoted(struct scan *s, struct arena *a)
{
    const char *from = s->pos;
    bool plain = true;

    for (; s->pos < s->end && *s->pos != '"'; s->pos++) {
        char c = *s->pos;
        plain = plain && c != '\\' && c != '\r' && c != '\n';
        if (c == '\\' && s->end - s->pos > 1)
            s->pos++;
    }
    struct str raw = str_from(from, (size_t)(s->pos - from));
    scan_char(s, '"');
    if (plain)
        return str_sub(raw, 0, PARAM_VALUE_BYTES);
    AUTO_BUF b = BUF(PARAM_VALUE_BYTES);
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] == '\\' && i + 1 < raw.len)
            i++;
        if (raw.ptr[i] != '\r' && raw.ptr[i] != '\n')
            buf_add_char(&b, raw.ptr[i]);
    }
    return arena_str(a, buf_str(&b));
}

/* A value without quotes: a token by the grammar, but senders put spaces and anything else there, so it runs to
 * the semicolon, the end of the line, or a comment after white space. */
static struct str
scan_bare(struct scan *s)
{
    const char *from = s->pos;

    while (s->pos < s->end && *s->pos != ';' && *s->pos != '\n') {
        if (*s->pos == '(' && s->pos > from && is_blank(s->pos[-1]))
            break;
        s->pos++;
    }
    struct str value = str_trim(str_from(from, (size_t)(s->pos - from)));
    return str_sub(value, 0, PARAM_VALUE_BYTES);
}

static bool
has_nul(struct str s)
{
    return str_find(s, '\0') >= 0;
}

/* parameter := attribute "=" value, after any ";" */
static void
scan_params(struct scan *s, struct arena *a, struct params *out)
{
    for (;;) {
        struct param p = {.name = STR_NONE};

        header_skip_cfws(s);
        while (scan_char(s, ';'))
            header_skip_cfws(s);
        if (scan_at_end(s))
            return;
        p.name = scan_token(s);
        header_skip_cfws(s);
        if (p.name.len > 0 && p.name.len <= PARAM_NAME_BYTES && scan_char(s, '=')) {
            header_skip_cfws(s);
            p.value = scan_char(s, '"') ? scan_quoted(s, a) : scan_bare(s);
            if (has_nul(p.value))
                continue;
            if (out->count == PARAMS_MAX) {
                out->cut = true;
                return;
            }
            out->at[out->count++] = p;
            continue;
        }
        while (s->pos < s->end && *s->pos != ';') /* garbage */
            s->pos++;
    }
}

/* content := "Content-Type" ":" type "/" subtype *(";" parameter)       RFC 2045 section 5.1 */
bool
content_type_parse(struct str value, struct arena *a, struct content *out)
{
    struct scan s = scan_of(value);

    ASSERT(a != NULL);
    out->params.count = 0;
    out->params.cut = false;
    header_skip_cfws(&s);
    out->type = scan_token(&s);
    header_skip_cfws(&s);
    bool slash = scan_char(&s, '/');
    header_skip_cfws(&s);
    out->subtype = slash ? scan_token(&s) : STR_NONE;
    bool ok = out->type.len > 0 && out->subtype.len > 0 && out->type.len <= PARAM_NAME_BYTES &&
              out->subtype.len <= PARAM_NAME_BYTES;
    if (!ok) {
        out->type = STR("text");
        out->subtype = STR("plain");
    }
    /* "text; charset=utf-8" and "text/html charset=utf-8" keep their parameters too. */
    if (ok || !slash)
        scan_params(&s, a, &out->params);
    return ok;
}

/* disposition := "Content-Disposition" ":" disposition-type *(";" disposition-parm)    RFC 2183 section 2 */
bool
content_disposition_parse(struct str value, struct arena *a, struct content *out)
{
    struct scan s = scan_of(value);

    ASSERT(a != NULL);
    out->params.count = 0;
    out->params.cut = false;
    out->subtype = STR_NONE;
    header_skip_cfws(&s);
    out->type = str_sub(scan_token(&s), 0, PARAM_NAME_BYTES);
    if (out->type.len == 0)
        return false;
    scan_params(&s, a, &out->params);
    return true;
}

bool
param_raw(const struct params *p, struct str name, struct str *value_out)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (str_eq_nocase(p->at[i].name, name)) {
            *value_out = p->at[i].value;
            return true;
        }
    }
    return false;
}

/* percent-encoded octets, RFC 2231 section 4; a broken escape stays. */
static void
add_percent(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '%' && text.len - i > 2 && hex_decode(str_sub(text, i + 1, 2), b) == OK)
            i += 2;
        else
            buf_add_char(b, text.ptr[i]);
    }
}

/* name "*" [ section ] [ "*" ]: finds the section (or -1 for none) among the parameters. */
static bool
find_section(const struct params *p, struct str name, int section, const struct param **out,
             bool *encoded_out)
{
    AUTO_BUF want = BUF(PARAM_NAME_BYTES + 24); /* "*" and a number */

    buf_add(&want, name);
    if (section >= 0)
        buf_addf(&want, "*%d", section);
    for (uint32_t i = 0; i < p->count; i++) {
        struct str n = p->at[i].name;
        bool star = str_ends(n, STR("*"));

        if (str_eq_nocase(star ? str_sub(n, 0, n.len - 1) : n, buf_str(&want)) &&
            (section >= 0 || star)) {
            *out = &p->at[i];
            *encoded_out = star;
            return true;
        }
    }
    return false;
}

/* charset'language'text at the start of an encoded value. */
static struct str
split_charset(struct str *text)
{
    struct str whole = *text;
    struct str charset = STR_NONE;
    struct str language = STR_NONE;

    if (str_split(text, '\'', &charset) && str_split(text, '\'', &language) &&
        charset.len <= CHARSET_NAME_MAX)
        return charset;
    *text = whole;
    return STR_NONE;
}

/* Escapes can bring in what no file name or charset may hold. */
static void
one_line(struct buf *out, size_t from)
{
    for (size_t i = from; i < out->len; i++)
        if ((unsigned char)out->ptr[i] < ' ' || out->ptr[i] == 0x7f)
            out->ptr[i] = ' ';
}

bool
param_value(const struct params *p, struct str name, struct buf *out)
{
    size_t start = out->len;
    AUTO_BUF bytes = BUF(PARAMS_MAX * PARAM_VALUE_BYTES);
    struct str charset = STR_NONE;
    const struct param *found = NULL;
    bool encoded = false;
    int section = 0;

    ASSERT(name.len > 0 && name.len <= PARAM_NAME_BYTES);
    if (find_section(p, name, -1, &found, &encoded)) {
        struct str text = found->value;
        charset = split_charset(&text);
        add_percent(&bytes, text);
        charset_to_utf8(charset, buf_str(&bytes), out);
        one_line(out, start);
        return true;
    }
    for (; find_section(p, name, section, &found, &encoded); section++) {
        struct str text = found->value;
        if (encoded && section == 0)
            charset = split_charset(&text);
        if (encoded)
            add_percent(&bytes, text);
        else
            buf_add(&bytes, text);
    }
    if (section > 0) {
        charset_to_utf8(charset, buf_str(&bytes), out);
        one_line(out, start);
        return true;
    }
    struct str raw = STR_NONE;
    if (!param_raw(p, name, &raw))
        return false;
    encoded_word_decode(raw, out);
    one_line(out, start);
    return true;
}
