/* network_time.c - our clock beside that of a time server.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/scan.h"
#include "base/size.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "setup/network.h"
#include "setup/sntp.h"

enum { ANSWER_MS = 3000, TRIES = 2, ANSWER_BYTES = 512, NTP_PORT = 123 };
#define USUAL_SERVER STR("pool.ntp.org")
#define OFF_US \
    INT64_C(10000000) /* a token for a log-in lives 30 s, a Date is believed for minutes */

/* ERR_NOT_FOUND: the name has no address. */
static SUSPENDS enum status
open_way(struct network *n, struct str server, int *fd_out)
{
    ssize_t colon = str_rfind(server, ':');
    struct str host = colon > 0 ? str_sub(server, 0, (size_t)colon) : server;
    struct scan s = scan_of(colon > 0 ? str_skip(server, (size_t)colon + 1) : STR(""));
    struct dns_addresses found;
    uint32_t port = NTP_PORT;

    if (colon > 0 && (!scan_u32(&s, 65535, &port) || !scan_at_end(&s)))
        return ERR_SYNTAX;
    TRY(resolver_addresses(n->resolver, host, DNS_IPV4 | DNS_IPV6, n->a, &found));
    for (size_t i = 0; i < found.count; i++) {
        struct sockaddr_storage to = found.at[i];
        bool six = to.ss_family == AF_INET6;
        AUTO(fd_close) int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (six)
            ((struct sockaddr_in6 *)(void *)&to)->sin6_port = htons((uint16_t)port);
        else
            ((struct sockaddr_in *)(void *)&to)->sin_port = htons((uint16_t)port);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&to,
                              six ? (socklen_t)sizeof(struct sockaddr_in6)
                                  : (socklen_t)sizeof(struct sockaddr_in)) != 0)
            continue;
        *fd_out = fd;
        fd = -1;
        return OK;
    }
    return ERR_CLOSED;
}

/* A datagram may be lost: then once more. */
static SUSPENDS enum status
ask_time(int fd, int64_t *by_us_out)
{
    for (int i = 0; i < TRIES; i++) {
        unsigned char question[SNTP_BYTES];
        char answer[ANSWER_BYTES];
        int64_t asked = clock_now().us;
        sntp_ask(asked, question);
        if (write(fd, question, sizeof(question)) != (ssize_t)sizeof(question))
            return ERR_CLOSED;
        if (fiber_wait_fd(fd, EPOLLIN, ANSWER_MS) != OK)
            continue;
        ssize_t got = read(fd, answer, sizeof(answer));
        int64_t now = clock_now().us;
        if (got < 0)
            return ERR_CLOSED;
        enum status e = sntp_read(str_from(answer, (size_t)got), asked, now, by_us_out);
        if (e != ERR_SYNTAX) /* of an earlier question, or of somebody else */
            return e;
    }
    return ERR_TIMEOUT;
}

void
network_check_time(struct network *n, struct str server)
{
    struct str whom = server.len > 0 ? server : USUAL_SERVER;
    AUTO(fd_close) int fd = -1;
    int64_t by = 0;

    if (n->resolver == NULL)
        return;
    enum status e = open_way(n, whom, &fd);
    if (e == OK)
        e = ask_time(fd, &by);
    int64_t off = by < 0 ? -by : by;
    if (e != OK)
        finding_add(n->f, FINDING_NOTE, "clock",
                    "The clock could not be compared with that of %.*s, which does not answer; "
                    "--time HOST names another.",
                    STR_FMT(whom));
    else if (off > OFF_US)
        finding_add(
            n->f, FINDING_MEND, "clock",
            "The clock is %lld s %s that of %.*s, so dates of mail are wrong, and tokens and "
            "certificates may be refused: set it, and let systemd-timesyncd or chrony keep "
            "it.",
            (long long)(off / 1000000), by > 0 ? "behind" : "ahead of", STR_FMT(whom));
    else
        finding_add(n->f, FINDING_OK, "clock",
                    "The clock and that of %.*s differ by %lld.%03lld s.", STR_FMT(whom),
                    (long long)(off / 1000000), (long long)(off / 1000 % 1000));
}
