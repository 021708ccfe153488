/* smtp.h - the SMTP server: mail from strangers and by LMTP (role mx), and from users (submission, role user).
 *
 * Owns:      its sessions.  The connection belongs to rt, the message to the store once the call returns.
 * Promises:  250 to the end of DATA only after the store said kept (and listed, for one local mailbox).
 *            Only CRLF "." CRLF or the count of BDAT ends a message; nothing buffered survives STARTTLS; no
 *            AUTH without TLS (but for loopback, when the configuration says so); no mail to other domains
 *            without a log-in, but from networks that the configuration lists.
 * Never:     opens files, resolves names, holds a key or a password longer than its check.
 * RFC:       5321, 2033, 6409, 4954, 3207, 1870, 2920, 6152, 2034, 3461, 3030 (CHUNKING alone), 6531, 9422.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_SMTP_H
#define SMTP_SMTP_H

#include "config/config.h"
#include "rt/conn.h"
#include "rt/ipc.h"

/* What a worker process gives its sessions; peers are NULL while their role is away. */
struct smtp_world {
    const struct config *config;
    struct ipc_peer *store;
    struct ipc_peer *auth;
    struct ipc_peer *out; /* of mx alone */
    struct str
        passwd; /* passwd(5): who calls on the socket of the sendmail command; may be empty */
};
/* Once per process, before the first listener starts.  w is read at every use. */
void smtp_init(const struct smtp_world *w);
/* For struct listener, whose kind is an enum service. */
extern const struct conn_ops smtp_ops;
/* The store revoked sessions of an account: those end with 421. */
void smtp_revoked(uint64_t account, uint64_t session);

#endif
