/* arc_suite_test.c - the validation cases of ValiMail's suite, where it is present (base/suites.h).
 *
 * The file is YAML of one simple shape, read line by line: names at two spaces, values at four, texts at six.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/arc.h"

#include "base/size.h"
#include "base/suites.h"
#include "base/testing.h"
#include "policy/dkim_testkit.h"

enum { FILE_MAX = 1 << 20, RECORDS_MAX = 32, MESSAGE_MAX = 65536, CASES = 175 };

struct suite {
    struct testkit_record records[RECORDS_MAX];
    size_t count;
    size_t cases, unclear;
};

static size_t
indent(struct str line)
{
    size_t n = 0;

    while (n < line.len && line.ptr[n] == ' ')
        n++;
    return n;
}

static struct str
read_file(const char *path, struct arena *a)
{
    AUTO_BUF b = BUF(FILE_MAX);
    char part[4096];
    size_t n;
    FILE *f = fopen(path, "re");

    if (f == NULL)
        FAIL_AND_STOP("%s is missing", path);
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        buf_add(&b, str_from(part, n));
    fclose(f);
    return arena_str(a, buf_str(&b));
}

/* Names at two spaces in parts called txt-records, folded texts at four. */
static void
read_records(struct suite *s, struct str text, struct arena *a)
{
    AUTO_BUF value = BUF(8192);
    struct str rest = text, line = STR_NONE, name = STR_NONE;
    bool in = false;

    while (str_split(&rest, '\n', &line)) {
        if (in && indent(line) == 4) {
            buf_add(&value, str_trim(line));
            buf_add_char(&value, ' ');
            continue;
        }
        if (name.len > 0) {
            assert_true(s->count < RECORDS_MAX);
            s->records[s->count++] = (struct testkit_record){
                .name = name, .text = arena_str(a, str_trim(buf_str(&value))), .found = KEY_FOUND};
            buf_reset(&value);
            name = STR_NONE;
        }
        if (indent(line) == 0 && line.len > 0)
            in = str_starts(line, STR("txt-records:"));
        else if (in && indent(line) == 2)
            name = str_sub(str_trim(line), 0, (size_t)str_find(str_trim(line), ':'));
    }
}

static void
judge(struct suite *s, struct str name, struct str message, struct str want)
{
    AUTO_ARENA *a = arena_new(DKIM_ARENA);
    const struct testkit_dns dns = {s->records, s->count};
    struct arc_verdict v;

    s->cases++;
    testkit_judge_arc(message, &dns, 7, a, &v);
    if (want.len == 0) { /* the suite does not say */
        s->unclear++;
        want = STR("fail");
    }
    if (!str_eq_nocase(str_of(arc_result_name(v.result)), want))
        FAIL_AND_STOP("%.*s: %s (set %u: %s), want %.*s", STR_FMT(name), arc_result_name(v.result),
                      v.failed, v.reason, STR_FMT(want));
}

static void
play(struct suite *s, struct str text)
{
    AUTO_BUF message = BUF(MESSAGE_MAX);
    struct str rest = text, line = STR_NONE, name = STR_NONE;
    bool in_message = false, in_tests = false;

    while (str_split(&rest, '\n', &line)) {
        if (in_message && (indent(line) >= 6 || str_trim(line).len == 0)) {
            buf_add(&message, str_skip(line, 6));
            buf_add_z(&message, "\r\n");
            continue;
        }
        in_message = false;
        if (indent(line) == 0 && line.len > 0)
            in_tests = str_starts(line, STR("tests:"));
        struct str word = str_trim(line);
        if (in_tests && indent(line) == 2)
            name = word;
        if (indent(line) != 4 || !in_tests)
            continue;
        if (str_starts(word, STR("message:"))) {
            in_message = true;
            buf_reset(&message);
        } else if (str_starts(word, STR("cv:"))) {
            struct str want = str_trim(str_skip(word, 3));
            judge(s, name, buf_str(&message), str_eq(want, STR("|")) ? STR_NONE : want);
        }
    }
}

static void
cases(void **state)
{
    char folder[2048], path[2200];
    DIR *d = suite_open("arc", folder, sizeof(folder));
    struct suite s = {0};

    (void)state;
    if (d == NULL) {
        print_message("no suite of ARC on this machine\n");
        skip();
    }
    AUTO_ARENA *a = arena_new(4 * FILE_MAX);
    closedir(d);
    snprintf(path, sizeof(path), "%s/arc-draft-validation-tests.yml", folder);
    struct str text = read_file(path, a);
    read_records(&s, text, a);
    play(&s, text);
    assert_int_equal(s.cases, CASES);
    assert_int_equal(s.unclear, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cases)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
