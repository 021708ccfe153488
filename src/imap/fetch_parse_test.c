/* fetch_parse_test.c - tables of FETCH items: what they ask for, and how the answer names a section.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/size.h"
#include "imap/fetch.h"

#define F10 "xxxxxxxxxx"
#define F50 F10 F10 F10 F10 F10
#define N50 F50 " " F50 " " F50 " " F50 " " F50 " " F50 " " F50 " " F50 " " F50 " " F50 " "

static const struct {
    const char *in;
    const char *label; /* of the last item; NULL: BAD */
} rows[] = {
    {"BODY[]", "BODY[]"},
    {"body.peek[]", "BODY[]"},
    {"BODY[1.2.mime]", "BODY[1.2.MIME]"},
    {"BODY[1.HEADER]<0.5>", "BODY[1.HEADER]"},
    {"RFC822.TEXT", "RFC822.TEXT"},
    {"(UID BODY[TEXT])", "BODY[TEXT]"},
    {"BODY[HEADER.FIELDS (From)]", "BODY[HEADER.FIELDS (FROM)]"},
    {"BODY[2.HEADER.FIELDS.NOT (From  \"To\")]", "BODY[2.HEADER.FIELDS.NOT (FROM TO)]"},
    /* names come again as words, however they were sent */
    {"BODY[HEADER.FIELDS ({2}\r\nto \"cc\" nil)]", "BODY[HEADER.FIELDS (TO CC \"NIL\")]"},
    {"BODY[HEADER.FIELDS (\"x(y\")]", "BODY[HEADER.FIELDS (\"X(Y\")]"},
    {"BODY[HEADER.FIELDS ({6}\r\na\r\nb: )]", NULL},
    {"BODY[HEADER.FIELDS (\"a b\")]", NULL},
    {"BODY[HEADER.FIELDS (a:b)]", NULL},
    {"BODY[HEADER.FIELDS (\"\")]", NULL},
    {"BODY[HEADER.FIELDS (\xc3\xa4)]", NULL},
    {"BODY[HEADER.FIELDS ()]", NULL},
    {"BODY[HEADER.FIELDS]", NULL},
    {"BODY[HEADER.FIELDS (a]", NULL},
    {"BODY[HEADER.FIELDS (" N50 N50 N50 N50 N50 N50 N50 N50 "x)]",
     NULL}, /* the label is too long */
    {"BODY[MIME]", NULL},
    {"BODY[0]", NULL},
    {"BODY[1.]", NULL},
    {"BODY[1.0]", NULL},
    {"BODY[4294967296]", NULL},
    {"BODY[", NULL},
    {"BODY[]<0.0>", NULL},
    {"BODY[]<0>", NULL},
    {"BODY[]<0.5", NULL},
    {"BODY[]<4294967296.1>", NULL},
    {"BODY[]x", NULL},
    {"ENVELOPE[]", NULL},
    {"()", NULL},
    {"", NULL},
    {"(UID", NULL},
    {"UID)", NULL},
    {"UID FLAGS", NULL},
    {"(ALL)", NULL},
};

static void
test_labels(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(1u << 20);
        struct imap_cmd c = {.arena = a, .in = scan_of(str_of(rows[i].in))};
        struct fetch f;
        bool ok = fetch_parse(&c, &f);

        ROW(i, ok == (rows[i].label != NULL));
        ROW(i, !ok || str_eq(f.items[f.count - 1].label, str_of(rows[i].label)));
    }
}

static void
test_item_count(void **state)
{
    (void)state;
    for (size_t n = FETCH_ITEMS_MAX - 1; n <= FETCH_ITEMS_MAX + 1; n++) {
        for (int uid = 0; uid <= 1; uid++) {
            AUTO_ARENA *a = arena_new(1u << 20);
            AUTO_BUF in = BUF(4096);
            struct fetch f;

            buf_add_char(&in, '(');
            for (size_t i = 0; i < n; i++)
                buf_add_z(&in, i == 0 ? "BODY[]" : " BODY[]");
            buf_add_char(&in, ')');
            struct imap_cmd c = {.arena = a, .in = scan_of(buf_str(&in)), .uid = uid == 1};
            ROW(n, fetch_parse(&c, &f) == (n + (size_t)uid <= FETCH_ITEMS_MAX));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_item_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
