/* scanner.c - see scanner.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "filter/scanner.h"

#include "base/limits.h"
#include "base/size.h"

enum { HEAD_MAX = 65536, WIRE_LEN = 4 };

/* ---- what the protocols share ---- */

struct str
scanner_text(struct str s, size_t max, struct arena *a)
{
    AUTO_BUF b = BUF(max);

    s = str_trim(s);
    for (size_t i = 0; i < s.len && b.len < max; i++) {
        char c = s.ptr[i];
        buf_add_char(&b, c >= ' ' && c <= '~' ? c : '?');
    }
    return b.len > 0 ? arena_str(a, buf_str(&b)) : STR("");
}

bool
scanner_points(struct scan *s, int32_t *out)
{
    struct scan t = *s;
    bool negative = scan_char(&t, '-');
    uint32_t whole;
    struct str digits = STR("");

    if (!scan_u32(&t, SCANNER_POINTS_MAX / 100 - 1, &whole))
        return false;
    if (scan_char(&t, '.') && !scan_while(&t, ascii_is_digit, 32, &digits))
        digits = STR("");
    int32_t v = (int32_t)whole * 100; /* below SCANNER_POINTS_MAX */
    v += digits.len > 0 ? (digits.ptr[0] - '0') * 10 : 0;
    v += digits.len > 1 ? digits.ptr[1] - '0' : 0;
    *out = negative ? -v : v;
    *s = t;
    return true;
}

/* ---- the conversation ---- */

static enum status
failed(struct scanner *s, enum status st)
{
    s->why = link_words(st);
    scanner_drop(s);
    return st;
}

static void
write_head(struct buf *b, enum filter_kind kind, const struct scanner_mail *m)
{
    switch (kind) {
    case FILTER_SPAMD: spamd_head_write(b, m); return;
    case FILTER_RSPAMD: rspamd_head_write(b, m); return;
    default: buf_add(b, str_from("zINSTREAM", sizeof("zINSTREAM"))); return; /* with its NUL */
    }
}

enum status
scanner_begin(struct scanner *s, const struct config_filter *f, const struct scanner_mail *m)
{
    AUTO_BUF head = BUF(HEAD_MAX);

    *s = (struct scanner){.filter = f, .left = m->size, .why = ""};
    write_head(&head, f->kind, m);
    enum status st = buf_status(&head);
    if (st == OK)
        st = link_take(f, true, &s->link);
    if (st == OK)
        st = link_write(s->link, buf_str(&head));
    return st == OK ? OK : failed(s, st);
}

/* clamd's INSTREAM: the length of each piece, in network byte order, and the piece; a length of 0 ends it. */
static SUSPENDS enum status
write_length(struct scanner *s, size_t n)
{
    const char wire[WIRE_LEN] = {(char)(n >> 24 & 0xff), (char)(n >> 16 & 0xff),
                                 (char)(n >> 8 & 0xff), (char)(n & 0xff)};

    if (s->filter->kind != FILTER_CLAMD)
        return OK;
    return link_write(s->link, str_from(wire, sizeof(wire)));
}

/* Who has heard enough may answer at once and close: what it said counts. */
static enum status
heard_enough(struct scanner *s, enum status st)
{
    if (st == ERR_CLOSED)
        s->deaf = true;
    return st == OK || st == ERR_CLOSED ? OK : failed(s, st);
}

enum status
scanner_bytes(struct scanner *s, struct str piece)
{
    if (piece.len > s->left)
        return failed(s, ERR_CORRUPT);
    s->left -= piece.len;
    if (s->deaf || piece.len == 0)
        return OK;
    enum status st = write_length(s, piece.len);
    if (st == OK)
        st = link_write(s->link, piece);
    return heard_enough(s, st);
}

static enum status
read_answer(enum filter_kind kind, struct str bytes, struct arena *a, struct scanner_answer *out)
{
    switch (kind) {
    case FILTER_SPAMD: return spamd_answer_read(bytes, a, out);
    case FILTER_RSPAMD: return rspamd_answer_read(bytes, a, out);
    default: return clamd_answer_read(bytes, a, out);
    }
}

enum status
scanner_end(struct scanner *s, struct arena *a, struct scanner_answer *out)
{
    AUTO_BUF answer = BUF(LIMIT_SCANNER_ANSWER_BYTES);
    enum status st = OK;

    if (s->left != 0)
        return failed(s, ERR_CORRUPT);
    if (!s->deaf)
        st = heard_enough(s, write_length(s, 0));
    if (st == OK && !s->deaf)
        st = heard_enough(s, link_flush(s->link));
    if (st != OK)
        return st;
    st = link_rest(s->link, link_until(s->filter, 1), &answer);
    if (st == OK)
        st = read_answer(s->filter->kind, buf_str(&answer), a, out);
    if (st != OK && st != ERR_NOT_FOUND)
        return failed(s, st);
    scanner_drop(s);
    if (st == ERR_NOT_FOUND)
        s->why = arena_z(a, out->text);
    return st;
}

void
scanner_drop(struct scanner *s)
{
    link_drop(&s->link);
}
