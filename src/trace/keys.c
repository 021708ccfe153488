/* keys.c - from a line to what it may be looked for by.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/log.h"
#include "base/log_scan.h"
#include "base/size.h"
#include "trace/trace.h"

enum { KEY_BYTES_MAX = LOG_LINE_MAX + 1, TIME_BYTES = 27 };

static const struct {
    struct str field;
    enum trace_kind kind;
} fields[] = {{STR("tid"), TRACE_ID},          {STR("qid"), TRACE_ID},
              {STR("report"), TRACE_ID},       {STR("object"), TRACE_ADDRESS},
              {STR("from"), TRACE_ADDRESS},    {STR("to"), TRACE_ADDRESS},
              {STR("asked"), TRACE_ADDRESS},   {STR("user"), TRACE_ADDRESS},
              {STR("account"), TRACE_ADDRESS}, {STR("msgid"), TRACE_MESSAGE_ID}};

static struct str
without_brackets(struct str v)
{
    return v.len >= 2 && v.ptr[0] == '<' && v.ptr[v.len - 1] == '>' ? str_sub(v, 1, v.len - 2) : v;
}

uint64_t
trace_hash(enum trace_kind kind, struct str value)
{
    AUTO_BUF key = BUF(KEY_BYTES_MAX);
    struct str v = str_sub(without_brackets(value), 0, KEY_BYTES_MAX - 1);

    buf_add_char(&key, (char)kind);
    for (size_t i = 0; i < v.len; i++)
        buf_add_char(&key, ascii_lower(v.ptr[i]));
    return hash_stable(buf_str(&key));
}

/* "-" and zeros stand for none. */
static bool
says_nothing(struct str v)
{
    size_t zeros = 0;

    while (zeros < v.len && v.ptr[zeros] == '0')
        zeros++;
    return zeros == v.len || str_eq(v, STR("-")) || str_eq(v, STR("<>"));
}

static void
add_key(uint64_t *keys, size_t *n, uint64_t key)
{
    for (size_t i = 0; i < *n; i++)
        if (keys[i] == key)
            return;
    if (*n < TRACE_KEYS_MAX)
        keys[(*n)++] = key;
}

static bool
kind_of(struct str field, enum trace_kind *out)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (str_eq(field, fields[i].field)) {
            *out = fields[i].kind;
            return true;
        }
    return false;
}

/* "queue drop" acts on a queue id, all other verbs on an address or a domain. */
static bool
is_id(struct str v)
{
    for (size_t i = 0; i < v.len; i++)
        if (!ascii_is_digit(v.ptr[i]) && !(v.ptr[i] >= 'a' && v.ptr[i] <= 'f'))
            return false;
    return v.len == 16;
}

/* With or without its LF. */
static struct scan
fields_of(struct str line)
{
    size_t n = line.len;

    return scan_of(str_sub(line, 0, n > 0 && line.ptr[n - 1] == '\n' ? n - 1 : n));
}

size_t
trace_keys(struct str line, uint64_t *keys_out)
{
    AUTO_BUF value = BUF(KEY_BYTES_MAX);
    AUTO_BUF box = BUF(KEY_BYTES_MAX);
    struct scan s = fields_of(line);
    struct log_field f;
    enum trace_kind kind = TRACE_ID;
    size_t n = 0;

    while (scan_log_field(&s, &f)) {
        if (str_eq(f.key, STR("aid")) || str_eq(f.key, STR("box"))) {
            if (box.len > 0)
                buf_add_char(&box, '/');
            buf_add(&box, f.value);
        }
        if (!kind_of(f.key, &kind) || f.cut)
            continue;
        buf_reset(&value);
        log_value_read(&f, &value);
        struct str v = buf_str(&value);
        if (!says_nothing(v))
            add_key(keys_out, &n,
                    trace_hash(kind == TRACE_ADDRESS && is_id(v) ? TRACE_ID : kind, v));
    }
    if (str_find(buf_str(&box), '/') > 0)
        add_key(keys_out, &n, trace_hash(TRACE_BOX, buf_str(&box)));
    return n;
}

bool
trace_field(struct str line, const char *key, struct buf *b)
{
    struct scan s = fields_of(line);
    struct log_field f;

    while (scan_log_field(&s, &f))
        if (str_eq(f.key, str_of(key))) {
            log_value_read(&f, b);
            return true;
        }
    return false;
}

struct str
trace_value(struct str line, const char *key, struct arena *a)
{
    AUTO_BUF b = BUF(KEY_BYTES_MAX);

    if (!trace_field(line, key, &b) || b.len == 0)
        return STR("");
    return arena_str(a, buf_str(&b));
}

bool
trace_line_is_whole(struct str line)
{
    struct scan s = scan_of(line);
    struct log_field f;

    if (line.len == 0 || line.len > LOG_LINE_MAX || line.ptr[line.len - 1] != '\n')
        return false;
    for (size_t i = 0; i + 1 < line.len; i++)
        if (line.ptr[i] < ' ' || line.ptr[i] >= 0x7f)
            return false;
    return scan_log_field(&s, &f) && str_eq(f.key, STR("t")) && f.value.len == TIME_BYTES;
}
