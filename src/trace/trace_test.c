/* trace_test.c - keys of lines, indexes, and segments over days, crashes and damage.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/testing.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/size.h"
#include "trace/folder.h"
#include "trace/index.h"
#include "trace/reader.h"
#include "trace/writer.h"

#define HEAD "t=2026-11-30T10:00:00.000000Z lvl=info ev="
/* 2026-11-30T10:00:00Z */
static const struct instant noon = {1796032800000000};
#define DAY_US (86400LL * 1000000)

static char place[] = "/tmp/godwit-trace-XXXXXX";
static char dir[64];

static int
make_place(void **state)
{
    (void)state;
    return mkdtemp(place) == NULL;
}

static void
remove_all(const char *path)
{
    DIR *d = opendir(path);
    const struct dirent *e;
    char name[400];

    while (d != NULL && (e = readdir(d)) != NULL) {
        snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.')
            unlink(name);
    }
    if (d != NULL)
        closedir(d);
    rmdir(path);
}

static int
remove_place(void **state)
{
    (void)state;
    rmdir(place);
    return 0;
}

static int
fresh(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "%s/trace", place);
    remove_all(dir);
    return 0;
}

static int
clean(void **state)
{
    (void)state;
    remove_all(dir);
    return 0;
}

/* ---- keys ---- */

static const struct {
    struct str line;
    enum trace_kind kind;
    struct str value;
    bool found;
} keys[] = {
    {STR(HEAD "smtp.rcpt from=ben@x.example to=Anna@Example.ORG"), TRACE_ADDRESS,
     STR("anna@example.org"), true},
    {STR(HEAD "smtp.rcpt from=ben@x.example to=anna@example.org"), TRACE_ADDRESS,
     STR("<BEN@x.example>"), true},
    {STR(HEAD "smtp.rcpt to=anna@example.org"), TRACE_ADDRESS, STR("anna@example.or"), false},
    {STR(HEAD "smtp.rcpt to=anna@example.org"), TRACE_MESSAGE_ID, STR("anna@example.org"), false},
    {STR(HEAD "queue.add qid=00000000000000a1 tid=1122334455667788"), TRACE_ID,
     STR("00000000000000a1"), true},
    {STR(HEAD "queue.add qid=00000000000000a1 tid=1122334455667788"), TRACE_ID,
     STR("1122334455667788"), true},
    {STR(HEAD "queue.notice report=00000000000000b2"), TRACE_ID, STR("00000000000000b2"), true},
    {STR(HEAD "queue.add qid=0000000000000000"), TRACE_ID, STR("0000000000000000"), false},
    {STR(HEAD "store.deliver qid=-"), TRACE_ID, STR("-"), false},
    {STR(HEAD "store.deliver msgid=\"a b\\\"c@x\""), TRACE_MESSAGE_ID, STR("<A b\"c@x>"), true},
    {STR(HEAD "store.deliver msgid=\"cut@\"..."), TRACE_MESSAGE_ID, STR("cut@"), false},
    {STR(HEAD "store.deliver aid=17 box=1 uid=3"), TRACE_BOX, STR("17/1"), true},
    {STR(HEAD "store.deliver aid=17 uid=3"), TRACE_BOX, STR("17"), false},
    {STR(HEAD "admin.action verb=x object=00000000000000a1"), TRACE_ID, STR("00000000000000a1"),
     true},
    {STR(HEAD "admin.action verb=x object=anna@example.org"), TRACE_ADDRESS,
     STR("anna@example.org"), true},
    {STR("no line at all to=anna@example.org"), TRACE_ADDRESS, STR("anna@example.org"), false},
};

static bool
has_key(struct str line, uint64_t wanted)
{
    uint64_t found[TRACE_KEYS_MAX];
    size_t n = trace_keys(line, found);

    for (size_t i = 0; i < n; i++)
        if (found[i] == wanted)
            return true;
    return false;
}

static void
test_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        ROW(i, has_key(keys[i].line, trace_hash(keys[i].kind, keys[i].value)) == keys[i].found);
}

static void
test_many_keys(void **state)
{
    AUTO_BUF line = BUF(4096);
    uint64_t found[TRACE_KEYS_MAX];

    (void)state;
    buf_add_z(&line, HEAD "x");
    for (unsigned i = 0; i < 3 * TRACE_KEYS_MAX; i++)
        buf_addf(&line, " to=a%u@x.example to=a%u@x.example", i, i);
    assert_int_equal(trace_keys(buf_str(&line), found), TRACE_KEYS_MAX);
}

static const struct {
    struct str line;
    bool whole;
} wholes[] = {
    {STR(HEAD "x\n"), true},
    {STR(HEAD "x"), false},
    {STR(""), false},
    {STR("\n"), false},
    {STR("lvl=info ev=x\n"), false},
    {STR("t=2026-11-30T10:00:00.00000Z ev=x\n"), false},
    {STR(HEAD "x\x1b\n"), false},
    {STR(HEAD "x\n\n"), false},
    {STR("0000-11-30T10:00:00.000000Z\n"), false},
};

static void
test_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wholes); i++)
        ROW(i, trace_line_is_whole(wholes[i].line) == wholes[i].whole);
}

/* ---- segments ---- */

static struct trace_writer *
writer(struct trace_limits l, struct instant now)
{
    struct trace_writer *w = NULL;

    assert_int_equal(trace_writer_open(dir, &l, now, &w), OK);
    return w;
}

static const struct trace_limits usual = {30, 1u << 30, 1u << 20};

static void
write_line(struct trace_writer *w, struct instant now, const char *address, unsigned n)
{
    AUTO_BUF line = BUF(1024);

    buf_addf(&line, HEAD "smtp.rcpt n=%u to=%s\n", n, address);
    assert_int_equal(trace_writer_add(w, buf_str(&line), now), OK);
}

/* The numbers of the lines of an address, as text. */
static void
assert_found(const char *address, bool newest_first, const char *wanted)
{
    struct trace_reader *r = NULL;
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF seen = BUF(4096);
    struct trace_hit hit;
    uint64_t last = 0;

    assert_int_equal(trace_reader_open(dir, &r), OK);
    struct trace_cursor c = trace_find(r, trace_hash(TRACE_ADDRESS, str_of(address)), newest_first);
    while (trace_next(&c, a, &hit)) {
        assert_true(last == 0 || (hit.place < last) == newest_first);
        last = hit.place;
        buf_addf(&seen, "%s%.*s", seen.len > 0 ? " " : "", STR_FMT(trace_value(hit.line, "n", a)));
    }
    trace_reader_free(&r);
    assert_str(buf_str(&seen), str_of(wanted));
}

static size_t
count_files(const char *suffix)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    size_t n = 0;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL)
        n += str_ends(str_of(e->d_name), str_of(suffix));
    closedir(d);
    return n;
}

static void
test_days(void **state)
{
    struct trace_writer *w = writer(usual, noon);

    (void)state;
    write_line(w, noon, "a@x", 1);
    write_line(w, noon, "b@x", 2);
    write_line(w, (struct instant){noon.us + DAY_US}, "a@x", 3);
    write_line(w, noon, "a@x", 4); /* the clock went back */
    assert_int_equal(count_files(".log"), 2);
    assert_int_equal(count_files(".idx"), 1);
    trace_writer_free(&w);
    assert_found("a@x", false, "1 3 4");
    assert_found("A@X", true, "4 3 1");
    assert_found("b@x", true, "2");
    assert_found("c@x", true, "");
}

static void
test_full_segments(void **state)
{
    struct trace_limits l = {30, 1u << 30, 200};
    struct trace_writer *w = writer(l, noon);
    AUTO_BUF wanted = BUF(4096);

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        write_line(w, noon, i % 2 == 0 ? "even@x" : "odd@x", i);
        if (i % 2 == 1)
            buf_addf(&wanted, "%s%u", wanted.len > 0 ? " " : "", i);
    }
    assert_true(count_files(".log") > 20);
    buf_add_char(&wanted, '\0');
    assert_found("odd@x", false, wanted.ptr);
    trace_writer_free(&w);
}

/* A block of the index is read at once: more entries than it holds, and the hash at every place of it. */
static void
test_large_index(void **state)
{
    struct trace_limits l = {30, 1u << 30, 100000};
    struct trace_writer *w = writer(l, noon);
    char address[32], wanted[16];

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(address, sizeof(address), "a%u@x", i);
        write_line(w, noon, address, i);
    }
    assert_int_equal(count_files(".idx"), 1);
    for (unsigned i = 0; i < 2000; i += 7) {
        snprintf(address, sizeof(address), "a%u@x", i);
        snprintf(wanted, sizeof(wanted), "%u", i);
        assert_found(address, true, wanted);
    }
    trace_writer_free(&w);
}

static void
test_too_old(void **state)
{
    struct trace_limits l = {2, 1u << 30, 1u << 20};
    struct trace_writer *w = writer(l, noon);

    (void)state;
    for (int i = 0; i < 4; i++)
        write_line(w, (struct instant){noon.us + i * DAY_US}, "a@x", (unsigned)i);
    assert_found("a@x", false, "1 2 3");
    /* a quiet day: nothing is written, and what is old goes all the same */
    assert_int_equal(trace_writer_add(w, STR(""), (struct instant){noon.us + 5 * DAY_US}), OK);
    assert_found("a@x", false, "3");
    trace_writer_free(&w);
    w = writer(l, (struct instant){noon.us + 9 * DAY_US});
    trace_writer_free(&w);
}

static void
test_too_much(void **state)
{
    struct trace_limits l = {30, 2000, 200};
    struct trace_writer *w = writer(l, noon);
    struct trace_segment *list;
    AUTO_ARENA *a = arena_new(1 << 20);
    uint64_t all = 0;
    size_t n;

    (void)state;
    for (unsigned i = 0; i < 200; i++)
        write_line(w, noon, "a@x", i);
    assert_int_equal(trace_folder_list(dir, a, &list, &n), OK);
    for (size_t i = 0; i < n; i++)
        all += list[i].bytes + list[i].index_bytes;
    assert_true(n > 2 && all <= 2000 + 600);
    assert_true(list[n - 1].number > 40); /* the newest are those that stayed */
    trace_writer_free(&w);
}

static void
append(const char *name, const char *bytes)
{
    char path[200];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
    assert_true(fd >= 0 && write(fd, bytes, strlen(bytes)) == (ssize_t)strlen(bytes));
    close(fd);
}

static void
test_torn_line(void **state)
{
    struct trace_writer *w = writer(usual, noon);

    (void)state;
    write_line(w, noon, "a@x", 1);
    trace_writer_free(&w);
    append("20261130-000001.log", HEAD "smtp.rcpt n=2 to=a@");
    assert_found("a@x", false, "1");
    w = writer(usual, noon);
    write_line(w, noon, "a@x", 3);
    trace_writer_free(&w);
    assert_int_equal(count_files(".log"), 1);
    assert_found("a@x", false, "1 3");
}

/* Closed by a crash before its index was there, and an index that was left behind for another text. */
static void
test_missing_and_foreign_index(void **state)
{
    struct trace_writer *w = writer(usual, noon);

    (void)state;
    write_line(w, noon, "a@x", 1);
    write_line(w, (struct instant){noon.us + DAY_US}, "a@x", 2);
    trace_writer_free(&w);
    char path[200];
    snprintf(path, sizeof(path), "%s/20261130-000001.idx", dir);
    assert_int_equal(unlink(path), 0);
    assert_found("a@x", false, "1 2");
    w = writer(usual, (struct instant){noon.us + DAY_US});
    trace_writer_free(&w);
    assert_int_equal(count_files(".idx"), 1);
    append("20261130-000001.log", HEAD "smtp.rcpt n=9 to=a@x\n");
    assert_found("a@x", false, "1 9 2"); /* its size says that the index is of another text */
    append("20261130-000001.idx", "x");
    assert_found("a@x", false, "1 9 2");
}

static void
test_damage(void **state)
{
    struct trace_writer *w = writer(usual, noon);

    (void)state;
    write_line(w, noon, "a@x", 1);
    trace_writer_free(&w);
    append("20261130-000001.log", "\x01\x02\n\n" HEAD "x to=a@x \x7f\n");
    append("20261130-000009.txt", "other files are let alone");
    append("hello.log", HEAD "smtp.rcpt n=7 to=a@x\n");
    assert_found("a@x", false, "1");
}

static void
test_purge(void **state)
{
    struct trace_limits l = {30, 1u << 30, 200};
    struct trace_writer *w = writer(l, noon);
    uint64_t removed = 0;

    (void)state;
    for (unsigned i = 0; i < 12; i++)
        write_line(w, noon, i % 3 == 0 ? "gone@x" : "stays@x", i);
    assert_int_equal(trace_writer_purge(w, STR("Gone@x"), noon, &removed), OK);
    assert_int_equal(removed, 4);
    assert_found("gone@x", false, "");
    assert_found("stays@x", false, "1 2 4 5 7 8 10 11");
    write_line(w, noon, "stays@x", 12);
    assert_int_equal(trace_writer_purge(w, STR("stays@x"), noon, &removed), OK);
    assert_int_equal(removed, 9);
    assert_int_equal(count_files(".log"), 0);
    assert_int_equal(count_files(".idx"), 0);
    write_line(w, noon, "gone@x", 13);
    assert_found("gone@x", false, "13");
    trace_writer_free(&w);
}

static void
test_no_folder(void **state)
{
    struct trace_reader *r = NULL;
    struct trace_writer *w = NULL;

    (void)state;
    assert_int_equal(trace_reader_open("/nonexistent/trace", &r), ERR_NOT_FOUND);
    assert_int_equal(trace_writer_open("/nonexistent/trace", &usual, noon, &w), ERR_IO);
    assert_null(r);
    assert_null(w);
}

static const struct {
    size_t index_size, segment_size;
    bool good;
} heads[] = {
    {24 + 12, 100, true}, {24 + 11, 100, false}, {24 + 12, 101, false},
    {24, 100, false},     {0, 0, false},
};

static void
test_heads(void **state)
{
    AUTO_BUF head = BUF(64);
    uint64_t count;

    (void)state;
    buf_add_z(&head, "GWTRACE1");
    buf_add_be64(&head, 1);
    buf_add_be64(&head, 100);
    for (size_t i = 0; i < COUNT_OF(heads); i++)
        ROW(i, trace_index_read_head(buf_str(&head), heads[i].index_size, heads[i].segment_size,
                                     &count) == heads[i].good);
    assert_false(trace_index_read_head(str_sub(buf_str(&head), 0, 23), 36, 100, &count));
    head.ptr[7] = '2';
    assert_false(trace_index_read_head(buf_str(&head), 36, 100, &count));
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, fresh, clean)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),      cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_whole),     IN_FOLDER(test_days),
        IN_FOLDER(test_full_segments),    IN_FOLDER(test_large_index),
        IN_FOLDER(test_too_old),          IN_FOLDER(test_too_much),
        IN_FOLDER(test_torn_line),        IN_FOLDER(test_missing_and_foreign_index),
        IN_FOLDER(test_damage),           IN_FOLDER(test_purge),
        cmocka_unit_test(test_no_folder), cmocka_unit_test(test_heads),
    };

    return cmocka_run_group_tests(tests, make_place, remove_place);
}
