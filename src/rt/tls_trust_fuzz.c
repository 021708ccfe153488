/* tls_trust_fuzz.c - what a client sends as its certificates is none, or is not believed: nobody has the key.
 *
 * As a file of authorities it is read, or refused, and what was read believes no less than nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "rt/tls_trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char authority[] = "-----BEGIN CERTIFICATE-----\n"
                                "MIIBkDCCATWgAwIBAgIUIDVwAXVRp3G5BPYAJQuOJrZmu/0wCgYIKoZIzj0EAwIw\n"
                                "FDESMBAGA1UEAwwJQXV0aG9yaXR5MCAXDTI2MTEzMDE0NTI1MVoYDzIxMjYxMTA2\n"
                                "MTQ1MjUxWjAUMRIwEAYDVQQDDAlBdXRob3JpdHkwWTATBgcqhkjOPQIBBggqhkjO\n"
                                "PQMBBwNCAAQZ7a5l0ZBacs0CsphqjBuvc3RSm9kKqhGYza0U764qUx522W9HVpwW\n"
                                "XPt2l27Z0WtSy5pk1SlhnJ2EFEIqKyGro2MwYTAdBgNVHQ4EFgQUXHAOv1Tu8RPr\n"
                                "GcsYO5EStK5qyKAwHwYDVR0jBBgwFoAUXHAOv1Tu8RPrGcsYO5EStK5qyKAwDwYD\n"
                                "VR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAgQwCgYIKoZIzj0EAwIDSQAwRgIh\n"
                                "AO/OQyR/evdaWTPZsUYF1iWP9+u2SK+++FcXmXD7pJQmAiEA7agqxET1q0ugM9ea\n"
                                "9FGf6+uSWWHOHVGtjqxAu2uxZvE=\n"
                                "-----END CERTIFICATE-----\n";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(65536);
    AUTO(tls_trust_free) struct tls_trust *t = NULL;
    AUTO(tls_trust_free) struct tls_trust *read = NULL;
    struct str in = str_from((const char *)data, size);
    struct tls_trusted got = {.count = 77};

    ASSERT(tls_trust_read(str_of(authority), &t) == OK && tls_trust_count(t) == 1);
    enum status e = tls_trust_check(t, in, a, &got);
    ASSERT((e == ERR_SYNTAX || e == ERR_DENIED) && got.count == 77);
    ASSERT(e == ERR_SYNTAX || in.len <= LIMIT_CLIENT_CERT_BYTES);
    ASSERT((tls_trust_read(in, &read) == OK) == (read != NULL));
    ASSERT(read == NULL || tls_trust_count(read) > 0);
    return 0;
}
