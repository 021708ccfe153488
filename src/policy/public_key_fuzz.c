/* public_key_fuzz.c - a key record is one of a kind and size that can be used, or none; checking by it never passes
 * what nobody signed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/public_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char digest[SIG_DIGEST] = {1};
    AUTO_ARENA *a = arena_new(2 * LIMIT_DKIM_KEY_BYTES);
    struct public_key k;
    char bytes[KEY_RSA_BITS_MAX / 8] = {2};

    if (public_key_parse(str_from((const char *)data, size), a, &k) != NULL)
        return 0;
    ASSERT(k.bits > 0 && size <= LIMIT_DKIM_KEY_BYTES);
    bool rsa = k.cipher == SIG_RSA;
    if (rsa)
        ASSERT(k.modulus.len == (k.bits + 7) / 8 && k.exponent.len <= 8);
    else
        ASSERT(k.point.len == KEY_ED25519 && k.bits == 256);
    size_t want = rsa ? (k.bits + 7) / 8 : 64;
    struct sig s = {.cipher = k.cipher,
                    .bytes = str_from(bytes, want <= sizeof(bytes) ? want : sizeof(bytes))};
    enum key_says says = public_key_check(&k, &s, digest, SIG_RULES_NOW);
    ASSERT(says != KEY_GOOD);
    ASSERT(says != KEY_SHORT || (rsa && k.bits < KEY_RSA_BITS_MIN));
    ASSERT(says != KEY_LONG || (rsa && k.bits > KEY_RSA_BITS_MAX));
    return 0;
}
