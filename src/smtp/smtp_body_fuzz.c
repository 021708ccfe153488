/* smtp_body_fuzz.c - the body reader against a model that sees all bytes at once.
 *
 * The first byte: bit 0 submission, the rest the seed of the pieces.  The second is the limit of size.
 *
 * No body here is larger than a piece, so nothing suspends, and no fiber is needed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "smtp/body.h"

#define OUR_HOST  STR("mail.example.org")
#define OUR_FIELD STR("Authentication-Results: mail.example.org; none\r\n")

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where the line "." CRLF begins that ends the message: at the start or after CRLF; -1 = nowhere. */
static ssize_t
model_end(struct str in)
{
    for (size_t at = 0; at + 3 <= in.len; at++) {
        if (!str_starts(str_skip(in, at), STR(".\r\n")))
            continue;
        if (at == 0 || (at >= 2 && in.ptr[at - 1] == '\n' && in.ptr[at - 2] == '\r'))
            return (ssize_t)at;
    }
    return -1;
}

static bool
model_is_clean(struct str body)
{
    for (size_t i = 0; i < body.len; i++) {
        char c = body.ptr[i];
        if (c == '\0' || (c == '\n' && (i == 0 || body.ptr[i - 1] != '\r')) ||
            (c == '\r' && (i + 1 == body.len || body.ptr[i + 1] != '\n')))
            return false;
    }
    return true;
}

/* Without the first dot of every line that has one. */
static void
model_unstuff(struct str body, struct buf *out)
{
    bool begins = true;

    for (size_t i = 0; i < body.len; i++) {
        if (!begins || body.ptr[i] != '.')
            buf_add_char(out, body.ptr[i]);
        begins = body.ptr[i] == '\n';
    }
}

FIBER_ENTRY static size_t
feed_pieces(struct smtp_body *b, struct str in, uint32_t seed)
{
    size_t at = 0;

    while (at < in.len && !b->complete) {
        seed = seed * 1103515245u + 12345u;
        struct scan s = scan_of(str_sub(in, at, 1 + (seed >> 16) % 11u));
        smtp_body_feed(b, &s);
        ASSERT(b->complete || scan_at_end(&s));
        at = (size_t)(s.pos - in.ptr);
    }
    return at;
}

FIBER_ENTRY static void
check_against_model(struct smtp_body *b, struct str in, size_t end, uint64_t max)
{
    AUTO_BUF want = BUF(in.len + 1);
    struct str body = str_sub(in, 0, end);

    model_unstuff(body, &want);
    enum status e = smtp_body_finish(b);
    if (!model_is_clean(body)) {
        ASSERT(e == ERR_SYNTAX || e == ERR_LIMIT);
        return;
    }
    ASSERT(e == (want.len <= max ? OK : ERR_LIMIT));
    if (e == OK)
        ASSERT(str_eq(buf_str(&b->piece), buf_str(&want)) && b->size == want.len);
}

/* The same bytes by BDAT: nothing in them is an end, and the last line is completed. */
FIBER_ENTRY static void
check_counted(struct str in, uint32_t seed, uint64_t max, const struct smtp_body_fields *fields)
{
    struct smtp_body *a = smtp_body_new(NULL, STR(""), max, fields);
    struct smtp_body *b = smtp_body_new(NULL, STR(""), max, fields);
    struct scan whole = scan_of(in);
    AUTO_BUF want = BUF(in.len + 2);

    smtp_body_count(a);
    smtp_body_count(b);
    ASSERT(feed_pieces(a, in, seed) == in.len);
    smtp_body_feed(b, &whole);
    ASSERT(!a->complete && !b->complete && scan_at_end(&whole));
    ASSERT(smtp_body_fault(a) == smtp_body_fault(b));
    smtp_body_last(a);
    smtp_body_last(b);
    enum status e = smtp_body_finish(b);
    ASSERT(smtp_body_finish(a) == e);
    if (e == OK) /* what is left of a message that was too large follows how it was cut */
        ASSERT(str_eq(buf_str(&a->piece), buf_str(&b->piece)) &&
               model_is_clean(buf_str(&a->piece)));
    buf_add(&want, in);
    if (in.len > 0 && !str_ends(in, STR("\r\n")))
        buf_add_z(&want, "\r\n");
    if (fields == NULL && model_is_clean(in)) {
        ASSERT(e == (want.len <= max ? OK : ERR_LIMIT));
        ASSERT(e != OK || str_eq(buf_str(&b->piece), buf_str(&want)));
    } else if (fields == NULL) {
        ASSERT(e != OK);
    }
    smtp_body_free(&a);
    smtp_body_free(&b);
}

/* What the filter of forged fields makes of it in one piece. */
static void
without_forged(struct str in, struct buf *out)
{
    struct scan s = scan_of(in);
    struct forged f;
    struct str run;

    forged_init(&f, OUR_HOST);
    while (forged_next(&f, &s, &run) || forged_end(&f, &run))
        buf_add(out, run);
    forged_release(&f);
}

static struct smtp_body *
guarded_new(bool counted, uint64_t max)
{
    struct smtp_body *b = smtp_body_new(NULL, OUR_FIELD, max, NULL);

    if (counted)
        smtp_body_count(b);
    smtp_body_guard(b, OUR_HOST);
    return b;
}

/* Mail of others, whose forged fields go: the same however it is cut, and what we write ourselves stays. */
FIBER_ENTRY static void
check_guarded(struct str in, uint32_t seed, bool counted)
{
    struct smtp_body *a = guarded_new(counted, BODY_PIECE_MAX);
    struct smtp_body *b = guarded_new(counted, BODY_PIECE_MAX);
    struct scan whole = scan_of(in);
    ssize_t end = model_end(in);
    AUTO_BUF kept = BUF(in.len + 2), want = BUF(in.len + 2 + OUR_FIELD.len);

    feed_pieces(a, in, seed);
    smtp_body_feed(b, &whole);
    ASSERT(a->complete == b->complete && a->complete == (!counted && end >= 0));
    if (counted) {
        smtp_body_last(a);
        smtp_body_last(b);
        buf_add(&kept, in);
        if (in.len > 0 && !str_ends(in, STR("\r\n")))
            buf_add_z(&kept, "\r\n");
    } else if (end >= 0) {
        model_unstuff(str_sub(in, 0, (size_t)end), &kept);
    }
    if (counted || end >= 0) {
        enum status e = smtp_body_finish(b);
        ASSERT(smtp_body_finish(a) == e);
        buf_add(&want, OUR_FIELD);
        without_forged(buf_str(&kept), &want);
        ASSERT(e != OK || str_eq(buf_str(&a->piece), buf_str(&want)));
        ASSERT(e != OK || str_eq(buf_str(&b->piece), buf_str(&want)));
        ASSERT(e != OK || (a->size == b->size && a->forged.fields == b->forged.fields));
    }
    smtp_body_free(&a);
    smtp_body_free(&b);
}

FIBER_ENTRY int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct smtp_body_fields fields = {.date = STR("Date: d\r\n"),
                                                   .message_id = STR("Message-ID: m\r\n")};
    if (size < 2 || size > BODY_PIECE_MAX / 4)
        return 0;
    bool filtered = (data[0] & 1) != 0;
    uint64_t max = filtered ? UINT64_MAX : data[1];
    struct str in = str_from((const char *)data + 2, size - 2);
    struct smtp_body *a = smtp_body_new(NULL, STR(""), max, filtered ? &fields : NULL);
    struct smtp_body *b = smtp_body_new(NULL, STR(""), max, filtered ? &fields : NULL);
    size_t used = feed_pieces(a, in, data[0]);
    struct scan whole = scan_of(in);
    ssize_t end = model_end(in);

    check_counted(in, data[0], max, filtered ? &fields : NULL);
    check_guarded(in, data[0], false);
    check_guarded(in, data[0], true);
    smtp_body_feed(b, &whole);
    ASSERT(a->complete == (end >= 0) && b->complete == a->complete);
    if (a->complete) {
        ASSERT(used == (size_t)end + 3 && (size_t)(whole.pos - in.ptr) == used);
        ASSERT(a->failed == b->failed);
        if (filtered)
            ASSERT(smtp_body_finish(a) == smtp_body_finish(b));
        else
            check_against_model(b, in, (size_t)end, max);
        if (filtered && a->failed == OK) {
            ASSERT(str_eq(buf_str(&a->piece), buf_str(&b->piece)));
            ASSERT(model_is_clean(buf_str(&a->piece)));
        }
    }
    smtp_body_free(&a);
    smtp_body_free(&b);
    return 0;
}
