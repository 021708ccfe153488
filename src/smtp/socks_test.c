/* socks_test.c - what is said to a SOCKS5 proxy, byte by byte, and what becomes of its answers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include <arpa/inet.h>

#include "base/size.h"
#include "smtp/socks.h"

/* Texts are hexadecimal; answers with a blank between those that are read at a time. */
static const struct {
    const char *what;
    const char *user, *name, *address;
    const char *answers;
    const char *said; /* all of it, with a blank between what is sent at a time */
    enum socks_step end;
    bool answered;
    const char *why;
} rows[] = {
    {"no log-in", "", "", "192.0.2.7", "0500 0500000100 0000000000", "050100 05010001c00002070019",
     SOCKS_OPEN, false, ""},
    {"offered, not wanted", "me", "", "192.0.2.7", "0500 0500000100 0000000000",
     "05020002 05010001c00002070019", SOCKS_OPEN, false, ""},
    {"a log-in", "me", "", "192.0.2.7", "0502 0100 0500000100 0000000000",
     "05020002 01026d6506736563726574 05010001c00002070019", SOCKS_OPEN, false, ""},
    {"a name", "", "a.example", "", "0500 0500000100 0000000000",
     "050100 0501000309612e6578616d706c650019", SOCKS_OPEN, false, ""},
    {"IPv6", "", "", "2001:db8::1", "0500 0500000400 0000000000000000000000000000000000",
     "050100 0501000420010db80000000000000000000000010019", SOCKS_OPEN, false, ""},
    {"bound to a name", "", "", "192.0.2.7", "0500 0500000302 61610438",
     "050100 05010001c00002070019", SOCKS_OPEN, false, ""},
    {"bound to an empty name", "", "", "192.0.2.7", "0500 0500000300 0438",
     "050100 05010001c00002070019", SOCKS_OPEN, false, ""},
    {"wants a log-in", "", "", "192.0.2.7", "05ff", "050100", SOCKS_FAILED, false,
     "it wants a log-in"},
    {"takes one that was not offered", "", "", "192.0.2.7", "0502", "050100", SOCKS_FAILED, false,
     "it wants a log-in"},
    {"GSSAPI", "me", "", "192.0.2.7", "0501", "05020002", SOCKS_FAILED, false,
     "it takes no log-in by name and password"},
    {"a wrong log-in", "me", "", "192.0.2.7", "0502 0101", "05020002 01026d6506736563726574",
     SOCKS_FAILED, false, "it refuses the log-in"},
    {"another version of the log-in", "me", "", "192.0.2.7", "0502 0500",
     "05020002 01026d6506736563726574", SOCKS_FAILED, false,
     "its answer to the log-in is not SOCKS5"},
    {"SOCKS4", "", "", "192.0.2.7", "045a", "050100", SOCKS_FAILED, false,
     "what answers there does not speak SOCKS5"},
    {"SMTP", "", "", "192.0.2.7", "3232", "050100", SOCKS_FAILED, false,
     "what answers there does not speak SOCKS5"},
    {"refused", "", "", "192.0.2.7", "0500 0505000100", "050100 05010001c00002070019", SOCKS_FAILED,
     true, "connection refused"},
    {"not allowed", "", "", "192.0.2.7", "0500 0502000100", "050100 05010001c00002070019",
     SOCKS_FAILED, true, "not allowed by its rules"},
    {"refused, and no kind of address", "", "", "192.0.2.7", "0500 0504000000",
     "050100 05010001c00002070019", SOCKS_FAILED, true, "host unreachable"},
    {"another reason", "", "", "192.0.2.7", "0500 0580000100", "050100 05010001c00002070019",
     SOCKS_FAILED, true, "it failed for a reason of its own"},
    {"not SOCKS5", "", "", "192.0.2.7", "0500 0400000100", "050100 05010001c00002070019",
     SOCKS_FAILED, false, "its answer is not SOCKS5"},
    {"no such kind of address", "", "", "192.0.2.7", "0500 0500000200",
     "050100 05010001c00002070019", SOCKS_FAILED, false, "its answer is not SOCKS5"},
};

static struct str
unhex(struct str hex, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i + 1 < hex.len; i += 2)
        out[i / 2] = (char)(((strchr(digits, hex.ptr[i]) - digits) << 4) |
                            (strchr(digits, hex.ptr[i + 1]) - digits));
    return str_from(out, hex.len / 2);
}

static void
add_hex(struct buf *said, struct buf *out)
{
    if (out->len > 0 && said->len > 0)
        buf_add_char(said, ' ');
    for (size_t i = 0; i < out->len; i++)
        buf_addf(said, "%02x", (unsigned char)out->ptr[i]);
    buf_reset(out);
}

static void
play(size_t i)
{
    struct sockaddr_storage at = {.ss_family = AF_INET};
    AUTO_SECRET password = {0};
    struct socks_wish w = {.name = str_of(rows[i].name),
                           .at = &at,
                           .port = 25,
                           .user = str_of(rows[i].user),
                           .password = &password};
    struct str rest = str_of(rows[i].answers), answer;
    AUTO_BUF out = BUF(600);
    AUTO_BUF said = BUF(4096);
    struct socks s;
    char bytes[600];

    assert_true(secret_set(&password, STR("secret")));
    if (strchr(rows[i].address, ':') != NULL) {
        at.ss_family = AF_INET6;
        inet_pton(AF_INET6, rows[i].address, &((struct sockaddr_in6 *)(void *)&at)->sin6_addr);
    } else {
        inet_pton(AF_INET, rows[i].address, &((struct sockaddr_in *)(void *)&at)->sin_addr);
    }
    assert_int_equal(socks_begin(&w, &s, &out), OK);
    add_hex(&said, &out);
    while (str_split(&rest, ' ', &answer) && answer.len / 2 == s.need) {
        socks_take(&s, unhex(answer, bytes), &out);
        add_hex(&said, &out);
    }
    if (s.step != rows[i].end || strcmp(s.why, rows[i].why) != 0)
        fail_msg("%s: step %d, %s", rows[i].what, s.step, s.why);
    assert_int_equal(s.answered, rows[i].answered);
    buf_add_char(&said, '\0');
    assert_string_equal(said.ptr, rows[i].said);
}

static void
test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        play(i);
}

static void
test_what_cannot_be_said(void **state)
{
    struct sockaddr_storage at = {.ss_family = AF_INET};
    AUTO_SECRET password = {0};
    char longest[256];
    AUTO_BUF out = BUF(600);
    struct socks s;

    (void)state;
    memset(longest, 'a', sizeof(longest));
    struct socks_wish w = {.at = &at, .port = 25, .password = &password};
    w.name = str_from(longest, 256);
    assert_int_equal(socks_begin(&w, &s, &out), ERR_LIMIT);
    w.name = str_from(longest, 255);
    assert_int_equal(socks_begin(&w, &s, &out), OK);
    w.user = STR("me"); /* with an empty password: RFC 1929 wants an octet */
    assert_int_equal(socks_begin(&w, &s, &out), ERR_LIMIT);
    assert_true(secret_set(&password, str_from(longest, 256)));
    assert_int_equal(socks_begin(&w, &s, &out), ERR_LIMIT);
    assert_true(secret_set(&password, str_from(longest, 255)));
    assert_int_equal(socks_begin(&w, &s, &out), OK);
    w.user = str_from(longest, 256);
    assert_int_equal(socks_begin(&w, &s, &out), ERR_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_what_cannot_be_said),
    };

    return cmocka_run_group_tests_name("smtp: SOCKS5", tests, NULL, NULL);
}
