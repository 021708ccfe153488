/* pss_test.c - what a handshake sends is let in, and nothing that would make the key decrypt.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "base/size.h"
#include "role/keys/pss.h"

enum { ROUNDS = 200, BLOCK_MAX = 512 };

struct padding {
    const char *hash;
    int salt; /* as OpenSSL has it: -1 = as long as the hash */
    int bits;
};

/* The padded block of a signature: the public operation gives it back. */
static size_t
block_of(EVP_PKEY *key, const struct padding *p, unsigned char *block)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how;
    unsigned char signature[BLOCK_MAX];
    size_t n = sizeof(signature), len = BLOCK_MAX;

    assert_int_equal(EVP_DigestSignInit(c, &how, EVP_get_digestbyname(p->hash), NULL, key), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(how, p->salt), 1);
    assert_int_equal(EVP_DigestSign(c, signature, &n, (const unsigned char *)"text", 4), 1);
    EVP_MD_CTX_free(c);
    how = EVP_PKEY_CTX_new(key, NULL);
    assert_int_equal(EVP_PKEY_encrypt_init(how), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(how, RSA_NO_PADDING), 1);
    assert_int_equal(EVP_PKEY_encrypt(how, block, &len, signature, n), 1);
    EVP_PKEY_CTX_free(how);
    return len;
}

static void
test_blocks_of_handshakes(void **state)
{
    static const struct padding good[] = {
        {"SHA256", -1, 2048}, {"SHA384", -1, 2048}, {"SHA512", -1, 2048},
        {"SHA256", -1, 3072}, {"SHA512", -1, 3072},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        EVP_PKEY *key = EVP_RSA_gen((unsigned)good[i].bits);
        unsigned char block[BLOCK_MAX];
        size_t n = block_of(key, &good[i], block);

        assert_true(keys_is_pss(str_from((const char *)block, n)));
        for (size_t at = 0; at < n; at += 7) { /* one bit of anything but the salt, which is free */
            unsigned char was = block[at];
            size_t hash = (size_t)EVP_MD_get_size(EVP_get_digestbyname(good[i].hash));
            if (at + 2 * hash + 1 >= n && at + hash + 1 < n)
                continue;
            block[at] ^= 0x10;
            assert_false(keys_is_pss(str_from((const char *)block, n)));
            block[at] = was;
        }
        assert_false(keys_is_pss(str_from((const char *)block, n - 1)));
        assert_false(keys_is_pss(str_from((const char *)block + 1, n - 1)));
        EVP_PKEY_free(key);
    }
}

/* A salt of another length, or a hash that TLS 1.3 does not have. */
static void
test_other_paddings(void **state)
{
    static const struct padding bad[] = {
        {"SHA256", 0, 2048}, {"SHA256", 20, 2048}, {"SHA1", -1, 2048}};
    EVP_PKEY *key = EVP_RSA_gen(2048);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        unsigned char block[BLOCK_MAX];
        size_t n = block_of(key, &bad[i], block);
        assert_false(keys_is_pss(str_from((const char *)block, n)));
    }
    EVP_PKEY_free(key);
}

/* What somebody encrypted for this key: its decryption is what must not be had. */
static void
test_ciphertexts(void **state)
{
    static const int paddings[] = {RSA_PKCS1_PADDING, RSA_PKCS1_OAEP_PADDING};
    EVP_PKEY *key = EVP_RSA_gen(2048);

    (void)state;
    for (size_t i = 0; i < ROUNDS; i++) {
        unsigned char block[BLOCK_MAX];
        size_t n = sizeof(block);
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);

        assert_int_equal(EVP_PKEY_encrypt_init(c), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c, paddings[i % COUNT_OF(paddings)]), 1);
        assert_int_equal(EVP_PKEY_encrypt(c, block, &n, (const unsigned char *)"secret", 6), 1);
        EVP_PKEY_CTX_free(c);
        block[0] &= 0x7f;
        block[n - 1] = 0xbc; /* the cheap part of the form does not help */
        assert_false(keys_is_pss(str_from((const char *)block, n)));
    }
    EVP_PKEY_free(key);
}

static void
test_odd_blocks(void **state)
{
    char block[2000];

    (void)state;
    memset(block, 0xbc, sizeof(block));
    for (size_t n = 0; n <= sizeof(block); n++)
        assert_false(keys_is_pss(str_from(block, n)));
    memset(block, 0, sizeof(block));
    block[255] = (char)0xbc;
    assert_false(keys_is_pss(str_from(block, 256)));
    assert_false(keys_is_pss(STR_NONE));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_of_handshakes),
        cmocka_unit_test(test_other_paddings),
        cmocka_unit_test(test_ciphertexts),
        cmocka_unit_test(test_odd_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
