/* unbinary_fuzz.c - cuts do not matter, what comes out is in order, and its parts hold what they held.
 *
 * The first byte is the seed of the pieces.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/unbinary.h"

#include "base/size.h"
#include "mail/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum unbinary_fault
run(struct str in, bool whole, uint32_t seed, struct buf *out)
{
    AUTO(unbinary_release) struct unbinary u;
    struct str piece;
    size_t at = 0;

    unbinary_init(&u);
    while (at < in.len) {
        seed = seed * 1103515245u + 12345u;
        struct str part = str_sub(in, at, whole ? in.len : 1 + (seed >> 16) % 11u);
        struct scan s = scan_of(part);
        while (unbinary_next(&u, &s, &piece))
            buf_add(out, piece);
        ASSERT(scan_at_end(&s));
        at += part.len;
    }
    buf_add(out, unbinary_end(&u));
    ASSERT(buf_status(out) == OK);
    return u.fault;
}

/* Whole lines with CRLF, none of them too long, no NUL. */
static bool
is_legal(struct str s)
{
    while (s.len > 0) {
        ssize_t lf = str_find(s, '\n');
        if (lf < 1 || s.ptr[lf - 1] != '\r' || (size_t)lf - 1 > HEADER_LINE_MAX)
            return false;
        struct str line = str_sub(s, 0, (size_t)lf - 1);
        if (str_find(line, '\r') >= 0 || str_find(line, '\0') >= 0)
            return false;
        s = str_skip(s, (size_t)lf + 1);
    }
    return true;
}

static void
decode(struct str message, const struct mime_part *p, enum transfer kind, struct buf *out)
{
    struct transfer_decoder d;

    transfer_decoder_init(&d, kind);
    transfer_decode(&d, str_sub(message, p->body_at, p->end - p->body_at), out);
    transfer_decode_end(&d, out);
}

/* A part whose encoding became base64 holds what it was; any other is as it was, but for the end of the message. */
static void
check_part(struct str in, const struct mime_part *was, struct str out, const struct mime_part *is)
{
    AUTO_BUF before = BUF(in.len + 2), after = BUF(out.len + 2);
    bool encoded = mime_transfer(was) != TRANSFER_BASE64 && mime_transfer(is) == TRANSFER_BASE64;

    ASSERT(was->kind == is->kind && was->depth == is->depth);
    if (is->kind != MIME_LEAF)
        return;
    decode(in, was, TRANSFER_IDENTITY, &before);
    decode(out, is, encoded ? TRANSFER_BASE64 : TRANSFER_IDENTITY, &after);
    ASSERT(str_starts(buf_str(&after), buf_str(&before)));
    ASSERT(after.len == before.len || (was->end == in.len && !encoded));
}

static void
check_parts(struct str in, struct str out)
{
    AUTO_ARENA *a = arena_new(2 * MIME_ARENA_MAX + in.len + out.len);
    struct mime_tree was, is;

    mime_parse(in, a, &was);
    mime_parse(out, a, &is);
    if (was.cut || is.cut)
        return;
    ASSERT(was.count == is.count);
    for (uint32_t i = 0; i < was.count; i++)
        check_part(in, &was.parts[i], out, &is.parts[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 65536)
        return 0;
    struct str in = str_from((const char *)data + 1, size - 1);
    AUTO_BUF whole = BUF(8 * size + 4096), cut = BUF(8 * size + 4096);
    enum unbinary_fault fault = run(in, true, 0, &whole);

    ASSERT(run(in, false, data[0], &cut) == fault);
    if (fault != UNBINARY_FINE)
        return 0;
    ASSERT(str_eq(buf_str(&whole), buf_str(&cut)));
    ASSERT(is_legal(buf_str(&whole)));
    /* mime_parse() reads bare LF as a line end, and we do not. */
    AUTO_BUF lines = BUF(size + 2);
    buf_add(&lines, in);
    if (!str_ends(in, STR("\r\n")))
        buf_add_z(&lines, "\r\n");
    if (is_legal(buf_str(&lines)))
        check_parts(in, buf_str(&whole));
    return 0;
}
