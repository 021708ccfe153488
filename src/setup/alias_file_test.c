/* alias_file_test.c - lines as administrators wrote them, and what no server would take.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/alias_file.h"

#include "base/buf.h"
#include "base/size.h"
#include "base/testing.h"

#define S ALIAS_SENDMAIL
#define V ALIAS_VIRTUAL
#define F ALIAS_FORWARD
static const char kinds[] = "a\\i|/!"; /* by enum alias_kind */

/* "1 name: a:target |:command;" for each entry; "2 ? fault;" */
static void
write_entry(const struct alias_entry *e, struct buf *b)
{
    buf_addf(b, "%u ", e->line);
    if (e->fault != NULL) {
        buf_addf(b, "? %s;", e->fault);
        return;
    }
    buf_addf(b, "%.*s:", STR_FMT(e->name));
    for (size_t i = 0; i < e->count; i++)
        buf_addf(b, " %c%.*s", kinds[e->targets[i].kind], STR_FMT(e->targets[i].text));
    buf_add_char(b, ';');
}

static const struct {
    enum alias_syntax syntax;
    struct str in;
    const char *out;
} rows[] = {
    {S, STR(""), ""},
    {S, STR("\n\n# nothing\n   # nor here\n"), ""},
    {S, STR("root: anna\n"), "1 root: aanna;"},
    {S, STR("root: anna"), "1 root: aanna;"},
    {S, STR("root:anna,bert\r\n"), "1 root: aanna abert;"},
    {S, STR("root :\tanna , ,bert,\n"), "1 root: aanna abert;"},
    {S, STR("# c\nroot: anna,\n  bert,\n\tcarl\nx: y\n"), "2 root: aanna abert acarl;5 x: ay;"},
    {S, STR("root: anna,\n# c\n\n  bert\n"), "1 root: aanna abert;"},
    {S, STR("\"a b\": \"c, d\"@x.example, e\n"), "1 a b: ac, d@x.example ae;"},
    {S, STR("\"a:b\": c\n"), "1 a:b: ac;"},
    {S, STR("\"a\\\"b\": c\n"), "1 a\"b: ac;"},
    {S, STR("a: \\a, b@x.example\n"), "1 a: \\a ab@x.example;"},
    {S, STR("a: Anna Smith <anna@x.example>, <b>\n"), "1 a: aanna@x.example ab;"},
    {S, STR("a: <>, x>\n"), "1 a: a<> ax>;"},
    {S, STR("l: :include:/etc/list, \":Include: /a b\"\n"), "1 l: i/etc/list i/a b;"},
    {S, STR("d: |/bin/x\n"), "1 d: |/bin/x;"},
    {S, STR("d: \"|/bin/x -f a, b\"\n"), "1 d: |/bin/x -f a, b;"},
    {S, STR("d: \"| x\"\n"), "1 d: |x;"},
    {S, STR("d: /dev/null\n"), "1 d: //dev/null;"},
    {S, STR("d: error:5.1.1 gone\n"), "1 d: !error:5.1.1 gone;"},
    {S, STR("d: :nonsense:\n"), "1 d: !:nonsense:;"},
    {S, STR("owner-list: anna\n"), "1 owner-list: aanna;"},
    {S, STR("root\nx: y\n"), "1 ? there is no \":\" behind the name;2 x: ay;"},
    {S, STR("root:\nx: y\n"), "1 ? there is no target;2 x: ay;"},
    {S, STR("root: ,\n"), "1 ? there is no target;"},
    {S, STR(": anna\n"), "1 ? there is no name;"},
    {S, STR("  root: anna\n"), "1 ? the line goes on with none before it;"},
    {S, STR("root: \"anna\nx: y\n"), "1 ? a quote is not closed;2 x: ay;"},
    {S, STR("\"root: anna\nx: y\n"), "1 ? a quote is not closed;2 x: ay;"},
    {S, STR("a: b\0c\nx: y\n"), "1 ? the line holds a zero byte;2 x: ay;"},
    {V, STR("info@x.example anna@y.example\n"), "1 info@x.example: aanna@y.example;"},
    {V, STR("info@x.example\tanna, bert carl\n"), "1 info@x.example: aanna abert acarl;"},
    {V, STR("@x.example anna@y.example\n"), "1 @x.example: aanna@y.example;"},
    {V, STR("x.example whatever\n"), "1 x.example: awhatever;"},
    {V, STR("a@x.example b,\n c\n"), "1 a@x.example: ab ac;"},
    {V, STR("a@x.example\nb@x.example c\n"), "1 ? there is no target;2 b@x.example: ac;"},
    {V, STR("\"a b\"@x.example c\n"), "1 a b@x.example: ac;"},
    {F, STR("anna@x.example\n"), "1 : aanna@x.example;"},
    {F, STR("# c\n\\anna, a@x.example\nb@x.example\n"),
     "2 : \\anna aa@x.example;3 : ab@x.example;"},
    {F, STR("  a@x.example\n"), "1 : aa@x.example;"},
    {F, STR("\"|/usr/bin/vacation anna\"\n"), "1 : |/usr/bin/vacation anna;"},
    {F, STR("~/Mail/x\n"), "1 : a~/Mail/x;"},
};

static void
entries_are_read(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(ALIAS_ENTRY_BYTES);
        AUTO_BUF out = BUF(4096);
        struct alias_cursor c = alias_cursor_of(rows[i].in, rows[i].syntax);
        struct alias_entry e;
        for (; alias_next(&c, a, &e); arena_reset(a))
            write_entry(&e, &out);
        if (!str_eq(buf_str(&out), str_of(rows[i].out)))
            fail_msg("row %zu: \"%.*s\"", i, STR_FMT(buf_str(&out)));
    }
    (void)state;
}

/* As many targets as an alias may have, and one more; a line as long as it may be, and longer. */
static void
limits_hold(void **state)
{
    AUTO_BUF in = BUF(1 << 20);
    AUTO_ARENA *a = arena_new(4 * ALIAS_ENTRY_BYTES);
    struct alias_entry e;

    buf_add_z(&in, "a: x");
    for (int i = 1; i < LIMIT_ALIAS_TARGETS; i++)
        buf_add_z(&in, ",\n x");
    buf_add_z(&in, "\nb: x");
    for (int i = 0; i < LIMIT_ALIAS_TARGETS; i++)
        buf_add_z(&in, ",x");
    buf_add_z(&in, "\nc: ");
    for (int i = 3; i < LIMIT_ALIAS_LINE_BYTES; i++)
        buf_add_char(&in, 'x');
    buf_add_z(&in, "\nd: ");
    for (int i = 2; i < LIMIT_ALIAS_LINE_BYTES; i++)
        buf_add_char(&in, 'x');
    buf_add_z(&in, "\ne: ");
    for (int i = 0; i < LIMIT_ALIAS_LINE_BYTES; i += 2)
        buf_add_z(&in, ",\n x");
    struct alias_cursor c = alias_cursor_of(buf_str(&in), ALIAS_SENDMAIL);
    assert_true(alias_next(&c, a, &e) && e.fault == NULL && e.count == LIMIT_ALIAS_TARGETS);
    assert_true(alias_next(&c, a, &e) &&
                str_eq(str_of(e.fault), STR("there are too many targets")));
    assert_true(alias_next(&c, a, &e) && e.fault == NULL && e.count == 1);
    assert_true(alias_next(&c, a, &e) && str_eq(str_of(e.fault), STR("the line is too long")));
    assert_true(alias_next(&c, a, &e) && str_eq(str_of(e.fault), STR("the line is too long")));
    assert_false(alias_next(&c, a, &e));
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_read),
        cmocka_unit_test(limits_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
