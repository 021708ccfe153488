/* fetch.h - one GET by HTTPS from a server that proves its name.
 *
 * Promises:  a body of at most body_max bytes, within timeout_ms and one handshake's time; ERR_DENIED: the certificate
 *            is not to be trusted.  Redirects are answers like others.
 * Never:     keeps a connection.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_FETCH_H
#define ROLE_FETCH_H

#include "auth/http_reply.h"
#include "dns/resolver.h"
#include "rt/tls.h"

struct fetch {
    struct resolver *resolver;
    struct tls_client *tls; /* of TLS_VERIFY_NAME */
    struct str host, path;
    uint16_t port; /* 0 = 443 */
    size_t body_max;
    int64_t timeout_ms;
    const char *why; /* of a failure, for the log; a constant */
};
MUST_USE SUSPENDS enum status fetch_get(struct fetch *f, struct arena *a, struct http_reply *out);

#endif
