/* client.h - one SMTP conversation with another server, as the side that sends.
 *
 * Owns:      its connection.
 * Promises:  replies are parsed within bounds; whatever the server says before TLS is forgotten after it; a body
 *            goes out dot-stuffed, in legal lines with CRLF only.  A 2xx to the final dot is the only success.
 * Never:     looks names up; decides about retries.
 * Suspends:  every call, within the timeouts of RFC 5321 section 4.5.3.2.
 * RFC:       5321, 3207, 2920, 3030, 1870, 6152, 3461, 6531, 4954 (PLAIN).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include "policy/tls_report.h"
#include "rt/conn.h"
#include "rt/tls.h"
#include "smtp/reply.h"

struct smtp_client;
/* How TLS with it went, for reports about that. */
struct smtp_tls_found {
    bool asked; /* it came so far */
    enum tls_result result;
    const char *reason;          /* a constant; empty: the result says it all */
    struct sockaddr_storage own; /* our address; of no family: not known */
};
struct smtp_peer {
    struct conn_target target;
    struct conn *conn;      /* open already, and taken over; NULL = connect to target */
    struct str name;        /* of the host, for TLS and the log */
    struct str helo;        /* our own name */
    struct tls_client *tls; /* NULL = none */
    const struct tls_dane
        *dane; /* what tls, of TLS_VERIFY_DANE, holds the server against; else NULL */
    bool tls_required;
    struct smtp_tls_found *found; /* NULL: nobody wants to know */
    struct str user;              /* empty = no log-in */
    const struct secret *password;
};
/* Connects, greets, turns TLS on when it is offered, logs in when asked to.  ERR_CLOSED, ERR_TIMEOUT: no connection;
 * ERR_TEMP, ERR_DENIED: refused for now, for good; ERR_SYNTAX: TLS failed, or is required and not to be had.
 * A handshake that failed where TLS is required is ERR_TEMP: the next may not.
 * why is always filled on failure. */
MUST_USE SUSPENDS enum status smtp_client_open(const struct smtp_peer *peer,
                                               struct smtp_client **out, struct smtp_answer *why);
void smtp_client_free(struct smtp_client **c);
unsigned smtp_client_extensions(const struct smtp_client *c);
uint64_t smtp_client_size_max(const struct smtp_client *c); /* 0 = not said */
uint32_t smtp_client_by_min_s(const struct smtp_client *c); /* of DELIVERBY; 0 = not said */
bool smtp_client_is_tls(const struct smtp_client *c);
/* A transaction ended, and the server still waits for commands.  finished: by a reply to its body; else it is undone
 * with RSET.  From here to the next call that sends it is idle, unless the server has said 421, went away, or has
 * said anything that nobody asked for. */
SUSPENDS void smtp_client_ended(struct smtp_client *c, bool finished);
bool smtp_client_is_idle(struct smtp_client *c);
unsigned smtp_client_messages(const struct smtp_client *c); /* transactions that ended */
int64_t smtp_client_opened_ms(const struct smtp_client *c);
const struct sockaddr_storage *smtp_client_address(const struct smtp_client *c);
/* QUIT, without waiting for the answer. */
SUSPENDS void smtp_client_bye(struct smtp_client *c);
/* Sends a command line (CRLF is added) without waiting. */
MUST_USE SUSPENDS enum status smtp_client_send(struct smtp_client *c, struct str line);
/* The next reply, within seconds.  OK whatever its code is. */
MUST_USE SUSPENDS enum status smtp_client_reply(struct smtp_client *c, unsigned seconds,
                                                struct smtp_answer *out);
/* Body bytes after 354; end sends the final dot. */
MUST_USE SUSPENDS enum status smtp_client_body(struct smtp_client *c, struct str bytes);
MUST_USE SUSPENDS enum status smtp_client_body_end(struct smtp_client *c);
/* Body bytes, head first, as one chunk (RFC 3030) whose reply is to be read. */
MUST_USE SUSPENDS enum status smtp_client_chunk(struct smtp_client *c, struct str head,
                                                struct str bytes, bool last);
/* What happened instead of a reply. */
void smtp_answer_set(struct smtp_answer *a, const char *text);

#endif
