/* tls_dane.c - which TLSA records can be used: those whose data are what they say.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/x509.h>

#include "rt/tls_internal.h"

enum {
    USAGE_TA = 2,
    USAGE_EE = 3,
    SELECTOR_CERT = 0,
    SELECTOR_KEY = 1,
    MATCH_FULL = 0,
    MATCH_SHA256 = 1,
    MATCH_SHA512 = 2,
    SHA256_BYTES = 32,
    SHA512_BYTES = 64,
};

/* Data of matching type 0: DER, all of it. */
static bool
is_whole(const struct tls_dane_record *r)
{
    const unsigned char *start = (const unsigned char *)r->data.ptr, *at = start;
    X509 *cert = NULL;
    EVP_PKEY *key = NULL, *own = NULL;

    if (r->data.len == 0 || r->data.len > INT32_MAX)
        return false;
    if (r->selector == SELECTOR_CERT) {
        cert = d2i_X509(NULL, &at, (long)r->data.len);
        own = cert != NULL ? X509_get0_pubkey(cert) : NULL;
    } else {
        own = key = d2i_PUBKEY(NULL, &at, (long)r->data.len);
    }
    bool good = own != NULL && at == start + r->data.len;
    X509_free(cert);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

/* RFC 7672 section 3.1.3: the usages of PKIX are for nobody here. */
bool
tls_dane_is_usable(const struct tls_dane_record *r)
{
    if ((r->usage != USAGE_TA && r->usage != USAGE_EE) ||
        (r->selector != SELECTOR_CERT && r->selector != SELECTOR_KEY))
        return false;
    switch (r->matching) {
    case MATCH_FULL: return is_whole(r);
    case MATCH_SHA256: return r->data.len == SHA256_BYTES;
    case MATCH_SHA512: return r->data.len == SHA512_BYTES;
    default: return false;
    }
}
