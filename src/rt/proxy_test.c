/* proxy_test.c - headers of the PROXY protocol: those that are, those that may become one, those that never do.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/size.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define FOUR      "\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x67\x00\x19" /* 192.0.2.1:4711, 192.0.2.2:25 */
#define SIX                                      \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x12\x67\x00\x19"
#define MAPPED                                     \
    "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01" \
    "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x02\x12\x67\x00\x19"
#define LONG_56 "1111:1111:1111:1111:1111:1111:1111:1111 2222:2222:2222:2222"
#define LONGEST                                                                              \
    "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ff" \
    "ff:ffff 65535 65535\r\n"

static const struct {
    struct str bytes;
    enum status e;
    size_t size;
    const char *client; /* NULL: none is known */
    uint16_t port;
} rows[] = {
    {STR("PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\r\n"), OK, 40, "192.0.2.1", 4711},
    {STR("PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\r\nEHLO"), OK, 40, "192.0.2.1", 4711},
    {STR("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), OK, 56, "255.255.255.255",
     65535},
    {STR("PROXY TCP6 2001:db8::1 2001:db8::2 0 25\r\n"), OK, 41, "2001:db8::1", 0},
    {STR("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 25\r\n"), OK, 51, "192.0.2.1", 1},
    {STR("PROXY UNKNOWN\r\n"), OK, 15, NULL, 0},
    {STR("PROXY UNKNOWN anything at all\r\nX"), OK, 31, NULL, 0},
    {STR(LONGEST), OK, 107, NULL, 0},
    {STR(""), ERR_TEMP, 0, NULL, 0},
    {STR("P"), ERR_TEMP, 0, NULL, 0},
    {STR("PROXY TCP4 192.0.2.1"), ERR_TEMP, 0, NULL, 0},
    {STR("PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\r"), ERR_TEMP, 0, NULL, 0},
    {STR("EHLO c.example\r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXYTCP4"), ERR_SYNTAX, 0, NULL, 0},
    {STR("proxy TCP4 192.0.2.1 192.0.2.2 4711 25\r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY TCP4 192.0.2.1 192.0.2.2 4711\r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY TCP4 192.0.2.1 192.0.2.2 4711 25 \r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY TCP4 192.0.2.1 192.0.2.2 4711 25 9\r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY TCP4  192.0.2.1 192.0.2.2 4711 25\r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY TCP4 192.0.2.1 192.0.2.2 65536 25\r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY TCP4 192.0.2.1 192.0.2.2 04711 25\r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY TCP4 192.0.2.1 192.0.2.2 -1 25\r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY TCP4 192.0.2.256 192.0.2.2 1 25\r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY TCP4 2001:db8::1 2001:db8::2 1 25\r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY TCP6 192.0.2.1 192.0.2.2 1 25\r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY UDP4 192.0.2.1 192.0.2.2 1 25\r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY UNKNOWNS\r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY \r\n"), ERR_SYNTAX, 0, NULL, 0},
    {STR("PROXY UNKNOWN " LONG_56 LONG_56 "\r\n"), ERR_LIMIT, 0, NULL, 0},
    {STR("PROXY UNKNOWN " LONG_56 LONG_56), ERR_LIMIT, 0, NULL, 0},
    {STR(SIGNATURE "\x21\x11\x00\x0c" FOUR), OK, 28, "192.0.2.1", 4711},
    {STR(SIGNATURE "\x21\x11\x00\x0c" FOUR "220"), OK, 28, "192.0.2.1", 4711},
    {STR(SIGNATURE "\x21\x21\x00\x24" SIX), OK, 52, "2001:db8::1", 4711},
    {STR(SIGNATURE "\x21\x21\x00\x24" MAPPED), OK, 52, "192.0.2.1", 4711},
    {STR(SIGNATURE "\x21\x11\x00\x12" FOUR "\x04\x00\x03xyz"), OK, 34, "192.0.2.1", 4711},
    {STR(SIGNATURE "\x21\x11\x00\x0f" FOUR "\xea\x00\x00"), OK, 31, "192.0.2.1", 4711},
    {STR(SIGNATURE "\x20\x00\x00\x00"), OK, 16, NULL, 0},
    {STR(SIGNATURE "\x20\x11\x00\x0c" FOUR), OK, 28, NULL, 0},
    {STR(SIGNATURE "\x20\xff\x00\x02??"), OK, 18, NULL, 0},
    {STR(SIGNATURE "\x21\x00\x00\x03???"), OK, 19, NULL, 0},
    {STR(SIGNATURE "\x21\x31\x00\x01?"), OK, 17, NULL, 0},
    {STR("\r\n"), ERR_TEMP, 0, NULL, 0},
    {STR(SIGNATURE), ERR_TEMP, 0, NULL, 0},
    {STR(SIGNATURE "\x21\x11\x00"), ERR_TEMP, 0, NULL, 0},
    {STR(SIGNATURE "\x21\x11\x00\x0c"
                   "\xc0\x00"),
     ERR_TEMP, 0, NULL, 0},
    {STR(SIGNATURE "\x21\x11\x07\xf0" FOUR), ERR_TEMP, 0, NULL, 0}, /* 2048 in all */
    {STR(SIGNATURE "\x21\x11\x07\xf1" FOUR), ERR_LIMIT, 0, NULL, 0},
    {STR(SIGNATURE "\x21\x11\xff\xff" FOUR), ERR_LIMIT, 0, NULL, 0},
    {STR("\r\n\r\n\0\r\nQUIX"), ERR_SYNTAX, 0, NULL, 0},
    {STR(SIGNATURE "\x11\x11\x00\x0c" FOUR), ERR_SYNTAX, 0, NULL, 0},
    {STR(SIGNATURE "\x22\x11\x00\x0c" FOUR), ERR_SYNTAX, 0, NULL, 0},
    {STR(SIGNATURE "\x21\x12\x00\x0c" FOUR), ERR_SYNTAX, 0, NULL, 0}, /* datagrams */
    {STR(SIGNATURE "\x21\x41\x00\x0c" FOUR), ERR_SYNTAX, 0, NULL, 0},
    {STR(SIGNATURE "\x21\x11\x00\x0b" FOUR), ERR_SYNTAX, 0, NULL, 0},
    {STR(SIGNATURE "\x21\x21\x00\x0c" FOUR), ERR_SYNTAX, 0, NULL, 0},
    {STR(SIGNATURE "\x21\x11\x00\x0d" FOUR "\x04"), ERR_SYNTAX, 0, NULL, 0},
    {STR(SIGNATURE "\x21\x11\x00\x10" FOUR "\x04\x00\x02?"), ERR_SYNTAX, 0, NULL, 0},
    {STR(SIGNATURE "\x21\x11\x00\x13" FOUR "\x03\x00\x04\0\0\0\0"), ERR_SYNTAX, 0, NULL, 0},
    {STR(SIGNATURE "\x21\x11\x00\x11" FOUR "\x03\x00\x02\0\0"), ERR_SYNTAX, 0, NULL, 0},
};

static void
client_text(const struct proxy_header *h, char text[INET6_ADDRSTRLEN], uint16_t *port)
{
    const void *p = &h->client;
    const struct sockaddr_in *four = p;
    const struct sockaddr_in6 *six = p;
    bool is_six = h->client.ss_family == AF_INET6;

    (void)inet_ntop(h->client.ss_family, is_six ? (const void *)&six->sin6_addr : &four->sin_addr,
                    text, INET6_ADDRSTRLEN);
    *port = ntohs(is_six ? six->sin6_port : four->sin_port);
}

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct proxy_header h = {0};
        char text[INET6_ADDRSTRLEN] = "";
        uint16_t port = 0;
        enum status e = proxy_read(rows[i].bytes, &h);

        if (e != rows[i].e || h.size != rows[i].size || h.known != (rows[i].client != NULL))
            fail_msg("row %zu: %s, %zu bytes", i, status_name(e), h.size);
        if (!h.known)
            continue;
        client_text(&h, text, &port);
        assert_string_equal(text, rows[i].client);
        assert_int_equal(port, rows[i].port);
    }
}

/* Until the last byte a header may still become one. */
static void
test_every_beginning(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; rows[i].e == OK && n < rows[i].size; n++) {
            struct proxy_header h;
            assert_int_equal(proxy_read(str_sub(rows[i].bytes, 0, n), &h), ERR_TEMP);
        }
}

static void
test_checksum(void **state)
{
    AUTO_BUF b = BUF(100);
    struct proxy_header h;

    (void)state;
    buf_add(&b, STR(SIGNATURE "\x21\x11\x00\x16" FOUR "\x03\x00\x04\0\0\0\0\x04\x00\x00"));
    uint32_t sum = crc32c(0, b.ptr, b.len);
    assert_int_equal(proxy_read(buf_str(&b), &h), ERR_SYNTAX);
    for (size_t i = 0; i < 4; i++)
        b.ptr[31 + i] = (char)(sum >> (24 - 8 * i) & 0xff);
    assert_int_equal(proxy_read(buf_str(&b), &h), OK);
    b.ptr[16]++; /* another client */
    assert_int_equal(proxy_read(buf_str(&b), &h), ERR_SYNTAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_every_beginning),
        cmocka_unit_test(test_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
