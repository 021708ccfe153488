/* hash.c - CRC-32C (RFC 3720 section 12.1, appendix B.4) and SipHash-1-3.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/random.h>

#include "base/hash_internal.h"
#include "base/status.h"

#define CASTAGNOLI_REVERSED 0x82f63b78u

static uint32_t crc_tables[8][256]; /* [k][b]: byte b followed by k zero bytes */
static uint64_t process_key[2];
static atomic_bool process_key_made;

static uint64_t word_at(const unsigned char *p);
static void crc_tables_make(void);
static void process_key_make(void);

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
crc32c_sse42(uint32_t seed, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t crc = ~seed;

    for (; n >= 8; n -= 8, p += 8)
        crc = __builtin_ia32_crc32di(crc, word_at(p));
    uint32_t tail = (uint32_t)crc;
    for (; n > 0; n--)
        tail = __builtin_ia32_crc32qi(tail, *p++);
    return ~tail;
}

uint32_t
crc32c(uint32_t seed, const void *p, size_t n)
{
    return __builtin_cpu_supports("sse4.2") ? crc32c_sse42(seed, p, n)
                                            : crc32c_portable(seed, p, n);
}
#else
uint32_t
crc32c(uint32_t seed, const void *p, size_t n)
{
    return crc32c_portable(seed, p, n);
}
#endif

/* Eight bytes a step: each goes through the table that knows how many bytes follow it. */
uint32_t
crc32c_portable(uint32_t seed, const void *bytes, size_t n)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const unsigned char *p = bytes;
    uint32_t crc = ~seed;

    pthread_once(&once, crc_tables_make);
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t w = word_at(p) ^ crc;
        crc = 0;
        for (unsigned int i = 0; i < 8; i++)
            crc ^= crc_tables[7 - i][(w >> 8 * i) & 0xff];
    }
    for (; n > 0; n--)
        crc = crc >> 8 ^ crc_tables[0][(crc ^ *p++) & 0xff];
    return ~crc;
}

#define ROTL(x, n) ((x) << (n) | (x) >> (64 - (n)))

static inline void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = ROTL(v[1], 13) ^ v[0];
    v[3] = ROTL(v[3], 16) ^ v[2];
    v[0] = ROTL(v[0], 32) + v[3];
    v[2] += v[1];
    v[1] = ROTL(v[1], 17) ^ v[2];
    v[3] = ROTL(v[3], 21) ^ v[0];
    v[2] = ROTL(v[2], 32);
}

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF", with one round a word and three at the
 * end: no attack on hash tables is known for it, and it takes half the time of 2-4. */
uint64_t
siphash(const uint64_t key[2], struct str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t left = s.len;
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                     key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};

    for (; left >= 8; left -= 8, p += 8) {
        uint64_t w = word_at(p);
        v[3] ^= w;
        sip_round(v);
        v[0] ^= w;
    }
    uint64_t last = (uint64_t)s.len << 56;
    for (size_t i = 0; i < left; i++)
        last |= (uint64_t)p[i] << 8 * i;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
hash_seeded(struct str s)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (!atomic_load_explicit(&process_key_made, memory_order_acquire))
        pthread_once(&once, process_key_make);
    return siphash(process_key, s);
}

/* The key is part of the stored format: it never changes. */
uint64_t
hash_stable(struct str s)
{
    static const uint64_t key[2] = {0x676f647769742031u, 0x737461626c652031u};

    return siphash(key, s);
}

/* Little-endian, from any address. */
static uint64_t
word_at(const unsigned char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    return w;
}

static void
crc_tables_make(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? CASTAGNOLI_REVERSED : 0);
        crc_tables[0][b] = crc;
    }
    for (size_t k = 1; k < 8; k++) {
        for (size_t b = 0; b < 256; b++) {
            uint32_t crc = crc_tables[k - 1][b];
            crc_tables[k][b] = crc >> 8 ^ crc_tables[0][crc & 0xff];
        }
    }
}

static void
process_key_make(void)
{
    /* As short as this it comes whole or not at all. */
    ASSERT(getrandom(process_key, sizeof(process_key), 0) == (ssize_t)sizeof(process_key));
    atomic_store_explicit(&process_key_made, true, memory_order_release);
}
