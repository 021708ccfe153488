/* maildir_folder_test.c - a Maildir written and read again, and what other servers leave in one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <dlfcn.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/size.h"
#include "base/testing.h"
#include "migrate/maildir.h"

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
    snprintf(root, sizeof(root), "%s/godwit-maildir.XXXXXX", tmp != NULL ? tmp : "/tmp");
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
    assert_int_equal(migrate_file_write(at(name), str_of(text)), OK);
}

static void
test_round(void **state)
{
    AUTO_ARENA *a = arena_new(64u << 20);
    const struct uidlist head = {.uidvalidity = 1234, .uidnext = 90};
    const struct str words[] = {STR("$label1"), STR("work")};
    const struct migrate_new messages[] = {
        {.uid = 3,
         .flags = MIGRATE_SEEN,
         .keywords = words,
         .keyword_count = 2,
         .number = 1,
         .received = {INT64_C(1700000000123456)},
         .uidl = STR("old-3"),
         .body = STR("Subject: a\r\n\r\nb\r\n")},
        {.uid = 70,
         .number = 2,
         .received = {INT64_C(1600000000000001)},
         .keywords = words + 1,
         .keyword_count = 1,
         .body = STR("no end\n")},
    };
    struct migrate_folder f = {.path = at("Maildir")};
    struct maildir_writer w;

    (void)state;
    assert_int_equal(maildir_writer_begin(&w, f.path, true, &head), OK);
    for (size_t i = 0; i < COUNT_OF(messages); i++)
        assert_int_equal(maildir_write(&w, &messages[i]), OK);
    assert_int_equal(maildir_writer_end(&w), OK);
    maildir_writer_release(&w);
    assert_int_equal(maildir_writer_begin(&w, f.path, true, &head), ERR_EXISTS);
    maildir_writer_release(&w);

    assert_int_equal(maildir_folder_read(&f, UIDL_DOVECOT, a), OK);
    assert_true(f.count == 2 && f.uidvalidity == 1234 && f.uidnext == 90);
    assert_true(f.messages[0].uid == 3 && f.messages[0].flags == MIGRATE_SEEN);
    assert_true(f.messages[0].keywords == 3 && str_eq(f.words[0], words[0]));
    assert_true(str_eq(f.messages[0].uidl, STR("old-3")));
    assert_true(f.messages[1].uid == 70 && f.messages[1].keywords == 2);
    assert_true(str_eq(f.messages[1].uidl, STR("00000046000004d2")));
    for (size_t i = 0; i < 2; i++) {
        AUTO_BUF body = BUF(1000);
        struct instant received;
        assert_int_equal(maildir_body_read(&f, &f.messages[i], &body, &received), OK);
        assert_true(received.us == messages[i].received.us);
        assert_true(str_eq(buf_str(&body), i == 0 ? messages[0].body : STR("no end\r\n")));
    }
}

static void
test_tree(void **state)
{
    AUTO_ARENA *a = arena_new(64u << 20);
    static const char *const dirs[] = {"cur",      ".B",         ".B/cur", ".A.C",
                                       ".A.C/new", ".empty",     ".bad&x", ".bad&x/cur",
                                       ".INBOX",   ".INBOX/cur", "other",  "other/cur"};
    struct migrate_layout l = {.path = root};
    struct migrate_tree t;

    (void)state;
    assert_int_equal(maildir_tree(&l, a, &t), ERR_NOT_FOUND);
    for (size_t i = 0; i < COUNT_OF(dirs); i++)
        assert_int_equal(mkdir(at(dirs[i]), 0700), 0);
    put("subscriptions", "INBOX\nB\n");
    assert_int_equal(maildir_tree(&l, a, &t), OK);
    assert_true(t.count == 3 && t.skipped == 2 && t.subscribed_count == 2);
    assert_true(str_eq(t.folders[0].name, STR("INBOX")) && str_eq(t.folders[1].name, STR("A/C")));
    assert_true(str_eq(t.folders[2].name, STR("B")) && str_eq(t.subscribed[1], STR("B")));
    l.fs = true;
    assert_int_equal(maildir_tree(&l, a, &t), OK);
    assert_true(t.count == 2 && str_eq(t.folders[1].name, STR("other")));
}

/* Without a list, with one that lags, renamed while we look, and what is no message. */
static void
test_loose(void **state)
{
    AUTO_ARENA *a = arena_new(64u << 20);
    struct migrate_folder f = {.path = root};
    AUTO_BUF body = BUF(1000);
    struct instant received;

    (void)state;
    assert_int_equal(mkdir(at("cur"), 0700), 0);
    assert_int_equal(mkdir(at("new"), 0700), 0);
    put("new/20.b", "b\n");
    put("new/10.a", "a\n");
    put("cur/30.c:2,PS", "c\n");
    put("cur/.x", "x\n");
    put("dovecot-uidlist", "3 V9 N6\n5 :30.c\n4 :gone\n");
    assert_int_equal(maildir_folder_read(&f, STR_NONE, a), OK);
    assert_true(f.count == 3 && f.messages[0].uid == 5 && f.messages[1].uid == 0);
    assert_true(str_eq(f.messages[1].key, STR("10.a")) && str_eq(f.messages[2].key, STR("20.b")));
    assert_true(f.messages[0].uidl.len == 0 && f.messages[0].keywords == 1u << 26);
    assert_true(str_eq(f.words[26], STR("$Forwarded")));
    assert_int_equal(rename(at("new/10.a"), at("cur/10.a,S=2:2,S")), 0);
    assert_int_equal(maildir_body_read(&f, &f.messages[1], &body, &received), OK);
    assert_true(str_eq(buf_str(&body), STR("a\r\n")));
    assert_int_equal(unlink(at("new/20.b")), 0);
    assert_int_equal(maildir_body_read(&f, &f.messages[2], &body, &received), ERR_NOT_FOUND);
}

/* Stands before that of the C library: when the first folder has been read, a file moves. */
static const char *moves_from, *moves_to;

int
closedir(DIR *d)
{
    int (*real)(DIR *) = (int (*)(DIR *))dlsym(RTLD_NEXT, "closedir");
    int result = real(d);

    if (moves_from != NULL)
        assert_int_equal(rename(moves_from, moves_to), 0);
    moves_from = NULL;
    return result;
}

/* The old server takes a message from new to cur between our looks at them. */
static void
test_moving(void **state)
{
    AUTO_ARENA *a = arena_new(64u << 20);
    struct migrate_folder f = {.path = root};

    (void)state;
    assert_int_equal(mkdir(at("cur"), 0700), 0);
    assert_int_equal(mkdir(at("new"), 0700), 0);
    put("new/10.a", "a\n");
    moves_to = at("cur/10.a:2,S");
    moves_from = at("new/10.a");
    assert_int_equal(maildir_folder_read(&f, STR_NONE, a), OK);
    assert_true(moves_from == NULL && f.count == 2 && !f.missing);
    assert_true(f.messages[0].flags == MIGRATE_SEEN && f.messages[1].flags == 0);
    assert_true(str_eq(f.messages[0].key, f.messages[1].key));
    /* What is not there is not empty. */
    struct migrate_folder part = {.path = root};
    assert_int_equal(rmdir(at("new")), 0);
    assert_int_equal(maildir_folder_read(&part, STR_NONE, a), OK);
    assert_true(part.missing && part.count == 1);
}

static struct migrate_folder *
folder_of(const struct migrate_tree *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (str_eq(t->folders[i].name, str_of(name)))
            return &t->folders[i];
    return NULL;
}

/* The owner of a Maildir leads us nowhere else, not in circles, and does not keep us waiting. */
static void
test_links(void **state)
{
    AUTO_ARENA *a = arena_new(64u << 20);
    static const char *const dirs[] = {"out",      "out/cur",  "m",        "m/cur",
                                       "m/new",    "m/.X",     "m/.X/new", "m/.K",
                                       "m/.K/cur", "m/.K/new", "m/a",      "m/a/cur"};
    char path[2][300];
    struct migrate_layout l = {.path = path[0]};
    AUTO_BUF body = BUF(1000);
    struct instant received;
    struct migrate_tree t;

    (void)state;
    snprintf(path[0], sizeof(path[0]), "%s/m", root);
    snprintf(path[1], sizeof(path[1]), "%s/link", root);
    for (size_t i = 0; i < COUNT_OF(dirs); i++)
        assert_int_equal(mkdir(at(dirs[i]), 0700), 0);
    put("out/cur/1.secret", "x\n");
    put("out/uidlist", "3 V9 N6\n");
    assert_int_equal(symlink("../out", at("m/.L")), 0);
    assert_int_equal(symlink("../../out/cur", at("m/.X/cur")), 0);
    assert_int_equal(symlink("../../out/uidlist", at("m/.K/dovecot-uidlist")), 0);
    assert_int_equal(symlink("../../out/cur/1.secret", at("m/cur/1.link")), 0);
    assert_int_equal(symlink("..", at("m/a/loop")), 0);
    assert_int_equal(mkfifo(at("m/cur/2.pipe"), 0600), 0);
    assert_int_equal(mkfifo(at("m/subscriptions"), 0600), 0);
    assert_int_equal(maildir_tree(&l, a, &t), OK);
    assert_true(t.count == 3 && t.link_count == 2 && str_eq(t.links[0], STR(".L")));
    assert_int_equal(maildir_folder_read(folder_of(&t, "X"), STR_NONE, a), ERR_DENIED);
    assert_int_equal(maildir_folder_read(folder_of(&t, "K"), STR_NONE, a), ERR_DENIED);
    struct migrate_folder *f = &t.folders[0];
    assert_int_equal(maildir_folder_read(f, STR_NONE, a), OK);
    assert_int_equal(f->count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(maildir_body_read(f, &f->messages[i], &body, &received), ERR_DENIED);
    l.fs = true;
    assert_int_equal(maildir_tree(&l, a, &t), OK);
    assert_true(t.count == 2 && t.link_count == 2 && str_eq(t.links[0], STR("a/loop")));
    /* Of a tree of accounts, their folders too; what the administrator named may be a link. */
    l = (struct migrate_layout){.path = path[1]};
    assert_int_equal(symlink("out", l.path), 0);
    assert_int_equal(maildir_check(&l), OK);
    l.below = 5;
    assert_int_equal(maildir_check(&l), ERR_DENIED);
    assert_int_equal(maildir_tree(&l, a, &t), ERR_DENIED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round, begin, end),
        cmocka_unit_test_setup_teardown(test_tree, begin, end),
        cmocka_unit_test_setup_teardown(test_loose, begin, end),
        cmocka_unit_test_setup_teardown(test_moving, begin, end),
        cmocka_unit_test_setup_teardown(test_links, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
