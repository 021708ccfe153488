/* tls_trust.h - whom a server believes about its clients: the authorities of client certificates.
 *
 * Owns:      their certificates and revocation lists.
 * Promises:  a certificate is good when it leads to one of them within TLS_TRUST_DEPTH others, all of them within
 *            their time and of keys that are strong enough, is one for TLS clients, keeps the authority's constraints
 *            of names and, where there are revocation lists, is not on one.
 * Never:     fetches anything, logs, suspends.
 * RFC:       5280.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_TLS_TRUST_H
#define RT_TLS_TRUST_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

#define TLS_TRUST_DEPTH         4
#define TLS_TRUST_FILE_MAX      262144u
#define TLS_TRUST_ADDRESSES_MAX 16u

struct tls_trust;
/* PEM: certificates of authorities, and their revocation lists, if any.  ERR_SYNTAX: something in it cannot be read.
 * ERR_NOT_FOUND: there is no certificate in it. */
MUST_USE enum status tls_trust_read(struct str pem, struct tls_trust **out);
void tls_trust_free(struct tls_trust **t);
size_t tls_trust_count(const struct tls_trust *t); /* of authorities */

struct tls_trusted {
    /* What its subjectAltName has as rfc822Name, in the arena; only what has the letters of an address. */
    const struct str *addresses;
    size_t count;
};
/* chain: certificates in DER one behind the other, first the client's.  ERR_SYNTAX: they are none, or more than
 * LIMIT_CLIENT_CERT_BYTES.  ERR_DENIED: the first is not good. */
MUST_USE enum status tls_trust_check(const struct tls_trust *t, struct str chain, struct arena *a,
                                     struct tls_trusted *out);

#endif
