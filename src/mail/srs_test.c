/* srs_test.c - what is written is read back, and what was not written here is not believed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/srs.h"

#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"

#define ZERO_MAC str_from(zeros, sizeof(zeros))
#define DAY      33 /* BB */
#define TEN      "0123456789"
#define SIXTY    TEN TEN TEN TEN TEN TEN

static const char zeros[SRS_MAC_BYTES];

static void
senders_are_wrapped(void **state)
{
    static const struct {
        struct str sender, address, target;
    } rows[] = {
        {STR("carl@far.example"), STR("SRS0=AAAAAAAA=BB=far.example=carl@ours.example"),
         STR("carl@far.example")},
        {STR("Carl+Tag=x@Far.Example"), STR("SRS0=AAAAAAAA=BB=far.example=Carl+Tag=x@ours.example"),
         STR("Carl+Tag=x@far.example")},
        {STR("\"a b\"@far.example"), STR("\"SRS0=AAAAAAAA=BB=far.example=a b\"@ours.example"),
         STR("\"a b\"@far.example")},
        {STR("j\xc3\xb6rg@far.example"),
         STR("SRS0=AAAAAAAA=BB=far.example=j\xc3\xb6rg@ours.example"),
         STR("j\xc3\xb6rg@far.example")},
        /* one hop more, and another */
        {STR("SRS0=abcd=EF=far.example=carl@mid.example"),
         STR("SRS1=AAAAAAAA=mid.example==abcd=EF=far.example=carl@ours.example"),
         STR("SRS0=abcd=EF=far.example=carl@mid.example")},
        {STR("srs0+abcd=EF=far.example=carl@mid.example"),
         STR("SRS1=AAAAAAAA=mid.example=+abcd=EF=far.example=carl@ours.example"),
         STR("SRS0+abcd=EF=far.example=carl@mid.example")},
        {STR("SRS1=wxyz=mid.example==abcd=EF=far.example=carl@third.example"),
         STR("SRS1=AAAAAAAA=mid.example==abcd=EF=far.example=carl@ours.example"),
         STR("SRS0=abcd=EF=far.example=carl@mid.example")},
        /* only looks like it */
        {STR("SRS0@far.example"), STR("SRS0=AAAAAAAA=BB=far.example=SRS0@ours.example"),
         STR("SRS0@far.example")},
        {STR("SRS1=x=y@far.example"), STR("SRS0=AAAAAAAA=BB=far.example=SRS1=x=y@ours.example"),
         STR("SRS1=x=y@far.example")},
        /* longer than 64 octets, as long as it may be, and one octet more */
        {STR(SIXTY "@far.example"), STR("SRS0=AAAAAAAA=BB=far.example=" SIXTY "@ours.example"),
         STR(SIXTY "@far.example")},
        {STR(SIXTY SIXTY SIXTY TEN TEN TEN "0123@f.example"),
         STR("SRS0=AAAAAAAA=BB=f.example=" SIXTY SIXTY SIXTY TEN TEN TEN "0123@ours.example"),
         STR(SIXTY SIXTY SIXTY TEN TEN TEN "0123@f.example")},
        {STR(SIXTY SIXTY SIXTY TEN TEN TEN "01234@f.example"), STR(""), STR("")},
        /* no domain to wrap */
        {STR("carl@[192.0.2.1]"), STR(""), STR("")},
        {STR("carl"), STR(""), STR("")},
        {STR(""), STR(""), STR("")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct str address, target;
        struct srs s;
        enum status st = srs_wrap(rows[i].sender, DAY, a, &s);
        if (st == OK)
            st = srs_write(&s, ZERO_MAC, STR("ours.example"), a, &address);
        ROW(i, (st == OK) == (rows[i].address.len > 0));
        if (st != OK)
            continue;
        ROW(i, str_eq(address, rows[i].address) && srs_is(address));
        ROW(i, address.len <= LIMIT_SRS_BYTES);
        ROW(i, srs_read(address, a, &s) == OK && srs_is_signed(&s, ZERO_MAC));
        ROW(i, srs_target(&s, a, &target) == OK && str_eq(target, rows[i].target));
    }
    (void)state;
}

static void
what_is_cut_off_is_seen(void **state)
{
    static const struct {
        struct str address;
        enum status st;
    } rows[] = {
        {STR("srs0=aaaaaaaa=bb=far.example=carl@ours.example"), OK},
        {STR("SRS0+AAAAAAAA=BB=far.example=carl@ours.example"), OK},
        {STR("SRS1=AAAAAAAA=far.example=-x@ours.example"), OK},
        {STR("carl@ours.example"), ERR_NOT_FOUND},
        {STR("SRS0@ours.example"), ERR_NOT_FOUND},
        {STR("SRS0x=AAAAAAAA=BB=far.example=carl@ours.example"), ERR_NOT_FOUND},
        {STR("SRS2=AAAAAAAA=BB=far.example=carl@ours.example"), ERR_NOT_FOUND},
        {STR("SRS0=AAAAAAAA=BB=far.example=carl"), ERR_NOT_FOUND},
        {STR(""), ERR_NOT_FOUND},
        {STR("SRS0=@ours.example"), ERR_SYNTAX},
        {STR("SRS0=AAAAAAAA@ours.example"), ERR_SYNTAX},
        {STR("SRS0=AAAAAAAA=BB@ours.example"), ERR_SYNTAX},
        {STR("SRS0=AAAAAAAA=BB=far.example@ours.example"), ERR_SYNTAX},
        {STR("SRS0=AAAAAAAA=BB=far.example=@ours.example"), ERR_SYNTAX},
        {STR("SRS0=AAAAAAAA=BB==carl@ours.example"), ERR_SYNTAX},
        {STR("SRS0=AAAAAAAA=B=far.example=carl@ours.example"), ERR_SYNTAX},
        {STR("SRS0==BB=far.example=carl@ours.example"), ERR_SYNTAX},
        {STR("SRS1=AAAAAAAA=far.example=@ours.example"), ERR_SYNTAX},
        {STR("SRS1=AAAAAAAA=far.example=x@ours.example"), ERR_SYNTAX},
        {STR("SRS1=AAAAAAAA=far.example==@ours.example"), ERR_SYNTAX},
        {STR("\"SRS0=AAAAAAAA=BB=far.example=carl@ours.example"), ERR_SYNTAX},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct srs s;
        ROW(i, srs_read(rows[i].address, a, &s) == rows[i].st);
        ROW(i, srs_is(rows[i].address) == (rows[i].st != ERR_NOT_FOUND));
    }
    (void)state;
}

/* Every part counts, and case does not. */
static void
the_mac_is_over_every_part(void **state)
{
    static const struct str rows[] = {
        STR("SRS0=x=BB=far.example=carl@o.example"), STR("SRS0=x=BC=far.example=carl@o.example"),
        STR("SRS0=x=BB=fat.example=carl@o.example"), STR("SRS0=x=BB=far.example=cart@o.example"),
        STR("SRS0=x=BB=far.examplec=arl@o.example"), STR("SRS1=x=far.example==carl@o.example"),
        STR("SRS1=x=far.example=-carl@o.example"),   STR("SRS1=x=far.exampl==carl@o.example"),
    };
    AUTO_ARENA *a = arena_new(65536);
    struct buf all[COUNT_OF(rows)];
    AUTO_BUF folded = BUF(SRS_SIGNED_MAX);
    struct srs s;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_init(&all[i], SRS_SIGNED_MAX);
        assert_int_equal(srs_read(rows[i], a, &s), OK);
        srs_signed(&s, &all[i]);
        for (size_t k = 0; k < i; k++)
            ROW(i, !str_eq(buf_str(&all[k]), buf_str(&all[i])));
    }
    assert_int_equal(srs_read(STR("srs0=X=bb=FAR.example=Carl@o.example"), a, &s), OK);
    srs_signed(&s, &folded);
    assert_true(str_eq(buf_str(&folded), buf_str(&all[0])));
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        buf_release(&all[i]);
    (void)state;
}

static void
hashes_are_compared_whole_and_without_case(void **state)
{
    static const struct {
        struct str hash;
        bool good;
    } rows[] = {
        {STR("74AQAAAA"), true}, {STR("74aqaaaa"), true},   {STR("74AQAAAB"), false},
        {STR("74AQAAA"), false}, {STR("74AQAAAAA"), false}, {STR("A"), false},
        {STR("\xff"), false},
    };
    static const char mac[SRS_MAC_BYTES] = {'\xff', '\x01'}; /* 11111 11100 00000 10000 ... */

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct srs s = {.hash = rows[i].hash};
        ROW(i, srs_is_signed(&s, str_from(mac, sizeof(mac))) == rows[i].good);
    }
    (void)state;
}

static void
stamps_grow_old(void **state)
{
    static const struct {
        int64_t made, now;
        bool fresh;
    } rows[] = {
        {20000, 20000, true},
        {20000, 20000 + LIMIT_SRS_DAYS, true},
        {20000, 20001 + LIMIT_SRS_DAYS, false},
        {20000, 20000 + 1022, false},
        {20001, 20000, true}, /* a clock went back by a day */
        {20002, 20000, false},
        {1023, 1024, true}, /* the count goes round */
        {0, 0, true},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(4096);
        struct srs s;
        ROW(i, srs_wrap(STR("carl@far.example"), rows[i].made, a, &s) == OK);
        ROW(i, srs_is_fresh(&s, rows[i].now) == rows[i].fresh);
    }
    const struct srs bad = {.stamp = STR("1!")};
    assert_false(srs_is_fresh(&bad, 0));
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(senders_are_wrapped),
        cmocka_unit_test(what_is_cut_off_is_seen),
        cmocka_unit_test(the_mac_is_over_every_part),
        cmocka_unit_test(hashes_are_compared_whole_and_without_case),
        cmocka_unit_test(stamps_grow_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
