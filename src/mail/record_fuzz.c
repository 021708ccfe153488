/* record_fuzz.c - a record of any message opens and prints; any bytes that open as a record print too.
 *
 * The first byte says whether the rest is a message or a record.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "mail/record.h"
#include "mail/sort_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Strings are closed, literals complete, brackets balanced, and nothing is NIL or negative that may not be. */
static void
check_imap(struct str text)
{
    struct scan s = scan_of(text);
    long depth = 0;

    while (!scan_at_end(&s)) {
        uint32_t n = 0;
        struct str skipped;
        char c = *s.pos++;
        if (c == '(')
            depth++;
        if (c == ')')
            depth--;
        ASSERT(depth >= 0 && c != '-' && c != '\r' && c != '\n');
        if (c == '{') {
            ASSERT(scan_u32(&s, UINT32_MAX, &n) && scan_str(&s, STR("}\r\n")));
            ASSERT(scan_take(&s, n, &skipped));
        }
        if (c == '"') {
            while (*s.pos != '"') {
                ASSERT((unsigned char)*s.pos >= ' ' && (unsigned char)*s.pos < 0x7f);
                s.pos += *s.pos == '\\' ? 2 : 1;
                ASSERT(s.pos < s.end);
            }
            s.pos++;
        }
    }
    ASSERT(depth == 0);
}

static void
use(const struct record *r)
{
    AUTO_BUF b = BUF(16 << 20);
    AUTO_BUF e = BUF(SORT_ENTRY_MAX);
    struct record_part p;
    struct record_part inner;
    struct sort_entry entry;
    uint32_t path[3];

    if (record_envelope_write(r, &b) == OK)
        check_imap(buf_str(&b));
    buf_reset(&b);
    if (record_bodystructure_write(r, true, &b) == OK)
        check_imap(buf_str(&b));
    for (uint32_t i = 0; i < 27; i++) {
        path[0] = i % 3 + 1;
        path[1] = i / 3 % 3 + 1;
        path[2] = i / 9 + 1;
        if (record_find(r, path, 1 + i % 3, &p, &inner) == OK)
            ASSERT(p.header_at <= p.body_at && p.body_at <= p.end && p.end <= r->size);
    }
    for (uint32_t i = 0; i < r->ref_count; i++)
        (void)record_ref(r, i);
    sort_entry_write(r, (struct instant){0}, &e);
    ASSERT(buf_status(&e) == OK && sort_entry_read(buf_str(&e), &entry) == OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct str in = str_from((const char *)data + 1, size - 1);
    struct record r;
    struct sort_entry e;

    if ((data[0] & 1) != 0) {
        if (record_open(in, &r) == OK)
            use(&r);
        (void)!sort_entry_read(in, &e);
        return 0;
    }
    AUTO_ARENA *a = arena_new(2 * MIME_ARENA_MAX + size * 4);
    AUTO_BUF b = BUF(RECORD_MAX);
    struct mime_tree t;
    mime_parse(in, a, &t);
    ASSERT(record_write(in, &t, a, &b) == OK);
    ASSERT(record_open(buf_str(&b), &r) == OK);
    ASSERT(r.part_count == t.count && r.size == in.len && utf8_valid(r.preview));
    ASSERT(utf8_valid(r.subject));
    use(&r);
    return 0;
}
