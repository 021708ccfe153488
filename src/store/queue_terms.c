/* queue_terms.c - see queue_terms.h.
 *
 * count, then tag(1) and bytes of each that is there, in ascending order of their tags.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/queue_terms.h"

#include "base/size.h"

enum {
    TAG_HOLD = 1,
    TAG_BY = 2,
    TAG_PRIORITY = 3,
    TAG_TLS = 4,
    TAG_TLS_OPTIONAL = 5,
    TAGS = 5,
    VALUE_MAX = QUEUE_ASKED_MAX + 16
};
enum { URGENT_MIN = 1, LOW_MAX = -4, PRIORITY_MAX = 9 };
enum { BY_RETURN = 1, BY_TRACE = 2, BY_ALL = 3 };

bool
queue_terms_any(const struct queue_terms *t)
{
    return t->hold_until.us != 0 || t->by_mode != QUEUE_BY_NONE || t->priority != 0 ||
           t->require_tls || t->tls_optional;
}

static void
write_hold(const struct queue_terms *t, struct buf *b)
{
    AUTO_BUF value = BUF(VALUE_MAX);

    if (t->hold_until.us == 0)
        return;
    buf_add_zigzag(&value, t->hold_until.us);
    buf_add(&value, str_sub(t->hold_asked, 0, QUEUE_ASKED_MAX));
    buf_add_char(b, TAG_HOLD);
    buf_add_bytes(b, buf_str(&value));
}

static void
write_by(const struct queue_terms *t, struct buf *b)
{
    AUTO_BUF value = BUF(VALUE_MAX);

    if (t->by_mode == QUEUE_BY_NONE)
        return;
    buf_add_char(&value, (char)((t->by_mode == QUEUE_BY_RETURN ? BY_RETURN : 0) |
                                (t->by_trace ? BY_TRACE : 0)));
    buf_add_zigzag(&value, t->by.us);
    buf_add_char(b, TAG_BY);
    buf_add_bytes(b, buf_str(&value));
}

static void
write_priority(const struct queue_terms *t, struct buf *b)
{
    AUTO_BUF value = BUF(VALUE_MAX);

    if (t->priority == 0)
        return;
    buf_add_zigzag(&value, t->priority);
    buf_add_char(b, TAG_PRIORITY);
    buf_add_bytes(b, buf_str(&value));
}

void
queue_terms_write(const struct queue_terms *t, struct buf *b)
{
    buf_add_varint(b, (t->hold_until.us != 0 ? 1u : 0u) + (t->by_mode != QUEUE_BY_NONE ? 1u : 0u) +
                          (t->priority != 0 ? 1u : 0u) + (t->require_tls ? 1u : 0u) +
                          (t->tls_optional ? 1u : 0u));
    write_hold(t, b);
    write_by(t, b);
    write_priority(t, b);
    if (t->require_tls) {
        buf_add_char(b, TAG_TLS);
        buf_add_bytes(b, STR_NONE);
    }
    if (t->tls_optional) {
        buf_add_char(b, TAG_TLS_OPTIONAL);
        buf_add_bytes(b, STR_NONE);
    }
}

static bool
read_hold(struct scan *s, struct queue_terms *t)
{
    if (!scan_zigzag(s, &t->hold_until.us) || t->hold_until.us == 0 ||
        scan_left(s) > QUEUE_ASKED_MAX)
        return false;
    t->hold_asked = scan_rest(s);
    return true;
}

static bool
read_by(struct scan *s, struct queue_terms *t)
{
    uint8_t flags;

    if (!scan_u8(s, &flags) || flags > BY_ALL || !scan_zigzag(s, &t->by.us) || !scan_at_end(s))
        return false;
    t->by_mode = (flags & BY_RETURN) != 0 ? QUEUE_BY_RETURN : QUEUE_BY_NOTIFY;
    t->by_trace = (flags & BY_TRACE) != 0;
    return true;
}

static bool
read_priority(struct scan *s, struct queue_terms *t)
{
    int64_t n;

    if (!scan_zigzag(s, &n) || n < -PRIORITY_MAX || n > PRIORITY_MAX || n == 0 || !scan_at_end(s))
        return false;
    t->priority = (int32_t)n; /* of one digit */
    return true;
}

static bool
read_value(uint8_t tag, struct str value, struct queue_terms *t)
{
    struct scan s = scan_of(value);

    switch (tag) {
    case TAG_HOLD: return read_hold(&s, t);
    case TAG_BY: return read_by(&s, t);
    case TAG_PRIORITY: return read_priority(&s, t);
    case TAG_TLS: t->require_tls = true; return value.len == 0;
    case TAG_TLS_OPTIONAL: t->tls_optional = true; return value.len == 0 && !t->require_tls;
    default: return false;
    }
}

bool
queue_terms_read(struct scan *s, struct queue_terms *out)
{
    struct queue_terms t = {0};
    struct scan in = *s;
    struct str value;
    uint8_t tag, last = 0;
    uint64_t n;

    if (!scan_varint(&in, TAGS, &n))
        return false;
    for (uint64_t i = 0; i < n; i++) {
        if (!scan_u8(&in, &tag) || tag <= last || !scan_bytes(&in, VALUE_MAX, &value) ||
            !read_value(tag, value, &t))
            return false;
        last = tag;
    }
    *s = in;
    *out = t;
    return true;
}

/* Section 5: what lies between two levels counts as the higher one, what lies above all as the highest. */
enum queue_class
queue_terms_class(const struct queue_terms *t)
{
    return t->priority >= URGENT_MIN ? QUEUE_URGENT
           : t->priority <= LOW_MAX  ? QUEUE_LOW
                                     : QUEUE_NORMAL;
}

bool
queue_terms_is_over(const struct queue_terms *t, struct instant now)
{
    return t->by_mode == QUEUE_BY_RETURN && now.us >= t->by.us;
}

struct instant
queue_terms_begin(const struct queue_terms *t, struct instant arrived)
{
    return (struct instant){MAX(t->hold_until.us, arrived.us)};
}
