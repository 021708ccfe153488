/* mbox_test.c - From_ lines, fields and quoted lines of mbox files, in tables.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "base/testing.h"
#include "migrate/mbox.h"

static void
test_from(void **state)
{
    enum { T = 1796062216, H = 3600 }; /* Mon Nov 30 18:10:16 2026 UTC */
    static const struct {
        const char *line;
        int64_t seconds; /* 0: a line of a text */
    } rows[] = {
        {"From a@b.example Mon Nov 30 18:10:16 2026", T}, /* RFC 4155 */
        {"From  Mon Nov 30 18:10:16 2026", T},
        {"From - Mon Nov 30 18:10:16 2026", T}, /* Thunderbird */
        {"From MAILER-DAEMON Sat Nov  7 18:10:16 2026", T - 23 * 24 * H},
        {"From ???@??? Mon Nov 30 18:10:16 2026", T}, /* Eudora */
        {"From \"a b\"@c Mon Nov 30 18:10:16 2026", T},
        {"From a@b\tMon Nov 30 18:10:16 2026\r", T},
        {"From a@b Mon Nov 30 18:10 2026", T - 16},
        {"From a@b Mon Nov 30 18:10:16 26", T},
        {"From a@b Mon Nov 30 18:10:16 UTC 2026", T},
        {"From a@b Mon Nov 30 18:10:16 CET 2026", T - H},
        {"From a@b Mon Nov 30 18:10:16 XYZ 2026", T},
        {"From a@b Mon Nov 30 18:10:16 MET DST 2026", T - 2 * H},
        {"From a@b Mon Nov 30 18:10:16 +0100 2026", T - H}, /* Google */
        {"From a@b Mon Nov 30 18:10:16 2026 -0130", T + H + H / 2},
        {"From a@b Mon Nov 30 18:10:16 2026 CET", T - H},
        {"From a@b Mon, 30 Nov 2026 18:10:16 +0100 (CET)", T - H},
        {"From a@b Mon, 30 Nov 2026 18:10:16", T},
        {"From u Mon Nov 30 18:10:16 2026 remote from host", T},
        {"From Mon Tue Wed Mon Nov 30 18:10:16 2026", T},
        {"From a@b Thu Jan  1 00:00:01 1970", 1},
        {"From a@b Fri Feb 29 00:00:00 2026", 0},
        {"From a@b Mon Nov 30 24:10:16 2026", 0},
        {"From a@b Mon Nov 30 18:10:16", 0},
        {"From a@b Mon Nov 30 2026", 0},
        {"From a@b Nov 30 18:10:16 2026", 0},
        {"From a@b Mon Nov 30 18:10:16 2026 we are away", 0},
        {"From Monday on 30 Nov 2026 18:10:16", 0},
        {"From now on", 0},
        {"From ", 0},
        {"From", 0},
        {"", 0},
        {">From a@b Mon Nov 30 18:10:16 2026", 0},
        {"from a@b Mon Nov 30 18:10:16 2026", 0},
        {"From: a@b Mon Nov 30 18:10:16 2026", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct instant t = {0};
        bool is = mbox_from_read(str_of(rows[i].line), &t);
        if (is != (rows[i].seconds != 0) || t.us != rows[i].seconds * 1000000)
            fail_msg("%s: %lld", rows[i].line, (long long)t.us);
    }
}

static void
test_from_write(void **state)
{
    static const struct {
        const char *sender;
        int64_t us;
        const char *line;
    } rows[] = {
        {"a@b", INT64_C(1796062216999999), "From a@b Mon Nov 30 18:10:16 2026\n"},
        {"", 0, "From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n"},
        {"\"a b\"@c", -1, "From MAILER-DAEMON Wed Dec 31 23:59:59 1969\n"},
        {"a\nb", 0, "From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n"},
        {"a", INT64_MAX, "From a Fri Dec 31 23:59:59 9999\n"},
        {"a", INT64_MIN, "From a Mon Jan  1 00:00:00 0001\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF b = BUF(1000);
        mbox_from_write(str_of(rows[i].sender), (struct instant){rows[i].us}, &b);
        buf_add_char(&b, '\0');
        assert_string_equal(b.ptr, rows[i].line);
    }
}

static void
test_heads(void **state)
{
    static const struct {
        const char *head, *words;
        struct mbox_head want;
        size_t ours; /* lines that are of the message */
    } rows[] = {
        {"Status: RO\nX-Status: AFTD\nSubject: x\n", "", {.flags = 31}, 1},
        {"Status: O\nx-status: F\n", "", {.flags = MIGRATE_FLAGGED}, 0},
        {"Status: AFTD\nX-Status: R\n", "", {.flags = 0}, 0}, /* not their letters */
        {"X-UID: 17   \nX-Keywords: a $b   \n c\n", "a $b c ", {.uid = 17}, 0},
        {"X-UID: 2147483648\n", "", {.uid = 0}, 0},
        {"X-IMAPbase: 1234 0000000042 a b\n", "", {.uidvalidity = 1234, .uid_last = 42}, 0},
        {"X-IMAPbase: 1234567890123 42\n", "", {.uidvalidity = 0}, 0},
        {"X-IMAPbase: 1234 2147483647\n", "", {.uidvalidity = 0}, 0},
        {"X-IMAPbase: 1234\n", "", {.uidvalidity = 0}, 0},
        {"X-IMAP: 7 8\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n",
         "",
         {.uidvalidity = 7, .uid_last = 8, .pseudo = true},
         1},
        {"X-IMAP: 7 8\nSubject: hello\n", "", {.uidvalidity = 7, .uid_last = 8}, 1},
        {"Subject: FOLDER INTERNAL DATA\n", "", {.uid = 0}, 1},
        {"Content-Length: 77\nA: b\n c\n", "", {.has_length = true, .length = 77}, 2},
        {"Content-Length: x\n", "", {.has_length = false}, 0},
        {"X-UIDL: spam\nX-Godwit-Mbox: 3\n", "", {.uid = 0}, 2},
        {"X-Mozilla-Status: 1005\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: $label1  \n",
         "$Forwarded $label1 ",
         {.flags = MIGRATE_SEEN | MIGRATE_FLAGGED},
         0},
        {"X-Mozilla-Status: 0009\n", "", {.flags = MIGRATE_SEEN, .expunged = true}, 0},
        {"X-Mozilla-Status: 00z9\n", "", {.flags = 0}, 0},
        {"X-Keywords: a(b \\Seen \x80 x\n", "x ", {.uid = 0}, 0},
        {"no colon\n Status: R\n", "", {.uid = 0}, 2},
        {"X-Godwit-Mbox: 2 exact\nX-UID: 5\nStatus: R\nX-UID: 6\n x\nStatus: R\nX-Godwit-Mbox: 9\n",
         "",
         {.own = true, .uid = 5, .flags = MIGRATE_SEEN},
         4},
        {"X-Godwit-Mbox: 0 open\n x\n", "", {.own = true, .open = true}, 0},
        /* written on by others: a field more, a field less */
        {"X-Godwit-Mbox: 2\nX-UID: 5\nStatus: O\nSubject: x\nX-Keywords: w\nX-UIDL: y\n",
         "w ",
         {.own = true, .uid = 5},
         2},
        {"X-Godwit-Mbox: 3 open\nX-UID: 5\nFrom: a\nStatus: R\n",
         "",
         {.uid = 5, .flags = MIGRATE_SEEN},
         1},
        {"X-Godwit-Mbox: 17\nX-UID: 5\n", "", {.uid = 5}, 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(mbox_head_release) struct mbox_head h = {0};
        AUTO_BUF words = BUF(1000);
        struct str rest = str_of(rows[i].head), line, word;
        size_t ours = 0;
        while (str_split(&rest, '\n', &line) && rest.ptr != NULL)
            ours += mbox_head_line(&h, str_from(line.ptr, line.len + 1), true);
        mbox_head_end(&h);
        struct str list = buf_str(&h.words);
        while (mbox_keyword_next(&list, &word))
            buf_addf(&words, "%.*s ", STR_FMT(word));
        const struct mbox_head *w = &rows[i].want;
        if (h.uid != w->uid || h.flags != w->flags || h.uidvalidity != w->uidvalidity ||
            h.uid_last != w->uid_last || h.own != w->own || h.open != w->open ||
            h.pseudo != w->pseudo || h.expunged != w->expunged || h.has_length != w->has_length ||
            h.length != w->length || ours != rows[i].ours ||
            !str_eq(buf_str(&words), str_of(rows[i].words)))
            fail_msg("row %zu: %zu lines, %.*s", i, ours, STR_FMT(buf_str(&words)));
    }
}

/* What POP3 cannot say is none. */
static void
test_uidls(void **state)
{
#define TEN "0123456789"
    static const char *const rows[][2] = {
        {"!a~", "!a~"},
        {TEN TEN TEN TEN TEN TEN TEN, TEN TEN TEN TEN TEN TEN TEN},
        {TEN TEN TEN TEN TEN TEN TEN "x", ""},
        {"a b", ""},
        {"a\x7f", ""},
        {"a\x80", ""},
        {"a\r\x01", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(mbox_head_release) struct mbox_head h = {0};
        AUTO_BUF line = BUF(1000);
        (void)!mbox_head_line(&h, STR("X-Godwit-Mbox: 1\n"), true);
        buf_addf(&line, "X-UIDL: %s\n", rows[i][0]);
        (void)!mbox_head_line(&h, buf_str(&line), true);
        mbox_head_end(&h);
        ROW(i, str_eq(buf_str(&h.uidl), str_of(rows[i][1])));
    }
}

static void
test_texts(void **state)
{
    static const struct {
        const char *raw;
        enum migrate_quoting quoting;
        const char *message;
    } rows[] = {
        {"Subject: a\nStatus: R\n\n>From x\n>>From y\n>Fro\nFrom\n", MIGRATE_MBOXRD,
         "Subject: a\r\n\r\nFrom x\r\n>From y\r\n>Fro\r\nFrom\r\n"},
        {"Subject: a\n\n>From x\n>>From y\n", MIGRATE_MBOXO,
         "Subject: a\r\n\r\nFrom x\r\n>>From y\r\n"},
        {"Subject: a\n\n>From x\n>>From y\n", MIGRATE_UNQUOTED,
         "Subject: a\r\n\r\n>From x\r\n>>From y\r\n"},
        {">From u\nSubject: a\r\n\r\nb\r\nno end", MIGRATE_MBOXRD,
         ">From u\r\nSubject: a\r\n\r\nb\r\nno end"},
        {"Subject: a\n\nStatus: R\n", MIGRATE_MBOXRD, "Subject: a\r\n\r\nStatus: R\r\n"},
        {"Status: R\n", MIGRATE_MBOXRD, ""},
        {"", MIGRATE_MBOXRD, ""},
        {"X-Godwit-Mbox: 1 open exact\nX-UID: 1\n>From x\nStatus: R\n\n>>From y\n", MIGRATE_MBOXO,
         "From x\r\nStatus: R\r\n\r\n>From y"},
        {"X-Godwit-Mbox: 0 open\nA: b\n", MIGRATE_MBOXO, "A: b"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF b = BUF(1000);
        const struct mbox_text t = {str_of(rows[i].raw), rows[i].quoting};
        assert_int_equal(mbox_text_read(&t, &b), OK);
        buf_add_char(&b, '\0');
        assert_string_equal(b.ptr, rows[i].message);
    }
    AUTO_BUF small = BUF(10);
    const struct mbox_text t = {STR("A: 23456789\n"), MIGRATE_MBOXRD};
    assert_int_equal(mbox_text_read(&t, &small), ERR_LIMIT);
}

static void
test_files(void **state)
{
    static const struct {
        const char *name, *file;
    } rows[] = {
        {"INBOX", "INBOX"},
        {"A/b c/D", "A.sbd/b c.sbd/D"},
        {"Entw\xc3\xbcrfe", "Entw&APw-rfe"},
        {"R&D", "R&-D"},
        {"v1.2", "v1.2"},
        {".x", "&AC4-x"},
        {"a.lock/b.sbd", "a&AC4-lock.sbd/b&AC4-sbd"},
        {".b.msf", "&AC4-b&AC4-msf"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF b = BUF(1000);
        mbox_folder_file(str_of(rows[i].name), &b);
        buf_add_char(&b, '\0');
        assert_string_equal(b.ptr, rows[i].file);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from),  cmocka_unit_test(test_from_write),
        cmocka_unit_test(test_heads), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_files), cmocka_unit_test(test_uidls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
