/* record_test.c - records of messages, the IMAP text made from them, part numbers, sort entries, subjects.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/encode.h"
#include "base/hash.h"
#include "base/size.h"
#include "base/suites.h"
#include "mail/charset.h"
#include "mail/fold.h"
#include "mail/preview.h"
#include "mail/record.h"
#include "mail/sort_entry.h"
#include "mail/subject.h"

struct made {
    struct arena *arena;
    struct buf bytes;
    struct record record;
};

static void
make(struct made *m, struct str message)
{
    struct mime_tree t;

    m->arena = arena_new(2 * MIME_ARENA_MAX);
    m->bytes = BUF(RECORD_MAX);
    mime_parse(message, m->arena, &t);
    assert_int_equal(record_write(message, &t, m->arena, &m->bytes), OK);
    assert_int_equal(record_open(buf_str(&m->bytes), &m->record), OK);
    assert_int_equal(m->record.size, message.len);
    assert_int_equal(m->record.part_count, t.count);
}

static void
unmake(struct made *m)
{
    arena_free(&m->arena);
    buf_release(&m->bytes);
}

static void
expect(struct str got, const char *want)
{
    if (!str_eq(got, str_of(want)))
        fail_msg("got  %.*s\nwant %s", STR_FMT(got), want);
}

static const struct {
    const char *in;
    const char *envelope;
} envelopes[] = {
    /* the example of RFC 9051 section 7.5.2 */
    {"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nSubject: IMAP4rev2 WG mtg summary and "
     "minutes\r\nFrom: Terry Gray <gray@cac.washington.edu>\r\nTo: imap@cac.washington.edu\r\n"
     "Cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
     "Message-Id: <B27397-0100000@cac.washington.edu>\r\n\r\n",
     "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev2 WG mtg summary and minutes\" "
     "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
     "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
     "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
     "((NIL NIL \"imap\" \"cac.washington.edu\")) "
     "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) "
     "NIL NIL \"<B27397-0100000@cac.washington.edu>\")"},
    {"", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"},
    {"Subject:\r\nFrom:\r\nSender: s@x\r\nReply-To:\r\n\r\n",
     "(NIL NIL NIL ((NIL NIL \"s\" \"x\")) NIL NIL NIL NIL NIL NIL)"},
    {"Subject: a \"b\" \\c\r\n d\r\nTo: g:a@x;, root\r\nIn-Reply-To: <i@x>\r\n\r\n",
     "(NIL \"a \\\"b\\\" \\\\c d\" NIL NIL NIL ((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"x\")"
     "(NIL NIL NIL NIL)(NIL NIL \"root\" \"\")) NIL NIL \"<i@x>\" NIL)"},
    {"Subject: \xc3\xbc\r\nSubject: second\r\nFrom: =?utf-8?Q?=C3=BC?= <u@x>\r\n\r\n",
     "(NIL {2}\r\n\xc3\xbc ((\"=?utf-8?Q?=C3=BC?=\" NIL \"u\" \"x\")) "
     "((\"=?utf-8?Q?=C3=BC?=\" NIL \"u\" \"x\")) ((\"=?utf-8?Q?=C3=BC?=\" NIL \"u\" \"x\")) "
     "NIL NIL NIL NIL NIL)"},
};

static void
test_envelope(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(envelopes); i++) {
        AUTO_BUF b = BUF(10000);
        struct made m;
        make(&m, str_of(envelopes[i].in));
        assert_int_equal(record_envelope_write(&m.record, &b), OK);
        expect(buf_str(&b), envelopes[i].envelope);
        unmake(&m);
    }
}

#define MULTI "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

static const struct {
    const char *in;
    const char *body;
    const char *bodystructure;
} structures[] = {
    {"Subject: s\r\n\r\none\r\ntwo\r\n",
     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 10 2)",
     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 10 2 NIL NIL NIL NIL)"},
    {"Content-Type: image/png; name=\"a\\\"b\"\r\nContent-Transfer-Encoding: base64\r\n"
     "Content-ID: <i>\r\nContent-Description: a\r\n b\r\nContent-MD5: m==\r\n"
     "Content-Disposition: attachment; filename=x.png; size=3\r\nContent-Language: en, de\r\n"
     "Content-Location: http://x/\r\n\r\nAAAA",
     "(\"image\" \"png\" (\"name\" \"a\\\"b\") \"<i>\" \"a b\" \"base64\" 4)",
     "(\"image\" \"png\" (\"name\" \"a\\\"b\") \"<i>\" \"a b\" \"base64\" 4 \"m==\" "
     "(\"attachment\" (\"filename\" \"x.png\" \"size\" \"3\")) (\"en\" \"de\") \"http://x/\")"},
    {MULTI "--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\n\r\n--b--\r\n",
     "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 3 0)"
     "(\"text\" \"html\" NIL NIL NIL \"7BIT\" 0 0) \"mixed\")",
     "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 3 0 NIL NIL NIL NIL)"
     "(\"text\" \"html\" NIL NIL NIL \"7BIT\" 0 0 NIL NIL NIL NIL) \"mixed\" "
     "(\"boundary\" \"b\") NIL NIL NIL)"},
    {"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n",
     "(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 18 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) "
     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 3 1) 3)",
     "(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 18 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) "
     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 3 1 NIL NIL NIL NIL) 3 NIL "
     "NIL NIL "
     "NIL)"},
    {MULTI "no parts", "(\"text\" \"plain\" NIL NIL NIL \"7BIT\" 8 0)",
     "(\"text\" \"plain\" NIL NIL NIL \"7BIT\" 8 0 NIL NIL NIL NIL)"},
};

static void
test_bodystructure(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(structures); i++) {
        AUTO_BUF b = BUF(10000);
        AUTO_BUF x = BUF(10000);
        struct made m;
        make(&m, str_of(structures[i].in));
        assert_int_equal(record_bodystructure_write(&m.record, false, &b), OK);
        expect(buf_str(&b), structures[i].body);
        assert_int_equal(record_bodystructure_write(&m.record, true, &x), OK);
        expect(buf_str(&x), structures[i].bodystructure);
        unmake(&m);
    }
}

/* The message of RFC 9051 section 6.4.5.1 in small: 1 text, 2 octets, 3 message (3.1 text, 3.2 octets),
 * 4 mixed (4.1 gif, 4.2 message (4.2.1 text, 4.2.2 alternative (4.2.2.1, 4.2.2.2))) */
static const char nested[] =
    "Subject: top\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n"
    "--a\r\n\r\n[1]\r\n"
    "--a\r\nContent-Type: application/octet-stream\r\n\r\n[2]\r\n"
    "--a\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: three\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\n\r\n[3.1]\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n[3.2]\r\n--b--\r\n"
    "--a\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
    "--c\r\nContent-Type: image/gif\r\n\r\n[4.1]\r\n"
    "--c\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: four\r\nContent-Type: multipart/mixed; boundary=d\r\n\r\n"
    "--d\r\n\r\n[4.2.1]\r\n--d\r\nContent-Type: multipart/alternative; boundary=e\r\n\r\n"
    "--e\r\n\r\n[4.2.2.1]\r\n--e\r\nContent-Type: text/richtext\r\n\r\n[4.2.2.2]\r\n--e--\r\n"
    "--d--\r\n--c--\r\n--a--\r\n";

static const struct {
    const char *path;
    const char *body; /* NULL: not found; "*": a container */
    const char *inner_subject;
} paths[] = {
    {"", "*", NULL},
    {"1", "[1]", NULL},
    {"2", "[2]", NULL},
    {"3", "*", "Subject: three"},
    {"3.1", "[3.1]", NULL},
    {"3.2", "[3.2]", NULL},
    {"4", "*", NULL},
    {"4.1", "[4.1]", NULL},
    {"4.2", "*", "Subject: four"},
    {"4.2.1", "[4.2.1]", NULL},
    {"4.2.2", "*", NULL},
    {"4.2.2.1", "[4.2.2.1]", NULL},
    {"4.2.2.2", "[4.2.2.2]", NULL},
    {"5", NULL, NULL},
    {"0", NULL, NULL},
    {"1.1", NULL, NULL},
    {"3.3", NULL, NULL},
    {"3.1.1", NULL, NULL},
    {"4.2.2.3", NULL, NULL},
    {"4.2.2.2.1", NULL, NULL},
};

static size_t
numbers(const char *text, uint32_t *path)
{
    struct scan s = scan_of(str_of(text));
    size_t n = 0;

    while (scan_u32(&s, UINT32_MAX, &path[n])) {
        n++;
        scan_char(&s, '.');
    }
    return n;
}

static void
test_paths(void **state)
{
    struct made m;
    (void)state;

    make(&m, STR(nested));
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        uint32_t path[10];
        struct record_part p;
        struct record_part inner = {.end = 0};
        size_t n = numbers(paths[i].path, path);
        enum status got = record_find(&m.record, path, n, &p, &inner);

        if ((got == OK) != (paths[i].body != NULL))
            fail_msg("%s: %s", paths[i].path, status_name(got));
        if (got != OK)
            continue;
        struct str body = str_sub(STR(nested), (size_t)p.body_at, (size_t)(p.end - p.body_at));
        if (paths[i].body[0] != '*')
            expect(body, paths[i].body);
        if (paths[i].inner_subject != NULL)
            assert_true(str_starts(str_skip(STR(nested), (size_t)inner.header_at),
                                   str_of(paths[i].inner_subject)));
    }
    unmake(&m);

    /* A message without parts has a part 1, which is its body; so has a message in a message. */
    static const char plain[] = "Subject: s\r\n\r\nbody";
    static const char inside[] = "Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nbody";
    const uint32_t one[] = {1, 1, 1};
    struct record_part p;
    struct record_part inner;
    make(&m, STR(plain));
    assert_int_equal(record_find(&m.record, one, 1, &p, &inner), OK);
    expect(str_skip(STR(plain), (size_t)p.body_at), "body");
    assert_int_equal(record_find(&m.record, one, 2, &p, &inner), ERR_NOT_FOUND);
    unmake(&m);
    make(&m, STR(inside));
    assert_int_equal(record_find(&m.record, one, 1, &p, &inner), OK);
    assert_int_equal(p.kind, MIME_MESSAGE);
    expect(str_sub(STR(inside), (size_t)inner.header_at, 10), "Subject: s");
    assert_int_equal(record_find(&m.record, one, 2, &p, &inner), OK);
    expect(str_skip(STR(inside), (size_t)p.body_at), "body");
    assert_int_equal(record_find(&m.record, one, 3, &p, &inner), ERR_NOT_FOUND);
    unmake(&m);
}

static void
test_keys(void **state)
{
    struct made m;
    (void)state;

    make(&m, STR("Subject: Re: [list] hello\r\nMessage-ID: <c@x>\r\nReferences: <a@x>\r\n <b@x>\r\n"
                 "In-Reply-To: <z@x>\r\nDate: 1 Jan 2020 00:00:00 +0100\r\nReceived: no\r\n"
                 "X-Other: no\r\n\r\nHello there\r\n> quoted\r\nand\tmore"));
    expect(m.record.subject, "hello");
    expect(m.record.preview, "Hello there and more");
    assert_true(m.record.message_id_hash == hash_stable(STR("c@x")));
    assert_int_equal(m.record.ref_count, 2);
    assert_true(record_ref(&m.record, 0) == hash_stable(STR("a@x")));
    assert_true(record_ref(&m.record, 1) == hash_stable(STR("b@x")));
    assert_int_equal(m.record.flags, RECORD_REPLY | RECORD_DATED);
    assert_true(m.record.sent.time.us == INT64_C(1577833200000000) && m.record.sent.zone_min == 60);
    assert_true(record_covers(&m.record, STR("Content-type")));
    assert_false(record_covers(&m.record, STR("Received")));
    assert_false(record_covers(&m.record, STR("X-Other")));
    assert_int_equal(str_find_str(m.record.fields, STR("X-Other")), -1);
    unmake(&m);

    make(&m, STR("In-Reply-To: <z@x> <y@x>\r\n\r\n"));
    assert_int_equal(m.record.ref_count, 1);
    assert_true(m.record.message_id_hash == 0 && m.record.flags == 0);
    unmake(&m);
}

/* Very many references: the root and the last ones stay. */
static void
test_many_refs(void **state)
{
    AUTO_BUF b = BUF(100000);
    AUTO_BUF e = BUF(SORT_ENTRY_MAX);
    struct sort_entry s;
    struct made m;
    (void)state;

    buf_add(&b,
            STR("Subject: \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
                "\r\nFrom: g:;, Anna <annabella@x>\r\nDate: 31 Dec 9999 23:59:59 -9959\r\n"
                "References:"));
    for (unsigned i = 0; i < 200; i++)
        buf_addf(&b, " <%u@x>\r\n", i);
    buf_add(&b, STR("\r\n"));
    make(&m, buf_str(&b));
    assert_int_equal(m.record.ref_count, RECORD_REFS_MAX);
    assert_true(record_ref(&m.record, 0) == hash_stable(STR("0@x")));
    assert_true(record_ref(&m.record, 1) == hash_stable(STR("137@x")));
    assert_true(record_ref(&m.record, 63) == hash_stable(STR("199@x")));
    sort_entry_write(&m.record, (struct instant){0}, &e);
    assert_int_equal(buf_status(&e), OK);
    assert_int_equal(sort_entry_read(buf_str(&e), &s), OK);
    assert_int_equal(s.ref_count, SORT_REFS_MAX);
    assert_true(s.refs[0] == hash_stable(STR("0@x")) && s.refs[7] == hash_stable(STR("199@x")));
    assert_true(s.refs[1] == hash_stable(STR("193@x")));
    expect(s.from, "ANNABEL");
    expect(s.to, "");
    assert_int_equal(s.subject.len, 24);
    assert_true(s.sent_s == m.record.sent.time.us / 1000000);
    assert_true(s.subject_hash == m.record.subject_hash && s.message_id_hash == 0);
    for (size_t n = 0; n < e.len; n++)
        assert_int_equal(sort_entry_read(str_sub(buf_str(&e), 0, n), &s), ERR_CORRUPT);
    unmake(&m);
}

static void
test_received_date(void **state)
{
    AUTO_BUF e = BUF(SORT_ENTRY_MAX);
    struct sort_entry s;
    struct made m;
    (void)state;

    make(&m, STR("Date: nonsense\r\n\r\n"));
    sort_entry_write(&m.record, (struct instant){INT64_C(5000000)}, &e);
    assert_int_equal(sort_entry_read(buf_str(&e), &s), OK);
    assert_true(s.sent_s == 5);
    unmake(&m);
}

static const struct {
    const char *in;
    const char *base;
    bool reply;
} subjects[] = {
    {"hello", "hello", false},
    {"Re: hello", "hello", true},
    {"RE:hello", "hello", true},
    {"re [2]: hello", "hello", true},
    {"Fwd: Re: fw : hello", "hello", true},
    {"[list] Re: hello", "hello", true},
    {"[list] hello", "hello", false},
    {"[a] [b] hello", "hello", false},
    {"[list]", "[list]", false},
    {"hello (fwd) ", "hello", true},
    {"[Fwd: [list] Re: hello (fwd)]", "hello", true},
    {"AW: WG: hello", "hello", true},
    {"Reply: x", "Reply: x", false},
    {"  a \t\r\n  b ", "a b", false},
    {"=?utf-8?Q?Re:_=C3=BC?=", "\xc3\xbc", true},
    {"Re:", "", true},
    {"", "", false},
    {"[[[[]]]]", "[[[[]]]]", false},
};

static void
test_subjects(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(subjects); i++) {
        AUTO_BUF b = BUF(1000);
        bool reply = subject_base(str_of(subjects[i].in), &b);
        if (reply != subjects[i].reply || !str_eq(buf_str(&b), str_of(subjects[i].base)))
            fail_msg("\"%s\": %d \"%.*s\"", subjects[i].in, reply, STR_FMT(buf_str(&b)));
    }
    expect(message_id_of(STR(" <a@b> (c)")), "a@b");
    expect(message_id_of(STR(" bare@id ")), "bare@id");
    expect(message_id_of(STR("<> <<b@c>")), "b@c");
}

static void
test_fold(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {{"abcZ9", "ABCZ9"},
                {"\xc3\xa4", "A\xcc\x88"},
                {"\xc3\x84", "A\xcc\x88"},
                {"\xef\xac\x81", "fi"},
                {"\xef\xbc\xa1", "A"},
                {"\xce\xb1\xcf\x83\xcf\x82", "\xce\x91\xce\xa3\xce\xa3"},
                {"\xff"
                 "a",
                 "\xef\xbf\xbd"
                 "A"}};
    AUTO_BUF b = BUF(100);
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_reset(&b);
        fold_collate(str_of(rows[i].in), 100, &b);
        expect(buf_str(&b), rows[i].out);
    }
    buf_reset(&b);
    fold_collate(STR("ab\xc3\xa4"
                     "c"),
                 4, &b);
    expect(buf_str(&b), "AB");
}

static const struct {
    const char *in;
    const char *out;
} previews[] = {
    {"Content-Type: text/html\r\n\r\n<html><head><title>no</title><style>p{}</style></head><body>"
     "<p>Hi <b>th</b>ere</p><!-- no --><script>no</script>a &lt; b &#228; &amp;&unknown; 1 < "
     "2<br>x",
     "Hi there a < b \xc3\xa4 &&unknown; 1 < 2 x"},
    {MULTI "--b\r\nContent-Type: text/html\r\n\r\n<p>html\r\n--b\r\n\r\nplain\r\n--b--", "plain"},
    {MULTI "--b\r\n\r\n \r\n--b\r\nContent-Type: text/html\r\n\r\n<p>html\r\n--b--", "html"},
    {MULTI "--b\r\nContent-Disposition: attachment\r\n\r\nno\r\n--b--", ""},
    {"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable"
     "\r\n\r\n=FCber=\r\nall",
     "\xc3\xbc"
     "berall"},
    {"Content-Type: text/plain\r\n\r\n\xc2\xa0\xe2\x80\x8c\xef\xbb\xbf x \xff", "x \xc3\xbf"},
    {"Content-Type: image/png\r\n\r\nno", ""},
};

static void
test_preview(void **state)
{
    AUTO_BUF b = BUF(20000);
    struct made m;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(previews) - 2; i++) {
        make(&m, str_of(previews[i].in));
        expect(m.record.preview, previews[i].out);
        unmake(&m);
    }
    buf_add(&b, STR("\r\n"));
    for (int i = 0; i < 1000; i++)
        buf_add(&b, STR("\xe2\x82\xac"));
    make(&m, buf_str(&b));
    assert_int_equal(m.record.preview.len, 255);
    assert_true(utf8_valid(m.record.preview));
    unmake(&m);
}

/* Truncated and flipped records are refused or safe; never read out of bounds (the sanitizers watch). */
static void
test_damage(void **state)
{
    struct made m;
    struct record r;
    (void)state;

    make(&m, STR(nested));
    struct str good = buf_str(&m.bytes);
    for (size_t n = 0; n < good.len; n++)
        assert_int_not_equal(record_open(str_sub(good, 0, n), &r), OK);
    for (size_t i = 0; i < good.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            AUTO_BUF b = BUF(1 << 20);
            m.bytes.ptr[i] = (char)(m.bytes.ptr[i] ^ 1 << bit);
            if (record_open(good, &r) == OK) {
                (void)!record_envelope_write(&r, &b);
                (void)!record_bodystructure_write(&r, true, &b);
            }
            m.bytes.ptr[i] = (char)(m.bytes.ptr[i] ^ 1 << bit);
        }
    }
    m.bytes.ptr[0] = 99;
    assert_int_equal(record_open(good, &r), ERR_NOT_FOUND);
    unmake(&m);
}

/* The largest trees and fields still make a record. */
static void
test_limits(void **state)
{
    AUTO_BUF b = BUF(16 << 20);
    AUTO_BUF text = BUF(16 << 20);
    struct made m;
    (void)state;

    buf_add(&b, STR("To: "));
    while (b.len < RECORD_FIELDS_MAX + 100)
        buf_add(&b, STR("someone@example.org,\r\n "));
    buf_add(&b, STR("x@y\r\nSubject: s\r\n" MULTI));
    for (unsigned i = 0; i < MIME_PARTS_MAX + 10; i++)
        buf_addf(&b, "--b\r\nContent-Type: %0120u/%0120u; name=%0120u\r\n\r\n", i, i, i);
    make(&m, buf_str(&b));
    assert_int_equal(m.record.flags, RECORD_ATTACHMENT | RECORD_FIELDS_CUT | RECORD_PARTS_CUT);
    assert_int_equal(record_bodystructure_write(&m.record, true, &text), OK);
    assert_int_equal(record_envelope_write(&m.record, &text), OK);
    assert_false(record_covers(&m.record, STR("To")));
    unmake(&m);
}

static void
check_suite_file(const char *folder, const char *name)
{
    AUTO_BUF path = BUF(2048);
    AUTO_BUF message = BUF(16 << 20);
    AUTO_BUF text = BUF(16 << 20);
    struct made m;
    char block[4096];
    size_t n;

    buf_add_z(&path, folder);
    buf_add_char(&path, '/');
    buf_add_z(&path, name);
    buf_add_char(&path, '\0');
    assert_int_equal(buf_status(&path), OK);
    FILE *f = fopen(path.ptr, "rb");
    assert_non_null(f);
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        buf_add(&message, str_from(block, n));
    fclose(f);
    make(&m, buf_str(&message));
    assert_int_equal(record_envelope_write(&m.record, &text), OK);
    assert_int_equal(record_bodystructure_write(&m.record, true, &text), OK);
    assert_true(utf8_valid(m.record.preview) && utf8_valid(m.record.subject));
    unmake(&m);
}

/* Every message of the public suites makes a record that prints. */
static void
test_suite(void **state)
{
    static const char *const folders[] = {"mime/testmsgs", "mime/mimetools-testmsgs",
                                          "dkim/corpus"};
    unsigned count = 0;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        char folder[512];
        struct dirent *e;
        DIR *d = suite_open(folders[i], folder, sizeof(folder));
        if (d == NULL)
            skip();
        while ((e = readdir(d)) != NULL) {
            if (!str_ends(str_of(e->d_name), STR(".msg")) &&
                !str_ends(str_of(e->d_name), STR(".txt")))
                continue;
            check_suite_file(folder, e->d_name);
            count++;
        }
        closedir(d);
    }
    assert_true(count > 100);
}

static int
unload(void **state)
{
    (void)state;
    charset_unload();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_envelope),  cmocka_unit_test(test_bodystructure),
        cmocka_unit_test(test_paths),     cmocka_unit_test(test_keys),
        cmocka_unit_test(test_many_refs), cmocka_unit_test(test_received_date),
        cmocka_unit_test(test_subjects),  cmocka_unit_test(test_fold),
        cmocka_unit_test(test_preview),   cmocka_unit_test(test_damage),
        cmocka_unit_test(test_limits),    cmocka_unit_test(test_suite),
    };
    return cmocka_run_group_tests(tests, NULL, unload);
}
