/* tls_dane_fuzz.c - a record that is called usable is of a known kind, and OpenSSL takes it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>

#include "rt/tls_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_client *client;
    struct tls_dane_record r;
    SSL *ssl = NULL;

    if (client == NULL && tls_client_new(TLS_VERIFY_DANE, &client) != OK)
        return 0;
    if (size < 3)
        return 0;
    r = (struct tls_dane_record){data[0], data[1], data[2],
                                 str_from((const char *)data + 3, size - 3)};
    bool usable = tls_dane_is_usable(&r);
    ASSERT(ERR_peek_error() == 0);
    if (!usable)
        return 0;
    ASSERT((r.usage == 2 || r.usage == 3) && r.selector <= 1 && r.matching <= 2);
    const struct tls_dane d = {.base = STR("mx.example"), .records = &r, .count = 1};
    enum status e = tls_client_ssl_dane(client, &d, &ssl);
    ASSERT(e == OK && ssl != NULL);
    tls_ssl_free(&ssl);
    return 0;
}
