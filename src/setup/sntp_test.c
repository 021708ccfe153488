/* sntp_test.c - answers of time servers: good, of others, of the next era, cut.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/size.h"
#include "setup/sntp.h"

#define SECOND INT64_C(1000000)
#define NOW    (INT64_C(1796000000) * SECOND + 250000) /* in 2026 */
#define AFTER  (INT64_C(2100000000) * SECOND)          /* in 2036, after the counter began anew */

enum fault { NONE, OTHER_QUESTION, CLIENT, ALARM, KISS, STRATUM_16, NO_TIME, CUT };
static const struct {
    int64_t now, ahead, way;
    enum fault fault;
    enum status result;
} rows[] = {
    {NOW, 0, 0, NONE, OK},
    {NOW, 90 * SECOND, 20000, NONE, OK},
    {NOW, -90 * SECOND, 20000, NONE, OK},
    {NOW, 3 * 86400 * SECOND, 4 * SECOND, NONE, OK},
    {AFTER, 5 * SECOND, 1000, NONE, OK},
    {NOW, 0, 0, OTHER_QUESTION, ERR_SYNTAX},
    {NOW, 0, 0, CLIENT, ERR_SYNTAX},
    {NOW, 0, 0, CUT, ERR_SYNTAX},
    {NOW, 0, 0, ALARM, ERR_TEMP},
    {NOW, 0, 0, KISS, ERR_TEMP}, /* stratum 0: a word why it does not answer */
    {NOW, 0, 0, STRATUM_16, ERR_TEMP},
    {NOW, 0, 0, NO_TIME, ERR_TEMP},
};

/* What a server does with a question: its own time of arrival and of leaving, which is the same here. */
static void
answer(const unsigned char *question, int64_t time_us, unsigned char out[SNTP_BYTES])
{
    unsigned char now[SNTP_BYTES];

    sntp_ask(time_us, now);
    for (size_t i = 0; i < SNTP_BYTES; i++)
        out[i] = 0;
    out[0] = 0x24;
    out[1] = 2;
    for (size_t i = 0; i < 8; i++) {
        out[24 + i] = question[40 + i];
        out[32 + i] = out[40 + i] = now[40 + i];
    }
}

static void
spoil(unsigned char *p, enum fault fault)
{
    switch (fault) {
    case OTHER_QUESTION: p[31] ^= 1; break;
    case CLIENT: p[0] = 0x23; break;
    case ALARM: p[0] = 0xe4; break;
    case KISS: p[1] = 0; break;
    case STRATUM_16: p[1] = 16; break;
    case NO_TIME:
        for (size_t i = 40; i < SNTP_BYTES; i++)
            p[i] = 0;
        break;
    case NONE:
    case CUT: break;
    }
}

static void
test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned char question[SNTP_BYTES], p[SNTP_BYTES];
        int64_t by = 1, half = rows[i].way / 2;
        sntp_ask(rows[i].now, question);
        answer(question, rows[i].now + half + rows[i].ahead, p);
        spoil(p, rows[i].fault);
        size_t n = rows[i].fault == CUT ? SNTP_BYTES - 1 : SNTP_BYTES;
        enum status e =
            sntp_read(str_from((const char *)p, n), rows[i].now, rows[i].now + rows[i].way, &by);
        if (e != rows[i].result)
            fail_msg("row %zu: %s", i, status_name(e));
        if (e == OK && (by < rows[i].ahead - 2 || by > rows[i].ahead + 2))
            fail_msg("row %zu: %lld", i, (long long)by);
        if (e != OK)
            assert_int_equal(by, 1);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
