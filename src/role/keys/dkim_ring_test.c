/* dkim_ring_test.c - keys come, sign and go; what is sealed of them is read as it was written.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/keys/dkim_ring.h"

#include "base/mem.h"
#include "base/size.h"
#include "base/testing.h"

#define DAY1 INT64_C(1795996800) /* 2026-11-30 */
#define DAY2 (DAY1 + 86400)

static EVP_PKEY *
new_key(enum ring_algorithm algorithm)
{
    EVP_PKEY *k = algorithm == RING_RSA ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024)
                                        : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    assert_non_null(k);
    return k;
}

static void
add(struct dkim_ring *r, enum ring_algorithm algorithm, int64_t now_s)
{
    ring_add(r, algorithm, new_key(algorithm), now_s);
}

/* As "s20261130 signs, e20261130 waits": those that were seen with "!", old ones without their key. */
static void
text_of(const struct dkim_ring *r, struct buf *b)
{
    static const char *const states[] = {
        [RING_WAITS] = "waits", [RING_SIGNS] = "signs", [RING_OLD] = "old"};

    buf_reset(b);
    for (size_t i = 0; i < r->count; i++) {
        const struct ring_key *k = &r->at[i];
        assert_true((k->key == NULL) == (k->state == RING_OLD));
        buf_addf(b, "%s%.*s %s%s", i > 0 ? ", " : "", STR_FMT(k->selector), states[k->state],
                 k->seen ? "!" : "");
    }
}

static void
is(const struct dkim_ring *r, const char *want)
{
    AUTO_BUF b = BUF(4096);

    text_of(r, &b);
    if (!str_eq(buf_str(&b), str_of(want)))
        fail_msg("%.*s, not %s", STR_FMT(buf_str(&b)), want);
}

static void
a_life(void **state)
{
    AUTO(ring_free) struct dkim_ring *r = MEM_NEW(struct dkim_ring);
    (void)state;

    /* the first RSA key signs before anybody saw it; that of Ed25519 does not */
    add(r, RING_RSA, DAY1);
    add(r, RING_ED25519, DAY1);
    is(r, "s20261130 signs, e20261130 waits");
    assert_false(ring_tell(r, STR("e20261130"), false, DAY1));
    assert_false(ring_tell(r, STR("other"), true, DAY1));
    assert_true(ring_tell(r, STR("E20261130"), true, DAY1 + 5));
    assert_false(ring_tell(r, STR("e20261130"), true, DAY1 + 6));
    assert_int_equal(r->at[1].since_s, DAY1 + 5);
    is(r, "s20261130 signs, e20261130 signs!");

    /* what is gone from DNS signs no more, but RSA */
    assert_true(ring_tell(r, STR("s20261130"), true, DAY1));
    assert_true(ring_tell(r, STR("s20261130"), false, DAY1));
    assert_true(ring_tell(r, STR("e20261130"), false, DAY1));
    is(r, "s20261130 signs, e20261130 waits");
    assert_true(ring_tell(r, STR("e20261130"), true, DAY1));

    /* the next ones wait, and those of before sign, each by itself */
    add(r, RING_RSA, DAY1);
    add(r, RING_ED25519, DAY2);
    is(r, "s20261130 signs, e20261130 signs!, s20261130b waits, e20261201 waits");
    assert_true(ring_tell(r, STR("s20261130b"), true, DAY2));
    is(r, "s20261130 old, e20261130 signs!, s20261130b signs!, e20261201 waits");
    assert_int_equal(r->at[0].since_s, DAY2);
    assert_true(ring_tell(r, STR("e20261130"), false, DAY2));
    is(r, "s20261130 old, s20261130b signs!, e20261201 waits");
    /* the record of the old one was removed */
    assert_true(ring_tell(r, STR("s20261130"), true, DAY2));
    is(r, "s20261130 old!, s20261130b signs!, e20261201 waits");
    assert_true(ring_tell(r, STR("s20261130"), false, DAY2));
    is(r, "s20261130b signs!, e20261201 waits");
}

static void
many_old_ones(void **state)
{
    AUTO(ring_free) struct dkim_ring *r = MEM_NEW(struct dkim_ring);
    (void)state;

    for (int i = 0; i < 40; i++) {
        add(r, RING_ED25519, DAY1 + i * INT64_C(86400));
        ring_tell(r, r->at[r->count - 1].selector, true, DAY1);
    }
    add(r, RING_RSA, DAY2);
    assert_int_equal(r->count, LIMIT_DKIM_KEYS);
    assert_non_null(ring_find(r, RING_ED25519, RING_SIGNS));
    assert_non_null(ring_find(r, RING_RSA, RING_SIGNS));
    assert_true(str_eq(r->at[r->count - 2].selector, STR("e20270108")));
    /* all of one day: nobody gets a name twice */
    AUTO(ring_free) struct dkim_ring *q = MEM_NEW(struct dkim_ring);
    for (int i = 0; i < 40; i++) {
        add(q, RING_RSA, DAY1);
        if (i > 0)
            assert_true(ring_tell(q, q->at[q->count - 1].selector, true, DAY1));
        for (size_t j = 0; j + 1 < q->count; j++)
            assert_false(str_eq(q->at[j].selector, q->at[q->count - 1].selector));
    }
}

static void
sealed_and_back(void **state)
{
    AUTO(ring_free) struct dkim_ring *r = MEM_NEW(struct dkim_ring);
    AUTO_BUF plain = BUF(RING_BYTES_MAX);
    AUTO_BUF again = BUF(RING_BYTES_MAX);
    (void)state;

    for (int i = 0; i < 3; i++) {
        add(r, RING_RSA, DAY1);
        add(r, RING_ED25519, DAY1);
        ring_tell(r, r->at[r->count - 1].selector, true, DAY1);
        ring_tell(r, r->at[r->count - 2].selector, true, DAY1);
    }
    assert_int_equal(ring_write(r, &plain), OK);
    AUTO(ring_free) struct dkim_ring *q = NULL;
    assert_int_equal(ring_read(buf_str(&plain), &q), OK);
    assert_int_equal(ring_write(q, &again), OK);
    assert_true(str_eq(buf_str(&plain), buf_str(&again)));
    AUTO_BUF text = BUF(4096);
    text_of(r, &text);
    buf_add_char(&text, '\0');
    is(q, text.ptr);
    for (size_t i = 0; i < r->count; i++)
        assert_true(r->at[i].key == NULL || EVP_PKEY_eq(r->at[i].key, q->at[i].key) == 1);
    /* a copy holds keys of its own */
    AUTO(ring_free) struct dkim_ring *copy = ring_copy(q);
    ring_free(&q);
    is(copy, text.ptr);

    for (size_t n = 0; n < plain.len; n++)
        assert_int_equal(ring_read(str_from(plain.ptr, n), &q), ERR_CORRUPT);
    buf_add_char(&plain, 'x');
    assert_int_equal(ring_read(buf_str(&plain), &q), ERR_CORRUPT);
    plain.ptr[0] = 2; /* of another version */
    assert_int_equal(ring_read(buf_str(&plain), &q), ERR_CORRUPT);
}

/* A largest ring: all that can hold a key does. */
static void
there_is_room(void **state)
{
    AUTO(ring_free) struct dkim_ring *r = MEM_NEW(struct dkim_ring);
    AUTO_BUF plain = BUF(RING_BYTES_MAX);
    (void)state;

    for (int i = 0; i < 9; i++) {
        ring_add(r, RING_RSA, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048), DAY1);
        if (i > 0 && i < 8)
            ring_tell(r, r->at[r->count - 1].selector, true, DAY1);
    }
    add(r, RING_ED25519, DAY1);
    assert_int_equal(ring_write(r, &plain), OK);
}

static void
a_single_key(void **state)
{
    AUTO(ring_free) struct dkim_ring *r = MEM_NEW(struct dkim_ring);
    AUTO(ring_free) struct dkim_ring *q = NULL;
    AUTO_BUF plain = BUF(RING_BYTES_MAX);
    (void)state;

    assert_int_equal(ring_write_single(r, &plain), ERR_NOT_FOUND);
    add(r, RING_ED25519, DAY1);
    add(r, RING_RSA, DAY1);
    assert_int_equal(ring_write_single(r, &plain), OK);
    assert_int_equal(ring_read_single(buf_str(&plain), &q), OK);
    is(q, "s20261130 signs");
    assert_int_equal(EVP_PKEY_eq(q->at[0].key, r->at[1].key), 1);
    ring_free(&q);
    for (size_t n = 0; n < plain.len; n++)
        assert_int_equal(ring_read_single(str_from(plain.ptr, n), &q), ERR_CORRUPT);
}

static void
records(void **state)
{
    AUTO(ring_free) struct dkim_ring *r = MEM_NEW(struct dkim_ring);
    (void)state;

    add(r, RING_RSA, DAY1);
    add(r, RING_ED25519, DAY1);
    add(r, RING_RSA, DAY1);
    ring_tell(r, STR("s20261130b"), true, DAY1);
    for (size_t i = 0; i < r->count; i++) {
        static const char *const begin[] = {"", "v=DKIM1; k=ed25519; p=", "v=DKIM1; k=rsa; p=MIG"};
        AUTO_BUF b = BUF(1024);
        assert_int_equal(ring_record(&r->at[i], &b), OK);
        assert_true(str_starts(buf_str(&b), str_of(begin[i])));
        assert_int_equal(b.len, i == 0 ? 0 : i == 1 ? 22 + 44 : 18 + 216);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life),          cmocka_unit_test(many_old_ones),
        cmocka_unit_test(sealed_and_back), cmocka_unit_test(there_is_room),
        cmocka_unit_test(a_single_key),    cmocka_unit_test(records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
