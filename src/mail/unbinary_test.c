/* unbinary_test.c - messages with binary parts: what comes out, what is refused, and that it does not matter how they
 * are cut.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/size.h"
#include "mail/mime.h"
#include "mail/unbinary.h"

#define ROW_BYTES 4096u

#define CTE    "Content-Transfer-Encoding: "
#define BINARY CTE "binary\r\n"
#define BASE64 CTE "base64\r\n"
#define EIGHT  CTE "8bit\r\n"
#define V      "MIME-Version: 1.0\r\n"
#define MULTI  V "Content-Type: multipart/mixed; boundary=b\r\n"
#define INNER  "Content-Type: multipart/mixed; boundary=\"b c\"\r\n"
#define RFC822 "Content-Type: message/rfc822\r\n"

/* Runs the message through in pieces of step bytes. */
static enum unbinary_fault
run(struct str in, size_t step, struct buf *out)
{
    AUTO(unbinary_release) struct unbinary u;
    struct str piece;

    unbinary_init(&u);
    for (size_t at = 0; at < in.len; at += step) {
        struct scan s = scan_of(str_sub(in, at, step));
        while (unbinary_next(&u, &s, &piece))
            buf_add(out, piece);
        assert_true(scan_at_end(&s));
    }
    buf_add(out, unbinary_end(&u));
    assert_int_equal(buf_status(out), OK);
    return u.fault;
}

#define F(fault) UNBINARY_##fault
static const struct {
    struct str in;
    enum unbinary_fault fault;
    struct str out; /* of a good one */
} rows[] = {
    /* nothing binary: as it came */
    {STR(""), F(FINE), STR("")},
    {STR("\r\n"), F(FINE), STR("\r\n")},
    {STR("Subject: s\r\n\r\nx\r\n"), F(FINE), STR("Subject: s\r\n\r\nx\r\n")},
    {STR("Subject: s\r\n\ty\r\n\r\nx"), F(FINE), STR("Subject: s\r\n\ty\r\n\r\nx\r\n")},
    {STR("Subject: s"), F(FINE), STR("Subject: s\r\n")},
    {STR("Subject : s\r\n\r\n\xff\x80\r\n"), F(FINE), STR("Subject : s\r\n\r\n\xff\x80\r\n")},
    {STR("Content-Type: text/plain;\r\n charset=x\r\n" EIGHT "\r\nx\r\n"), F(FINE),
     STR("Content-Type: text/plain;\r\n charset=x\r\n" EIGHT "\r\nx\r\n")},
    {STR(MULTI "\r\n--b\r\n\r\nx\r\n--b--\r\n"), F(FINE),
     STR(MULTI "\r\n--b\r\n\r\nx\r\n--b--\r\n")},
    /* nothing binary, and not in order */
    {STR("Subject: s\r\n\r\na\nb\r\n"), F(LINE), STR_NONE},
    {STR("Subject: s\r\n\r\na\rb\r\n"), F(LINE), STR_NONE},
    {STR("Subject: s\r\n\r\na\0b\r\n"), F(LINE), STR_NONE},
    {STR("Subject: s\r\n\r\na\r"), F(LINE), STR_NONE},
    {STR("Subject: s\r\n\r\na\r\r\n"), F(LINE), STR_NONE},
    {STR("Subject: s\n\r\nx\r\n"), F(LINE), STR_NONE},
    {STR(CTE "8bit\r\n\r\na\nb\r\n"), F(LINE), STR_NONE},
    {STR(CTE "x-binary\r\n\r\na\nb\r\n"), F(LINE), STR_NONE},
    {STR(CTE "binaryx\r\n\r\na\nb\r\n"), F(LINE), STR_NONE},
    /* a header that does not end for everybody in the same place */
    {STR("Subject: s\r\nno field\r\n\r\nx\r\n"), F(FIELD), STR_NONE},
    {STR(" Subject: s\r\n\r\nx\r\n"), F(FIELD), STR_NONE},
    {STR(BINARY "Sub ject: s\r\n\r\nx\r\n"), F(FIELD), STR_NONE},
    {STR("From me Mon\r\n\r\nx\r\n"), F(FIELD), STR_NONE},
    {STR(MULTI "\r\n--b\r\nx\r\n--b--\r\n"), F(FIELD), STR_NONE},
    /* one part */
    {STR(V BINARY "\r\na\nb"), F(FINE), STR(V BASE64 "\r\nYQpi\r\n")},
    {STR(V BINARY "Subject: s\r\n\r\na\r\n"), F(FINE),
     STR(V "Subject: s\r\n" BASE64 "\r\nYQ0K\r\n")},
    {STR(V "content-transfer-encoding : (no\r\n text) BINARY (x)\r\n\r\na\r\n"), F(FINE),
     STR(V BASE64 "\r\nYQ0K\r\n")},
    {STR(V BINARY "\r\n"), F(FINE), STR(V BASE64 "\r\n")},
    {STR(V BINARY), F(FINE), STR(V BASE64)},
    {STR(V BINARY "\r\n\r"), F(FINE), STR(V BASE64 "\r\nDQ==\r\n")},
    {STR(V BINARY "\r\n\r\n"), F(FINE), STR(V BASE64 "\r\nDQo=\r\n")},
    {STR(V BINARY "\r\n-"), F(FINE), STR(V BASE64 "\r\nLQ==\r\n")},
    {STR(V BINARY "\r\n--\r"), F(FINE), STR(V BASE64 "\r\nLS0N\r\n")},
    {STR(V BINARY "\r\n\0\r\r\n"), F(FINE), STR(V BASE64 "\r\nAA0NCg==\r\n")},
    {STR(V BINARY "\r\n0123456789012345678901234567890123456789012345678901234567"), F(FINE),
     STR(V BASE64 "\r\n"
                  "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2\r\n"
                  "Nw==\r\n")},
    /* no MIME-Version, or elsewhere */
    {STR(BINARY "\r\nx"), F(FINE), STR(V BASE64 "\r\neA==\r\n")},
    {STR(RFC822 BINARY "\r\nX: y\r\n" BINARY "\r\nx"), F(FINE),
     STR(RFC822 V EIGHT "\r\nX: y\r\n" V BASE64 "\r\neA==\r\n")},
    /* the first one counts, and no other says otherwise */
    {STR(V BINARY CTE "quoted-printable\r\n\r\nx"), F(FINE), STR(V BASE64 "\r\neA==\r\n")},
    {STR(V EIGHT BINARY "\r\nx"), F(FINE), STR(V EIGHT "\r\nx\r\n")},
    {STR(V EIGHT BINARY "\r\na\nb"), F(LINE), STR_NONE},
    {STR(V "Content-Type: image/png\r\n" MULTI BINARY "\r\n--b\r\n"), F(FINE),
     STR(V "Content-Type: image/png\r\n" MULTI BASE64 "\r\nLS1iDQo=\r\n")},
    /* parts: the line end before a delimiter is the delimiter's */
    {STR(MULTI BINARY "\r\npre\r\n--b\r\n" BINARY "\r\n\0\r\n\r\n--b\r\n\r\nx\r\n--b--\r\nepi"),
     F(FINE),
     STR(MULTI EIGHT "\r\npre\r\n--b\r\n" BASE64 "\r\nAA0K\r\n--b\r\n\r\nx\r\n--b--\r\nepi\r\n")},
    {STR(MULTI "\r\n--b \t\r\n" BINARY "\r\nx\r\n--b--  \r\n"), F(FINE),
     STR(MULTI "\r\n--b \t\r\n" BASE64 "\r\neA==\r\n--b--  \r\n")},
    {STR(MULTI "\r\n--b\r\n" BINARY "\r\nx\r\n--b--"), F(FINE),
     STR(MULTI "\r\n--b\r\n" BASE64 "\r\neA==\r\n--b--\r\n")},
    {STR(MULTI "\r\n--b\r\n" BINARY "\r\n--b\r\n" BINARY "\r\n\r\n--b\r\n" BINARY "--b--\r\n"),
     F(FINE),
     STR(MULTI "\r\n--b\r\n" BASE64 "\r\n--b\r\n" BASE64 "\r\n\r\n--b\r\n" BASE64 "--b--\r\n")},
    {STR(MULTI "\r\n--b\r\n" BINARY "\r\nx\r\n--b"), F(FINE),
     STR(MULTI "\r\n--b\r\n" BASE64 "\r\neA==\r\n--b\r\n")},
    /* what is no delimiter in a binary body */
    {STR(MULTI "\r\n--b\r\n" BINARY
               "\r\nx\n--b\n\r--b\r\n--bc\r\n--b\0\r\n--b\rx\r\n--b\nx\r\n--b--"),
     F(FINE),
     STR(MULTI "\r\n--b\r\n" BASE64
               "\r\neAotLWIKDS0tYg0KLS1iYw0KLS1iAA0KLS1iDXgNCi0tYgp4\r\n--b--\r\n")},
    {STR(MULTI "\r\n--b\r\n" BINARY "\r\n\r\n\r\n--\r\n-\r\n- -b\r\n--b--"), F(FINE),
     STR(MULTI "\r\n--b\r\n" BASE64 "\r\nDQoNCi0tDQotDQotIC1i\r\n--b--\r\n")},
    {STR(MULTI "\r\n--b\r\n" BINARY "\r\nx\r\n--b\r"), F(FINE),
     STR(MULTI "\r\n--b\r\n" BASE64 "\r\neA0KLS1iDQ==\r\n")},
    /* behind the last part nothing is binary */
    {STR(MULTI "\r\n--b\r\n" BINARY "\r\nx\r\n--b--\r\na\nb"), F(LINE), STR_NONE},
    {STR(MULTI "\r\na\nb\r\n--b--\r\n"), F(LINE), STR_NONE},
    /* nested */
    {STR(MULTI "\r\n--b\r\n" INNER BINARY "\r\n--b c\r\n" BINARY
               "\r\nx\r\n--b c--\r\n--b\r\n" BINARY "\r\ny\r\n--b--\r\n"),
     F(FINE),
     STR(MULTI "\r\n--b\r\n" INNER EIGHT "\r\n--b c\r\n" BASE64
               "\r\neA==\r\n--b c--\r\n--b\r\n" BASE64 "\r\neQ==\r\n--b--\r\n")},
    {STR(MULTI "\r\n--b\r\n" INNER "\r\n--b c\r\n" BINARY "\r\nx\r\n--b\r\n" BINARY
               "\r\ny\r\n--b--"),
     F(FINE),
     STR(MULTI "\r\n--b\r\n" INNER "\r\n--b c\r\n" BASE64 "\r\neA==\r\n--b\r\n" BASE64
               "\r\neQ==\r\n--b--\r\n")},
    {STR(MULTI "\r\n--b\r\n" RFC822 BINARY "\r\n" MULTI "\r\n--b\r\n" BINARY
               "\r\nx\r\n--b--\r\n--b\r\n"
               "\r\ny\r\n--b--\r\n"),
     F(FINE),
     STR(MULTI "\r\n--b\r\n" RFC822 EIGHT "\r\n" MULTI "\r\n--b\r\n" BASE64
               "\r\neA==\r\n--b--\r\n--b\r\n\r\ny\r\n--b--\r\n")},
    {STR(V "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n" BINARY "\r\nx\r\n--b--"),
     F(FINE),
     STR(V "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n" V BASE64
           "\r\neA==\r\n--b--\r\n")},
    /* composite, and not looked into: in order as it is, or not at all */
    {STR(V "Content-Type: message/delivery-status\r\n" BINARY "\r\nx\r\n"), F(FINE),
     STR(V "Content-Type: message/delivery-status\r\n" EIGHT "\r\nx\r\n")},
    {STR(V "Content-Type: message/partial\r\n" BINARY "\r\na\nb"), F(LINE), STR_NONE},
    {STR(V "Content-Type: multipart/mixed\r\n" BINARY "\r\na\r\n"), F(FINE),
     STR(V "Content-Type: multipart/mixed\r\n" EIGHT "\r\na\r\n")},
    {STR(V RFC822 BASE64 "\r\n" BINARY "\r\n"), F(FINE), STR(V RFC822 BASE64 "\r\n" BINARY "\r\n")},
};

static void
test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t step = 1; step <= rows[i].in.len + 1; step++) {
            AUTO_BUF out = BUF(ROW_BYTES);
            enum unbinary_fault fault = run(rows[i].in, step, &out);

            if (step == rows[i].in.len + 1 && fault == UNBINARY_FINE &&
                !str_eq(buf_str(&out), rows[i].out))
                print_error("row %zu: \"%.*s\"\n", i, STR_FMT(buf_str(&out)));
            ROW(i, fault == rows[i].fault);
            ROW(i, fault != UNBINARY_FINE || str_eq(buf_str(&out), rows[i].out));
        }
    }
}

/* ---- limits ---- */

static void
add_times(struct buf *b, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_z(b, text);
}

/* Of a line outside of binary parts, and of one that may be a delimiter. */
static void
test_line_limit(void **state)
{
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        AUTO_BUF in = BUF(65536), out = BUF(65536);
        AUTO_BUF part = BUF(65536), parted = BUF(65536);

        buf_add_z(&in, "Subject: s\r\n\r\n");
        add_times(&in, "x", HEADER_LINE_MAX + more);
        buf_add_z(&in, "\r\n");
        ROW(more, run(buf_str(&in), 7, &out) == (more == 0 ? UNBINARY_FINE : UNBINARY_LINE));
        buf_add_z(&part, MULTI "\r\n--b\r\n" BINARY "\r\nx\r\n--b");
        add_times(&part, " ", HEADER_LINE_MAX - 3 + more);
        buf_add_z(&part, "\r\nX: y\r\n\r\n");
        ROW(more, run(buf_str(&part), 7, &parted) == UNBINARY_FINE);
        ROW(more, str_ends(buf_str(&parted), STR("\r\nX: y\r\n\r\n")) == (more == 0));
    }
}

static void
test_depth_limit(void **state)
{
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        AUTO_BUF in = BUF(65536), out = BUF(65536);

        add_times(&in, RFC822 "\r\n", LIMIT_MIME_DEPTH + more);
        buf_add_z(&in, BINARY "\r\nx");
        ROW(more, run(buf_str(&in), 100, &out) == (more == 0 ? UNBINARY_FINE : UNBINARY_LIMIT));
        ROW(more, more > 0 || str_ends(buf_str(&out), STR("\r\neA==\r\n")));
    }
}

static void
test_field_limit(void **state)
{
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        AUTO_BUF in = BUF(1u << 20), out = BUF(1u << 20);

        buf_add_z(&in, "Content-Type: text/plain\r\n");
        while (in.len + 100 < UNBINARY_FIELD_MAX)
            add_times(&in, " x\r\n", 1);
        add_times(&in, " ", UNBINARY_FIELD_MAX - in.len - 2 + more);
        buf_add_z(&in, "\r\n\r\n");
        ROW(more, run(buf_str(&in), 100, &out) == (more == 0 ? UNBINARY_FINE : UNBINARY_LIMIT));
    }
}

static void
test_header_limits(void **state)
{
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        AUTO_BUF in = BUF(4u << 20), out = BUF(4u << 20);
        AUTO_BUF wide = BUF(4u << 20), widened = BUF(4u << 20);

        add_times(&in, "A: b\r\n", LIMIT_HEADER_FIELDS + more);
        buf_add_z(&in, "\r\n");
        ROW(more, run(buf_str(&in), 5000, &out) == (more == 0 ? UNBINARY_FINE : UNBINARY_LIMIT));
        buf_add_z(&wide, "A: b\r\n");
        while (wide.len + 1000 < LIMIT_HEADER_BYTES)
            buf_add_z(&wide, " 345678\r\n");
        while (wide.len + 8 < LIMIT_HEADER_BYTES + more)
            buf_add_z(&wide, " \r\n");
        ROW(more, wide.len <= LIMIT_HEADER_BYTES);
        add_times(&wide, " \r\n", 5 * more);
        buf_add_z(&wide, "\r\n");
        ROW(more,
            run(buf_str(&wide), 5000, &widened) == (more == 0 ? UNBINARY_FINE : UNBINARY_LIMIT));
    }
}

/* ---- what was put in comes out ---- */

enum { CONTENTS_MAX = 64, CONTENT_BYTES = 4096 };
struct built {
    uint32_t seed;
    struct buf message;
    struct buf content[CONTENTS_MAX];
    size_t count;
};

static uint32_t
pick(struct built *b, uint32_t n)
{
    b->seed = b->seed * 1103515245u + 12345u;
    return (b->seed >> 16) % n;
}

/* Anything, but for what begins a line with a boundary. */
static void
make_binary(struct built *b, struct buf *out)
{
    static const struct str pieces[] = {
        STR("\r\n"),    STR("\r"),          STR("\n"),         STR("-"),
        STR("--"),      STR("b"),           STR("\0"),         STR("\xff\xfe"),
        STR("\r\n--b"), STR("\r\n--x\r\n"), STR("\n--b0\n"),   STR("\r--b1\r\n"),
        STR("plain "),  STR("\r\n.\r\n"),   STR("=3D\t \r\n"), STR("\x89PNG\r\n\x1a\n"),
    };
    AUTO_BUF lines = BUF(CONTENT_BYTES);

    for (uint32_t n = pick(b, 40); n > 0; n--)
        buf_add(out, pieces[pick(b, COUNT_OF(pieces))]);
    if (pick(b, 8) == 0)
        add_times(out, "0123456789", 250);
    buf_add_z(&lines, "\r\n");
    buf_add(&lines, buf_str(out));
    if (str_find_str(buf_str(&lines), STR("\r\n--b")) >= 0)
        buf_reset(out);
}

static void
add_leaf(struct built *b)
{
    struct buf *content = &b->content[b->count++];

    buf_init(content, CONTENT_BYTES);
    if (pick(b, 3) == 0) {
        buf_add_z(&b->message, "Content-Type: text/plain\r\n\r\n");
        add_times(content, "a line\r\n--\r\n", pick(b, 5));
    } else {
        buf_add_z(&b->message, BINARY "Content-Type: image/png\r\n\r\n");
        make_binary(b, content);
    }
    buf_add(&b->message, buf_str(content));
}

/* multipart/mixed, or a message that is one. */
static void
begin_multipart(struct built *b, size_t depth)
{
    if (pick(b, 3) == 0)
        buf_addf(&b->message, RFC822 BINARY "\r\nSubject: in\r\n");
    buf_addf(&b->message,
             "%sContent-Type: multipart/mixed;\r\n boundary=\"b%zu\"\r\n\r\n%s--b%zu\r\n",
             pick(b, 2) == 0 ? BINARY : EIGHT, depth, pick(b, 2) == 0 ? "preamble\r\n" : "", depth);
}

static void
build(struct built *b, uint32_t seed)
{
    size_t depth = 0;

    *b = (struct built){.seed = seed};
    buf_init(&b->message, 1u << 20);
    buf_add_z(&b->message, "From: a@b.example\r\n" V);
    begin_multipart(b, depth++);
    while (depth > 0) {
        if (b->count < CONTENTS_MAX && depth < 6 && pick(b, 4) == 0) {
            begin_multipart(b, depth++);
            continue;
        }
        if (b->count < CONTENTS_MAX)
            add_leaf(b);
        while (depth > 0 && (b->count == CONTENTS_MAX || pick(b, 3) == 0)) {
            buf_addf(&b->message, "\r\n--b%zu--\r\n", depth - 1);
            depth--;
        }
        if (depth > 0)
            buf_addf(&b->message, "\r\n--b%zu\r\n", depth - 1);
    }
}

static bool
is_legal(struct str s)
{
    struct str line;

    while (s.len > 0) {
        ssize_t lf = str_find(s, '\n');
        if (lf < 1 || s.ptr[lf - 1] != '\r' || (size_t)lf - 1 > HEADER_LINE_MAX)
            return false;
        line = str_sub(s, 0, (size_t)lf - 1);
        if (str_find(line, '\r') >= 0 || str_find(line, '\0') >= 0)
            return false;
        s = str_skip(s, (size_t)lf + 1);
    }
    return true;
}

static void
check_contents(const struct built *b, struct str message)
{
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX + message.len);
    struct mime_tree t;
    size_t n = 0;

    assert_true(is_legal(message));
    mime_parse(message, a, &t);
    for (uint32_t i = 0; i < t.count; i++) {
        const struct mime_part *p = &t.parts[i];
        AUTO_BUF content = BUF(CONTENT_BYTES + 2);
        struct transfer_decoder d;

        assert_true(str_find_nocase(p->field[MIME_CONTENT_ENCODING], STR("binary")) < 0);
        if (p->kind != MIME_LEAF)
            continue;
        transfer_decoder_init(&d, mime_transfer(p));
        transfer_decode(&d, str_sub(message, p->body_at, p->end - p->body_at), &content);
        transfer_decode_end(&d, &content);
        ROW(n, n < b->count);
        ROW(n, str_eq(buf_str(&content), buf_str(&b->content[n])));
        n++;
    }
    assert_int_equal(n, b->count);
}

static void
test_contents_stay(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 400; seed++) {
        struct built b;
        AUTO_BUF whole = BUF(4u << 20);

        build(&b, seed);
        ROW(seed, run(buf_str(&b.message), SIZE_MAX / 2, &whole) == UNBINARY_FINE);
        check_contents(&b, buf_str(&whole));
        for (size_t step = 1; step < 6; step++) {
            AUTO_BUF cut = BUF(4u << 20);
            ROW(seed, run(buf_str(&b.message), step == 5 ? 1 + pick(&b, 200) : step, &cut) ==
                          UNBINARY_FINE);
            ROW(seed, str_eq(buf_str(&cut), buf_str(&whole)));
        }
        for (size_t i = 0; i < b.count; i++)
            buf_release(&b.content[i]);
        buf_release(&b.message);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),         cmocka_unit_test(test_line_limit),
        cmocka_unit_test(test_depth_limit),   cmocka_unit_test(test_field_limit),
        cmocka_unit_test(test_header_limits), cmocka_unit_test(test_contents_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
