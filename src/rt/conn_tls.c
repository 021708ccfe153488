/* conn_tls.c - TLS on a connection's descriptor.
 *
 * OpenSSL reads and writes through a BIO that knows what the loop knows: whether the kernel has said
 * "would block", or has shown by a short read that it is empty.  So TLS costs no extra system call.
 * Every SSL_* call starts with an empty error queue and leaves one (the queue is the thread's).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/size.h"
#include "rt/clock.h"
#include "rt/conn_finding.h"
#include "rt/conn_internal.h"
#include "rt/fiber_internal.h"
#include "rt/tls_internal.h"

static BIO_METHOD *bio_method;
static pthread_once_t bio_once = PTHREAD_ONCE_INIT;

static void make_bio_method(void);
static int bio_read(BIO *b, char *p, int n);
static int bio_write(BIO *b, const char *p, int n);
static long bio_ctrl(BIO *b, int cmd, long num, void *ptr);
static void attach(struct conn *c, SSL *ssl);
static void remember_name(struct conn *c);

enum status
conn_starttls(struct conn *c)
{
    ASSERT(c->home != NULL && c->ssl == NULL && c->phase == CONN_OPEN);
    /* RFC 3207 section 4.2: what came in the clear before the handshake is somebody else's. */
    if (iobuf_size(&c->in) > 0)
        return ERR_SYNTAX;
    SSL *ssl = tls_server_ssl(conn_listener(c)->tls);
    if (ssl == NULL)
        return ERR_TEMP;
    enum status s = conn_flush(c);
    if (s != OK) {
        tls_ssl_free(&ssl);
        return s;
    }
    attach(c, ssl);
    c->rest = REST_LINE;
    c->skipping = false;
    c->phase = CONN_HANDSHAKE;
    c->phase_until_ms = clock_mono_ms() + conn_handshake_ms;
    return OK;
}

enum status
conn_tls_shake(struct conn *c)
{
    if (c->broken)
        return ERR_CLOSED;
    if (c->ssl == NULL) {
        SSL *ssl = tls_server_ssl(conn_listener(c)->tls);
        if (ssl == NULL)
            return ERR_CLOSED; /* no certificate yet */
        attach(c, ssl);
    }
    c->tls_wants_write = false;
    ERR_clear_error();
    int r = SSL_do_handshake(c->ssl);
    int error = r == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, r);
    const char *reason = ERR_reason_error_string(ERR_peek_error()); /* a constant text */
    ERR_clear_error();
    switch (error) {
    case SSL_ERROR_NONE:
        c->tls_done = true;
        c->tls_pending = SSL_has_pending(c->ssl) == 1;
        remember_name(c);
        return OK;
    case SSL_ERROR_WANT_WRITE: c->tls_wants_write = true; return ERR_TEMP;
    case SSL_ERROR_WANT_READ: return ERR_TEMP;
    default:
        /* Fails closed: what waited to be said inside TLS is never said outside. */
        iobuf_release(&c->out);
        c->out_since_ms = 0;
        c->tls_reason = reason;
        if (c->home != NULL)
            listener_handshake_failed(c, reason != NULL ? reason : "the peer ended it");
        return ERR_CLOSED;
    }
}

ssize_t
conn_tls_read(struct conn *c, char *p, size_t n)
{
    ERR_clear_error();
    int got = SSL_read(c->ssl, p, (int)MIN(n, 1u << 20));
    int error = got > 0 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, got);
    ERR_clear_error();
    switch (error) {
    case SSL_ERROR_NONE: c->tls_pending = SSL_has_pending(c->ssl) == 1; return got;
    case SSL_ERROR_WANT_READ: c->tls_pending = false; return -1;
    case SSL_ERROR_WANT_WRITE: c->tls_pending = true; return -1; /* a key update; tried again */
    case SSL_ERROR_ZERO_RETURN:
        c->eof = true;
        c->readable = c->tls_pending = false;
        return 0;
    default:
        /* Also an end without close_notify: a truncation, which is not an end (RFC 8446 section 6.1). */
        conn_break(c);
        return -1;
    }
}

ssize_t
conn_tls_write(struct conn *c, const char *p, size_t n)
{
    ERR_clear_error();
    int done = SSL_write(c->ssl, p, (int)MIN(n, 1u << 20));
    int error = done > 0 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, done);
    ERR_clear_error();
    if (error == SSL_ERROR_NONE)
        return done;
    if (error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ)
        conn_break(c);
    return -1;
}

void
conn_tls_shut(struct conn *c)
{
    if (c->ssl == NULL || !c->tls_done || c->broken || c->tls_shut)
        return;
    c->tls_shut = true;
    ERR_clear_error();
    (void)SSL_shutdown(c->ssl);
    ERR_clear_error();
}

bool
conn_is_tls(const struct conn *c)
{
    return c->ssl != NULL;
}

struct str
conn_tls_name(const struct conn *c)
{
    return str_of(c->tls_name);
}

bool
conn_tls_binding(const struct conn *c, unsigned char *out)
{
    static const char label[] = "EXPORTER-Channel-Binding";
    static const unsigned char
        context[1]; /* of no bytes, which for TLS 1.2 is not the same as none */

    if (c->ssl == NULL || !c->tls_done ||
        (SSL_version(c->ssl) < TLS1_3_VERSION && SSL_get_extms_support(c->ssl) != 1))
        return false;
    ERR_clear_error();
    bool ok = SSL_export_keying_material(c->ssl, out, TLS_BINDING_BYTES, label, sizeof(label) - 1,
                                         context, 0, 1) == 1;
    ERR_clear_error();
    return ok;
}

static void
add_certificate(const X509 *x, struct buf *b)
{
    unsigned char *der = NULL;
    int n = i2d_X509(x, &der);

    if (n > 0)
        buf_add(b, str_from((const char *)der, (size_t)n));
    OPENSSL_free(der);
}

bool
conn_tls_client(const struct conn *c, struct buf *chain)
{
    const X509 *own = c->ssl != NULL && c->tls_done ? SSL_get0_peer_certificate(c->ssl) : NULL;

    if (own == NULL || c->home == NULL || SSL_session_reused(c->ssl) != 0 ||
        SSL_get_verify_mode(c->ssl) == SSL_VERIFY_NONE ||
        SSL_get_verify_result(c->ssl) != X509_V_OK)
        return false;
    if (chain == NULL)
        return true;
    add_certificate(own, chain);
    STACK_OF(X509) *behind = SSL_get_peer_cert_chain(c->ssl); /* of a client: without its own */
    for (int i = 0; i < sk_X509_num(behind); i++)
        add_certificate(sk_X509_value(behind, i), chain);
    ERR_clear_error();
    return buf_status(chain) == OK;
}

static void
remember_name(struct conn *c)
{
    const char *cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(c->ssl));

    (void)snprintf(c->tls_name, sizeof(c->tls_name), "%s %s", SSL_get_version(c->ssl), cipher);
}

/* The client's side: its fiber waits. */
static SUSPENDS enum status
shake_as_client(struct conn *c, SSL *ssl)
{
    int64_t until = clock_mono_ms() + conn_handshake_ms;

    attach(c, ssl);
    for (;;) {
        enum status s = conn_tls_shake(c);
        if (s == OK)
            return OK;
        if (s != ERR_TEMP) {
            bool distrusted = SSL_get_verify_result(ssl) != X509_V_OK &&
                              SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE;
            conn_break(c);
            return distrusted ? ERR_DENIED : s;
        }
        int64_t left = until - clock_mono_ms();
        TRY(conn_wait(c, MAX(left, 0)));
    }
}

enum status
conn_connect_tls(struct conn *c, struct tls_client *tls, struct str name)
{
    SSL *ssl = NULL;

    ASSERT(c->home == NULL && c->ssl == NULL);
    if (iobuf_size(&c->in) > 0)
        return ERR_SYNTAX;
    TRY(conn_flush(c));
    TRY(tls_client_ssl(tls, name, &ssl));
    c->tls_judged = tls_client_judges(tls);
    return shake_as_client(c, ssl);
}

enum status
conn_connect_tls_dane(struct conn *c, struct tls_client *tls, const struct tls_dane *dane)
{
    SSL *ssl = NULL;

    ASSERT(c->home == NULL && c->ssl == NULL);
    if (iobuf_size(&c->in) > 0)
        return ERR_SYNTAX;
    TRY(conn_flush(c));
    TRY(tls_client_ssl_dane(tls, dane, &ssl));
    c->tls_judged = true;
    return shake_as_client(c, ssl);
}

static enum tls_lack
lack_of(long verdict)
{
    switch (verdict) {
    case X509_V_OK: return TLS_LACKS_NOTHING;
    case X509_V_ERR_HOSTNAME_MISMATCH: return TLS_LACKS_NAME;
    case X509_V_ERR_CERT_HAS_EXPIRED: return TLS_LACKS_TIME;
    case X509_V_ERR_DANE_NO_MATCH: return TLS_LACKS_MATCH;
    default: return TLS_LACKS_TRUST;
    }
}

struct tls_finding
conn_tls_finding(const struct conn *c)
{
    long verdict = c->ssl != NULL && c->tls_judged ? SSL_get_verify_result(c->ssl) : X509_V_OK;

    if (verdict != X509_V_OK)
        return (struct tls_finding){lack_of(verdict), X509_verify_cert_error_string(verdict)};
    if (c->ssl != NULL && c->tls_done)
        return (struct tls_finding){TLS_LACKS_NOTHING, ""};
    return (struct tls_finding){TLS_LACKS_HANDSHAKE,
                                c->tls_reason != NULL ? c->tls_reason : "the peer ended it"};
}

/* The BIO. */

static void
attach(struct conn *c, SSL *ssl)
{
    pthread_once(&bio_once, make_bio_method);
    BIO *b = BIO_new(bio_method);
    ASSERT(b != NULL);
    BIO_set_data(b, c);
    BIO_set_init(b, 1);
    SSL_set_bio(ssl, b, b);
    c->ssl = ssl;
}

static void
make_bio_method(void)
{
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
    ASSERT(bio_method != NULL);
    ASSERT(BIO_meth_set_read(bio_method, bio_read) == 1);
    ASSERT(BIO_meth_set_write(bio_method, bio_write) == 1);
    ASSERT(BIO_meth_set_ctrl(bio_method, bio_ctrl) == 1);
}

static int
bio_read(BIO *b, char *p, int n)
{
    struct conn *c = BIO_get_data(b);

    BIO_clear_retry_flags(b);
    if (!c->readable) {
        BIO_set_retry_read(b);
        return -1;
    }
    ssize_t got = recv(c->watch.fd, p, (size_t)n, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        c->readable = errno == EINTR;
        BIO_set_retry_read(b);
    } else if (got < n && !(got > 0 && c->hangup)) {
        c->readable = false;
    }
    return (int)got;
}

static int
bio_write(BIO *b, const char *p, int n)
{
    struct conn *c = BIO_get_data(b);
    ssize_t done = -1;

    BIO_clear_retry_flags(b);
    if (c->writable)
        done = send(c->watch.fd, p, (size_t)n, MSG_NOSIGNAL);
    if (!c->writable || (done < 0 && (errno == EAGAIN || errno == EINTR))) {
        c->writable = c->writable && errno == EINTR;
        BIO_set_retry_write(b);
    }
    return (int)done;
}

static long
bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    (void)b;
    (void)num;
    (void)ptr;
    return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}
