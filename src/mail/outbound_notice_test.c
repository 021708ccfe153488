/* outbound_notice_test.c - the notice about mail that is held is a message, and says which limit it was.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/header.h"
#include "mail/outbound_notice.h"

static struct outbound_notice
sample(bool by_recipients)
{
    return (struct outbound_notice){.to = {.host = STR("mx.example.org"),
                                           .address = STR("anna@example.org"),
                                           .unique = STR("0123456789abcdef"),
                                           .now = {INT64_C(1795467672000000)}},
                                    .messages_max = 1000,
                                    .recipients_max = 200,
                                    .by_recipients = by_recipients};
}

static void
check(bool by_recipients, const char *says, const char * not )
{
    AUTO_BUF b = BUF(8192);
    const struct outbound_notice n = sample(by_recipients);
    struct header_field f;
    struct str line;

    assert_int_equal(outbound_notice_write(&b, &n), OK);
    struct str text = buf_str(&b);
    struct str header = str_sub(text, 0, header_block_len(text));
    assert_true(header_find(header, STR("To"), &f));
    assert_true(str_eq(str_trim(f.value), STR("<anna@example.org>")));
    assert_true(header_find(header, STR("Auto-Submitted"), &f));
    assert_true(str_find_str(text, str_of(says)) >= 0 && str_find_str(text, str_of(not )) < 0);
    while (text.len > 0 && str_split(&text, '\n', &line))
        assert_true(line.len > 0 && line.len <= 79 && line.ptr[line.len - 1] == '\r');
}

static void
test_it_says_which_limit(void **state)
{
    (void)state;
    check(false, "sends 1000\r\nmessages", "200");
    check(true, "sends to 200 such addresses", "1000");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_says_which_limit),
    };

    return cmocka_run_group_tests_name("outbound_notice", tests, NULL, NULL);
}
