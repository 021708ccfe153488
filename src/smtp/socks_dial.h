/* socks_dial.h - a connection to a host by way of a SOCKS5 proxy.
 *
 * Owns:      nothing but what it returns.
 * Promises:  why names the proxy.  Its own name is looked up by us, that of the host by whom the route says.
 *            The proxy has the time of a connection to be reached, and then LIMIT_OUT_SOCKS_S.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_SOCKS_DIAL_H
#define SMTP_SOCKS_DIAL_H

#include "config/config.h"
#include "dns/resolver.h"
#include "rt/conn.h"
#include "smtp/client.h"
#include "smtp/socks.h"

struct socks_dial {
    const struct config_socks *proxy;
    struct resolver *resolver;
    const struct sockaddr *source4, *source6; /* NULL = the system's choice */
    unsigned families;                        /* to reach the proxy: bits of enum dns_family */
    int64_t timeout_ms;
    struct socks_wish wish;
};
/* ERR_TEMP: the proxy answered, and cannot reach this address.  ERR_CLOSED, ERR_TIMEOUT: the proxy is of no use now. */
MUST_USE SUSPENDS enum status socks_dial(const struct socks_dial *d, struct conn **out,
                                         struct smtp_answer *why);

#endif
