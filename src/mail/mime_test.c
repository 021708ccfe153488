/* mime_test.c - trees of well-formed, odd and hostile messages.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/size.h"
#include "base/suites.h"
#include "mail/header.h"
#include "mail/mime.h"

/* type/subtype, then [body] of a leaf, or (children). */
static void
dump(struct buf *b, struct str message, const struct mime_tree *t, bool bodies)
{
    uint32_t open[MIME_DEPTH_MAX + 1];
    uint32_t depth = 0;
    uint32_t i = 0;

    for (;;) {
        const struct mime_part *p = &t->parts[i];
        if (p->number > 1)
            buf_add_char(b, ' ');
        buf_add(b, p->type);
        buf_add_char(b, '/');
        buf_add(b, p->subtype);
        if (p->kind != MIME_LEAF) {
            buf_add_char(b, '(');
            open[depth++] = i;
            i = p->first_child;
            continue;
        }
        if (bodies) {
            buf_add_char(b, '[');
            buf_add(b, str_sub(message, p->body_at, p->end - p->body_at));
            buf_add_char(b, ']');
        }
        while (depth > 0 && t->parts[i].next == MIME_NONE) {
            buf_add_char(b, ')');
            i = open[--depth];
        }
        if (t->parts[i].next == MIME_NONE)
            return;
        i = t->parts[i].next;
    }
}

#define MULTI  "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define DIGEST "Content-Type: multipart/digest; boundary=b\r\n\r\n"
#define RFC822 "Content-Type: message/rfc822\r\n"

static const struct {
    const char *in;
    const char *out;
} rows[] = {
    {"Subject: s\r\n\r\nbody\r\n", "text/plain[body\r\n]"},
    {"", "text/plain[]"},
    {"\r\n", "text/plain[]"},
    {"Subject: s\r\n", "text/plain[]"},
    {"Subject: s", "text/plain[]"},
    {"Content-Type: text/html\n\nx\n", "text/html[x\n]"},
    {"Content-Type: rubbish\r\n\r\nx", "text/plain[x]"},
    {"Content-Type: text/html\r\nContent-Type: text/plain\r\n\r\nx", "text/html[x]"},
    {MULTI "pre\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: a/b\r\n\r\ntwo\r\n\r\n--b--\r\nepi",
     "multipart/mixed(text/plain[one] a/b[two\r\n])"},
    {MULTI "--b\r\n\r\none", "multipart/mixed(text/plain[one])"},
    {MULTI "--b\r\n\r\none\r\n--b--", "multipart/mixed(text/plain[one])"},
    {MULTI "--b \t\r\n\r\none\r\n--b-- \r\n--b\r\n\r\nno part", "multipart/mixed(text/plain[one])"},
    {MULTI "--b\r\n\r\none\n--b\n\ntwo\n--b--\n",
     "multipart/mixed(text/plain[one] text/plain[two])"},
    {MULTI "--b x\r\n\r\none\r\n--b-- x\r\n--b", "multipart/mixed(text/plain[one])"},
    {MULTI "--b\r\n\r\none\r\n--bc\r\n -- b\r\n--b-\r\n--\r\n--b--",
     "multipart/mixed(text/plain[one\r\n--bc\r\n -- b\r\n--b-\r\n--])"},
    /* parts without body, without header, without either */
    {MULTI "--b\r\n--b\r\n\r\n--b\r\nX: y\r\n--b--\r\n",
     "multipart/mixed(text/plain[] text/plain[] text/plain[])"},
    {MULTI "--b\r\n\r\n\r\n--b--\r\n", "multipart/mixed(text/plain[])"},
    /* no parts, no boundary */
    {MULTI "only preamble\r\n", "text/plain[only preamble\r\n]"},
    {MULTI "--b--\r\n", "text/plain[--b--\r\n]"},
    {"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx", "text/plain[--b\r\n\r\nx]"},
    {"Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nx", "text/plain[--\r\n\r\nx]"},
    /* nesting */
    {MULTI
     "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\n1\r\n--c\r\n\r\n"
     "2\r\n--c--\r\n--b\r\n\r\n3\r\n--b--",
     "multipart/mixed(multipart/alternative(text/plain[1] text/plain[2]) text/plain[3])"},
    {MULTI
     "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\n1\r\n--b\r\n\r\n"
     "3\r\n--b--",
     "multipart/mixed(multipart/alternative(text/plain[1]) text/plain[3])"},
    {MULTI "--b\r\nContent-Type: multipart/alternative; boundary=bc\r\n\r\n--bc\r\n\r\n1\r\n--b\r\n"
           "\r\n3\r\n--b--",
     "multipart/mixed(multipart/alternative(text/plain[1]) text/plain[3])"},
    {MULTI "--b\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n1\r\n--b--\r\n"
           "--b\r\n\r\n3\r\n--b--",
     "multipart/mixed(multipart/alternative(text/plain[1]) text/plain[3])"},
    /* messages in messages */
    {RFC822 "\r\nSubject: in\r\n\r\nx", "message/rfc822(text/plain[x])"},
    {RFC822 "\r\n" RFC822 "\r\n\r\nx", "message/rfc822(message/rfc822(text/plain[x]))"},
    {RFC822 "\r\n", "message/rfc822(text/plain[])"},
    {RFC822 "Content-Transfer-Encoding: base64\r\n\r\neA==", "application/octet-stream[eA==]"},
    {RFC822 "Content-Transfer-Encoding: 8bit\r\n\r\n\r\nx", "message/rfc822(text/plain[x])"},
    {MULTI "--b\r\n" RFC822 "\r\nSubject: in\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--",
     "multipart/mixed(message/rfc822(text/plain[x]) text/plain[y])"},
    {MULTI "--b\r\n" RFC822 "\r\nSubject: in\r\n--b\r\n\r\ny\r\n--b--",
     "multipart/mixed(message/rfc822(text/plain[]) text/plain[y])"},
    {DIGEST "--b\r\n\r\nSubject: 1\r\n\r\nx\r\n--b\r\nContent-Type: a/b\r\n\r\ny\r\n--b--",
     "multipart/digest(message/rfc822(text/plain[x]) a/b[y])"},
};

static void
check_tree(const struct mime_tree *t, size_t len)
{
    assert_true(t->count >= 1 && t->count <= MIME_PARTS_MAX);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct mime_part *p = &t->parts[i];
        assert_true(p->header_at <= p->body_at && p->body_at <= p->end && p->end <= len);
        assert_true((p->kind == MIME_LEAF) == (p->first_child == MIME_NONE));
        if (i == 0)
            continue;
        const struct mime_part *up = &t->parts[p->parent];
        assert_true(p->parent < i && p->depth == up->depth + 1);
        assert_true(p->header_at >= up->body_at && p->end <= up->end);
        if (p->next != MIME_NONE) {
            assert_true(t->parts[p->next].header_at >= p->end);
            assert_int_equal(t->parts[p->next].number, p->number + 1);
        }
    }
}

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(MIME_ARENA_MAX);
        AUTO_BUF b = BUF(5000);
        struct mime_tree t;
        struct str in = str_of(rows[i].in);

        mime_parse(in, a, &t);
        dump(&b, in, &t, true);
        if (!str_eq(buf_str(&b), str_of(rows[i].out)))
            fail_msg("row %zu: %.*s", i, STR_FMT(buf_str(&b)));
        check_tree(&t, in.len);
        assert_false(t.cut);
    }
}

static void
test_lines_and_fields(void **state)
{
    static const char text[] =
        MULTI "pre\r\n--b\r\nContent-ID: <x>\r\n\r\none\r\ntwo\r\n\r\n--b\r\n"
              "Content-Disposition: attachment\r\n"
              "Content-Transfer-Encoding: base64\r\n\r\nx\r\n--b--\r\n";
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX);
    struct mime_tree t;
    (void)state;

    mime_parse(STR(text), a, &t);
    assert_int_equal(t.count, 3);
    assert_int_equal(t.parts[0].body_lines, 13);
    assert_int_equal(t.parts[1].body_lines, 2);
    assert_int_equal(t.parts[2].body_lines, 0);
    assert_true(str_eq(t.parts[1].field[MIME_CONTENT_ID], STR(" <x>")));
    assert_null(t.parts[1].field[MIME_CONTENT_TYPE].ptr);
    assert_false(mime_is_attachment(&t.parts[1], a));
    assert_true(mime_is_attachment(&t.parts[2], a));
    assert_int_equal(mime_transfer(&t.parts[2]), TRANSFER_BASE64);
}

/* A limit makes opaque leaves; every byte is still inside some part. */
static void
test_depth_limit(void **state)
{
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX);
    AUTO_BUF b = BUF(100000);
    struct mime_tree t;
    (void)state;

    for (unsigned i = 0; i < MIME_DEPTH_MAX + 20; i++)
        buf_addf(&b, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i, i);
    mime_parse(buf_str(&b), a, &t);
    check_tree(&t, b.len);
    assert_int_equal(t.count, MIME_DEPTH_MAX + 1);
    const struct mime_part *last = &t.parts[t.count - 1];
    assert_true(mime_is(last, STR("application"), STR("octet-stream")));
    assert_int_equal(last->end, b.len);
    buf_reset(&b);
    for (unsigned i = 0; i < MIME_DEPTH_MAX + 20; i++)
        buf_add(&b, STR(RFC822 "\r\n"));
    mime_parse(buf_str(&b), a, &t);
    check_tree(&t, b.len);
    assert_int_equal(t.count, MIME_DEPTH_MAX + 1);
}

static void
test_part_limit(void **state)
{
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX);
    AUTO_BUF b = BUF(1000000);
    struct mime_tree t;
    (void)state;

    buf_add(&b, STR(MULTI));
    for (unsigned i = 0; i < MIME_PARTS_MAX - 1; i++)
        buf_add(&b, STR("--b\r\n\r\nx\r\n"));
    size_t exact = b.len;
    mime_parse(buf_str(&b), a, &t);
    assert_int_equal(t.count, MIME_PARTS_MAX);
    assert_false(t.cut);
    buf_add(&b, STR("--b\r\n" RFC822 "\r\n\r\nmore\r\n--b--\r\n"));
    arena_reset(a);
    mime_parse(buf_str(&b), a, &t);
    assert_int_equal(t.count, MIME_PARTS_MAX);
    assert_true(t.cut);
    check_tree(&t, b.len);
    assert_int_equal(t.parts[t.count - 1].end, b.len);
    assert_true(t.parts[t.count - 1].body_at < exact);
}

/* Work grows linearly: on text, on lines that nearly are delimiters, and under 32 boundaries. */
static uint64_t
steps_of(size_t size, int kind)
{
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX);
    AUTO_BUF b = BUF(8 << 20);
    struct mime_tree t;
    unsigned levels = kind == 2 ? MIME_DEPTH_MAX : 1;

    for (unsigned i = 0; i < levels; i++)
        buf_addf(&b,
                 "Content-Type: multipart/mixed; boundary=bbbbbbbbbbbbbbbbbbb%u\r\n\r\n"
                 "--bbbbbbbbbbbbbbbbbbb%u\r\n",
                 i, i);
    buf_add(&b, STR("\r\n"));
    while (b.len < size)
        buf_add(&b, kind == 0 ? STR("0123456789\r\n") : STR("--bbbbbbbbbbbbbbbbbbb\r\n"));
    mime_parse(buf_str(&b), a, &t);
    return t.steps;
}

static void
test_linear(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        uint64_t once = steps_of(1 << 20, kind);
        uint64_t twice = steps_of(2 << 20, kind);
        assert_true(once > 1000 && twice * 10 <= once * 22);
    }
}

/* The structure that the suite's XML shows, in the notation of dump() without types. */
static void
dump_xml(struct buf *b, struct str xml)
{
    static const struct {
        struct str tag, mark;
    } marks[] = {{{"<multipart>", 11}, {"M(", 2}},
                 {{"</multipart>", 12}, {")", 1}},
                 {{"<body>", 6}, {"L", 1}},
                 {{"<message>", 9}, {"R(", 2}},
                 {{"</message>", 10}, {")", 1}}};
    size_t i = 0;

    while (i < xml.len) {
        size_t step = 1;
        for (size_t k = 0; k < COUNT_OF(marks); k++) {
            if (str_starts(str_skip(xml, i), marks[k].tag)) {
                buf_add(b, marks[k].mark);
                step = marks[k].tag.len;
            }
        }
        i += step;
    }
}

static void
dump_shape(struct buf *b, const struct mime_tree *t)
{
    uint32_t open[MIME_DEPTH_MAX + 1];
    uint32_t depth = 0;
    uint32_t i = 0;

    buf_add(b, STR("R("));
    for (;;) {
        const struct mime_part *p = &t->parts[i];
        if (p->kind != MIME_LEAF) {
            buf_add(b, p->kind == MIME_MULTIPART ? STR("M(") : STR("R("));
            open[depth++] = i;
            i = p->first_child;
            continue;
        }
        buf_add_char(b, 'L');
        while (depth > 0 && t->parts[i].next == MIME_NONE) {
            buf_add_char(b, ')');
            i = open[--depth];
        }
        if (t->parts[i].next == MIME_NONE)
            break;
        i = t->parts[i].next;
    }
    buf_add_char(b, ')');
}

static bool
read_whole(const char *folder, const char *name, const char *ending, struct buf *b)
{
    AUTO_BUF path = BUF(1024);
    buf_add_z(&path, folder);
    buf_add_char(&path, '/');
    buf_add(&path, str_sub(str_of(name), 0, strlen(name) - 4));
    buf_add_z(&path, ending);
    buf_add_char(&path, '\0');
    assert_int_equal(buf_status(&path), OK);
    FILE *f = fopen(path.ptr, "rb");
    char block[4096];
    size_t n;

    if (f == NULL)
        return false;
    buf_reset(b);
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        buf_add(b, str_from(block, n));
    fclose(f);
    return true;
}

/* Where we differ from the suite on purpose, and what ours is. */
static const struct {
    const char *name;
    const char *shape;
} differences[] = {
    /* a multipart without parts is shown as text */
    {"missing-inner-start-boundary.msg", "R(M(LL))"},
    {"missing-inner-boundary.msg", "R(M(LL))"},
    {"multipartnopart.msg", "R(L)"},
    {"missing-boundary.msg", "R(L)"},
    {"badbound.msg", "R(L)"}, /* its boundary holds a line end */
    {"very-very-long-boundary.msg", "R(L)"},
    {"very-long-boundary.msg", "R(M(LL))"},
    {"weird-boundary.msg", "R(M(LL))"}, /* spaces end a boundary, which RFC 2046 forbids */
    /* an encoded message stays closed */
    {"base64encoded-rfc822message-nested.msg", "R(L)"},
    {"base64encoded-rfc822message.msg", "R(L)"},
    {"bad-newlines-multiple-parts-base64.msg", "R(L)"},
    {"multi-2gifs-base64.msg", "R(L)"},
};

static void
check_suite_file(const char *folder, const char *name, unsigned *same, unsigned *known)
{
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX);
    AUTO_BUF message = BUF(16 << 20);
    AUTO_BUF xml = BUF(16 << 20);
    AUTO_BUF want = BUF(10000);
    AUTO_BUF got = BUF(10000);
    struct mime_tree t;

    if (!read_whole(folder, name, ".msg", &message) || !read_whole(folder, name, ".xml", &xml))
        return;
    mime_parse(buf_str(&message), a, &t);
    check_tree(&t, message.len);
    dump_xml(&want, buf_str(&xml));
    dump_shape(&got, &t);
    if (str_eq(buf_str(&want), buf_str(&got))) {
        ++*same;
        return;
    }
    for (size_t i = 0; i < COUNT_OF(differences); i++) {
        if (strcmp(differences[i].name, name) == 0 &&
            str_eq(str_of(differences[i].shape), buf_str(&got))) {
            ++*known;
            return;
        }
    }
    print_error("%s: suite %.*s\n", name, STR_FMT(buf_str(&want)));
    fail_msg("%s: ours  %.*s", name, STR_FMT(buf_str(&got)));
}

static void
test_suite(void **state)
{
    static const char *const folders[] = {"mime/testmsgs", "mime/mimetools-testmsgs"};
    unsigned same = 0;
    unsigned known = 0;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        char folder[512];
        struct dirent *e;
        DIR *d = suite_open(folders[i], folder, sizeof(folder));
        if (d == NULL)
            skip();
        while ((e = readdir(d)) != NULL)
            if (strlen(e->d_name) > 4 && strcmp(e->d_name + strlen(e->d_name) - 4, ".msg") == 0)
                check_suite_file(folder, e->d_name, &same, &known);
        closedir(d);
    }
    print_message("%u messages as the suite says, %u otherwise on purpose\n", same, known);
    assert_true(same > 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),        cmocka_unit_test(test_lines_and_fields),
        cmocka_unit_test(test_depth_limit), cmocka_unit_test(test_part_limit),
        cmocka_unit_test(test_linear),      cmocka_unit_test(test_suite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
