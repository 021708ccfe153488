/* conn_finding.h - what can be told afterwards of a connection that we opened: for reports, never for trust.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_CONN_FINDING_H
#define RT_CONN_FINDING_H

#include "rt/conn.h"

/* What a server's certificate lacks, or why the handshake with it failed: for reports alone. */
enum tls_lack {
    TLS_LACKS_NOTHING,
    TLS_LACKS_NAME,  /* it is for another name */
    TLS_LACKS_TIME,  /* it has expired */
    TLS_LACKS_TRUST, /* nobody trusted speaks for it */
    TLS_LACKS_MATCH, /* no TLSA record means it */
    TLS_LACKS_HANDSHAKE,
};
struct tls_finding {
    enum tls_lack lack;
    const char *why; /* OpenSSL's words, a constant */
};
struct tls_finding conn_tls_finding(const struct conn *c);
/* Our own address; false: the kernel does not say. */
bool conn_own_addr(const struct conn *c, struct sockaddr_storage *out);

#endif
