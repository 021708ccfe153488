/* socks.c - see socks.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/socks.h"

#include <stdio.h>

#include "base/size.h"

enum {
    VERSION = 5,
    LOGIN_VERSION = 1,
    METHOD_NONE = 0,
    METHOD_PASSWORD = 2,
    METHOD_NO = 0xff,
    COMMAND_CONNECT = 1,
    KIND_IPV4 = 1,
    KIND_NAME = 3,
    KIND_IPV6 = 4,
    PART_MAX = 255,
};

static void
wait_for(struct socks *s, enum socks_step step, size_t need)
{
    s->step = step;
    s->need = need;
}

static void
fail(struct socks *s, const char *why)
{
    s->step = SOCKS_FAILED;
    s->need = 0;
    snprintf(s->why, sizeof(s->why), "%s", why);
}

static unsigned
octet(struct str bytes, size_t i)
{
    return (unsigned char)bytes.ptr[i];
}

/* +----+----------+----------+
 * |VER | NMETHODS | METHODS  |      RFC 1928 section 3
 * +----+----------+----------+ */
enum status
socks_begin(const struct socks_wish *w, struct socks *s, struct buf *out)
{
    if (w->name.len > PART_MAX || w->user.len > PART_MAX ||
        (w->user.len > 0 && secret_str(w->password).len > PART_MAX) ||
        (w->user.len > 0 && secret_str(w->password).len == 0))
        return ERR_LIMIT;
    *s = (struct socks){.wish = w};
    buf_add_char(out, VERSION);
    buf_add_char(out, w->user.len > 0 ? 2 : 1);
    buf_add_char(out, METHOD_NONE);
    if (w->user.len > 0)
        buf_add_char(out, METHOD_PASSWORD);
    wait_for(s, SOCKS_METHOD, 2);
    return OK;
}

/* +----+-----+-------+------+----------+----------+
 * |VER | CMD |  RSV  | ATYP | DST.ADDR | DST.PORT |      RFC 1928 section 4
 * +----+-----+-------+------+----------+----------+ */
static void
ask(struct socks *s, struct buf *out)
{
    const struct socks_wish *w = s->wish;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)w->at;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)w->at;

    buf_add_char(out, VERSION);
    buf_add_char(out, COMMAND_CONNECT);
    buf_add_char(out, 0);
    if (w->name.len > 0) {
        buf_add_char(out, KIND_NAME);
        buf_add_char(out, (char)w->name.len); /* <= PART_MAX */
        buf_add(out, w->name);
    } else if (w->at->ss_family == AF_INET) {
        buf_add_char(out, KIND_IPV4);
        buf_add(out, str_from((const char *)&v4->sin_addr, 4)); /* in network order */
    } else {
        buf_add_char(out, KIND_IPV6);
        buf_add(out, str_from((const char *)&v6->sin6_addr, 16));
    }
    buf_add_char(out, (char)(w->port >> 8));
    buf_add_char(out, (char)(w->port & 0xff));
    wait_for(s, SOCKS_HEAD, 5);
}

/* +----+------+----------+------+----------+
 * |VER | ULEN |  UNAME   | PLEN |  PASSWD  |      RFC 1929 section 2
 * +----+------+----------+------+----------+ */
static void
log_in(struct socks *s, struct buf *out)
{
    struct str password = secret_str(s->wish->password);

    buf_add_char(out, LOGIN_VERSION);
    buf_add_char(out, (char)s->wish->user.len);
    buf_add(out, s->wish->user);
    buf_add_char(out, (char)password.len);
    buf_add(out, password);
    wait_for(s, SOCKS_LOGIN, 2);
}

static void
take_method(struct socks *s, struct str bytes, struct buf *out)
{
    unsigned method = octet(bytes, 1);

    if (octet(bytes, 0) != VERSION)
        fail(s, "what answers there does not speak SOCKS5");
    else if (method == METHOD_NONE)
        ask(s, out);
    else if (method == METHOD_PASSWORD && s->wish->user.len > 0)
        log_in(s, out);
    else if (s->wish->user.len > 0)
        fail(s, "it takes no log-in by name and password");
    else
        fail(s, "it wants a log-in");
}

static void
take_login(struct socks *s, struct str bytes, struct buf *out)
{
    if (octet(bytes, 0) != LOGIN_VERSION)
        fail(s, "its answer to the log-in is not SOCKS5");
    else if (octet(bytes, 1) != 0)
        fail(s, "it refuses the log-in");
    else
        ask(s, out);
}

/* +----+-----+-------+------+----------+----------+
 * |VER | REP |  RSV  | ATYP | BND.ADDR | BND.PORT |      RFC 1928 section 6
 * +----+-----+-------+------+----------+----------+
 * The first five octets hold ATYP, and of a name its length. */
static void
take_head(struct socks *s, struct str bytes)
{
    static const char *const replies[] = {
        NULL,
        "general failure",
        "not allowed by its rules",
        "network unreachable",
        "host unreachable",
        "connection refused",
        "TTL expired",
        "it cannot CONNECT",
        "it does not know this kind of address",
    };
    unsigned reply = octet(bytes, 1), kind = octet(bytes, 3);

    if (octet(bytes, 0) != VERSION ||
        (reply == 0 && kind != KIND_IPV4 && kind != KIND_IPV6 && kind != KIND_NAME)) {
        fail(s, "its answer is not SOCKS5");
    } else if (reply != 0) {
        fail(s, reply < COUNT_OF(replies) ? replies[reply] : "it failed for a reason of its own");
        s->answered = true;
    } else {
        size_t address = kind == KIND_IPV4 ? 4 : kind == KIND_IPV6 ? 16 : octet(bytes, 4) + 1u;
        wait_for(s, SOCKS_REST, address + 2 - 1);
    }
}

void
socks_take(struct socks *s, struct str bytes, struct buf *out)
{
    ASSERT(bytes.len == s->need && s->need > 0);
    switch (s->step) {
    case SOCKS_METHOD: take_method(s, bytes, out); break;
    case SOCKS_LOGIN: take_login(s, bytes, out); break;
    case SOCKS_HEAD: take_head(s, bytes); break;
    case SOCKS_REST: /* where it connects from is of no use to us */
        wait_for(s, SOCKS_OPEN, 0);
        break;
    case SOCKS_OPEN:
    case SOCKS_FAILED: UNREACHABLE();
    }
    ASSERT(s->need <= SOCKS_NEED_MAX);
}
