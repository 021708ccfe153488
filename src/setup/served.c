/* served.c - see served.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/served.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "setup/cert.h"

enum { HOST_BYTES = 256 };

static void
context_release(SSL_CTX **c)
{
    SSL_CTX_free(*c);
}

static void
ssl_release(SSL **s)
{
    SSL_free(*s);
}

static SSL_CTX *
new_context(void)
{
    SSL_CTX *c = SSL_CTX_new(TLS_client_method());

    if (c == NULL)
        return NULL;
    SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_security_level(c, 0); /* SHA-1 in TLS 1.1, too */
    if (SSL_CTX_set_min_proto_version(c, TLS1_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(c, "ALL:@SECLEVEL=0") != 1) {
        SSL_CTX_free(c);
        return NULL;
    }
    return c;
}

enum status
served_look(int fd, struct str host, struct arena *a, struct served *out)
{
    AUTO(context_release) SSL_CTX *context = new_context();
    AUTO(ssl_release) SSL *s = context != NULL ? SSL_new(context) : NULL;
    char name[HOST_BYTES];
    enum status e = ERR_CLOSED;

    if (s != NULL && str_to_z(host, name, sizeof(name)) && SSL_set_fd(s, fd) == 1 &&
        SSL_set_tlsext_host_name(s, name) == 1 && SSL_connect(s) == 1) {
        X509 *x = SSL_get0_peer_certificate(s);
        *out = (struct served){.version = arena_str(a, str_of(SSL_get_version(s))),
                               .old = SSL_version(s) < TLS1_2_VERSION,
                               .sha256 = x != NULL ? cert_fingerprint(x, a) : STR(""),
                               .chain = (size_t)sk_X509_num(SSL_get_peer_cert_chain(s))};
        e = OK;
    }
    ERR_clear_error();
    return e;
}
