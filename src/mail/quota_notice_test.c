/* quota_notice_test.c - notices are read back as a mail program would read them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/encode.h"
#include "base/mem.h"
#include "base/size.h"
#include "mail/header.h"
#include "mail/quota_notice.h"

#define MIB (UINT64_C(1) << 20)

static struct quota_notice
sample(uint64_t percent, bool urgent)
{
    return (struct quota_notice){.host = STR("mx.example.org"),
                                 .address = STR("anna@example.org"),
                                 .unique = STR("0123456789abcdef0123456789abcdef"),
                                 .now = {INT64_C(1795467672000000)},
                                 .percent = percent,
                                 .urgent = urgent,
                                 .bytes = 41 * MIB,
                                 .bytes_max = 50 * MIB};
}

static void
check_field(struct str text, const char *name, const char *want)
{
    struct header_field f;

    assert_true(header_find(text, str_of(name), &f));
    if (!str_eq(str_trim(f.value), str_of(want)))
        fail_msg("%s: %.*s", name, STR_FMT(f.value));
}

static void
check_lines(struct str text, size_t columns)
{
    struct str line;

    while (text.len > 0 && str_split(&text, '\n', &line)) {
        assert_true(line.len > 0 && line.ptr[line.len - 1] == '\r');
        if (line.len > columns + 1)
            fail_msg("%.*s", STR_FMT(line));
    }
}

static void
check_says(struct str text, const char *what)
{
    if (str_find_str(text, str_of(what)) < 0)
        fail_msg("no \"%s\" in %.*s", what, STR_FMT(text));
}

static void
test_header(void **state)
{
    AUTO_BUF b = BUF(8192);
    struct quota_notice n = sample(82, false);

    (void)state;
    assert_int_equal(quota_notice_write(&b, &n), OK);
    struct str header = str_sub(buf_str(&b), 0, header_block_len(buf_str(&b)));
    check_field(header, "Return-Path", "<>");
    check_field(header, "From", "Postmaster <postmaster@example.org>");
    check_field(header, "To", "<anna@example.org>");
    check_field(header, "Message-ID", "<0123456789abcdef0123456789abcdef@mx.example.org>");
    check_field(header, "Auto-Submitted", "auto-generated");
    check_field(header, "Content-Type", "text/plain; charset=utf-8");
    check_field(header, "Content-Transfer-Encoding", "8bit");
    check_lines(buf_str(&b), 78);
    assert_true(str_is_ascii(buf_str(&b)));
}

static void
test_words(void **state)
{
    static const struct {
        uint64_t percent;
        bool urgent;
        uint64_t bytes, bytes_max, messages_max;
        const char *subject, *says;
    } rows[] = {
        {82, false, 41 * MIB, 50 * MIB, 0, "Your mailbox is filling up (82 %)",
         "is 82 % full. It holds 41.0 MB of mail and has room for 50.0 MB.\r\n"},
        {96, true, 48 * MIB, 50 * MIB, 0, "Your mailbox is nearly full (96 %)",
         "but soon it will not."},
        {100, true, 50 * MIB, 50 * MIB, 0, "Your mailbox is full", "No new mail comes in. While"},
        {104, true, 52 * MIB, 50 * MIB, 0, "Your mailbox is full", "is full. It holds 52.0 MB"},
        {80, false, 800, 1000, 0, "Your mailbox is filling up (80 %)",
         "holds 800 bytes of mail and has room for 1000 bytes.\r\n"},
        {80, false, 4508876185, UINT64_C(5) << 30, 0, "Your mailbox is filling up (80 %)",
         "holds 4.1 GB of mail and has room for 5.0 GB.\r\n"},
        {80, false, UINT64_MAX, UINT64_MAX, 0, "Your mailbox is filling up (80 %)",
         "holds 16777215.9 TB of mail"},
        {99, true, 0, 0, 100, "Your mailbox is nearly full (99 %)",
         "is 99 % full. It holds 99 of at most 100 messages.\r\n"},
        {90, false, 1023, 1024, 100, "Your mailbox is filling up (90 %)",
         "room for 1.0 KB.\r\nIt holds 99 of at most 100 messages.\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF b = BUF(8192);
        struct quota_notice n = sample(rows[i].percent, rows[i].urgent);
        n.bytes = rows[i].bytes;
        n.bytes_max = rows[i].bytes_max;
        n.messages = 99;
        n.messages_max = rows[i].messages_max;
        assert_int_equal(quota_notice_write(&b, &n), OK);
        check_field(buf_str(&b), "Subject", rows[i].subject);
        check_says(buf_str(&b), rows[i].says);
        check_says(buf_str(&b), "after 3 days without\r\nroom their mail goes back");
        check_lines(buf_str(&b), 78);
    }
}

/* Whatever an address is: the longest, quoted, or of another alphabet. */
static void
test_addresses(void **state)
{
    static const struct str odd[] = {
        STR("j\303\274rgen@b\303\274cher.example"),
        STR("\"a b@c\"@example.org"),
        STR("\347\224\250\346\210\267@\344\276\213\345\255\220.example"),
    };
    char longest[256 + 12];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        AUTO_BUF b = BUF(8192);
        AUTO_BUF to = BUF(512);
        struct quota_notice n = sample(82, false);
        n.address = odd[i];
        assert_int_equal(quota_notice_write(&b, &n), OK);
        buf_addf(&to, "<%.*s>%c", STR_FMT(odd[i]), 0);
        check_field(buf_str(&b), "To", to.ptr);
        check_lines(buf_str(&b), 200);
        assert_true(str_find_str(buf_str(&b), n.address) > 0);
    }
    for (size_t i = 0; i < sizeof(longest); i++)
        longest[i] = 'x';
    mem_copy(longest + 255, "@example.org", 12);
    AUTO_BUF b = BUF(8192);
    struct quota_notice n = sample(82, false);
    n.address = str_from(longest, 255 + 12);
    assert_int_equal(quota_notice_write(&b, &n), OK);
    check_field(buf_str(&b), "From", "Postmaster <postmaster@example.org>");
    check_lines(buf_str(&b), 998);
    AUTO_BUF small = BUF(100);
    assert_int_equal(quota_notice_write(&small, &n), ERR_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_addresses),
    };

    return cmocka_run_group_tests_name("mail: notices of quotas", tests, NULL, NULL);
}
