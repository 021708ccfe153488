/* log.c - fields of a log line, escaped so that each line can be split again without doubt.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/size.h"

enum {
    NAME_BYTES = 32,
    LINE_USUAL = 512,
    LINE_END = 5,   /* " ..." and LF always find room */
    VALUE_LEAST = 5 /* "" and three dots: less than that, and the field is lost */
};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARN] = "warn",
    [LOG_ERROR] = "error",
};

static bool name_is_valid(struct str name);
static bool is_bare(char c);
static bool is_bare_value(struct str value);
static size_t line_room(const struct log_line *l);
static bool key_add(struct log_line *l, const char *key, size_t value_size);
static size_t escaped_size(char c);
static char *escape(char *to, char c);
static void quoted_add(struct buf *b, struct str value, size_t room);

void
log_line_init(struct log_line *l, struct instant t, enum log_level lvl, const char *event)
{
    ASSERT((size_t)lvl < COUNT_OF(level_names) && name_is_valid(str_of(event)));
    l->text = BUF(LOG_LINE_MAX);
    ASSERT(buf_reserve(&l->text, LINE_USUAL));
    buf_add(&l->text, STR("t="));
    buf_add_iso8601(&l->text, t);
    buf_add(&l->text, STR(" lvl="));
    buf_add_z(&l->text, level_names[lvl]);
    buf_add(&l->text, STR(" ev="));
    buf_add_z(&l->text, event);
}

void
log_line_release(struct log_line *l)
{
    buf_release(&l->text);
}

void
log_str(struct log_line *l, const char *key, struct str value)
{
    if (value.len > 0 && value.len <= LOG_VALUE_MAX && is_bare_value(value) &&
        1 + strlen(key) + 1 + value.len <= line_room(l)) {
        if (key_add(l, key, value.len))
            buf_add(&l->text, value);
        return;
    }
    if (key_add(l, key, VALUE_LEAST))
        quoted_add(&l->text, value, MIN(line_room(l), (size_t)LOG_VALUE_MAX));
}

void
log_u64(struct log_line *l, const char *key, uint64_t value)
{
    if (key_add(l, key, 20))
        buf_add_u64(&l->text, value);
}

void
log_i64(struct log_line *l, const char *key, int64_t value)
{
    if (key_add(l, key, 20))
        buf_add_i64(&l->text, value);
}

void
log_hex64(struct log_line *l, const char *key, uint64_t value)
{
    static const char digits[] = "0123456789abcdef";
    char text[16];

    for (size_t i = sizeof(text); i > 0; value >>= 4)
        text[--i] = digits[value & 15];
    if (key_add(l, key, sizeof(text)))
        buf_add(&l->text, str_from(text, sizeof(text)));
}

struct str
log_line_end(struct log_line *l)
{
    if (l->text.over) {
        l->text.over = false; /* the room for this was kept free */
        buf_add(&l->text, STR(" ..."));
    }
    buf_add_char(&l->text, '\n');
    ASSERT(!l->text.over);
    return buf_str(&l->text);
}

static bool
name_is_valid(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !ascii_is_digit(c) && c != '_' && c != '.')
            return false;
    }
    return name.len > 0 && name.len <= NAME_BYTES;
}

static bool
is_bare(char c)
{
    if (ascii_is_alnum(c))
        return true;
    switch (c) {
    case '.':
    case '_':
    case ':':
    case '@':
    case '<':
    case '>':
    case '/':
    case '+':
    case '-': return true;
    default: return false;
    }
}

static bool
is_bare_value(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (!is_bare(value.ptr[i]))
            return false;
    }
    return true;
}

static size_t
line_room(const struct log_line *l)
{
    return l->text.over ? 0 : LOG_LINE_MAX - LINE_END - l->text.len;
}

/* " key=", if the value has room after it.  Once a field is lost, the line is full. */
static bool
key_add(struct log_line *l, const char *key, size_t value_size)
{
    struct str name = str_of(key);

    ASSERT(name_is_valid(name));
    if (1 + name.len + 1 + value_size > line_room(l)) {
        l->text.over = true;
        return false;
    }
    buf_add_char(&l->text, ' ');
    buf_add(&l->text, name);
    buf_add_char(&l->text, '=');
    return true;
}

static size_t
escaped_size(char c)
{
    if (c == '"' || c == '\\')
        return 2;
    return c >= 0x20 && c < 0x7f ? 1 : 4;
}

static char *
escape(char *to, char c)
{
    static const char digits[] = "0123456789abcdef";

    switch (escaped_size(c)) {
    case 1: *to++ = c; break;
    case 2:
        *to++ = '\\';
        *to++ = c;
        break;
    default:
        *to++ = '\\';
        *to++ = 'x';
        *to++ = digits[(unsigned char)c >> 4];
        *to++ = digits[(unsigned char)c & 15];
        break;
    }
    return to;
}

/* At most room bytes with quotes and mark: whole escapes, and as much of the value as fits. */
static void
quoted_add(struct buf *b, struct str value, size_t room)
{
    size_t size = 0;
    size_t cut = 0; /* bytes of value that fit when the mark must fit as well */
    size_t i;

    for (i = 0; i < value.len && size + 2 <= room; i++) {
        size += escaped_size(value.ptr[i]);
        if (size + VALUE_LEAST <= room)
            cut = i + 1;
    }
    bool whole = i == value.len && size + 2 <= room;
    size_t count = whole ? value.len : cut;
    char *start = buf_tail(b, room);
    ASSERT(start != NULL && room >= VALUE_LEAST);
    char *to = start;
    *to++ = '"';
    for (i = 0; i < count; i++)
        to = escape(to, value.ptr[i]);
    *to++ = '"';
    buf_grew(b, (size_t)(to - start));
    if (!whole)
        buf_add(b, STR("..."));
}
