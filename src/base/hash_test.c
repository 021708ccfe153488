/* hash_test.c - published vectors, and what two independent implementations say.
 *
 * CRC-32C: RFC 3720 appendix B.4.  SipHash-1-3: the MAC "SIPHASH" of OpenSSL 3 with c-rounds 1 and
 * d-rounds 3 over the bytes 0, 1, 2 ..., read as a little-endian number.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash_internal.h"

#include "base/size.h"
#include "base/testing.h"

static const struct {
    struct str in;
    uint32_t want;
} crc_rows[] = {
    {STR_NONE, 0},
    {STR(""), 0},
    {STR("a"), 0xc1d04330},
    {STR("123456789"), 0xe3069283},
    {STR("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 0x8a9136aa},
    {STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
         "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
     0x62a8ab43},
    {STR("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
         "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"),
     0x46dd794e},
    {STR("\x1f\x1e\x1d\x1c\x1b\x1a\x19\x18\x17\x16\x15\x14\x13\x12\x11\x10"
         "\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08\x07\x06\x05\x04\x03\x02\x01\x00"),
     0x113fdb5c},
    {STR("\x01\xc0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
         "\x14\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x14\x00\x00\x00\x18"
         "\x28\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00"),
     0xd9963a56},
};

static void
crc_vectors(void **state)
{
    for (size_t i = 0; i < COUNT_OF(crc_rows); i++) {
        ROW(i, crc32c(0, crc_rows[i].in.ptr, crc_rows[i].in.len) == crc_rows[i].want);
        ROW(i, crc32c_portable(0, crc_rows[i].in.ptr, crc_rows[i].in.len) == crc_rows[i].want);
    }
}

/* The definition, a bit at a time. */
static uint32_t
crc_slow(uint32_t seed, const unsigned char *p, size_t n)
{
    uint32_t crc = ~seed;

    for (; n > 0; n--) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

static void
crc_of_any_length_and_address(void **state)
{
    unsigned char bytes[512];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 151 + (i >> 3));
    for (size_t from = 0; from < 9; from++) {
        for (size_t n = 0; n + from <= sizeof(bytes); n++) {
            uint32_t want = crc_slow(0, bytes + from, n);

            ROW(n, crc32c(0, bytes + from, n) == want);
            ROW(n, crc32c_portable(0, bytes + from, n) == want);
            uint32_t half = crc32c(0, bytes + from, n / 3); /* in pieces: the same */
            ROW(n, crc32c(half, bytes + from + n / 3, n - n / 3) == want);
            ROW(n, crc32c_portable(half, bytes + from + n / 3, n - n / 3) == want);
        }
    }
}

static void
crc_sees_every_flipped_bit(void **state)
{
    unsigned char bytes[100] = "some record";
    uint32_t good = crc32c(0, bytes, sizeof(bytes));

    for (size_t i = 0; i < 8 * sizeof(bytes); i++) {
        bytes[i / 8] ^= (unsigned char)(1u << i % 8);
        ROW(i, crc32c(0, bytes, sizeof(bytes)) != good);
        bytes[i / 8] ^= (unsigned char)(1u << i % 8);
    }
}

static const struct {
    size_t len;
    uint64_t want, want_zero_key;
} sip_rows[] = {
    {0, 0xabac0158050fc4dc, 0xd1fba762150c532c},  {1, 0xc9f49bf37d57ca93, 0x68a914128e01e473},
    {7, 0xd3927d989bb11140, 0x2f098ab0c751325a},  {8, 0x369095118d299a8e, 0xead411e67ebe2eea},
    {9, 0x25a48eb36c063de4, 0x75927f9d95124362},  {15, 0xd320d86d2a519956, 0xf30eb725bb91c9ea},
    {16, 0xcc4fdd1a7d908b66, 0x8972188433a5c5b7}, {17, 0x9cf2689063dbd80c, 0x4883c49a2c009c1d},
    {63, 0x9d199062b7bbb3a8, 0x385d3e39e5f37359},
};

static void
siphash_vectors(void **state)
{
    static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    static const uint64_t zero[2] = {0, 0};
    char bytes[64];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)i;
    for (size_t i = 0; i < COUNT_OF(sip_rows); i++) {
        ROW(i, siphash(key, str_from(bytes, sip_rows[i].len)) == sip_rows[i].want);
        ROW(i, siphash(zero, str_from(bytes, sip_rows[i].len)) == sip_rows[i].want_zero_key);
    }
    assert_true(siphash(key, STR_NONE) == sip_rows[0].want);
}

static void
seeded_hash_differs_between_processes(void **state)
{
    uint64_t theirs = 0;
    int ends[2];

    /* The key is made at the first use: the child must come before ours. */
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        uint64_t h = hash_seeded(STR("some key"));
        _exit(write(ends[1], &h, sizeof(h)) != (ssize_t)sizeof(h));
    }
    assert_int_equal(read(ends[0], &theirs, sizeof(theirs)), sizeof(theirs));
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ends[0]);
    close(ends[1]);
    uint64_t ours = hash_seeded(STR("some key"));
    assert_true(ours != theirs);
    assert_true(ours == hash_seeded(STR("some key")));
    assert_true(ours != hash_seeded(STR("some kez")));
    assert_true(ours != hash_stable(STR("some key")));
}

static void
stable_hash_never_changes(void **state)
{
    assert_true(hash_stable(STR("")) == 0x70b5ee246935712c);
    assert_true(hash_stable(STR("godwit")) == 0x49ed23775c0413e6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_vectors),
        cmocka_unit_test(crc_of_any_length_and_address),
        cmocka_unit_test(crc_sees_every_flipped_bit),
        cmocka_unit_test(siphash_vectors),
        cmocka_unit_test(seeded_hash_differs_between_processes),
        cmocka_unit_test(stable_hash_never_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
