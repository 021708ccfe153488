/* pss.c - see pss.h.
 *
 * block = maskedDB H 0xbc; DB = zeros 0x01 salt; maskedDB = DB xor MGF1(H), with the first bit cleared.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/keys/pss.h"

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/size.h"

enum { BLOCK_MAX = 1024, TRAILER = 0xbc, SEPARATOR = 0x01 };

static void
digest_release(EVP_MD_CTX **c)
{
    EVP_MD_CTX_free(*c);
}

/* at ^= Hash(seed counter), counter = 0, 1, ...: RFC 8017 appendix B.2.1 */
static bool
unmask(unsigned char *at, size_t len, struct str seed, const EVP_MD *md)
{
    AUTO(digest_release) EVP_MD_CTX *c = EVP_MD_CTX_new();
    unsigned char mask[EVP_MAX_MD_SIZE];
    char counter[4];
    size_t size = (size_t)EVP_MD_get_size(md);

    for (size_t done = 0; done < len; done += size) {
        be32_put(counter, (uint32_t)(done / size));
        if (c == NULL || EVP_DigestInit_ex(c, md, NULL) != 1 ||
            EVP_DigestUpdate(c, seed.ptr, seed.len) != 1 ||
            EVP_DigestUpdate(c, counter, sizeof(counter)) != 1 ||
            EVP_DigestFinal_ex(c, mask, NULL) != 1)
            return false;
        for (size_t i = 0; i < size && done + i < len; i++)
            at[done + i] ^= mask[i];
    }
    return true;
}

static bool
is_pss_with(struct str block, const EVP_MD *md)
{
    unsigned char db[BLOCK_MAX];
    size_t hash = (size_t)EVP_MD_get_size(md);

    if (block.len < 2 * hash + 2 || block.len > sizeof(db))
        return false;
    size_t len = block.len - hash - 1;
    if (((unsigned char)block.ptr[0] & 0x80) != 0)
        return false;
    mem_copy(db, block.ptr, len);
    if (!unmask(db, len, str_sub(block, len, hash), md))
        return false;
    db[0] &= 0x7f;
    size_t zeros = len - hash - 1;
    for (size_t i = 0; i < zeros; i++)
        if (db[i] != 0)
            return false;
    return db[zeros] == SEPARATOR;
}

bool
keys_is_pss(struct str block)
{
    if (block.len == 0 || (unsigned char)block.ptr[block.len - 1] != TRAILER)
        return false;
    return is_pss_with(block, EVP_sha256()) || is_pss_with(block, EVP_sha384()) ||
           is_pss_with(block, EVP_sha512());
}
