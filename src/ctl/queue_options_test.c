/* queue_options_test.c - times and queue ids as they are typed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "base/testing.h"
#include "ctl/queue.h"

static const struct {
    const char *text;
    int64_t seconds; /* 0 = refused */
} durations[] = {
    {"1s", 1},        {"30s", 30},    {"10m", 600},
    {"2h", 7200},     {"5d", 432000}, {"0s", 0},
    {"", 0},          {"5", 0},       {"d", 0},
    {"2w", 1209600},  {"5d ", 0},     {"-5d", 0},
    {"5d5h", 0},      {" 5d", 0},     {"1.5h", 0},
    {"10000001s", 0}, {"5D", 0},      {"99999999999999999999d", 0},
};
static const struct {
    const char *text;
    bool ok;
    uint64_t qid;
} qids[] = {
    {"all", true, 0},
    {"1f", true, 0x1f},
    {"1F", true, 0x1f},
    {"000000000000001f", true, 0x1f},
    {"ffffffffffffffff", true, UINT64_MAX},
    {"0", false, 0},
    {"", false, 0},
    {"10000000000000000", false, 0},
    {"xyz", false, 0},
    {"ALL", false, 0},
    {"-1", false, 0},
};
static const struct {
    int64_t seconds;
    const char *text;
} spans[] = {
    {-5, "0 s"},   {59, "59 s"},     {60, "1 min"},   {5999, "99 min"},
    {6000, "1 h"}, {172799, "47 h"}, {172800, "2 d"}, {864000, "10 d"},
};

static void
test_durations(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(durations); i++) {
        int64_t us = 0;
        ROW(i, ctl_read_duration(durations[i].text, &us) == (durations[i].seconds != 0));
        ROW(i, us == durations[i].seconds * INT64_C(1000000));
    }
}

static void
test_qids(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(qids); i++) {
        uint64_t qid = 0;
        ROW(i, ctl_read_qid(qids[i].text, &qid) == qids[i].ok);
        ROW(i, !qids[i].ok || qid == qids[i].qid);
    }
}

static void
test_spans(void **state)
{
    char text[40];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(spans); i++)
        ROW(i, str_eq(str_of(ctl_span_text(spans[i].seconds * 1000000, text, sizeof(text))),
                      str_of(spans[i].text)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_qids),
        cmocka_unit_test(test_spans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
