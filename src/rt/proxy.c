/* proxy.c - see proxy.h.  The specification is HAProxy's proxy-protocol.txt.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/proxy.h"

#include <arpa/inet.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/scan.h"

enum {
    V1_LINE_MAX = 107, /* with its CRLF */
    V2_HEAD = 16,
    V2_VERSION = 0x20,
    V2_LOCAL = 0,
    V2_PROXY = 1,
    V2_TCP4 = 0x11,
    V2_TCP6 = 0x21,
    V2_UNSPEC = 0x00,
    V2_UNIX = 0x31,
    TLV_CRC32C = 3
};
static const struct str v1_start = {"PROXY ", 6};
static const struct str v2_start = {"\r\n\r\n\0\r\nQUIT\n", 12};

static enum status read_v1(struct str bytes, struct proxy_header *out);
static enum status read_v2(struct str bytes, struct proxy_header *out);

/* Could it go on as this? */
static bool
begins(struct str bytes, struct str with)
{
    size_t n = bytes.len < with.len ? bytes.len : with.len;

    return str_eq(str_sub(bytes, 0, n), str_sub(with, 0, n));
}

MUST_USE enum status
proxy_read(struct str bytes, struct proxy_header *out)
{
    if (begins(bytes, v1_start))
        return read_v1(bytes, out);
    if (begins(bytes, v2_start))
        return read_v2(bytes, out);
    return ERR_SYNTAX;
}

void
proxy_plain_ipv4(struct sockaddr_storage *a)
{
    struct sockaddr_in6 six;

    if (a->ss_family != AF_INET6)
        return;
    mem_copy(&six, a, sizeof(six));
    if (!IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
        return;
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = six.sin6_port};
    mem_copy(&four.sin_addr, &six.sin6_addr.s6_addr[12], 4);
    *a = (struct sockaddr_storage){0};
    mem_copy(a, &four, sizeof(four));
}

static void
set_address(struct sockaddr_storage *a, bool six, const void *bytes, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    *a = (struct sockaddr_storage){0};
    mem_copy(six ? (void *)&in6.sin6_addr : (void *)&in.sin_addr, bytes, six ? 16 : 4);
    mem_copy(a, six ? (const void *)&in6 : (const void *)&in, six ? sizeof(in6) : sizeof(in));
    proxy_plain_ipv4(a);
}

/* ---- version 1 ---- */

static bool
read_address(struct str word, bool six, unsigned char *out)
{
    char z[INET6_ADDRSTRLEN];

    return str_to_z(word, z, sizeof(z)) && inet_pton(six ? AF_INET6 : AF_INET, z, out) == 1;
}

static bool
read_port(struct str word, uint16_t *out)
{
    struct scan s = scan_of(word);
    uint32_t v;

    if ((word.len > 1 && word.ptr[0] == '0') || !scan_u32(&s, 65535, &v) || !scan_at_end(&s))
        return false;
    *out = (uint16_t)v; /* at most 65535 */
    return true;
}

/* PROXY SP ("TCP4" / "TCP6") SP source SP destination SP source-port SP destination-port CRLF; or PROXY SP "UNKNOWN"
 * and anything else CRLF. */
static enum status
read_v1(struct str bytes, struct proxy_header *out)
{
    struct proxy_header h = {0};
    struct str words[6], line = str_sub(bytes, 0, V1_LINE_MAX);
    unsigned char from[16], to[16];
    uint16_t from_port, to_port;
    size_t n = 0;

    ssize_t lf = str_find(line, '\n');
    if (lf < 0)
        return bytes.len < V1_LINE_MAX ? ERR_TEMP : ERR_LIMIT;
    if (lf < 1 || line.ptr[lf - 1] != '\r')
        return ERR_SYNTAX;
    h.size = (size_t)lf + 1;
    line = str_sub(line, 0, (size_t)lf - 1);
    if (str_eq(line, STR("PROXY UNKNOWN")) || str_starts(line, STR("PROXY UNKNOWN "))) {
        *out = h;
        return OK;
    }
    size_t left = line.len;
    for (; n < 6 && str_split(&line, ' ', &words[n]); n++)
        left -= words[n].len;
    if (n < 6 || left != 5) /* the blanks between six words */
        return ERR_SYNTAX;
    bool six = str_eq(words[1], STR("TCP6"));
    if ((!six && !str_eq(words[1], STR("TCP4"))) || !read_address(words[2], six, from) ||
        !read_address(words[3], six, to) || !read_port(words[4], &from_port) ||
        !read_port(words[5], &to_port))
        return ERR_SYNTAX;
    h.known = true;
    set_address(&h.client, six, from, from_port);
    set_address(&h.server, six, to, to_port);
    *out = h;
    return OK;
}

/* ---- version 2 ---- */

/* The checksum is of the header with zeros in its own place. */
static bool
is_sum_right(struct str header, size_t at, struct str sum)
{
    static const char zeros[4];
    struct scan s = scan_of(sum);
    uint32_t want;

    if (sum.len != 4 || !scan_be32(&s, &want))
        return false;
    uint32_t got = crc32c(0, header.ptr, at);
    got = crc32c(got, zeros, sizeof(zeros));
    return crc32c(got, header.ptr + at + 4, header.len - at - 4) == want;
}

/* TLV = type(u8) length(be16) value */
static enum status
check_tlvs(struct str header, size_t at)
{
    struct scan s = scan_of(str_skip(header, at));

    while (!scan_at_end(&s)) {
        uint8_t type, high, low;
        struct str value;
        if (!scan_u8(&s, &type) || !scan_u8(&s, &high) || !scan_u8(&s, &low) ||
            !scan_take(&s, (size_t)high << 8 | low, &value))
            return ERR_SYNTAX;
        if (type == TLV_CRC32C && !is_sum_right(header, (size_t)(value.ptr - header.ptr), value))
            return ERR_SYNTAX;
    }
    return OK;
}

static enum status
read_v2(struct str bytes, struct proxy_header *out)
{
    struct proxy_header h = {0};

    if (bytes.len < V2_HEAD)
        return ERR_TEMP;
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    unsigned command = p[12] & 0x0f, family = p[13];
    h.size = V2_HEAD + ((size_t)p[14] << 8 | p[15]);
    if ((p[12] & 0xf0) != V2_VERSION || command > V2_PROXY)
        return ERR_SYNTAX;
    if (h.size > PROXY_BYTES_MAX)
        return ERR_LIMIT;
    if (command == V2_PROXY && family != V2_TCP4 && family != V2_TCP6 && family != V2_UNSPEC &&
        family != V2_UNIX)
        return ERR_SYNTAX;
    if (bytes.len < h.size)
        return ERR_TEMP;
    struct str header = str_sub(bytes, 0, h.size);
    bool six = family == V2_TCP6;
    size_t address = six ? 16 : 4, ports = V2_HEAD + 2 * address;
    if (command == V2_LOCAL || family == V2_UNSPEC || family == V2_UNIX) {
        *out = h; /* what follows is to be skipped, whatever it is */
        return OK;
    }
    if (h.size < ports + 4)
        return ERR_SYNTAX;
    TRY(check_tlvs(header, ports + 4));
    h.known = true;
    set_address(&h.client, six, p + V2_HEAD, (uint16_t)(p[ports] << 8 | p[ports + 1]));
    set_address(&h.server, six, p + V2_HEAD + address,
                (uint16_t)(p[ports + 2] << 8 | p[ports + 3]));
    *out = h;
    return OK;
}
