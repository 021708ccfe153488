/* values_mail.c - messages, threads, ranges, the change log and jobs of an account's cell.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/values.h"

static bool scan_v32(struct scan *s, uint32_t max, uint32_t *out);
static bool scan_blob_id(struct scan *s, struct blob_id *out);
static bool scan_placements(struct scan *s, struct message_value *v);

/* ---- R ---- */

void
message_entry_write(const struct message_value *v, struct buf *b)
{
    ASSERT(v->count <= LIMIT_PLACEMENTS);
    buf_add(b, str_from((const char *)v->blob.bytes, sizeof(v->blob.bytes)));
    buf_add_varint(b, v->size);
    buf_add_varint(b, v->tid);
    buf_add_zigzag(b, v->received_us);
    buf_add_zigzag(b, v->saved_us);
    buf_add_varint(b, v->count);
    for (uint32_t i = 0; i < v->count; i++) {
        buf_add_varint(b, v->places[i].mailbox);
        buf_add_varint(b, v->places[i].uid);
    }
}

enum status
message_entry_read(struct str body, struct message_value *out)
{
    struct scan s = scan_of(body);

    if (!scan_blob_id(&s, &out->blob) || !scan_varint(&s, UINT64_MAX, &out->size) ||
        !scan_varint(&s, ID48_MAX, &out->tid) || !scan_zigzag(&s, &out->received_us) ||
        !scan_zigzag(&s, &out->saved_us) || !scan_placements(&s, out) || !scan_at_end(&s))
        return ERR_CORRUPT;
    return OK;
}

static bool
scan_placements(struct scan *s, struct message_value *v)
{
    if (!scan_v32(s, LIMIT_PLACEMENTS, &v->count))
        return false;
    for (uint32_t i = 0; i < v->count; i++) {
        if (!scan_v32(s, UINT32_MAX, &v->places[i].mailbox) ||
            !scan_v32(s, UINT32_MAX, &v->places[i].uid))
            return false;
    }
    return true;
}

/* ---- T ---- */

void
thread_entry_write(const struct thread_value *v, struct buf *b)
{
    uint64_t before = 0;
    char hash[6];

    buf_add_varint(b, v->mid_count);
    for (size_t i = 0; i < v->mid_count; i++) {
        ASSERT(v->mids[i] > before);
        buf_add_varint(b, v->mids[i] - before);
        before = v->mids[i];
    }
    buf_add_varint(b, v->hash_count);
    for (size_t i = 0; i < v->hash_count; i++) {
        be48_put(hash, v->hashes[i]);
        buf_add(b, str_from(hash, sizeof(hash)));
    }
}

enum status
thread_entry_read(struct str body, struct arena *a, struct thread_value *out)
{
    struct scan s = scan_of(body);
    struct thread_value v;
    uint64_t mids, hashes, step, before = 0;
    struct str hash;

    if (!scan_varint(&s, LIMIT_THREAD_MESSAGES, &mids))
        return ERR_CORRUPT;
    v.mid_count = mids;
    v.mids = ARENA_ARRAY(a, uint64_t, v.mid_count + 1);
    for (size_t i = 0; i < v.mid_count; i++) {
        if (!scan_varint(&s, ID48_MAX - before, &step) || step == 0)
            return ERR_CORRUPT;
        v.mids[i] = before += step;
    }
    if (!scan_varint(&s, THREAD_HASHES_MAX, &hashes))
        return ERR_CORRUPT;
    v.hash_count = hashes;
    v.hashes = ARENA_ARRAY(a, uint64_t, v.hash_count + THREAD_KEYS_MAX + 1);
    for (size_t i = 0; i < v.hash_count; i++) {
        if (!scan_take(&s, 6, &hash))
            return ERR_CORRUPT;
        v.hashes[i] = be48_get(hash.ptr);
    }
    if (!scan_at_end(&s))
        return ERR_CORRUPT;
    *out = v;
    return OK;
}

/* ---- ranges ---- */

void
uid_ranges_write(const struct uid_range *r, size_t n, struct buf *b)
{
    uint32_t before = 0;

    buf_add_varint(b, n);
    for (size_t i = 0; i < n; i++) {
        ASSERT(r[i].first <= r[i].last && (i == 0 || r[i].first > before));
        buf_add_varint(b, r[i].first - before);
        buf_add_varint(b, r[i].last - r[i].first);
        before = r[i].last;
    }
}

/* A range takes at least two bytes, so the count cannot ask for more memory than 4 times the value's. */
enum status
uid_ranges_read(struct scan *s, struct arena *a, struct uid_set *out)
{
    uint64_t n;
    uint32_t before = 0, step, length;

    if (!scan_varint(s, RANGES_MAX, &n) || n > scan_left(s) / 2)
        return ERR_CORRUPT;
    struct uid_range *r = ARENA_ARRAY(a, struct uid_range, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!scan_v32(s, UINT32_MAX - before, &step) || (i > 0 && step == 0))
            return ERR_CORRUPT;
        r[i].first = before + step;
        if (!scan_v32(s, UINT32_MAX - r[i].first, &length))
            return ERR_CORRUPT;
        r[i].last = before = r[i].first + length;
    }
    *out = (struct uid_set){r, n};
    return OK;
}

void
id_ranges_write(const struct id_range *r, size_t n, struct buf *b)
{
    uint64_t before = 0;

    buf_add_varint(b, n);
    for (size_t i = 0; i < n; i++) {
        ASSERT(r[i].first <= r[i].last && r[i].last <= ID48_MAX);
        buf_add_zigzag(b, (int64_t)r[i].first - (int64_t)before);
        buf_add_varint(b, r[i].last - r[i].first);
        before = r[i].last;
    }
}

enum status
id_ranges_read(struct scan *s, struct arena *a, const struct id_range **out, size_t *n_out)
{
    uint64_t n, length;
    int64_t before = 0, step;

    if (!scan_varint(s, RANGES_MAX, &n) || n > scan_left(s) / 2)
        return ERR_CORRUPT;
    struct id_range *r = ARENA_ARRAY(a, struct id_range, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!scan_zigzag(s, &step) || step > (int64_t)ID48_MAX || step < -before ||
            before + step > (int64_t)ID48_MAX)
            return ERR_CORRUPT;
        r[i].first = (uint64_t)(before + step);
        if (!scan_varint(s, ID48_MAX - r[i].first, &length))
            return ERR_CORRUPT;
        r[i].last = r[i].first + length;
        before = (int64_t)r[i].last;
    }
    *out = r;
    *n_out = n;
    return OK;
}

enum status
vanished_read(struct str value, struct arena *a, struct uid_set *out)
{
    struct scan s = scan_of(value);
    struct uid_set set;
    uint8_t version;

    if (!scan_u8(&s, &version) || version != VALUE_VERSION)
        return ERR_CORRUPT;
    TRY(uid_ranges_read(&s, a, &set));
    if (!scan_at_end(&s))
        return ERR_CORRUPT;
    *out = set;
    return OK;
}

enum status
gone_read(struct str value, struct arena *a, const struct id_range **out, size_t *n_out)
{
    struct scan s = scan_of(value);
    const struct id_range *r;
    uint8_t version;
    size_t n;

    if (!scan_u8(&s, &version) || version != VALUE_VERSION)
        return ERR_CORRUPT;
    TRY(id_ranges_read(&s, a, &r, &n));
    if (!scan_at_end(&s))
        return ERR_CORRUPT;
    *out = r;
    *n_out = n;
    return OK;
}

/* ---- L ---- */

void
log_start(int64_t time_us, struct buf *b)
{
    buf_add_char(b, VALUE_VERSION);
    buf_add_zigzag(b, time_us);
}

void
log_add(const struct log_change *c, struct buf *b)
{
    buf_add_char(b, (char)c->op);
    buf_add_varint(b, c->mailbox);
    uid_ranges_write(c->uids.ranges, c->uids.count, b);
    id_ranges_write(c->mids, c->mid_count, b);
}

enum status
log_scan(struct str value, int64_t *time_us_out, struct scan *s_out)
{
    struct scan s = scan_of(value);
    uint8_t version;
    int64_t time_us;

    if (!scan_u8(&s, &version) || version != VALUE_VERSION || !scan_zigzag(&s, &time_us))
        return ERR_CORRUPT;
    *time_us_out = time_us;
    *s_out = s;
    return OK;
}

enum status
log_next(struct scan *s, struct arena *a, struct log_change *out)
{
    struct log_change c;
    uint8_t op;

    if (scan_at_end(s))
        return ERR_NOT_FOUND;
    if (!scan_u8(s, &op) || op < LOG_CREATED || op > LOG_MAILBOX ||
        !scan_v32(s, UINT32_MAX, &c.mailbox))
        return ERR_CORRUPT;
    c.op = (enum log_op)op;
    TRY(uid_ranges_read(s, a, &c.uids));
    TRY(id_ranges_read(s, a, &c.mids, &c.mid_count));
    *out = c;
    return OK;
}

/* ---- J ---- */

void
job_write(const struct job_value *v, struct buf *b)
{
    buf_add_char(b, VALUE_VERSION);
    buf_add_char(b, (char)v->kind);
    buf_add_varint(b, v->mailbox);
    buf_add_varint(b, v->first);
    buf_add_varint(b, v->last);
    buf_add_be64(b, v->owner);
    buf_add_be32(b, v->started_s);
    id_ranges_write(v->mids, v->mid_count, b);
}

enum status
job_read(struct str value, struct arena *a, struct job_value *out)
{
    struct scan s = scan_of(value);
    struct job_value v;
    uint8_t version, kind;

    if (!scan_u8(&s, &version) || version != VALUE_VERSION || !scan_u8(&s, &kind) ||
        kind < JOB_EMPTY || kind > JOB_LESSON || !scan_v32(&s, UINT32_MAX, &v.mailbox) ||
        !scan_v32(&s, UINT32_MAX, &v.first) || !scan_v32(&s, UINT32_MAX, &v.last) ||
        !scan_be64(&s, &v.owner) || !scan_be32(&s, &v.started_s))
        return ERR_CORRUPT;
    v.kind = (enum job_kind)kind;
    TRY(id_ranges_read(&s, a, &v.mids, &v.mid_count));
    if (!scan_at_end(&s))
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

static bool
scan_blob_id(struct scan *s, struct blob_id *out)
{
    struct str bytes;

    if (!scan_take(s, sizeof(out->bytes), &bytes))
        return false;
    mem_copy(out->bytes, bytes.ptr, sizeof(out->bytes));
    return true;
}
