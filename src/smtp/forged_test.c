/* forged_test.c - fields that only we may write, taken out of headers that are cut anywhere.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/forged.h"

#include "base/size.h"
#include "base/testing.h"

#define AR     "Authentication-Results"
#define OURS   AR ": mail.example.org; dmarc=pass\r\n"
#define THEIRS AR ": mx.far.example; spf=pass\r\n"

static const struct {
    const char *in, *out; /* NULL: as it was */
    unsigned fields;
} rows[] = {
    {"", NULL, 0},
    {"A: b\r\n\r\nbody\r\n", NULL, 0},
    {THEIRS "\r\n", NULL, 0},
    {OURS "\r\n", "\r\n", 1},
    {"A: b\r\n" OURS OURS "C: d\r\n\r\nx", "A: b\r\nC: d\r\n\r\nx", 2},
    {THEIRS OURS THEIRS "\r\n", THEIRS THEIRS "\r\n", 1},
    {"authentication-RESULTS: MAIL.example.org; x=y\r\n\r\n", "\r\n", 1},
    {AR ":\r\n mail.example.org;\r\n\tdkim=pass\r\nA: b\r\n\r\n", "A: b\r\n\r\n", 1},
    {AR ":\r\n mx.far.example;\r\n\tdkim=pass\r\nA: b\r\n\r\n", NULL, 0},
    {AR " \t : mail.example.org; x=y\r\n\r\n", "\r\n", 1},
    {AR " \t : mx.far.example; x=y\r\n\r\n", NULL, 0},
    {AR ": (mail) mail.example.org 1; x=y\r\n\r\n", "\r\n", 1},
    {AR ": \"mail.example.org\"; x=y\r\n\r\n", "\r\n", 1},
    {AR ": mail.example.org\r\n\r\n", "\r\n", 1},
    {AR ":\r\n\r\n", "\r\n", 1},      /* who reads it may be generous */
    {AR ": mail.example.org", "", 1}, /* no line end, no body */
    {AR ": mail.example.org; a\r\n b", "", 1},
    {AR ": far.example; a\r\n b", NULL, 0},
    {"A: b\r\n" AR, NULL, 0},
    {"A: b\r\n" AR "  ", NULL, 0},
    {"X-Godwit-Spam: no\r\nX-Godwit-Spam-Score: -9\r\n\r\n", "\r\n", 2},
    {"x-godwit-spam-why : a\r\n b\r\nA: b\r\n\r\n", "A: b\r\n\r\n", 1},
    {"X-godwit-warning: a\r\n b\r\nX-Godwit-Warn: c\r\n\r\n", "X-Godwit-Warn: c\r\n\r\n", 1},
    {"X-Godwit-Other: no\r\nX-Godwit-Spa: m\r\nX-Godwit: x\r\n\r\n", NULL, 0},
    /* not fields of that name */
    {"Authentication-Result: mail.example.org; x=y\r\n\r\n", NULL, 0},
    {AR "s: mail.example.org; x=y\r\n\r\n", NULL, 0},
    {"ARC-" OURS "\r\n", NULL, 0},
    {"X-" OURS "\r\n", NULL, 0},
    {AR " x: mail.example.org\r\n\r\n", NULL, 0},
    {AR "\r\n: mail.example.org\r\n\r\n", NULL, 0},
    {"X-Godwit-Spam\r\n: no\r\n x\r\n\r\n", NULL, 0},
    {"X-Godwit-Spam\xff: no\r\n\r\n", NULL, 0},
    {"Subject: a\r\n " OURS "\r\n", NULL, 0}, /* of the field before it */
    {" " OURS "\r\n", NULL, 0},
    {"\r\n" OURS, NULL, 0}, /* body */
    {"\r\n\r\n" OURS, NULL, 0},
    {"A: b\r\n\r\n" OURS "\r\n" OURS, NULL, 0},
    /* lines that are no fields end nothing */
    {"From a@b\r\n" OURS "\r\n", "From a@b\r\n\r\n", 1},
    {"no field at all\r\n" OURS ": x\r\n" OURS "\r\n", "no field at all\r\n: x\r\n\r\n", 2},
    {"\rx\r\n" OURS "\r\n", "\rx\r\n\r\n", 1},
    {" \r\n" OURS "\r\n", " \r\n\r\n", 1}, /* blanks alone are no empty line */
    /* bare line ends: the message is refused, but not by what reads on from there */
    {"A: b\n" AR ": mail.example.org\n\n" OURS, "A: b\n\n" OURS, 1},
};

static void
filter(struct str in, size_t step, struct buf *out, struct forged *f)
{
    struct str run;

    forged_init(f, STR("mail.example.org"));
    for (size_t at = 0; at < in.len; at += step) {
        struct scan s = scan_of(str_sub(in, at, step));
        while (forged_next(f, &s, &run))
            buf_add(out, run);
        assert_true(scan_at_end(&s));
    }
    while (forged_end(f, &run))
        buf_add(out, run);
    assert_int_equal(f->bytes + out->len, in.len);
    forged_release(f);
}

static void
test_table(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str in = str_of(rows[i].in);
        for (size_t step = 1; step <= in.len + 1; step++) {
            AUTO_BUF out = BUF(4096);
            struct forged f;

            filter(in, step, &out, &f);
            ROW(i, str_eq(buf_str(&out), rows[i].out == NULL ? in : str_of(rows[i].out)));
            ROW(i, f.fields == rows[i].fields);
        }
    }
}

/* What cannot be held goes, and what stands around it stays. */
static void
test_huge_fields(void **state)
{
    static const struct {
        const char *head, *piece;
        unsigned times; /* of the piece */
        bool stays;
    } huge[] = {
        {AR ": far.example; ", "x", FORGED_HOLD_MAX, false},
        {AR ": far.example; ", "x\r\n ", FORGED_HOLD_MAX / 4, false},
        {AR ": far.example; ", "x\r\n ", FORGED_HOLD_MAX / 4 - 16, true},
        {AR, " ", FORGED_HOLD_MAX, false},
        {"Subject: ", "x\r\n ", FORGED_HOLD_MAX, true},
        {"X-Godwit-Spam", "y", FORGED_HOLD_MAX, false},
        {"X-Godwit-Spam: ", "y", FORGED_HOLD_MAX, false},
    };

    for (size_t i = 0; i < COUNT_OF(huge); i++) {
        AUTO_BUF in = BUF(1 << 20), out = BUF(1 << 20), want = BUF(1 << 20);
        struct forged f;

        buf_add_z(&in, "A: b\r\n");
        buf_add_z(&in, huge[i].head);
        for (unsigned k = 0; k < huge[i].times; k++)
            buf_add_z(&in, huge[i].piece);
        buf_add_z(&in, "\r\n x: y\r\nC: d\r\n\r\nbody");
        buf_add(&want, huge[i].stays ? buf_str(&in) : STR("A: b\r\nC: d\r\n\r\nbody"));
        for (size_t step = 1; step < 5000; step += 1499) {
            buf_reset(&out);
            filter(buf_str(&in), step, &out, &f);
            ROW(i, str_eq(buf_str(&out), buf_str(&want)));
            ROW(i, f.fields == (huge[i].stays ? 0 : 1));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_huge_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
