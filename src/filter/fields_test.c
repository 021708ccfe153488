/* fields_test.c - each change by a table: what the header was, what a milter said, what it is then.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "filter/fields.h"

#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"

#define OURS   "Return-Path: <a@b>\r\nReceived: by us\r\n"
#define THEIRS "Received: by them\r\nSubject: x\r\nX-A: 1\r\nx-a: 2\r\n"
#define BLOCK  OURS THEIRS "\r\n"

enum what { ADD, INSERT, CHANGE };
static const struct {
    enum what what;
    uint32_t index;
    struct field_text text;
    enum status e;
    struct str header;
} rows[] = {
    {ADD, 0, {STR("B"), STR("c"), false}, OK, STR(OURS THEIRS "B: c\r\n")},
    {INSERT,
     0,
     {STR("B"), STR("c"), false},
     OK,
     STR("Return-Path: <a@b>\r\nB: c\r\nReceived: by us\r\n" THEIRS)},
    {INSERT, 1, {STR("B"), STR("c"), false}, OK, STR(OURS "B: c\r\n" THEIRS)},
    {INSERT,
     2,
     {STR("B"), STR(" c"), true},
     OK,
     STR(OURS "Received: by them\r\nB: c\r\nSubject: x\r\nX-A: 1\r\nx-a: 2\r\n")},
    {INSERT, 99, {STR("B"), STR("c"), false}, OK, STR(OURS THEIRS "B: c\r\n")},
    {INSERT, UINT32_MAX, {STR("B"), STR("c"), false}, OK, STR(OURS THEIRS "B: c\r\n")},
    {INSERT, 0, {STR("B C"), STR("c"), false}, ERR_SYNTAX, STR(OURS THEIRS)},
    {CHANGE,
     1,
     {STR("X-A"), STR("new"), false},
     OK,
     STR(OURS "Received: by them\r\nSubject: x\r\nX-A: new\r\nx-a: 2\r\n")},
    {CHANGE,
     0,
     {STR("x-A"), STR("new"), false},
     OK,
     STR(OURS "Received: by them\r\nSubject: x\r\nx-A: new\r\nx-a: 2\r\n")},
    {CHANGE,
     2,
     {STR("X-A"), STR("new"), false},
     OK,
     STR(OURS "Received: by them\r\nSubject: x\r\nX-A: 1\r\nX-A: new\r\n")},
    {CHANGE, 3, {STR("X-A"), STR("new"), false}, OK, STR(OURS THEIRS "X-A: new\r\n")},
    {CHANGE,
     1,
     {STR("X-A"), STR(""), false},
     OK,
     STR(OURS "Received: by them\r\nSubject: x\r\nx-a: 2\r\n")},
    {CHANGE, 9, {STR("X-A"), STR(""), false}, OK, STR(OURS THEIRS)},
    /* Ours are not theirs to change. */
    {CHANGE, 1, {STR("Return-Path"), STR(""), false}, OK, STR(OURS THEIRS)},
    {CHANGE,
     1,
     {STR("Received"), STR(""), false},
     OK,
     STR(OURS "Subject: x\r\nX-A: 1\r\nx-a: 2\r\n")},
};

static void
put_all(const struct fields *f, struct buf *b)
{
    for (size_t i = 0; i < f->count; i++)
        buf_add(b, f->at[i].whole);
}

static void
test_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(1u << 20);
        AUTO_BUF b = BUF(4096);
        struct fields f;
        enum status e = OK;
        ROW(i, fields_read(STR(BLOCK), true, a, &f) == OK && f.ended && f.count == 6);
        switch (rows[i].what) {
        case ADD: e = fields_add(&f, &rows[i].text); break;
        case INSERT: e = fields_insert(&f, rows[i].index, &rows[i].text); break;
        case CHANGE: e = fields_change(&f, rows[i].index, &rows[i].text); break;
        }
        ROW(i, e == rows[i].e);
        put_all(&f, &b);
        ROW(i, str_eq(buf_str(&b), rows[i].header));
        ROW(i, f.changed == !str_eq(rows[i].header, STR(OURS THEIRS)));
    }
}

/* What is no field stays where it is, and unseen. */
static void
test_what_is_no_field(void **state)
{
    static const struct {
        struct str block, written;
        bool ended;
        size_t visible;
    } odd[] = {
        {STR("A: 1\r\nno field here\r\nB: 2\r\n\r\n"), STR("A: 1\r\nno field here\r\nB: 2\r\n"),
         true, 2},
        {STR("A: 1\r\n"), STR("A: 1\r\n"), false, 1},
        {STR("A: 1\r\n\r\n"), STR("A: 1\r\n"), true, 1},
        {STR("\r\n"), STR(""), true, 0},
        {STR(""), STR(""), false, 0},
        {STR("nothing\r\n\r\n"), STR("nothing\r\n"), true, 0},
        {STR("nothing\r\n"), STR("nothing\r\n"), false, 0},
        {STR("A: 1\r\n b\r\n\tc\r\n\r\n"), STR("A: 1\r\n b\r\n\tc\r\n"), true, 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        AUTO_ARENA *a = arena_new(1u << 20);
        AUTO_BUF b = BUF(4096);
        struct fields f;
        size_t visible = 0;
        ROW(i, fields_read(odd[i].block, false, a, &f) == OK);
        for (size_t k = 0; k < f.count; k++)
            visible += !f.at[k].hidden;
        put_all(&f, &b);
        ROW(i, str_eq(buf_str(&b), odd[i].written) && f.ended == odd[i].ended);
        ROW(i, visible == odd[i].visible);
    }
}

static void
test_limits(void **state)
{
    AUTO_ARENA *a = arena_new(16u << 20);
    struct fields f;
    const struct field_text t = {STR("B"), STR("c"), false};
    size_t n = 0;

    (void)state;
    assert_int_equal(fields_read(STR(BLOCK), true, a, &f), OK);
    while (fields_insert(&f, 0, &t) == OK)
        n++;
    assert_int_equal(n + 6, LIMIT_HEADER_FIELDS);
    AUTO_ARENA *other = arena_new(16u << 20);
    AUTO_BUF big = BUF(LIMIT_HEADER_BYTES);
    while (big.len < LIMIT_HEADER_BYTES / 2)
        buf_add_char(&big, 'x');
    const struct field_text long_one = {STR("B"), buf_str(&big), false};
    assert_int_equal(fields_read(STR(BLOCK), true, other, &f), OK);
    assert_int_equal(fields_add(&f, &long_one), OK);
    assert_int_equal(fields_add(&f, &long_one), ERR_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_what_is_no_field),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
