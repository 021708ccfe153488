/* queue_terms.c - see queue_terms.h.
 *
 * count, then tag(1) and bytes of each that is there, in ascending order of their tags.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/queue_terms.h"

#include "base/size.h"

enum { TAG_HOLD = 1, TAGS = 1, VALUE_MAX = QUEUE_ASKED_MAX + 16 };

bool
queue_terms_any(const struct queue_terms *t)
{
    return t->hold_until.us != 0;
}

void
queue_terms_write(const struct queue_terms *t, struct buf *b)
{
    AUTO_BUF value = BUF(VALUE_MAX);

    buf_add_varint(b, t->hold_until.us != 0 ? 1 : 0);
    if (t->hold_until.us == 0)
        return;
    buf_add_zigzag(&value, t->hold_until.us);
    buf_add(&value, str_sub(t->hold_asked, 0, QUEUE_ASKED_MAX));
    buf_add_char(b, TAG_HOLD);
    buf_add_bytes(b, buf_str(&value));
}

static bool
read_value(uint8_t tag, struct str value, struct queue_terms *t)
{
    struct scan s = scan_of(value);

    if (tag != TAG_HOLD || !scan_zigzag(&s, &t->hold_until.us) || t->hold_until.us == 0 ||
        scan_left(&s) > QUEUE_ASKED_MAX)
        return false;
    t->hold_asked = scan_rest(&s);
    return true;
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

struct instant
queue_terms_begin(const struct queue_terms *t, struct instant arrived)
{
    return (struct instant){MAX(t->hold_until.us, arrived.us)};
}
