/* tls.h - TLS 1.2 and 1.3 settings; private keys stay in another process.
 *
 * Owns:      the OpenSSL contexts.  A server context holds certificates only: each signature is asked
 *            from the signer, on the handshake's fiber.
 * Promises:  AEAD suites with forward secrecy only, no renegotiation, no compression, no early data,
 *            SSL_MODE_RELEASE_BUFFERS; certificates by SNI with a default; new ones apply to new handshakes.
 * Never:     logs; fails closed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_TLS_H
#define RT_TLS_H

#include "base/buf.h"
#include "base/mem.h"
#include "base/status.h"

struct tls_server;
struct tls_client;

/* RAW: already padded (PSS), private operation only */
enum tls_scheme { TLS_ECDSA, TLS_RSA_PKCS1, TLS_RSA_RAW };
struct tls_sign_request {
    uint32_t key_id; /* as in tls_cert */
    enum tls_scheme scheme;
    int digest_nid; /* OpenSSL NID of the hash; 0 for RAW */
    struct str digest;
};
/* Runs on the handshake's fiber and may suspend. */
typedef enum status tls_sign_fn(void *arg, const struct tls_sign_request *req, struct buf *sig_out);

struct tls_cert {
    uint32_t key_id;
    struct str chain_pem; /* leaf first */
    /* DNS names for SNI, wildcards allowed; the first cert is the default */
    const struct str *names;
    size_t name_count;
};
/* alpn: "smtp", "imap", "pop3", a list by preference such as "h2,http/1.1" (none is required of the client, a
 * wrong one is refused), or "" (what the client offers is ignored). */
MUST_USE enum status tls_server_new(struct str alpn, tls_sign_fn *sign, void *arg,
                                    struct tls_server **out);
MUST_USE enum status tls_server_set(struct tls_server *t, const struct tls_cert *certs, size_t n,
                                    struct problem *why);
/* For tests and tools only: the key is in this process. */
MUST_USE enum status tls_server_set_local(struct tls_server *t, struct str chain_pem,
                                          struct str key_pem);
/* Asks each client for a certificate of whom is trusted, which outlives its use here; NULL: of nobody.  Who has none,
 * or another, is served all the same: conn_tls_client() tells. */
struct tls_trust; /* rt/tls_trust.h */
void tls_server_ask_clients(struct tls_server *t, const struct tls_trust *trust);
bool tls_server_ready(const struct tls_server *t); /* has a certificate */
void tls_server_free(struct tls_server **t);

/* OPPORTUNISTIC takes any certificate and, unlike all else here, any strong cipher of TLS 1.2.
 * VERIFY_NAME: the system's trust anchors, read at once, before a jail.
 * VERIFY_DANE: what DNS says of each server (tls_dane), and nothing else.
 * ADVISE_NAME: takes any certificate, as OPPORTUNISTIC does; conn_tls_finding() says what VERIFY_NAME had said. */
enum tls_verify { TLS_OPPORTUNISTIC, TLS_VERIFY_NAME, TLS_VERIFY_DANE, TLS_ADVISE_NAME };
MUST_USE enum status tls_client_new(enum tls_verify verify, struct tls_client **out);
/* One TLSA record (RFC 6698), of a kind that mail heeds (RFC 7672 section 3.1): usage DANE-TA (2) or DANE-EE (3),
 * selector 0 or 1, matching type 0 to 2, and data that fit these. */
struct tls_dane_record {
    uint8_t usage, selector, matching;
    struct str data;
};
MUST_USE bool tls_dane_is_usable(const struct tls_dane_record *r);
/* What a server is held against.  A record of DANE-EE is enough by itself: neither names nor dates count.  With one of
 * DANE-TA the certificate must be valid for base or domain. */
struct tls_dane {
    struct str base;                       /* under which the records were found; goes into SNI */
    struct str domain;                     /* whose mail it takes; empty: none */
    const struct tls_dane_record *records; /* usable ones, at least one */
    size_t count;
};
MUST_USE enum status tls_client_trust(struct tls_client *t, struct str anchor_pem);
void tls_client_free(struct tls_client **t);

#endif
