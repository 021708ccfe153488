/* path.c - see path.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/path.h"

#include "base/buf.h"

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum status
decode(struct str s, bool plus, struct arena *a, struct str *out)
{
    AUTO_BUF b = BUF(s.len + 1);

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '%') {
            int high = i + 2 < s.len ? hex_value(s.ptr[i + 1]) : -1;
            int low = high >= 0 ? hex_value(s.ptr[i + 2]) : -1;
            if (low < 0 || (high == 0 && low == 0))
                return ERR_SYNTAX;
            c = (char)(high * 16 + low); /* a byte */
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        buf_add_char(&b, c);
    }
    TRY(buf_status(&b));
    *out = arena_str(a, buf_str(&b));
    return OK;
}

MUST_USE enum status
http_path_split(struct str path, struct arena *a, struct str *segments, size_t max, size_t *n_out)
{
    struct str rest = path, segment;
    size_t n = 0;

    if (rest.len > 0 && rest.ptr[0] == '/')
        rest = str_skip(rest, 1);
    while (rest.len > 0) {
        ssize_t slash = str_find(rest, '/');
        segment = slash < 0 ? rest : str_sub(rest, 0, (size_t)slash);
        rest = slash < 0 ? STR_NONE : str_skip(rest, (size_t)slash + 1);
        if (n == max)
            return ERR_LIMIT;
        TRY(decode(segment, false, a, &segments[n]));
        n++;
    }
    *n_out = n;
    return OK;
}

/* One "name=value" off the query. */
static bool
take_pair(struct str *query, struct str *name, struct str *value)
{
    while (query->len > 0) {
        ssize_t mark = str_find(*query, '&');
        struct str pair = mark < 0 ? *query : str_sub(*query, 0, (size_t)mark);
        *query = mark < 0 ? STR_NONE : str_skip(*query, (size_t)mark + 1);
        if (pair.len == 0)
            continue;
        ssize_t is = str_find(pair, '=');
        *name = is < 0 ? pair : str_sub(pair, 0, (size_t)is);
        *value = is < 0 ? STR("") : str_skip(pair, (size_t)is + 1);
        return true;
    }
    return false;
}

MUST_USE enum status
http_query_get(struct str query, struct str name, struct arena *a, struct str *out)
{
    struct str key, value, found = {NULL, 0};

    while (take_pair(&query, &key, &value)) {
        if (!str_eq(key, name))
            continue;
        if (found.ptr != NULL)
            return ERR_SYNTAX;
        TRY(decode(value, true, a, &found));
    }
    if (found.ptr == NULL)
        return ERR_NOT_FOUND;
    *out = found;
    return OK;
}

struct str
http_query_stranger(struct str query, const struct str *names, size_t n)
{
    struct str key, value;

    while (take_pair(&query, &key, &value)) {
        size_t i = 0;
        while (i < n && !str_eq(key, names[i]))
            i++;
        if (i == n)
            return key;
    }
    return STR("");
}
