/* tls_key.c - private keys that are elsewhere: OpenSSL signs with them through the signer.
 *
 * The key object carries the certificate's public half, and a method whose private operation asks the
 * signer.  That runs in the middle of SSL_do_handshake(), on the handshake's fiber, and may
 * suspend there: OpenSSL's stack waits on the fiber's.  The error queue is the thread's, so it is
 * emptied before and after.
 *
 * SPDX-License-Identifier: Apache-2.0 */

/* Providers have no way in for one key of one process; the method tables are deprecated, not gone. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <pthread.h>

#include "base/mem.h"
#include "rt/tls_internal.h"

#define SIGNATURE_MAX 1024u /* RSA with 8,192 bits */

static struct {
    EC_KEY_METHOD *ec;
    RSA_METHOD *rsa;
    int ec_place, rsa_place; /* of the struct tls_signer in a key */
} method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void make_methods(void);
static int ec_sign(int type, const unsigned char *digest, int len, unsigned char *sig,
                   unsigned *sig_len, const BIGNUM *kinv, const BIGNUM *r, EC_KEY *key);
static int rsa_sign(int type, const unsigned char *digest, unsigned len, unsigned char *sig,
                    unsigned *sig_len, const RSA *key);
static int rsa_private(int len, const unsigned char *from, unsigned char *to, RSA *key,
                       int padding);
static MUST_USE enum status ask(const struct tls_signer *s, struct tls_sign_request *req,
                                unsigned char *sig, size_t size, size_t *len_out);
static void free_signer(void *parent, void *ptr, CRYPTO_EX_DATA *data, int place, long argl,
                        void *argp);
static struct tls_signer *copy_of(const struct tls_signer *s);

enum status
tls_remote_key(X509 *cert, const struct tls_signer *signer, EVP_PKEY **out)
{
    EVP_PKEY *public = X509_get0_pubkey(cert);
    EVP_PKEY *key = EVP_PKEY_new();
    bool good = false;

    ASSERT(key != NULL && signer->sign != NULL);
    pthread_once(&method_once, make_methods);
    if (public != NULL && EVP_PKEY_get_base_id(public) == EVP_PKEY_EC) {
        EC_KEY *ec = EVP_PKEY_get1_EC_KEY(public);
        good = ec != NULL && EC_KEY_set_method(ec, method.ec) == 1 &&
               EC_KEY_set_ex_data(ec, method.ec_place, copy_of(signer)) == 1 &&
               EVP_PKEY_assign_EC_KEY(key, ec) == 1;
        if (!good)
            EC_KEY_free(ec);
    } else if (public != NULL && EVP_PKEY_get_base_id(public) == EVP_PKEY_RSA) {
        RSA *rsa = EVP_PKEY_get1_RSA(public);
        good = rsa != NULL && RSA_set_method(rsa, method.rsa) == 1 &&
               RSA_set_ex_data(rsa, method.rsa_place, copy_of(signer)) == 1 &&
               EVP_PKEY_assign_RSA(key, rsa) == 1;
        if (!good)
            RSA_free(rsa);
    }
    ERR_clear_error();
    if (!good) {
        EVP_PKEY_free(key);
        return ERR_SYNTAX;
    }
    *out = key;
    return OK;
}

static void
make_methods(void)
{
    method.ec = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    method.rsa = RSA_meth_dup(RSA_PKCS1_OpenSSL());
    ASSERT(method.ec != NULL && method.rsa != NULL);
    EC_KEY_METHOD_set_sign(method.ec, ec_sign, NULL, NULL);
    ASSERT(RSA_meth_set_sign(method.rsa, rsa_sign) == 1);
    ASSERT(RSA_meth_set_priv_enc(method.rsa, rsa_private) == 1);
    method.ec_place = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, free_signer);
    method.rsa_place = RSA_get_ex_new_index(0, NULL, NULL, NULL, free_signer);
    ASSERT(method.ec_place >= 0 && method.rsa_place >= 0);
}

static int
ec_sign(int type, const unsigned char *digest, int len, unsigned char *sig, unsigned *sig_len,
        const BIGNUM *kinv, const BIGNUM *r, EC_KEY *key)
{
    struct tls_sign_request req = {.scheme = TLS_ECDSA, .digest_nid = type};
    size_t n;

    (void)kinv;
    (void)r;
    req.digest = str_from((const char *)digest, (size_t)len);
    if (ask(EC_KEY_get_ex_data(key, method.ec_place), &req, sig, (size_t)ECDSA_size(key), &n) != OK)
        return 0;
    *sig_len = (unsigned)n;
    return 1;
}

/* TLS 1.2 with PKCS #1 v1.5 signatures (RFC 5246 section 4.7). */
static int
rsa_sign(int type, const unsigned char *digest, unsigned len, unsigned char *sig, unsigned *sig_len,
         const RSA *key)
{
    struct tls_sign_request req = {.scheme = TLS_RSA_PKCS1, .digest_nid = type};
    size_t n;

    req.digest = str_from((const char *)digest, len);
    if (ask(RSA_get_ex_data(key, method.rsa_place), &req, sig, (size_t)RSA_size(key), &n) != OK)
        return 0;
    *sig_len = (unsigned)n;
    return 1;
}

/* PSS (RFC 8446 section 4.2.3) arrives here padded. */
static int
rsa_private(int len, const unsigned char *from, unsigned char *to, RSA *key, int padding)
{
    struct tls_sign_request req = {.scheme = TLS_RSA_RAW};
    size_t n;

    if (padding != RSA_NO_PADDING || len <= 0)
        return -1;
    req.digest = str_from((const char *)from, (size_t)len);
    if (ask(RSA_get_ex_data(key, method.rsa_place), &req, to, (size_t)RSA_size(key), &n) != OK)
        return -1;
    return (int)n;
}

/* OpenSSL calls us on the fiber of the handshake; clang cannot see through it. */
static FIBER_ENTRY enum status
ask(const struct tls_signer *s, struct tls_sign_request *req, unsigned char *sig, size_t size,
    size_t *len_out)
{
    AUTO_BUF answer = BUF(SIGNATURE_MAX);

    ASSERT(s != NULL);
    /* The key object may be freed while we wait: new certificates may arrive. */
    const struct tls_signer signer = *s;
    req->key_id = signer.key_id;
    ERR_clear_error();
    enum status r = signer.sign(signer.arg, req, &answer);
    ERR_clear_error();
    TRY(r);
    if (answer.len == 0 || answer.len > size)
        return ERR_SYNTAX;
    mem_copy(sig, answer.ptr, answer.len);
    *len_out = answer.len;
    return OK;
}

static struct tls_signer *
copy_of(const struct tls_signer *s)
{
    struct tls_signer *copy = MEM_NEW(struct tls_signer);

    *copy = *s;
    return copy;
}

static void
free_signer(void *parent, void *ptr, CRYPTO_EX_DATA *data, int place, long argl, void *argp)
{
    (void)parent;
    (void)data;
    (void)place;
    (void)argl;
    (void)argp;
    mem_free(ptr);
}
