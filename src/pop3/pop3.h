/* pop3.h - the POP3 server over INBOX.
 *
 * Owns:      its sessions: at log-in each takes a list of the messages as they are then (RFC 1939 section 3).
 * Promises:  exact sizes; UIDLs that never change and are never reused (UIDVALIDITY and UID); messages marked by DELE
 *            are gone only after QUIT, and only those; TOP and RETR mark nothing as seen.
 * Never:     takes a password without TLS (but for loopback, when the configuration says so).
 * RFC:       1939, 2449 (CAPA), 2595 (STLS), 5034 (AUTH), 3206 (AUTH-RESP-CODE), 6856 (UTF8, after log-in too).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POP3_POP3_H
#define POP3_POP3_H

#include "config/config.h"
#include "rt/conn.h"
#include "rt/ipc.h"

struct pop3_world {
    const struct config *config;
    struct ipc_peer *store; /* NULL while away */
    struct ipc_peer *auth;
};
/* Once per process, before the first listener starts.  w is read at every use. */
void pop3_init(const struct pop3_world *w);
extern const struct conn_ops pop3_ops;
void pop3_revoked(uint64_t account, uint64_t session);

#endif
