/* values.c - the head, mailboxes and single numbers of an account's cell.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/values.h"

#include "base/encode.h"

static bool mailbox_read_numbers(struct scan *s, struct mailbox_value *v);
static bool mailbox_read_keywords(struct scan *s, struct mailbox_value *v);
static bool scan_v32(struct scan *s, uint32_t max, uint32_t *out);

/* The fields of the head in their order, once for both directions. */
#define HEAD_U64(F) \
    F(modseq)       \
    F(log_floor)    \
    F(next_mid)     \
    F(next_tid) F(next_job) F(bytes) F(messages) F(quota_bytes) F(quota_messages) F(index_entries)
#define HEAD_U32(F) F(next_uidvalidity) F(next_mailbox) F(mailboxes) F(jobs) F(next_due)

void
head_write(const struct head_value *v, char bytes_out[HEAD_BYTES])
{
    char *p = bytes_out;

    *p++ = VALUE_VERSION;
#define WRITE64(field) be64_put(p, v->field), p += 8;
#define WRITE32(field) be32_put(p, v->field), p += 4;
    HEAD_U64(WRITE64)
    be64_put(p, (uint64_t)v->created_us);
    p += 8;
    HEAD_U32(WRITE32)
    for (size_t i = 0; i < SPECIAL_COUNT; i++, p += 4)
        be32_put(p, v->special[i]);
    *p++ = (char)v->index_bits;
    *p++ = (char)v->dropped;
    ASSERT(p == bytes_out + HEAD_BYTES);
}

enum status
head_read(struct str value, struct head_value *out)
{
    struct head_value v;
    const char *p = value.ptr;

    if (value.len != HEAD_BYTES || *p++ != VALUE_VERSION)
        return ERR_CORRUPT;
#define READ64(field) v.field = be64_get(p), p += 8;
#define READ32(field) v.field = be32_get(p), p += 4;
    HEAD_U64(READ64)
    v.created_us = (int64_t)be64_get(p);
    p += 8;
    HEAD_U32(READ32)
    for (size_t i = 0; i < SPECIAL_COUNT; i++, p += 4)
        v.special[i] = be32_get(p);
    v.index_bits = (uint8_t)*p++;
    v.dropped = (uint8_t)*p++;
    if (v.log_floor > v.modseq || v.next_mid == 0 || v.next_mid > ID48_MAX || v.next_tid == 0 ||
        v.next_tid > ID48_MAX || v.next_mailbox <= MAILBOX_INBOX || v.index_bits > INDEX_BITS_MAX ||
        v.index_bits % INDEX_BITS_STEP != 0 || v.dropped > 1)
        return ERR_CORRUPT;
    *out = v;
    return OK;
}

void
mailbox_write(const struct mailbox_value *v, struct buf *b)
{
    ASSERT(v->keyword_count <= LIMIT_KEYWORDS);
    buf_add_char(b, VALUE_VERSION);
    buf_add_varint(b, v->flags);
    buf_add_varint(b, v->special);
    buf_add_varint(b, v->parent);
    buf_add_bytes(b, v->name);
    buf_add_varint(b, v->uidvalidity);
    buf_add_varint(b, v->uidnext);
    buf_add_varint(b, v->modseq);
    buf_add_varint(b, v->created_modseq);
    buf_add_varint(b, v->exists);
    buf_add_varint(b, v->unseen);
    buf_add_varint(b, v->deleted);
    buf_add_varint(b, v->bytes);
    buf_add_varint(b, v->vanish_floor);
    buf_add_varint(b, v->vanish_count);
    buf_add_varint(b, v->children);
    buf_add_varint(b, v->keyword_count);
    for (uint32_t i = 0; i < v->keyword_count; i++)
        buf_add_bytes(b, v->keywords[i]);
}

enum status
mailbox_read(struct str value, struct mailbox_value *out)
{
    struct scan s = scan_of(value);
    uint8_t version;

    out->keyword_count = 0;
    if (!scan_u8(&s, &version) || version != VALUE_VERSION || !mailbox_read_numbers(&s, out) ||
        !mailbox_read_keywords(&s, out) || !scan_at_end(&s))
        return ERR_CORRUPT;
    return OK;
}

static bool
mailbox_read_numbers(struct scan *s, struct mailbox_value *v)
{
    return scan_v32(s, MAILBOX_FLAGS_ALL, &v->flags) && scan_v32(s, SPECIAL_ALL, &v->special) &&
           scan_v32(s, UINT32_MAX, &v->parent) &&
           scan_bytes(s, LIMIT_MAILBOX_NAME_BYTES, &v->name) &&
           scan_v32(s, UINT32_MAX, &v->uidvalidity) && scan_v32(s, UINT32_MAX, &v->uidnext) &&
           v->uidnext > 0 && scan_varint(s, UINT64_MAX, &v->modseq) &&
           scan_varint(s, UINT64_MAX, &v->created_modseq) && scan_v32(s, UINT32_MAX, &v->exists) &&
           scan_v32(s, v->exists, &v->unseen) && scan_v32(s, v->exists, &v->deleted) &&
           scan_varint(s, UINT64_MAX, &v->bytes) && scan_varint(s, UINT64_MAX, &v->vanish_floor) &&
           scan_v32(s, UINT32_MAX, &v->vanish_count) && scan_v32(s, UINT32_MAX, &v->children);
}

static bool
mailbox_read_keywords(struct scan *s, struct mailbox_value *v)
{
    uint32_t count;

    if (!scan_v32(s, LIMIT_KEYWORDS, &count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!scan_bytes(s, LIMIT_KEYWORD_BYTES, &v->keywords[i]))
            return false;
    }
    v->keyword_count = count;
    return true;
}

void
quota_write(const struct quota_value *v, char bytes_out[QUOTA_BYTES])
{
    bytes_out[0] = VALUE_VERSION;
    bytes_out[1] = (char)v->told;
    be64_put(bytes_out + 2, (uint64_t)v->full_since_us);
}

enum status
quota_read(struct str value, struct quota_value *out)
{
    struct quota_value v;

    if (value.len != QUOTA_BYTES || value.ptr[0] != VALUE_VERSION)
        return ERR_CORRUPT;
    v.told = (uint8_t)value.ptr[1];
    v.full_since_us = (int64_t)be64_get(value.ptr + 2);
    if (v.told >= QUOTA_LEVELS || v.full_since_us < 0)
        return ERR_CORRUPT;
    *out = v;
    return OK;
}

struct str
number_write(uint64_t v, char bytes_out[NUMBER_BYTES])
{
    size_t n = 0;

    bytes_out[n++] = VALUE_VERSION;
    while (v > 0x7f) {
        bytes_out[n++] = (char)((v & 0x7f) | 0x80);
        v >>= 7;
    }
    bytes_out[n++] = (char)v;
    return str_from(bytes_out, n);
}

enum status
number_read(struct str value, uint64_t max, uint64_t *out)
{
    struct scan s = scan_of(value);
    uint8_t version;
    uint64_t v;

    if (!scan_u8(&s, &version) || version != VALUE_VERSION || !scan_varint(&s, max, &v) ||
        !scan_at_end(&s))
        return ERR_CORRUPT;
    *out = v;
    return OK;
}

static bool
scan_v32(struct scan *s, uint32_t max, uint32_t *out)
{
    uint64_t v;

    if (!scan_varint(s, max, &v))
        return false;
    *out = (uint32_t)v;
    return true;
}
