/* client.h - the client's end of a transcript: bytes to and from a server, in clear or under TLS.
 *
 * Suspends:  everything but client_free(); a server that neither reads nor answers within a minute fails.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTKIT_CLIENT_H
#define TESTKIT_CLIENT_H

#include <openssl/ssl.h>

#include "base/buf.h"
#include "rt/conn.h"

struct client {
    int fd; /* 0: not connected */
    bool bytewise;
    SSL *ssl;         /* NULL: in clear */
    struct buf input; /* came, and is not expected yet */
};
/* Over TCP, because only a loopback address may log in without TLS. */
MUST_USE bool client_connect(struct client *c, struct listener *l);
MUST_USE SUSPENDS bool client_tls(struct client *c);
/* OK also when the server has closed: the transcript will notice.  ERR_TIMEOUT: it does not read. */
MUST_USE SUSPENDS enum status client_send(struct client *c, struct str s);
/* OK: more stands in c->input.  ERR_CLOSED: the end.  ERR_TIMEOUT: nothing came. */
MUST_USE SUSPENDS enum status client_receive(struct client *c);
void client_end_sending(struct client *c);
void client_free(struct client *c);

#endif
