/* disk_test.c - complete writes, final syncs, planned faults.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/size.h"
#include "rt/disk.h"

static char dir[64];
static char path[128], other[128];

static int
setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/disk_test.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/a", dir);
    snprintf(other, sizeof(other), "%s/b", dir);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    disk_fault_for_tests(0, DISK_FAULT_NONE);
    unlink(path);
    unlink(other);
    assert_int_equal(rmdir(dir), 0);
    return 0;
}

static struct iovec
part(const char *s)
{
    union {
        const char *in;
        char *out;
    } u = {s};

    return (struct iovec){u.out, strlen(s)};
}

static void
bytes_come_back(void **state)
{
    AUTO(fd_close) int fd = -1;
    struct iovec parts[150]; /* more than one call takes */
    char back[450];

    (void)state;
    assert_int_equal(disk_open(path, O_RDWR, 0, &fd), ERR_NOT_FOUND);
    assert_int_equal(fd, -1);
    assert_int_equal(disk_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &fd), OK);
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        parts[i] = part("xyz");
    assert_int_equal(disk_write_at(fd, parts, COUNT_OF(parts), 10), OK);
    assert_int_equal(disk_sync(fd), OK);
    assert_int_equal(disk_read_at(fd, back, sizeof(back), 10), OK);
    for (size_t i = 0; i < sizeof(back); i++)
        assert_int_equal(back[i], "xyz"[i % 3]);
    assert_int_equal(disk_read_at(fd, back, sizeof(back), 11), ERR_CORRUPT); /* one short */
    assert_false(disk_read_cached(fd, &(struct iovec){back, sizeof(back)}, 1, 11));
    assert_int_equal(disk_write_at(fd, NULL, 0, 0), OK);
}

static void
names_and_room(void **state)
{
    AUTO(fd_close) int fd = -1;
    struct stat st;
    uint64_t free_bytes, total;
    int second = -1;

    (void)state;
    assert_int_equal(disk_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &fd), OK);
    assert_int_equal(disk_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &second), ERR_EXISTS);
    assert_int_equal(disk_allocate(fd, 100000), OK);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, 100000);
    assert_int_equal(disk_rename(path, other), OK);
    assert_int_equal(disk_rename(path, other), ERR_NOT_FOUND);
    assert_int_equal(disk_sync_dir(dir), OK);
    assert_int_equal(disk_unlink(other), OK);
    assert_int_equal(disk_unlink(other), ERR_NOT_FOUND);
    assert_int_equal(disk_free_space(dir, &free_bytes, &total), OK);
    assert_true(total > 0 && free_bytes <= total);
    assert_int_equal(disk_free_space("/nonexistent/x", &free_bytes, &total), ERR_NOT_FOUND);
}

static void
symbolic_links_are_refused(void **state)
{
    int fd = -1;

    (void)state;
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(disk_open(path, O_RDONLY, 0, &fd), ERR_DENIED);
    assert_int_equal(fd, -1);
}

static void
a_failed_sync_is_final(void **state)
{
    AUTO(fd_close) int fd = -1;
    struct iovec p = part("data");

    (void)state;
    assert_int_equal(disk_open(path, O_RDWR | O_CREAT, 0600, &fd), OK);
    assert_int_equal(disk_write_at(fd, &p, 1, 0), OK);
    disk_fault_for_tests(1, DISK_FAULT_EIO);
    assert_int_equal(disk_sync(fd), ERR_IO);
    assert_int_equal(disk_sync(fd), ERR_IO); /* though the kernel would say yes now */
    fd_close(&fd);
    assert_int_equal(disk_open(path, O_RDWR, 0, &fd), OK); /* a new descriptor starts clean */
    assert_int_equal(disk_sync(fd), OK);
}

static void
faults_strike_the_nth_call(void **state)
{
    AUTO(fd_close) int fd = -1;
    struct iovec p[] = {part("hello "), part("world")};
    char back[11];

    (void)state;
    assert_int_equal(disk_open(path, O_RDWR | O_CREAT, 0600, &fd), OK);
    disk_fault_for_tests(2, DISK_FAULT_ENOSPC);
    assert_int_equal(disk_write_at(fd, p, 2, 0), OK);
    assert_int_equal(disk_write_at(fd, p, 2, 0), ERR_NO_SPACE);
    assert_int_equal(disk_write_at(fd, p, 2, 0), OK); /* once only */
    disk_fault_for_tests(1, DISK_FAULT_SHORT);
    assert_int_equal(disk_write_at(fd, p, 2, 100), OK); /* completed all the same */
    disk_fault_for_tests(1, DISK_FAULT_SHORT);
    assert_int_equal(disk_read_at(fd, back, sizeof(back), 100), OK);
    assert_memory_equal(back, "hello world", sizeof(back));
    disk_fault_for_tests(1, DISK_FAULT_EIO);
    assert_int_equal(disk_read_at(fd, back, sizeof(back), 0), ERR_IO);
    disk_fault_for_tests(1, DISK_FAULT_EIO);
    assert_int_equal(disk_rename(path, other), ERR_IO);
    assert_int_equal(access(path, F_OK), 0); /* nothing happened */
}

static void
a_planned_crash_ends_the_process(void **state)
{
    int status;

    (void)state;
    pid_t child = fork();
    if (child == 0) {
        int fd = -1;
        disk_fault_for_tests(2, DISK_FAULT_CRASH);
        if (disk_open(path, O_RDWR | O_CREAT, 0600, &fd) == OK)
            (void)!disk_sync(fd);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), DISK_CRASH_EXIT);
    assert_int_equal(access(path, F_OK), 0); /* the first call had happened */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(names_and_room, setup, teardown),
        cmocka_unit_test_setup_teardown(symbolic_links_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_sync_is_final, setup, teardown),
        cmocka_unit_test_setup_teardown(faults_strike_the_nth_call, setup, teardown),
        cmocka_unit_test_setup_teardown(a_planned_crash_ends_the_process, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
