/* page.c - packed pages: entries found, put and removed by copying what stands around them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/page.h"

#define ENTRY_LENGTH_SHIFT_MAX 21u /* four bytes of length: far above any entry that is written */

#define VARINT_MAX 10u

static char *varint_put(char *p, size_t v);
static unsigned char *place_at(struct places *p, uint32_t i);
static enum status index_floor(struct str page, uint64_t hash, size_t *at_out, bool *is_there_out);
static uint64_t index_hash(struct str page, size_t i);

/* ---- entries of any length ---- */

enum status
page_scan(struct str page, struct scan *s_out)
{
    struct scan s = scan_of(page);
    uint8_t version;

    if (page.ptr == NULL) {
        *s_out = (struct scan){NULL, NULL};
        return OK;
    }
    if (!scan_u8(&s, &version) || version != PAGE_VERSION || scan_at_end(&s))
        return ERR_CORRUPT;
    *s_out = s;
    return OK;
}

/* By hand and not with scan_*(): a delivery steps over every entry of three pages. */
enum status
page_next(struct scan *s, struct page_entry *out)
{
    const unsigned char *p = (const unsigned char *)s->pos, *end = (const unsigned char *)s->end;
    size_t len = 0;

    if (p == end)
        return ERR_NOT_FOUND;
    uint8_t low = *p++;
    if (low >= PAGE_ENTRIES)
        return ERR_CORRUPT;
    for (uint32_t shift = 0;; shift += 7) {
        if (p == end || shift > ENTRY_LENGTH_SHIFT_MAX)
            return ERR_CORRUPT;
        len |= (size_t)(*p & 0x7f) << shift;
        if ((*p++ & 0x80) == 0)
            break;
    }
    if (len > (size_t)(end - p))
        return ERR_CORRUPT;
    *out = (struct page_entry){low, {(const char *)p, len}};
    p += len;
    if (p < end && *p <= low)
        return ERR_CORRUPT;
    s->pos = (const char *)p;
    return OK;
}

enum status
page_find(struct str page, uint8_t low, struct str *body_out)
{
    struct scan s;
    struct page_entry e;

    TRY(page_scan(page, &s));
    do {
        TRY(page_next(&s, &e));
    } while (e.low < low);
    if (e.low != low)
        return ERR_NOT_FOUND;
    *body_out = e.body;
    return OK;
}

enum status
page_put(struct str page, struct page_entry e, struct arena *a, struct str *page_out)
{
    struct scan s;
    struct page_entry old;
    enum status st = OK;

    ASSERT(e.low < PAGE_ENTRIES);
    TRY(page_scan(page, &s));
    const char *cut = s.pos;
    while ((st = page_next(&s, &old)) == OK && old.low < e.low)
        cut = s.pos;
    if (st != OK && st != ERR_NOT_FOUND)
        return st;
    const char *rest = st == OK && old.low == e.low ? s.pos : cut;
    size_t head = page.ptr == NULL ? 0 : (size_t)(cut - page.ptr);
    size_t tail = page.ptr == NULL ? 0 : (size_t)(page.ptr + page.len - rest);
    if (e.body.ptr == NULL && head <= 1 && tail == 0) {
        *page_out = STR_NONE;
        return OK;
    }
    char *p = arena_alloc(a, 1 + head + 1 + VARINT_MAX + e.body.len + tail);
    char *q = p;
    if (page.ptr == NULL)
        *q++ = PAGE_VERSION;
    mem_copy(q, page.ptr, head);
    q += head;
    if (e.body.ptr != NULL) {
        *q++ = (char)e.low;
        q = varint_put(q, e.body.len);
        mem_copy(q, e.body.ptr, e.body.len);
        q += e.body.len;
    }
    mem_copy(q, rest, tail);
    *page_out = str_from(p, (size_t)(q - p) + tail);
    return OK;
}

static char *
varint_put(char *p, size_t v)
{
    for (; v > 0x7f; v >>= 7)
        *p++ = (char)((v & 0x7f) | 0x80);
    *p++ = (char)v;
    return p;
}

/* ---- places ---- */

enum status
places_check(struct str value, uint32_t *count_out)
{
    if (value.ptr == NULL) {
        *count_out = 0;
        return OK;
    }
    size_t bytes = value.len - 1;
    if (value.len <= 1 || value.len > PLACES_PAGE_MAX || bytes % PLACE_BYTES != 0 ||
        value.ptr[0] != PAGE_VERSION)
        return ERR_CORRUPT;
    int before = -1;
    for (const char *p = value.ptr + 1; p < value.ptr + value.len; p += PLACE_BYTES) {
        int low = (unsigned char)*p;
        if (low <= before || low >= (int)PAGE_ENTRIES)
            return ERR_CORRUPT;
        before = low;
    }
    *count_out = (uint32_t)(bytes / PLACE_BYTES);
    return OK;
}

enum status
places_read(struct str value, uint32_t page, struct places *out)
{
    uint32_t count;

    if (page > UINT32_MAX >> PAGE_BITS)
        return ERR_CORRUPT;
    TRY(places_check(value, &count));
    out->base = page << PAGE_BITS;
    out->count = count;
    out->bytes[0] = PAGE_VERSION;
    mem_copy(out->bytes + 1, count ? value.ptr + 1 : "", (size_t)count * PLACE_BYTES);
    return OK;
}

struct str
places_str(const struct places *p)
{
    if (p->count == 0)
        return STR_NONE;
    return str_from((const char *)p->bytes, 1 + (size_t)p->count * PLACE_BYTES);
}

struct place
places_get(const struct places *p, uint32_t i)
{
    ASSERT(i < p->count);
    return place_read(p->base, p->bytes + 1 + (size_t)i * PLACE_BYTES);
}

void
places_set(struct places *p, uint32_t i, const struct place *v)
{
    ASSERT(i < p->count && v->mid <= ID48_MAX);
    unsigned char *at = place_at(p, i);
    be32_put(at + 1, v->flags);
    be64_put(at + 5, v->modseq);
    be48_put(at + 13, v->mid);
}

void
places_add(struct places *p, const struct place *v)
{
    ASSERT(v->uid >= p->base && v->uid - p->base < PAGE_ENTRIES && p->count < PAGE_ENTRIES);
    ASSERT(p->count == 0 || places_get(p, p->count - 1).uid < v->uid);
    *place_at(p, p->count++) = (unsigned char)(v->uid - p->base);
    places_set(p, p->count - 1, v);
}

void
places_remove(struct places *p, uint32_t i)
{
    ASSERT(i < p->count);
    mem_move(place_at(p, i), place_at(p, i + 1), (size_t)(p->count - i - 1) * PLACE_BYTES);
    p->count--;
}

uint32_t
places_floor(const struct places *p, uint32_t uid)
{
    uint32_t i = 0;

    while (i < p->count && places_get(p, i).uid < uid)
        i++;
    return i;
}

static unsigned char *
place_at(struct places *p, uint32_t i)
{
    return p->bytes + 1 + (size_t)i * PLACE_BYTES;
}

/* ---- the message-id index ---- */

enum status
index_count(struct str page, size_t *n_out)
{
    if (page.ptr == NULL) {
        *n_out = 0;
        return OK;
    }
    if (page.len <= 1 || (page.len - 1) % INDEX_ENTRY_BYTES != 0 || page.ptr[0] != PAGE_VERSION)
        return ERR_CORRUPT;
    *n_out = (page.len - 1) / INDEX_ENTRY_BYTES;
    return OK;
}

void
index_get(struct str page, size_t i, uint64_t *hash_out, uint64_t *tid_out)
{
    *hash_out = index_hash(page, i);
    *tid_out = be48_get(page.ptr + 1 + i * INDEX_ENTRY_BYTES + 6);
}

enum status
index_find(struct str page, uint64_t hash, uint64_t *tid_out)
{
    size_t at;
    bool is_there;

    TRY(index_floor(page, hash, &at, &is_there));
    if (!is_there)
        return ERR_NOT_FOUND;
    index_get(page, at, &hash, tid_out);
    return OK;
}

enum status
index_put(struct str page, uint64_t hash, uint64_t tid, struct arena *a, struct str *page_out)
{
    size_t at, n;
    bool is_there;

    ASSERT(hash <= ID48_MAX && tid <= ID48_MAX);
    TRY(index_floor(page, hash, &at, &is_there));
    TRY(index_count(page, &n));
    size_t after = n - at - is_there;
    size_t total = at + (tid != 0) + after;
    if (total == 0) {
        *page_out = STR_NONE;
        return OK;
    }
    char *p = arena_alloc(a, 1 + total * INDEX_ENTRY_BYTES);
    char *q = p + 1 + at * INDEX_ENTRY_BYTES;
    p[0] = PAGE_VERSION;
    if (at > 0)
        mem_copy(p + 1, page.ptr + 1, at * INDEX_ENTRY_BYTES);
    if (tid != 0) {
        be48_put(q, hash);
        be48_put(q + 6, tid);
        q += INDEX_ENTRY_BYTES;
    }
    if (after > 0)
        mem_copy(q, page.ptr + 1 + (at + is_there) * INDEX_ENTRY_BYTES, after * INDEX_ENTRY_BYTES);
    *page_out = str_from(p, 1 + total * INDEX_ENTRY_BYTES);
    return OK;
}

/* Where the hash is, or would be.  Buckets are small: looking at all of it also checks its order. */
static enum status
index_floor(struct str page, uint64_t hash, size_t *at_out, bool *is_there_out)
{
    size_t n, at = 0;
    uint64_t before = 0;
    bool is_there = false;

    TRY(index_count(page, &n));
    for (size_t i = 0; i < n; i++) {
        uint64_t h = index_hash(page, i);
        if (i > 0 && h <= before)
            return ERR_CORRUPT;
        before = h;
        at += h < hash;
        is_there |= h == hash;
    }
    *at_out = at;
    *is_there_out = is_there;
    return OK;
}

static uint64_t
index_hash(struct str page, size_t i)
{
    return be48_get(page.ptr + 1 + i * INDEX_ENTRY_BYTES);
}
