/* record.c - reading the parsed-once record.  See record.h; record_write.c says what the bytes are.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/record.h"
#include "base/scan.h"
#include "base/size.h"
#include "mail/header.h"
#include "mail/preview.h"
#include "mail/subject.h"

static bool scan_part(struct scan *s, struct record_part *out);
static bool check_parts(const struct record *r);

static bool
scan_u32_varint(struct scan *s, uint32_t max, uint32_t *out)
{
    uint64_t v = 0;

    if (!scan_varint(s, max, &v))
        return false;
    *out = (uint32_t)v; /* at most max */
    return true;
}

static bool
scan_keys(struct scan *s, struct record *r)
{
    return scan_bytes(s, (size_t)SUBJECT_BASE_MAX * 4, &r->subject) &&
           scan_be64(s, &r->subject_hash) && scan_be64(s, &r->message_id_hash) &&
           scan_u32_varint(s, RECORD_REFS_MAX, &r->ref_count) &&
           scan_take(s, (size_t)r->ref_count * 8, &r->refs);
}

enum status
record_open(struct str bytes, struct record *out)
{
    struct scan s = scan_of(bytes);
    struct record r = {.flags = 0};
    uint8_t version = 0;
    uint8_t flags = 0;
    int64_t zone = 0;

    ASSERT(out != NULL);
    if (!scan_u8(&s, &version) || !scan_u8(&s, &flags))
        return ERR_CORRUPT;
    if (version != RECORD_VERSION)
        return ERR_NOT_FOUND;
    r.flags = flags;
    if (!scan_zigzag(&s, &r.sent.time.us) || !scan_zigzag(&s, &zone) || zone < -5999 ||
        zone > 5999 || !scan_varint(&s, INT64_MAX, &r.size))
        return ERR_CORRUPT;
    r.sent.zone_min = (int)zone; /* in range */
    if (!scan_bytes(&s, RECORD_FIELDS_MAX + 2, &r.fields) ||
        !scan_bytes(&s, PREVIEW_MAX, &r.preview) || !scan_keys(&s, &r) ||
        !scan_u32_varint(&s, MIME_PARTS_MAX, &r.part_count))
        return ERR_CORRUPT;
    r.parts = scan_rest(&s);
    if (!check_parts(&r))
        return ERR_CORRUPT;
    *out = r;
    return OK;
}

uint64_t
record_ref(const struct record *r, uint32_t i)
{
    ASSERT(i < r->ref_count);
    return be64_get(r->refs.ptr + (size_t)i * 8);
}

bool
record_covers(const struct record *r, struct str name)
{
    return (r->flags & RECORD_FIELDS_CUT) == 0 && record_keeps(name);
}

/* A part as far as structure and offsets go: in order, inside its container, containers not empty. */
struct nesting {
    uint32_t open; /* containers that the next part may stand in */
    struct {
        enum mime_kind kind;
        uint64_t from, to;
        uint32_t children;
    } at[MIME_DEPTH_MAX];
};

/* Takes the containers above the first `keep` off; false when one is not complete. */
static bool
close_to(struct nesting *n, uint32_t keep)
{
    while (n->open > keep) {
        n->open--;
        bool message = n->at[n->open].kind == MIME_MESSAGE;
        if (n->at[n->open].children < 1 || (message && n->at[n->open].children > 1))
            return false;
    }
    return true;
}

static bool
check_part(struct nesting *n, const struct record_part *p, const struct record *r)
{
    if (p->depth > n->open || (p->index == 0) != (p->depth == 0) || !close_to(n, p->depth))
        return false;
    if (p->depth > 0) {
        if (p->header_at < n->at[p->depth - 1].from || p->end > n->at[p->depth - 1].to)
            return false;
        n->at[p->depth - 1].children++;
    } else if (p->header_at != 0 || p->end != r->size) {
        return false;
    }
    if (p->kind == MIME_LEAF)
        return true;
    if (p->depth == MIME_DEPTH_MAX)
        return false;
    n->at[p->depth].kind = p->kind;
    n->at[p->depth].from = p->body_at;
    n->at[p->depth].to = p->end;
    n->at[p->depth].children = 0;
    n->open = p->depth + 1;
    return true;
}

static bool
check_parts(const struct record *r)
{
    struct nesting n = {.open = 0};
    struct record_cursor c = record_parts(r);
    struct record_part p;

    while (c.index < r->part_count) {
        if (!record_part_next(&c, &p) || !check_part(&n, &p, r))
            return false;
    }
    return r->part_count > 0 && scan_at_end(&c.in) && close_to(&n, 0);
}

struct record_cursor
record_parts(const struct record *r)
{
    return (struct record_cursor){.in = scan_of(r->parts)};
}

bool
record_part_next(struct record_cursor *c, struct record_part *out)
{
    struct scan t = c->in;
    struct str bytes = STR_NONE;
    struct record_part p = {.index = c->index};

    if (!scan_bytes(&t, RECORD_MAX, &bytes))
        return false;
    struct scan inside = scan_of(bytes);
    if (!scan_part(&inside, &p) || !scan_at_end(&inside))
        return false;
    *out = p;
    c->in = t;
    c->index++;
    return true;
}

static bool
params_ok(struct str list)
{
    struct param p;
    uint32_t n = 0;

    while (list.len > 0) {
        if (n++ == PARAMS_MAX || !record_param_next(&list, &p))
            return false;
    }
    return true;
}

static bool
scan_part(struct scan *s, struct record_part *p)
{
    uint8_t kind = 0;
    uint8_t depth = 0;
    uint64_t header_size = 0;
    uint64_t body_size = 0;
    const uint64_t most = INT64_MAX / 4; /* sums of three stay far from wrapping */

    if (!scan_u8(s, &kind) || kind > MIME_MESSAGE || !scan_u8(s, &depth) ||
        depth > MIME_DEPTH_MAX || !scan_varint(s, most, &p->header_at) ||
        !scan_varint(s, most, &header_size) || !scan_varint(s, most, &body_size) ||
        !scan_varint(s, body_size, &p->body_lines))
        return false;
    p->kind = (enum mime_kind)kind; /* in range */
    p->depth = depth;
    p->body_at = p->header_at + header_size;
    p->end = p->body_at + body_size;
    struct str *const texts[] = {
        &p->type,        &p->subtype, &p->encoding,           &p->id,
        &p->description, &p->md5,     &p->language,           &p->location,
        &p->disposition, &p->params,  &p->disposition_params, &p->envelope};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (!scan_bytes(s, RECORD_MAX, texts[i]))
            return false;
    if (p->encoding.len == 0)
        p->encoding = STR("7BIT");
    return p->type.len > 0 && p->subtype.len > 0 && params_ok(p->params) &&
           params_ok(p->disposition_params);
}

bool
record_param_next(struct str *params, struct param *out)
{
    struct scan s = scan_of(*params);
    struct param p = {.name = STR_NONE};

    if (!scan_bytes(&s, PARAM_NAME_BYTES, &p.name) || !scan_bytes(&s, PARAM_VALUE_BYTES, &p.value))
        return false;
    *out = p;
    *params = scan_rest(&s);
    return true;
}

/* The number-th child of the part that the cursor stands behind. */
static bool
find_child(struct record_cursor *c, uint32_t depth, uint32_t number, struct record_part *out)
{
    uint32_t seen = 0;

    while (record_part_next(c, out)) {
        if (out->depth <= depth)
            return false;
        if (out->depth == depth + 1 && ++seen == number)
            return true;
    }
    return false;
}

enum status
record_find(const struct record *r, const uint32_t *path, size_t count, struct record_part *out,
            struct record_part *inner_out)
{
    struct record_cursor c = record_parts(r);
    struct record_part part;
    bool of_message =
        true; /* part is what a message consists of, which number 1 means if it has no parts */

    if (count > RECORD_PATH_MAX || !record_part_next(&c, &part))
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && part.kind == MIME_MESSAGE) {
            (void)record_part_next(&c, &part);
            of_message = true;
        }
        if (part.kind == MIME_MULTIPART) {
            if (!find_child(&c, part.depth, path[i], &part))
                return ERR_NOT_FOUND;
        } else if (!of_message || path[i] != 1) {
            return ERR_NOT_FOUND;
        }
        of_message = false;
    }
    *out = part;
    if (part.kind == MIME_MESSAGE)
        (void)record_part_next(&c, inner_out);
    return OK;
}
