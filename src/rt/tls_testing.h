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
/* What the role that has the key answers; appends to sig_out. */
bool test_identity_sign(const struct test_identity *id, const struct tls_sign_request *req,
                        struct buf *sig_out);

#endif
