/* tags.c - see tags.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/tags.h"

#include "base/encode.h"
#include "base/scan.h"

enum { NUMBER_DIGITS = 12 };

/* A line end inside a field is always part of a fold: what ends a field never gets here. */
static bool
is_fws(char c)
{
    return ascii_is_space(c) || c == '\r' || c == '\n';
}

/* tag-name = ALPHA *(ALPHA / DIGIT / "_") */
static bool
name_ok(struct str name)
{
    if (name.len == 0 || !ascii_is_alpha(name.ptr[0]))
        return false;
    for (size_t i = 1; i < name.len; i++)
        if (!ascii_is_alnum(name.ptr[i]) && name.ptr[i] != '_')
            return false;
    return true;
}

/* VALCHAR = %x21-3A / %x3C-7E, and UTF-8 beyond ASCII (RFC 8616) */
static bool
value_ok(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];

        if ((c < 0x21 && !is_fws(value.ptr[i])) || c == 0x7f)
            return false;
    }
    return str_is_ascii(value) || utf8_valid(value);
}

/* tag-spec = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]       RFC 6376 section 3.2 */
static enum status
parse_tag(struct str spec, struct tag_list *l)
{
    ssize_t equals = str_find(spec, '=');

    if (equals < 0)
        return ERR_SYNTAX;
    struct str raw = str_skip(spec, (size_t)equals + 1);
    struct tag t = {
        .name = str_trim(str_sub(spec, 0, (size_t)equals)), .value = str_trim(raw), .raw = raw};
    if (!name_ok(t.name) || !value_ok(t.value))
        return ERR_SYNTAX;
    if (tags_find(l, t.name) != NULL)
        return ERR_EXISTS;
    if (l->count == LIMIT_TAGS)
        return ERR_LIMIT;
    l->at[l->count++] = t;
    return OK;
}

/* tag-list = tag-spec *( ";" tag-spec ) [ ";" ] */
enum status
tags_parse(struct str text, struct tag_list *out)
{
    struct str rest = text;
    struct str spec = STR_NONE;

    ASSERT(out != NULL);
    out->count = 0;
    while (str_split(&rest, ';', &spec)) {
        bool last = rest.ptr == NULL;

        if (last && out->count > 0 && str_trim(spec).len == 0)
            break;
        TRY(parse_tag(spec, out));
    }
    return out->count > 0 ? OK : ERR_SYNTAX;
}

const struct tag *
tags_find(const struct tag_list *l, struct str name)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (str_eq(l->at[i].name, name))
            return &l->at[i];
    return NULL;
}

struct str
tags_value(const struct tag_list *l, struct str name)
{
    const struct tag *t = tags_find(l, name);

    return t != NULL ? t->value : STR_NONE;
}

bool
tags_next_piece(struct str *rest, struct str *piece_out)
{
    if (!str_split(rest, ':', piece_out))
        return false;
    *piece_out = str_trim(*piece_out);
    return true;
}

bool
tags_has_piece(struct str value, struct str piece)
{
    struct str rest = value;
    struct str one = STR_NONE;

    while (tags_next_piece(&rest, &one))
        if (str_eq_nocase(one, piece))
            return true;
    return false;
}

bool
tags_number(struct str value, uint64_t *out)
{
    struct scan s = scan_of(value);
    uint64_t n;

    if (value.len > NUMBER_DIGITS || !scan_u64(&s, UINT64_MAX, &n) || !scan_at_end(&s))
        return false;
    *out = n;
    return true;
}

enum status
tags_base64(struct str value, struct buf *b)
{
    AUTO_BUF plain = BUF(value.len + 1);

    for (size_t i = 0; i < value.len; i++)
        if (!is_fws(value.ptr[i]))
            buf_add_char(&plain, value.ptr[i]);
    return base64_decode(buf_str(&plain), b);
}
