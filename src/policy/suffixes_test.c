/* suffixes_test.c - where names are registered, by the list's own test where it is present.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/suffixes.h"

#include "base/buf.h"
#include "base/scan.h"
#include "base/size.h"
#include "base/suites.h"
#include "base/testing.h"
#include "mail/domain.h"

#define TEN   "abcdefghi."
#define FIFTY TEN TEN TEN TEN TEN

static void
names_are_registered_below_suffixes(void **state)
{
    static const struct {
        struct str name, registered;
    } rows[] = {
        {STR("example.com"), STR("example.com")},
        {STR("a.b.example.com"), STR("example.com")},
        {STR("a.b.example.co.uk"), STR("example.co.uk")},
        {STR("com"), STR("")},
        {STR("co.uk"), STR("")},
        {STR("uk"), STR("")},
        /* a wildcard, and its exception */
        {STR("b.c.mm"), STR("b.c.mm")},
        {STR("c.mm"), STR("")},
        {STR("www.ck"), STR("www.ck")},
        {STR("a.www.ck"), STR("www.ck")},
        /* A-labels */
        {STR("www.xn--85x722f.com.cn"), STR("xn--85x722f.com.cn")},
        {STR("a.xn--85x722f.xn--55qx5d.cn"), STR("xn--85x722f.xn--55qx5d.cn")},
        {STR("xn--55qx5d.cn"), STR("")},
        /* owners of hosting services have registered theirs with the list */
        {STR("a.someone.github.io"), STR("someone.github.io")},
        {STR("github.io"), STR("")},
        /* a top label that the list does not know */
        {STR("a.host.corp-example"), STR("host.corp-example")},
        {STR("corp-example"), STR("")},
        {STR("a_b._c.example.org"), STR("example.org")},
        /* as long as names are */
        {STR(FIFTY FIFTY FIFTY FIFTY TEN TEN TEN TEN "abcde.example"), STR("abcde.example")},
        {STR(""), STR("")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ROW(i, str_eq(suffixes_registered(suffixes_built_in(), rows[i].name), rows[i].registered));
    (void)state;
}

static void
a_list_is_read(void **state)
{
    struct psl_ctx_st *list = NULL;

    assert_int_equal(suffixes_read(STR("example\nshared.example\n"), &list), OK);
    assert_str(suffixes_registered(list, STR("a.b.shared.example")), STR("b.shared.example"));
    assert_str(suffixes_registered(list, STR("a.b.example")), STR("b.example"));
    suffixes_free(&list);
    assert_null(list);
    suffixes_free(&list);
    assert_int_equal(suffixes_read(STR(""), &list), ERR_SYNTAX);
    assert_int_equal(suffixes_read(STR("// nothing\n\n"), &list), ERR_SYNTAX);
    assert_null(list);
    (void)state;
}

static bool
read_file(const char *path, struct buf *out)
{
    char piece[4096];
    size_t n;
    FILE *in = fopen(path, "r");

    if (in == NULL)
        return false;
    while ((n = fread(piece, 1, sizeof(piece), in)) > 0)
        buf_add(out, str_from(piece, n));
    (void)fclose(in);
    return buf_status(out) == OK;
}

/* 'name', or null: then *out is empty. */
static bool
scan_quoted(struct scan *s, struct str *out)
{
    *out = STR_NONE;
    if (scan_str(s, STR("null")))
        return true;
    return scan_char(s, '\'') && scan_until(s, '\'', out) && scan_char(s, '\'');
}

/* checkPublicSuffix('name', 'registered'); */
static bool
check_line(struct str line, const struct psl_ctx_st *list)
{
    AUTO_BUF name = BUF(DOMAIN_MAX), want = BUF(DOMAIN_MAX);
    struct scan s = scan_of(line);
    struct str raw = STR_NONE, registered = STR_NONE;

    assert_true(scan_str(&s, STR("checkPublicSuffix(")) && scan_quoted(&s, &raw));
    assert_true(scan_str(&s, STR(", ")) && scan_quoted(&s, &registered));
    assert_true(registered.len == 0 || domain_normalise(registered, &want) == OK);
    if (domain_normalise(raw, &name) != OK)
        return want.len == 0;
    return str_eq(suffixes_registered(list, buf_str(&name)), buf_str(&want));
}

static void
the_test_of_the_list_passes(void **state)
{
    char folder[512], path[600];
    AUTO_BUF text = BUF(1 << 20), data = BUF(1 << 20);
    struct psl_ctx_st *list = NULL;
    struct str rest, line;
    size_t checked = 0, row = 0;
    DIR *d = suite_open("psl", folder, sizeof(folder));

    (void)state;
    if (d == NULL)
        skip();
    closedir(d);
    snprintf(path, sizeof(path), "%s/test_psl.txt", folder);
    assert_true(read_file(path, &text));
    snprintf(path, sizeof(path), "%s/public_suffix_list.dat", folder);
    assert_true(read_file(path, &data));
    assert_int_equal(suffixes_read(buf_str(&data), &list), OK);
    rest = buf_str(&text);
    while (str_split(&rest, '\n', &line)) {
        row++;
        if (!str_starts(line, STR("checkPublicSuffix")))
            continue;
        ROW(row, check_line(line, list));
        checked++;
    }
    suffixes_free(&list);
    print_message("%zu names\n", checked);
    assert_true(checked > 70);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_registered_below_suffixes),
        cmocka_unit_test(a_list_is_read),
        cmocka_unit_test(the_test_of_the_list_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
