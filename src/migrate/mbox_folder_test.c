/* mbox_folder_test.c - mbox files as programs leave them, one written and read again, and trees of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/size.h"
#include "base/testing.h"
#include "migrate/maildir.h"
#include "migrate/mbox.h"
#include "rt/disk.h"

#define FROM "From a@b Mon Nov 30 18:10:16 2026\n"
#define B(literal)                     \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }
static const int64_t from_us = INT64_C(1796062216000000);
static char root[200];

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st;
    (void)type;
    (void)f;
    return remove(path);
}

static int
begin(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(root, sizeof(root), "%s/godwit-mbox.XXXXXX", tmp != NULL ? tmp : "/tmp");
    return mkdtemp(root) == NULL;
}

static int
end(void **state)
{
    (void)state;
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *
at(const char *name)
{
    static char path[4][300];
    static size_t i;
    char *p = path[i++ % 4];

    snprintf(p, 300, "%s/%s", root, name);
    return p;
}

static void
put(const char *name, const char *text)
{
    (void)unlink(at(name));
    assert_int_equal(migrate_file_write(at(name), str_of(text)), OK);
}

/* "uid flags/message|" for each, and the numbers of the folder. */
static void
read_all(struct migrate_folder *f, struct arena *a, struct buf *out)
{
    assert_int_equal(mbox_folder_read(f, STR_NONE, a), OK);
    for (size_t i = 0; i < f->count; i++) {
        AUTO_BUF body = BUF(10u << 20);
        struct instant received;
        assert_int_equal(mbox_body_read(f, &f->messages[i], &body, &received), OK);
        assert_true(received.us == from_us);
        buf_addf(out, "%u %u/", f->messages[i].uid, f->messages[i].flags);
        buf_add(out, buf_str(&body));
        buf_add_char(out, '|');
    }
}

static void
test_files(void **state)
{
    static const struct {
        const char *text, *want;
        uint32_t uidvalidity, uidnext;
    } rows[] = {
        {"", "", 0, 0},
        {"\n\n", "", 0, 0},
        {FROM "S: 1\n\na\n\n" FROM "S: 2\n\nb\n\n", "0 0/S: 1\r\n\r\na\r\n|0 0/S: 2\r\n\r\nb\r\n|",
         0, 0},
        /* no empty line at the end, no line end */
        {FROM "S: 1\n\na\n\n" FROM "S: 2\n\nb", "0 0/S: 1\r\n\r\na\r\n|0 0/S: 2\r\n\r\nb|", 0, 0},
        {"\n" FROM "S: 1\n\na\n\n\n", "0 0/S: 1\r\n\r\na\r\n\r\n|", 0, 0},
        /* nothing but a header, with its empty line or without */
        {FROM "S: 1\n\n" FROM "S: 2\n\n\n" FROM "S: 3\n",
         "0 0/S: 1\r\n\r\n|0 0/S: 2\r\n\r\n|0 0/S: 3\r\n|", 0, 0},
        /* a From_ line without an empty one before it, and one without a date, are text */
        {FROM "S: 1\n\na\n" FROM "\nFrom here\nb\n",
         "0 0/S: 1\r\n\r\na\r\nFrom a@b Mon Nov 30 18:10:16 2026\r\n\r\nFrom here\r\nb\r\n|", 0, 0},
        /* mboxcl2 */
        {FROM "S: 1\nContent-Length: 37\n\na\n\n" FROM "\n" FROM "S: 2\n\nb\n",
         "0 0/S: 1\r\n\r\na\r\n\r\nFrom a@b Mon Nov 30 18:10:16 2026\r\n|0 0/S: 2\r\n\r\nb\r\n|", 0,
         0},
        {FROM "S: 1\nContent-Length: 5\n\n>From x\n" FROM,
         "0 0/S: 1\r\n\r\nFrom x\r\nFrom a@b Mon Nov 30 18:10:16 2026\r\n|", 0,
         0}, /* leads nowhere: quoted */
        {FROM "S: 1\nContent-Length: 8\n\n>From x\n\n" FROM "S: 2\n\nb\n",
         "0 0/S: 1\r\n\r\n>From x\r\n|0 0/S: 2\r\n\r\nb\r\n|", 0, 0},
        {FROM "S: 1\nContent-Length: 8\n\n>From x\n", "0 0/S: 1\r\n\r\n>From x\r\n|", 0, 0},
        {FROM "S: 1\nContent-Length: 0\n\n\n" FROM "S: 2\nContent-Length: 0\n\n",
         "0 0/S: 1\r\n\r\n|0 0/S: 2\r\n\r\n|", 0, 0},
        {FROM "S: 1\nContent-Length: 9999999999999999999\n\n>From x\n\n" FROM
              "S: 2\nContent-Length: 3\n\nb\n\n",
         "0 0/S: 1\r\n\r\nFrom x\r\n|0 0/S: 2\r\n\r\nb\r\n\r\n|", 0, 0},
        /* Dovecot; a UID that is too high, and one that is too low */
        {FROM "X-IMAPbase: 77 0000000009 w\nX-UID: 3\nStatus: RO\nS: 1\n\na\n\n" FROM
              "S: 2\nX-UID: 10\n\nb\n\n" FROM "S: 3\nX-UID: 3\n\nc\n\n" FROM
              "X-IMAPbase: 5 5\nS: 4\nX-UID: 9\n\nd\n\n",
         "3 8/S: 1\r\n\r\na\r\n|9 0/S: 4\r\n\r\nd\r\n|0 0/S: 2\r\n\r\nb\r\n|0 0/S: 3\r\n\r\nc\r\n|",
         77, 10},
        /* UW: numbers in a message that is none */
        {FROM
         "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 77 9\n\nx\n\n" FROM
         "X-UID: 9\nS: 1\n\na\n",
         "9 0/S: 1\r\n\r\na\r\n|", 77, 10},
        {FROM "X-UID: 3\nS: 1\n\na\n", "0 0/S: 1\r\n\r\na\r\n|", 0, 0},
        /* Thunderbird, expunged */
        {FROM "X-Mozilla-Status: 0008\nS: 1\n\na\n\n" FROM "X-Mozilla-Status: 0001\nS: 2\n\nb\n",
         "0 8/S: 2\r\n\r\nb\r\n|", 0, 0},
        {"From a@b Mon Nov 30 18:10:16 2026\r\nS: 1\r\n\r\na\r\n\r\nFrom a@b Mon Nov 30 18:10:16 "
         "2026\r\nS: 2\r\n\r\nb\r\n\r\n",
         "0 0/S: 1\r\n\r\na\r\n|0 0/S: 2\r\n\r\nb\r\n|", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(64u << 20);
        AUTO_BUF b = BUF(10000);
        struct migrate_folder f = {.path = at("box")};
        put("box", rows[i].text);
        read_all(&f, a, &b);
        if (!str_eq(buf_str(&b), str_of(rows[i].want)) || f.uidvalidity != rows[i].uidvalidity ||
            f.uidnext != rows[i].uidnext)
            fail_msg("row %zu: %.*s", i, STR_FMT(buf_str(&b)));
    }
}

static void
test_none(void **state)
{
    struct migrate_folder f = {.path = at("box")};
    AUTO_ARENA *a = arena_new(1u << 20);

    (void)state;
    put("box", "Subject: no mbox\n\nFrom a@b Mon Nov 30 18:10:16 2026\n");
    assert_int_equal(mbox_folder_read(&f, STR_NONE, a), ERR_SYNTAX);
    put("box", "From nobody\n");
    assert_int_equal(mbox_folder_read(&f, STR_NONE, a), ERR_SYNTAX);
    f.path = at("nowhere");
    assert_int_equal(mbox_folder_read(&f, STR_NONE, a), ERR_NOT_FOUND);
}

/* Flags, UIDs, line ends, quoting of others and where it stands change no key; the text does. */
static void
test_keys(void **state)
{
    static const struct {
        const char *text;
        size_t same; /* so many of its messages have the key of the first row's */
    } rows[] = {
        {FROM "S: 1\n\na\n\n", 1},
        {FROM "S: 1\n\na", 1},
        {FROM "S: 1\n\na\n", 1},
        {"From z Mon Nov 30 18:10:17 2026\nStatus: RO\nX-IMAPbase: 1 2 w\nS: 1\nX-UID: "
         "1\nX-Keywords: w\n w2\n\na\n\n",
         1},
        {"From z Mon Nov 30 18:10:17 2026\r\nS: 1\r\n\r\na\r\n\r\n", 1},
        {FROM "S: 1\nContent-Length: 2\n\na\n\n", 1},
        {FROM "X-Godwit-Mbox: 1\nX-UID: 1\nS: 1\n\na\n\n", 1},
        {FROM "S: 0\n\n\n" FROM "S: 1\n\na\n\n" FROM "S: 2\n\n\n", 1},
        {FROM "S: 1\n\na\n\n\n", 0},
        {FROM "S: 1\n\na b\n\n", 0},
        {FROM "S: 1\nX-Label: w\n\na\n\n", 0},
        {FROM "S: 1\n\nStatus: R\na\n\n", 0},
    };
    AUTO_ARENA *a = arena_new(64u << 20);
    struct str key = STR_NONE;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct migrate_folder f = {.path = at("box")};
        size_t same = 0;
        put("box", rows[i].text);
        assert_int_equal(mbox_folder_read(&f, STR_NONE, a), OK);
        if (i == 0)
            key = f.messages[0].key;
        for (size_t k = 0; k < f.count; k++)
            same += str_eq(f.messages[k].key, key);
        if (same != rows[i].same)
            fail_msg("row %zu", i);
    }
    struct migrate_folder f = {.path = at("box")};
    put("box", FROM "S: 1\n\na\n\n" FROM "S: 1\n\na\n\n" FROM "S: 1\n\na\n\n");
    assert_int_equal(mbox_folder_read(&f, STR_NONE, a), OK);
    assert_true(str_eq(f.messages[0].key, key) && str_ends(f.messages[1].key, STR(".2")) &&
                str_ends(f.messages[2].key, STR(".3")) && str_starts(f.messages[2].key, key));
}

/* Lines longer than what is read at once, and a message larger than any may be. */
static void
test_long(void **state)
{
    static const size_t sizes[] = {1,          (256u << 10) - 2, (256u << 10) - 1,
                                   256u << 10, (256u << 10) + 1, 700000};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        AUTO_ARENA *a = arena_new(64u << 20);
        AUTO_BUF text = BUF(10u << 20);
        AUTO_BUF got = BUF(10u << 20);
        buf_add(&text, STR(FROM "S: 1\r\n\r\n"));
        for (size_t k = 0; k < sizes[i]; k++)
            buf_add_char(&text, 'x');
        buf_add(&text, STR("\r\n\r\n" FROM "L: "));
        for (size_t k = 0; k < sizes[i]; k++)
            buf_add_char(&text, 'y');
        buf_add(&text, STR("\r\n\r\nend\r\n"));
        (void)unlink(at("box"));
        assert_int_equal(migrate_file_write(at("box"), buf_str(&text)), OK);
        struct migrate_folder f = {.path = at("box")};
        read_all(&f, a, &got);
        assert_int_equal(f.count, 2);
        assert_int_equal(got.len, 2 * sizes[i] + 32);
    }
    AUTO_ARENA *a = arena_new(64u << 20);
    AUTO_BUF body = BUF(LIMIT_MESSAGE_BYTES);
    AUTO(fd_close) int fd = open(at("box"), O_WRONLY | O_CLOEXEC);
    struct migrate_folder f = {.path = at("box")};
    struct instant t;
    assert_int_equal(ftruncate(fd, (off_t)LIMIT_MESSAGE_BYTES + (2 << 20)), 0);
    assert_int_equal(mbox_folder_read(&f, STR_NONE, a), OK);
    assert_int_equal(f.count, 2);
    assert_int_equal(mbox_body_read(&f, &f.messages[1], &body, &t), ERR_LIMIT);
}

/* Written anew by another program since it was listed. */
static void
test_changed(void **state)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    AUTO_BUF body = BUF(1000);
    struct migrate_folder f = {.path = at("box")};
    struct instant t;

    (void)state;
    put("box", FROM "S: 1\n\na\n\n" FROM "S: 2\n\nb\n\n");
    assert_int_equal(mbox_folder_read(&f, STR_NONE, a), OK);
    put("box", FROM "S: 1\n\na\n\n" FROM "S: 2\n\nc\n\n");
    assert_int_equal(mbox_body_read(&f, &f.messages[0], &body, &t), OK);
    assert_int_equal(mbox_body_read(&f, &f.messages[1], &body, &t), ERR_CONFLICT);
    put("box", FROM "S: 2\n\nb\n\n");
    assert_int_equal(mbox_body_read(&f, &f.messages[0], &body, &t), ERR_CONFLICT);
    assert_int_equal(mbox_body_read(&f, &f.messages[1], &body, &t), ERR_CONFLICT);
    /* Locked by whoever writes. */
    AUTO(fd_close) int fd = open(at("box"), O_WRONLY | O_CLOEXEC);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &l), 0);
    assert_int_equal(mbox_folder_read(&f, STR_NONE, a), ERR_TEMP);
}

static void
test_round(void **state)
{
    static const struct str words[] = {B("w"), B(""), B("$x")};
    static const struct migrate_new rows[] = {
        {.uid = 3,
         .flags = 31,
         .keywords = words,
         .keyword_count = 1,
         .uidl = B("old-3"),
         .body = B("Return-Path: <x@y>\r\nA: b\r\n\r\nFrom x\r\n>From y\r\n>>From z\r\n")},
        {.uid = 4, .body = B("A: b")},
        {.uid = 5, .body = B("A: b\r\n")},
        {.uid = 6, .body = B("A: b\r\n\r\n")},
        {.uid = 7, .body = B("\r\n")},
        {.uid = 8, .body = B("\r\n\r\n\r\nb\r\n\r\n")},
        {.uid = 9,
         .body = B("X-Godwit-Mbox: 2\r\nX-UID: 99\r\nStatus: R\r\nContent-Length: 2\r\n\r\nb\r\n")},
        {.uid = 10,
         .body = B(" starts like this\r\nFrom a@b Mon Nov 30 18:10:16 2026\r\n\r\nx\r\r\n")},
        {.uid = 11, .body = B("From a@b Mon Nov 30 18:10:16 2026")},
        {.uid = 12, .body = B("A: b\r\n\r\nend\r")},
        {.uid = 20,
         .flags = MIGRATE_DRAFT,
         .keywords = words + 2,
         .keyword_count = 1,
         .body = B("A: \0\r\n\r\n\0")},
    };
    const struct mbox_box box = {1234, 90, words, 3};
    AUTO_ARENA *a = arena_new(64u << 20);
    struct migrate_folder f = {.path = at("round")};
    AUTO(mbox_writer_release) struct mbox_writer w;

    (void)state;
    assert_int_equal(mbox_writer_begin(&w, f.path, &box), OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct migrate_new m = rows[i];
        m.received.us = from_us + (int64_t)i * 1000000;
        assert_int_equal(mbox_write(&w, &m), OK);
    }
    assert_int_not_equal(access(f.path, F_OK), 0);
    assert_int_equal(mbox_writer_end(&w), OK);
    assert_int_equal(mbox_folder_read(&f, STR_NONE, a), OK);
    assert_true(f.count == COUNT_OF(rows) && f.uidvalidity == 1234 && f.uidnext == 90);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct migrate_message *m = &f.messages[i];
        AUTO_BUF body = BUF(1000);
        struct instant t;
        assert_int_equal(mbox_body_read(&f, m, &body, &t), OK);
        assert_true(t.us == from_us + (int64_t)i * 1000000);
        if (m->uid != rows[i].uid || m->flags != rows[i].flags ||
            !str_eq(buf_str(&body), rows[i].body) || !str_eq(m->uidl, rows[i].uidl))
            fail_msg("row %zu: %.*s", i, STR_FMT(buf_str(&body)));
    }
    assert_true(f.messages[0].keywords == 1 && str_eq(f.words[0], words[0]));
    assert_true(f.messages[10].keywords == 2 && str_eq(f.words[1], words[2]));
    struct mbox_writer second;
    assert_int_equal(mbox_writer_begin(&second, f.path, &box), ERR_EXISTS);
    mbox_writer_release(&second);
    /* Not finished: nothing stays. */
    assert_int_equal(mbox_writer_begin(&second, at("half"), &box), OK);
    assert_int_equal(mbox_write(&second, &rows[0]), OK);
    mbox_writer_release(&second);
    assert_true(access(at("half"), F_OK) != 0 && access(at("half.part"), F_OK) != 0);
    /* An empty one keeps its numbers. */
    assert_int_equal(mbox_writer_begin(&second, at("empty"), &box), OK);
    assert_int_equal(mbox_writer_end(&second), OK);
    mbox_writer_release(&second);
    f = (struct migrate_folder){.path = at("empty")};
    assert_int_equal(mbox_folder_read(&f, STR_NONE, a), OK);
    assert_true(f.count == 0 && f.uidvalidity == 1234 && f.uidnext == 90);
}

static void
test_tree(void **state)
{
    static const char *const dirs[] = {"t",       "t/A.sbd", "t/A.sbd/b.sbd", "t/C",
                                       "t/.imap", "t/A2",    "t/A2.sbd"};
    static const char *const files[] = {
        "t/Inbox",          "t/A",       "t/A.sbd/b", "t/A.sbd/b.sbd/R&D",
        "t/C/Entw&APw-rfe", "t/.imap/x", "t/A2/b",    "t/A2.sbd/b"};
    AUTO_ARENA *a = arena_new(64u << 20);
    AUTO_BUF got = BUF(1000);
    struct migrate_tree t;
    struct migrate_layout l = {.path = at("t")};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(dirs); i++)
        assert_int_equal(mkdir(at(dirs[i]), 0700), 0);
    for (size_t i = 0; i < COUNT_OF(files); i++)
        put(files[i], FROM "S: 1\n\na\n");
    put("t/empty", "");
    put("t/x.msf", "");
    put("t/prefs.js", "not mail\n");
    put("t/\x80", "");
    put("t/.subscriptions", "C/Entw&APw-rfe\nv1.2\n");
    assert_int_equal(symlink("Inbox", at("t/link")), 0);
    l.path = at("t");
    assert_int_equal(mbox_tree(&l, a, &t), OK);
    for (size_t i = 0; i < t.count; i++)
        buf_addf(&got, "%.*s %s|", STR_FMT(t.folders[i].name),
                 t.folders[i].path + strlen(t.folders[i].path) - t.folders[i].below);
    buf_add_char(&got, '\0');
    assert_string_equal(got.ptr,
                        "INBOX /Inbox|A /A|A/b /A.sbd/b|A/b/R&D /A.sbd/b.sbd/R&D|A2/b /A2/b|"
                        "C/Entw\xc3\xbcrfe /C/Entw&APw-rfe|empty /empty|");
    assert_true(t.skipped == 2 && t.other == 1 && t.link_count == 1 &&
                str_eq(t.links[0], STR("link")));
    assert_true(t.subscribed_count == 2 && str_eq(t.subscribed[0], STR("C/Entw\xc3\xbcrfe")) &&
                str_eq(t.subscribed[1], STR("v1.2")));
    /* A file is INBOX; what its owner made a link is none, what the administrator did is. */
    l.path = at("t/link");
    assert_int_equal(mbox_tree(&l, a, &t), OK);
    assert_true(t.count == 1 && str_eq(t.folders[0].name, STR("INBOX")));
    l.below = strlen("link");
    assert_int_equal(mbox_check(&l), ERR_DENIED);
    l = (struct migrate_layout){.path = at("t/prefs.js")};
    assert_int_equal(mbox_check(&l), ERR_NOT_FOUND);
    l.path = at("t/none");
    assert_int_equal(mbox_check(&l), ERR_NOT_FOUND);
}

/* What nobody can have is refused, rather than to run out of memory; what is no mbox takes none. */
static void
test_too_many(void **state)
{
    AUTO_ARENA *a = arena_new(256u << 20);
    char name[64], path[300];
    const struct migrate_layout l = {.path = path};
    struct migrate_tree t;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s", at("many"));
    assert_int_equal(mkdir(path, 0700), 0);
    for (unsigned i = 0; i <= LIMIT_MAILBOXES; i++) {
        (void)snprintf(name, sizeof(name), "many/%u", i);
        if (i == LIMIT_MAILBOXES) {
            assert_int_equal(mbox_tree(&l, a, &t), OK);
            assert_true(t.count == LIMIT_MAILBOXES);
        }
        put(name, "");
    }
    assert_int_equal(mbox_tree(&l, a, &t), ERR_LIMIT);
    assert_int_equal(mbox_check(&l), ERR_LIMIT);
}

/* Below a file there is nothing; a list of subscriptions has an end. */
static void
test_no_tree(void **state)
{
    AUTO_ARENA *a = arena_new(256u << 20);
    struct migrate_layout l = {0};
    AUTO_BUF names = BUF(1u << 20);
    struct migrate_tree t;

    (void)state;
    put("file", FROM "S: 1\n\na\n");
    l.path = at("file/mail");
    assert_int_equal(mbox_check(&l), ERR_NOT_FOUND);
    l.below = strlen("file/mail");
    assert_int_equal(mbox_check(&l), ERR_NOT_FOUND);
    assert_int_equal(mkdir(at("listed"), 0700), 0);
    for (unsigned i = 0; i <= LIMIT_MAILBOXES; i++)
        buf_addf(&names, "n%u\n", i);
    buf_add_char(&names, '\0');
    put("listed/.subscriptions", names.ptr);
    l = (struct migrate_layout){.path = at("listed")};
    assert_int_equal(mbox_tree(&l, a, &t), ERR_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),   cmocka_unit_test(test_none),
        cmocka_unit_test(test_keys),    cmocka_unit_test(test_long),
        cmocka_unit_test(test_changed), cmocka_unit_test(test_round),
        cmocka_unit_test(test_tree),    cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_no_tree),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
