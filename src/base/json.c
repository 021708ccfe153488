/* json.c - see json.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/encode.h"
#include "base/scan.h"

static bool is_shallow(struct str text, unsigned depth);
static int add_piece(const char *piece, size_t n, void *to);

json_t *
json_read_bounded(struct str text, unsigned depth)
{
    json_error_t why;

    if (text.len == 0 || !is_shallow(text, depth))
        return NULL;
    return json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
}

struct str
json_member_str(const json_t *object, const char *name, struct arena *a)
{
    const json_t *j = json_object_get(object, name);
    struct str s = STR("");

    if (json_is_string(j))
        s = str_from(json_string_value(j), json_string_length(j));
    return str_find(s, '\0') >= 0 ? STR("") : arena_str(a, s);
}

json_t *
json_text(struct str s)
{
    AUTO_BUF good = BUF(s.len + 1);
    struct scan in = scan_of(s);

    while (!scan_at_end(&in)) {
        struct scan before = in;
        uint32_t c;
        struct str byte;
        bool known = scan_utf8(&in, &c);
        if (!known && scan_take(&in, 1, &byte))
            buf_add_char(&good, '?');
        else
            buf_add(&good, str_from(before.pos, (size_t)(in.pos - before.pos)));
    }
    json_t *j = json_stringn(good.len > 0 ? good.ptr : "", good.len);
    ASSERT(j != NULL);
    return j;
}

enum status
json_write(const json_t *j, struct buf *b)
{
    /* The order is that in which members were added. */
    if (json_dump_callback(j, add_piece, b, JSON_PRESERVE_ORDER) != 0)
        return buf_status(b) == OK ? ERR_SYNTAX : ERR_LIMIT;
    return OK;
}

void
json_drop(json_t **j)
{
    json_decref(*j);
    *j = NULL;
}

/* Jansson reads nested values by recursion: how deep is looked at first. */
static bool
is_shallow(struct str text, unsigned depth)
{
    unsigned open = 0;
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            open++;
        else if (!quoted && (c == '}' || c == ']') && open > 0)
            open--;
        if (open > depth)
            return false;
    }
    return true;
}

static int
add_piece(const char *piece, size_t n, void *to)
{
    struct buf *b = to;

    buf_add(b, str_from(piece, n));
    return buf_status(b) == OK ? 0 : -1;
}
