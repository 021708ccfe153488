/* served.h - what a service offers whoever begins TLS with it: its version, its certificate.
 *
 * Promises:  takes whatever is offered, however old, so that it can be named; blocks as long as the socket's own
 *            time-outs say.
 * Never:     sends anything inside TLS, judges whether the certificate is trusted.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_SERVED_H
#define SETUP_SERVED_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

struct served {
    struct str version; /* "TLSv1.3" */
    bool old;           /* before TLS 1.2, which RFC 8996 forbids */
    struct str sha256;  /* of the certificate, as cert_read() writes it */
    size_t chain;       /* how many certificates came */
};
/* fd is at the point where TLS begins.  ERR_CLOSED: it does not. */
MUST_USE enum status served_look(int fd, struct str host, struct arena *a, struct served *out);

#endif
