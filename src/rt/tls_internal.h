/* tls_internal.h - how connections get their TLS state; private to rt.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_TLS_INTERNAL_H
#define RT_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "rt/tls.h"
#include "rt/tls_trust.h"

/* tls.c.  NULL when there is no certificate. */
SSL *tls_server_ssl(struct tls_server *t);
/* name: for SNI, and for the check when the client verifies. */
bool tls_client_judges(const struct tls_client *t); /* does it look whose certificate it is? */
MUST_USE enum status tls_client_ssl(struct tls_client *t, struct str name, SSL **out);
/* The same of a client of TLS_VERIFY_DANE. */
MUST_USE enum status tls_client_ssl_dane(struct tls_client *t, const struct tls_dane *dane,
                                         SSL **out);
void tls_ssl_free(SSL **ssl);

/* tls_key.c: the public key of cert as a private key whose signatures come from sign(). */
struct tls_signer {
    tls_sign_fn *sign;
    void *arg;
    uint32_t key_id;
};
MUST_USE enum status tls_remote_key(X509 *cert, const struct tls_signer *signer, EVP_PKEY **out);

/* tls_trust.c: asks clients for a certificate that leads there; NULL: asks for none. */
void tls_trust_use(const struct tls_trust *t, SSL_CTX *ctx);

/* tls_ticket.c: keys of this process for session tickets, renewed hourly. */
#define TLS_TICKET_LIFE_S 7200
struct tls_ticket_key {
    unsigned char name[16], cipher[32], mac[32];
    int64_t born_ms; /* 0 = none yet */
};
struct tls_tickets {
    struct tls_ticket_key now, before;
};
void tls_tickets_use(SSL_CTX *ctx, struct tls_tickets *t);

#endif
