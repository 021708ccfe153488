/* undo_test.c - after undo_all() a folder is as it was, whatever was made in it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "setup/undo.h"

static char dir[64];
static struct arena *arena;
static struct undo undo;

static int
set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/undo-test-XXXXXX");
    arena = arena_new(1 << 20);
    undo = (struct undo){.a = arena};
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return rmdir(dir); /* fails when something was left */
}

static struct str
at(const char *name)
{
    return arena_printf(arena, "%s/%s", dir, name);
}

static bool
is_there(const char *name)
{
    return access(at(name).ptr, F_OK) == 0;
}

static void
put(const char *name, const char *text)
{
    int fd = open(at(name).ptr, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void
assert_text(const char *name, const char *text)
{
    char got[100] = "";
    int fd = open(at(name).ptr, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(read(fd, got, sizeof(got) - 1), (ssize_t)strlen(text));
    assert_string_equal(got, text);
    close(fd);
}

static void
test_takes_back(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(undo_folder(&undo, at("a/b/c"), 0700, OWNER_SELF), OK);
    assert_int_equal(undo_write(&undo, at("a/b/key"), STR("secret"), 0600), OK);
    assert_int_equal(stat(at("a/b/key").ptr, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(at("a/b/c").ptr, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_text("a/b/key", "secret");
    put("a/b/c/of-others", "x");
    undo_expect(&undo, at("log"));
    put("log", "line");
    assert_int_equal(undo_all(&undo), 0);
    assert_false(is_there("a") || is_there("log"));
}

static void
test_keeps_what_was_there(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("a").ptr, 0755), 0);
    put("a/conf", "old");
    put("log", "line");
    assert_int_equal(undo_folder(&undo, at("a"), 0700, OWNER_SELF), OK);
    assert_int_equal(undo_folder(&undo, at("a/conf"), 0700, OWNER_SELF), ERR_EXISTS);
    assert_int_equal(undo_write(&undo, at("a/conf"), STR("x"), 0600), ERR_EXISTS);
    undo_expect(&undo, at("log"));
    assert_int_equal(undo_replace(&undo, at("a/conf"), STR("new")), OK);
    assert_text("a/conf", "new");
    assert_text("a/conf.old", "old");
    assert_int_equal(undo_all(&undo), 0);
    assert_text("a/conf", "old");
    assert_text("log", "line");
    assert_false(is_there("a/conf.old"));
    assert_int_equal(unlink(at("a/conf").ptr) + unlink(at("log").ptr) + rmdir(at("a").ptr), 0);
}

static void
test_empties_what_was_empty(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("empty").ptr, 0700) + mkdir(at("full").ptr, 0700), 0);
    put("full/mine", "x");
    undo_expect_contents(&undo, at("empty"));
    undo_expect_contents(&undo, at("full"));
    undo_expect_contents(&undo, at("none"));
    assert_int_equal(mkdir(at("empty/cells").ptr, 0700), 0);
    put("empty/cells/1", "x");
    put("empty/FORMAT", "x");
    put("full/theirs", "x");
    assert_int_equal(undo_all(&undo), 0);
    assert_int_equal(rmdir(at("empty").ptr), 0); /* there, and empty */
    assert_true(is_there("full/mine") && is_there("full/theirs"));
    assert_int_equal(
        unlink(at("full/mine").ptr) + unlink(at("full/theirs").ptr) + rmdir(at("full").ptr), 0);
}

static void
test_keep(void **state)
{
    (void)state;
    assert_int_equal(undo_write(&undo, at("file"), STR("x"), 0600), OK);
    undo_keep(&undo);
    assert_int_equal(undo_all(&undo), 0);
    assert_int_equal(unlink(at("file").ptr), 0);
}

static void
test_failures_leave_nothing(void **state)
{
    (void)state;
    assert_int_equal(undo_write(&undo, at("no/such/folder"), STR("x"), 0600), ERR_NOT_FOUND);
    assert_int_equal(undo_replace(&undo, at("none"), STR("x")), ERR_NOT_FOUND);
    assert_int_equal(undo.count, 0);
    for (size_t i = 0; i < UNDO_STEPS_MAX; i++)
        assert_int_equal(undo_write(&undo, at(arena_printf(arena, "f%zu", i).ptr), STR(""), 0600),
                         OK);
    assert_int_equal(undo_write(&undo, at("one-more"), STR("x"), 0600), ERR_LIMIT);
    assert_int_equal(undo_all(&undo), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_takes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keeps_what_was_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empties_what_was_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keep, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failures_leave_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
