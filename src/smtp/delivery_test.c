/* delivery_test.c - attempts that end before anybody is asked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/size.h"
#include "smtp/delivery.h"

static void
begin(struct delivery *d, struct delivery_rcpt *rcpts, size_t n)
{
    *d = (struct delivery){.domain = STR("x.example"), .rcpts = rcpts, .rcpt_count = n};
}

/* A try: it counts, and the last of them is final. */
static void
test_unknown(void **state)
{
    struct delivery_rcpt rcpts[2] = {{.address = STR("a@x.example")}, {.decided = true}};
    struct delivery d;

    (void)state;
    begin(&d, rcpts, COUNT_OF(rcpts));
    delivery_unknown(&d, "it cannot be told");
    assert_true(d.unasked && !d.unreached);
    assert_true(rcpts[0].decided && rcpts[0].state == DELIVERY_LATER && rcpts[0].code == 0);
    assert_string_equal(rcpts[0].enhanced, "4.4.3");
    assert_string_equal(rcpts[0].text, "it cannot be told");
    assert_true(rcpts[1].state == DELIVERY_DONE); /* decided before */
}

/* No try. */
static void
test_put_off(void **state)
{
    struct delivery_rcpt rcpt = {.address = STR("a@x.example")};
    struct delivery d;

    (void)state;
    begin(&d, &rcpt, 1);
    delivery_put_off(&d, "timed out");
    assert_true(rcpt.decided && rcpt.state == DELIVERY_PUT_OFF && !d.unasked);
    assert_string_equal(rcpt.enhanced, "4.4.1");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_put_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
