/* tls_testing.h - self-signed certificates and a signer's arithmetic, for tests.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_TLS_TESTING_H
#define RT_TLS_TESTING_H

#include <openssl/evp.h>

#include "rt/tls.h"

struct test_identity {
    EVP_PKEY *key;
    char cert_pem[4096], key_pem[4096];
};
/* Takes the key over. */
void test_identity_init(struct test_identity *id, EVP_PKEY *key, const char *name);
void test_identity_release(struct test_identity *id);
/* What an authority signs for a client, or for another authority; by NULL: for itself. */
struct test_cert {
    const char
        *alt; /* subjectAltName as OpenSSL writes it, such as "email:u@a.example"; NULL: none */
    const char *use; /* extendedKeyUsage; NULL: clientAuth */
    bool authority;
    long from_s, to_s; /* from now on; 0, 0: valid */
};
void test_identity_signed(struct test_identity *id, EVP_PKEY *key, const struct test_cert *what,
                          const struct test_identity *by);
/* What the role that has the key answers; appends to sig_out. */
bool test_identity_sign(const struct test_identity *id, const struct tls_sign_request *req,
                        struct buf *sig_out);

#endif
