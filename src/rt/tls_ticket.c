/* tls_ticket.c - keys for stateless session tickets (RFC 5077 section 4, RFC 8446 section 4.6.1).
 *
 * A stolen key opens the tickets of its time, so it lives in this process only, is renewed each hour
 * and forgotten after two.  A ticket of another worker is not known here: a full handshake follows.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "rt/clock.h"
#include "rt/random.h"
#include "rt/tls_internal.h"

#define RENEW_MS (TLS_TICKET_LIFE_S / 2 * INT64_C(1000))

static int ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac, int encrypt);
static void renew(struct tls_tickets *t);
static bool set_up(const struct tls_ticket_key *k, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
                   EVP_MAC_CTX *mac, int encrypt);
static int place_of_tickets(void);

void
tls_tickets_use(SSL_CTX *ctx, struct tls_tickets *t)
{
    SSL_CTX_set_timeout(ctx, TLS_TICKET_LIFE_S);
    ASSERT(SSL_CTX_set_ex_data(ctx, place_of_tickets(), t) == 1);
    ASSERT(SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_key) == 1);
}

/* OpenSSL's contract: 1 = go on, 2 = go on and give a new ticket, 0 = unknown, -1 = failed. */
static int
ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
           EVP_MAC_CTX *mac, int encrypt)
{
    struct tls_tickets *t = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), place_of_tickets());

    renew(t);
    /* In TLS 1.2 a ticket was announced before the client showed its certificate: an empty one (tls_trust.c). */
    if (encrypt == 1 && SSL_get0_peer_certificate(ssl) != NULL)
        return 0;
    if (encrypt == 1) {
        random_fill(iv, 16);
        mem_copy(name, t->now.name, sizeof(t->now.name));
        return set_up(&t->now, iv, cipher, mac, 1) ? 1 : -1;
    }
    const struct tls_ticket_key *k = NULL;
    if (mem_eq_const_time(name, t->now.name, sizeof(t->now.name)))
        k = &t->now;
    else if (t->before.born_ms != 0 &&
             mem_eq_const_time(name, t->before.name, sizeof(t->before.name)))
        k = &t->before;
    if (k == NULL)
        return 0;
    if (!set_up(k, iv, cipher, mac, 0))
        return -1;
    return k == &t->now ? 1 : 2;
}

static void
renew(struct tls_tickets *t)
{
    int64_t now = clock_mono_ms();

    if (t->now.born_ms != 0 && now - t->now.born_ms < RENEW_MS)
        return;
    t->before = t->now;
    if (t->before.born_ms != 0 && now - t->before.born_ms >= 2 * RENEW_MS)
        mem_wipe(&t->before, sizeof(t->before));
    random_fill(t->now.name, sizeof(t->now.name));
    random_fill(t->now.cipher, sizeof(t->now.cipher));
    random_fill(t->now.mac, sizeof(t->now.mac));
    t->now.born_ms = now > 0 ? now : 1;
}

static bool
set_up(const struct tls_ticket_key *k, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
       EVP_MAC_CTX *mac, int encrypt)
{
    char digest[] = "SHA256";
    union { /* OSSL_PARAM takes a pointer that it does not write through */
        const unsigned char *in;
        unsigned char *out;
    } key = {k->mac};
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.out, sizeof(k->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->cipher, iv, encrypt) == 1 &&
           EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int
place_of_tickets(void)
{
    static int place = -1;

    if (place < 0)
        place = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    ASSERT(place >= 0);
    return place;
}
