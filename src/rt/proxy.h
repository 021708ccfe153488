/* proxy.h - the header of the PROXY protocol, versions 1 and 2: for whom a proxy of ours speaks.
 *
 * Text:      version 1 is a line, "PROXY TCP4 192.0.2.1 192.0.2.2 56324 25" CRLF, of at most 107 bytes.  Version
 *            2 is binary: 12 bytes of signature, version and command, family, length, addresses, and TLVs, which
 *            are skipped; a checksum among them must be right.
 * Promises:  reads no further than the header, which has at most PROXY_BYTES_MAX bytes; needs no more bytes to
 *            refuse what cannot become one.  An IPv4 address written as IPv6 comes out as IPv4.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_PROXY_H
#define RT_PROXY_H

#include <netinet/in.h>

#include "base/limits.h"
#include "base/scan.h"
#include "base/status.h"

#define PROXY_BYTES_MAX ((size_t)LIMIT_PROXY_BYTES)

struct proxy_header {
    size_t size;
    bool
        known; /* false (LOCAL, UNKNOWN): the proxy speaks for itself, or for nobody that has an address */
    struct sockaddr_storage client, server;
};
/* ERR_TEMP: the beginning of one.  ERR_SYNTAX, ERR_LIMIT: never one. */
MUST_USE enum status proxy_read(struct str bytes, struct proxy_header *out);
/* ::ffff:192.0.2.1 is that IPv4 address. */
void proxy_plain_ipv4(struct sockaddr_storage *a);

#endif
