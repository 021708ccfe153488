/* maildir_test.c - what stands in Maildir++ folders, in tables.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "base/testing.h"
#include "migrate/maildir.h"

static void
test_names(void **state)
{
    static const struct {
        const char *file, *base, *unique;
        uint32_t flags, letters;
        bool passed;
    } rows[] = {
        {"1.M2P3.h,S=5,W=6:2,FSa", "1.M2P3.h,S=5,W=6", "1.M2P3.h", MIGRATE_FLAGGED | MIGRATE_SEEN,
         1, false},
        {"1.h", "1.h", "1.h", 0, 0, false},
        {"1.h:2,", "1.h", "1.h", 0, 0, false},
        {"1.h:2,DFPRSTz", "1.h", "1.h", 31, 1u << 25, true},
        {"1.h:1,S", "1.h", "1.h", 0, 0, false}, /* experimental semantics: not flags */
        {"1.h:2,S,x", "1.h", "1.h", MIGRATE_SEEN, 1u << 23, false},
        {"", NULL, NULL, 0, 0, false},
        {".", NULL, NULL, 0, 0, false},
        {".hidden:2,S", NULL, NULL, 0, 0, false},
        {":2,S", NULL, NULL, 0, 0, false},
        {",S=1:2,S", NULL, NULL, 0, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct maildir_name n = {0};
        assert_int_equal(maildir_name_read(str_of(rows[i].file), &n), rows[i].base != NULL);
        if (rows[i].base == NULL)
            continue;
        assert_true(str_eq(n.base, str_of(rows[i].base)));
        assert_true(str_eq(n.unique, str_of(rows[i].unique)));
        assert_int_equal(n.flags, rows[i].flags);
        assert_int_equal(n.letters, rows[i].letters);
        assert_int_equal(n.passed, rows[i].passed);
    }
}

static void
test_lists(void **state)
{
    static const struct {
        const char *text;
        uint32_t uidvalidity, uidnext; /* 0: not a list */
        const char *entries;           /* uid=base/uidl ... */
    } rows[] = {
        {"3 V1234 N56 Gabc\n7 :1.a\n9 W12 Pold-1 S3 :1.b,S=4\n", 1234, 56,
         "7=1.a/ 9=1.b,S=4/old-1 "},
        /* no unique ids: bytes beyond those of RFC 1939 section 7, 71 of them, none */
        {"3 V1 N2\n5 Pa\tb :a\n6 P\xe9 :b\n7 Pa\x7f :c\n8 P\x1b[2J :d\n9 P :e\n", 1, 2,
         "5=a/ 6=b/ 7=c/ 8=d/ 9=e/ "},
        {"3 V1 N2\n5 Pxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx :a\n6 "
         "Pxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx :b\n7 P!~ :c\n",
         1, 2,
         "5=a/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx 6=b/ 7=c/!~ "},
        {"3 V1 N2\n", 1, 2, ""},
        {"3 N2 V1 \n5 :a:2,S\n", 1, 2, "5=a/ "},
        {"1 1234 56\n7 1.a\n8 1.b c\n", 1234, 56, "7=1.a/ 8=1.b c/ "}, /* Courier */
        {"1 1234 56\r\n7 1.a\r\n", 1234, 56, "7=1.a/ "},
        {"3 V1 N2\nx\n0 :a\n4294967296 :b\n5\n6 \n7 :\n8 W1\n9 :c", 1, 2, "9=c/ "},
        {"3 N2\n5 :a\n", 0, 0, ""},
        {"3 V0 N2\n", 0, 0, ""},
        {"3 Vx N2\n", 0, 0, ""},
        {"3 V4294967296 N2\n", 0, 0, ""},
        {"3 V2147483648 N2\n5 :a\n", 0, 0, ""}, /* so high that no room is left for new mail */
        {"3 V2147483647 N2147483648\n5 :a\n2147483648 :b\n2147483647 :c\n", 2147483647, 0,
         "5=a/ 2147483647=c/ "},
        {"3 V1 N2147483647\n4294967295 :a\n", 1, 2147483647, ""},
        {"1 2147483648 5\n", 0, 0, ""},
        {"1 7 4294967295\n5 a\n", 7, 0, "5=a/ "},
        {"2 V1 N2\n", 0, 0, ""},
        {"1 0 5\n", 0, 0, ""},
        {"1 7\n", 0, 0, ""},
        {"", 0, 0, ""},
        {"\n", 0, 0, ""},
        {"hello\n", 0, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF b = BUF(1000);
        struct uidlist_entry e;
        struct uidlist l;
        bool is = uidlist_begin(str_of(rows[i].text), &l);
        assert_int_equal(is, rows[i].uidvalidity != 0);
        if (!is)
            continue;
        assert_int_equal(l.uidvalidity, rows[i].uidvalidity);
        assert_int_equal(l.uidnext, rows[i].uidnext);
        while (uidlist_next(&l, &e))
            buf_addf(&b, "%u=%.*s/%.*s ", e.uid, STR_FMT(e.base), STR_FMT(e.uidl));
        assert_true(str_eq(buf_str(&b), str_of(rows[i].entries)));
    }
}

static void
test_keywords(void **state)
{
    struct str words[MAILDIR_LETTERS] = {0};

    (void)state;
    maildir_keywords_read(STR("0 $label1\n25 last\n26 none\nx y\n3 two words\n2\n1 \n"), words);
    assert_true(str_eq(words[0], STR("$label1")));
    assert_true(str_eq(words[25], STR("last")));
    assert_true(str_eq(words[3], STR("two words")));
    assert_true(words[2].len == 0 && words[1].len == 0 && words[4].len == 0);
}

static void
test_folders(void **state)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    static const struct {
        const char *dir;
        char sep;
        const char *name; /* NULL: none */
        const char *back; /* NULL: as dir */
    } rows[] = {
        {".Sent", '.', "Sent", NULL},
        {".A.B.C", '.', "A/B/C", NULL},
        {".Entw&APw-rfe", '.', "Entw\xc3\xbcrfe", NULL},
        {".R&-D", '.', "R&D", NULL},
        {".v1&AC4-2.x", '.', "v1.2/x", NULL},
        {"A/B", '/', "A/B", ".A.B"},
        {".Entw\xc3\xbcrfe", '.', "Entw\xc3\xbcrfe", ".Entw&APw-rfe"},
        {".", '.', NULL, NULL},
        {"", '.', NULL, NULL},
        {"..A", '.', NULL, NULL},
        {".A..B", '.', NULL, NULL},
        {".A.", '.', NULL, NULL},
        {".A/B", '.', NULL, NULL},
        {".A\x01", '.', NULL, NULL},
        {".bad\xff", '.', NULL, NULL},
        {".bad&x", '.', NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF b = BUF(1000);
        struct str name;
        enum status s = maildir_folder_name(str_of(rows[i].dir), rows[i].sep, a, &name);
        assert_int_equal(s == OK, rows[i].name != NULL);
        if (s != OK)
            continue;
        assert_true(str_eq(name, str_of(rows[i].name)));
        maildir_folder_dir(name, &b);
        assert_true(str_eq(buf_str(&b), str_of(rows[i].back != NULL ? rows[i].back : rows[i].dir)));
    }
}

static void
test_subscriptions(void **state)
{
    static const struct {
        const char *text, *names;
    } rows[] = {
        {"INBOX\nSent\nA.B\n\nEntw&APw-rfe\n", "INBOX|Sent|A/B|Entw\xc3\xbcrfe|"},
        {"V\t2\n\nINBOX\nA\tB\nx.y\n", "INBOX|A/B|x.y|"},
        {"INBOX\nINBOX.Sent\nINBOX.A.B\n", "INBOX|Sent|A/B|"}, /* Courier */
        {"inbox\nA/B\n", "INBOX|A/B|"},
        {"bad&x\n..\nC", "C|"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(1u << 20);
        AUTO_BUF b = BUF(1000);
        struct subscriptions s = subscriptions_of(str_of(rows[i].text));
        struct str name;
        while (subscriptions_next(&s, a, &name))
            buf_addf(&b, "%.*s|", STR_FMT(name));
        assert_true(str_eq(buf_str(&b), str_of(rows[i].names)));
    }
}

static void
test_uidls(void **state)
{
    const struct uidl_facts f = {10, 0x5f00, STR("1.a")};
    static const struct {
        const char *format, *uidl; /* NULL: refused */
    } rows[] = {
        {"%08Xu%08Xv", "0000000a00005f00"},
        {"%u-%v", "10-24320"},
        {"UID%u-%v", "UID10-24320"},
        {"%Xu.%08u", "a.00000010"},
        {"%f", "1.a"},
        {"", NULL},
        {"%", NULL},
        {"%m", NULL},
        {"%08", NULL},
        {"a b", NULL},
        {"%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%fx",
         "1.a1.a1.a1.a1.a1.a1.a1.a1.a1.a1.a1.a1.a1."
         "a1.a1.a1.a1.a1.a1.a1.a1.a1.ax"},
        {"%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%f%fxy", NULL}, /* 71 */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF b = BUF(1000);
        bool is = uidl_format(str_of(rows[i].format), &f, &b);
        assert_int_equal(is, rows[i].uidl != NULL);
        assert_true(!is || str_eq(buf_str(&b), str_of(rows[i].uidl)));
    }
}

static void
test_lines(void **state)
{
    static const struct {
        const char *text, *crlf, *lf;
    } rows[] = {
        {"a\nb\n", "a\r\nb\r\n", "a\nb\n"},
        {"a\r\nb\r\n", "a\r\nb\r\n", "a\nb\n"},
        {"a\r\nb", "a\r\nb", "a\nb"},
        {"a\nb\r\nc", "a\r\nb\r\nc", "a\nb\r\nc"}, /* mixed: left */
        {"\n\r\n\n", "\r\n\r\n\r\n", "\n\r\n\n"},
        {"a\rb\r\n", "a\rb\r\n", "a\rb\n"},
        {"a\r\r\n", "a\r\r\n", "a\r\r\n"},
        {"", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF crlf = BUF(100);
        AUTO_BUF lf = BUF(100);
        assert_int_equal(migrate_crlf(str_of(rows[i].text), &crlf), OK);
        migrate_lf(str_of(rows[i].text), &lf);
        assert_true(str_eq(buf_str(&crlf), str_of(rows[i].crlf)));
        assert_true(str_eq(buf_str(&lf), str_of(rows[i].lf)));
    }
    AUTO_BUF small = BUF(3);
    assert_int_equal(migrate_crlf(STR("a\nb"), &small), ERR_LIMIT);
}

static void
test_keys(void **state)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    char text[LIMIT_IMPORT_KEY_BYTES + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = 'k';
    assert_int_equal(migrate_key(str_from(text, LIMIT_IMPORT_KEY_BYTES), a).len,
                     LIMIT_IMPORT_KEY_BYTES);
    struct str x = migrate_key(str_from(text, LIMIT_IMPORT_KEY_BYTES + 1), a);
    struct str y = migrate_key(str_from(text, LIMIT_IMPORT_KEY_BYTES + 2), a);
    assert_true(x.len <= LIMIT_IMPORT_KEY_BYTES && y.len == x.len && !str_eq(x, y));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),         cmocka_unit_test(test_lists),
        cmocka_unit_test(test_keywords),      cmocka_unit_test(test_folders),
        cmocka_unit_test(test_subscriptions), cmocka_unit_test(test_uidls),
        cmocka_unit_test(test_lines),         cmocka_unit_test(test_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
