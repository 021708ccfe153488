/* scram_read_test.c - tables of the two messages of a SCRAM client.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/size.h"
#include "login/scram_read.h"

static const struct {
    struct str message;
    bool good;
    enum scram_flag flag;
    const char *gs2, *authzid, *name, *nonce;
} firsts[] = {
    {STR("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"), true, SCRAM_CANNOT_BIND, "n,,", "", "user",
     "rOprNGfwEbeRWgbNEkqO"}, /* RFC 7677 section 3 */
    {STR("y,,n=u,r=x"), true, SCRAM_NOT_OFFERED, "y,,", "", "u", "x"},
    {STR("p=tls-exporter,,n=u,r=x"), true, SCRAM_BINDS, "p=tls-exporter,,", "", "u", "x"},
    {STR("p=tls-unique,,n=u,r=x"), true, SCRAM_BINDS_ELSE, "p=tls-unique,,", "", "u", "x"},
    {STR("p=TLS-EXPORTER,,n=u,r=x"), true, SCRAM_BINDS_ELSE, "p=TLS-EXPORTER,,", "", "u", "x"},
    {STR("n,a=b,n=u,r=x"), true, SCRAM_CANNOT_BIND, "n,a=b,", "b", "u", "x"},
    {STR("n,,n==2Cu=3Dv=2C,r=x"), true, SCRAM_CANNOT_BIND, "n,,", "", ",u=v,", "x"},
    {STR("n,,n=\xc3\xa4@b,r=x"), true, SCRAM_CANNOT_BIND, "n,,", "", "\xc3\xa4@b", "x"},
    {STR("n,,n=u,r=x,e=y,f="), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,n=u,r=x,e=y,f=z"), true, SCRAM_CANNOT_BIND, "n,,", "", "u", "x"},
    {STR("n,,n=u,r=x,"), false, 0, NULL, NULL, NULL, NULL},
    {STR(""), false, 0, NULL, NULL, NULL, NULL},
    {STR("n"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,n=u"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,n=u,r="), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,n=,r=x"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,r=x,n=u"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,n=u,r=x y"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,n=u,r=x\0"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,n=u,r=\xc3\xa4"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,n=u\0v,r=x"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,n=\xff,r=x"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,n=u=,r=x"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,n=u=2c,r=x"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,n=u=41,r=x"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,m=z,n=u,r=x"), false, 0, NULL, NULL, NULL, NULL}, /* must be understood */
    {STR("n,a=,n=u,r=x"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,b,n=u,r=x"), false, 0, NULL, NULL, NULL, NULL},
    {STR("x,,n=u,r=x"), false, 0, NULL, NULL, NULL, NULL},
    {STR("N,,n=u,r=x"), false, 0, NULL, NULL, NULL, NULL},
    {STR("p,,n=u,r=x"), false, 0, NULL, NULL, NULL, NULL},
    {STR("p=,,n=u,r=x"), false, 0, NULL, NULL, NULL, NULL},
    {STR("p=a b,,n=u,r=x"), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,n=u,r=x,="), false, 0, NULL, NULL, NULL, NULL},
    {STR("n,,n=u,r=x,1=y"), false, 0, NULL, NULL, NULL, NULL},
};

static void
test_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(firsts); i++) {
        AUTO_ARENA *a = arena_new(8192);
        struct scram_first f = {.flag = 77};
        enum status e = scram_first_read(firsts[i].message, a, &f);

        ROW(i, e == (firsts[i].good ? OK : ERR_SYNTAX));
        ROW(i, e == OK || f.flag == 77);
        if (e != OK)
            continue;
        ROW(i, f.flag == firsts[i].flag);
        ROW(i, str_eq(f.gs2, str_of(firsts[i].gs2)));
        ROW(i, str_eq(f.authzid, str_of(firsts[i].authzid)));
        ROW(i, str_eq(f.name, str_of(firsts[i].name)));
        ROW(i, str_eq(f.nonce, str_of(firsts[i].nonce)));
        ROW(i, str_eq(f.bare, str_skip(firsts[i].message, f.gs2.len)));
    }
}

static const struct {
    struct str message;
    bool good;
    const char *binding, *nonce, *proof;
    size_t unproved; /* its length */
} finals[] = {
    {STR("c=biws,r=xy,p=cHA="), true, "n,,", "xy", "pp", 11},
    {STR("c=biws,r=xy,e=1,p=cHA="), true, "n,,", "xy", "pp", 15},
    {STR("c=biws,r=xy,p=cHA=,p=cXE="), true, "n,,", "xy", "qq",
     18}, /* the last one proves the first */
    {STR("c=biws,r=xy"), false, NULL, NULL, NULL, 0},
    {STR("c=biws,r=xy,p="), false, NULL, NULL, NULL, 0},
    {STR("c=biws,r=xy,p=cHA"), false, NULL, NULL, NULL, 0},
    {STR("c=biws,r=xy,p=cHA=,"), false, NULL, NULL, NULL, 0},
    {STR("c=biws,r=xy,p=cHA=,e=1"), false, NULL, NULL, NULL, 0},
    {STR("c=biws,r=xy,e,p=cHA="), false, NULL, NULL, NULL, 0},
    {STR("c=,r=xy,p=cHA="), false, NULL, NULL, NULL, 0},
    {STR("c=!,r=xy,p=cHA="), false, NULL, NULL, NULL, 0},
    {STR("c=biws,r=,p=cHA="), false, NULL, NULL, NULL, 0},
    {STR("c=biws,p=cHA="), false, NULL, NULL, NULL, 0},
    {STR("r=xy,c=biws,p=cHA="), false, NULL, NULL, NULL, 0},
    {STR("m=1,c=biws,r=xy,p=cHA="), false, NULL, NULL, NULL, 0},
    {STR("c=biws,r=x\0y,p=cHA="), false, NULL, NULL, NULL, 0},
    {STR("p=cHA="), false, NULL, NULL, NULL, 0},
    {STR(","), false, NULL, NULL, NULL, 0},
    {STR(""), false, NULL, NULL, NULL, 0},
};

static void
test_final(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(finals); i++) {
        AUTO_ARENA *a = arena_new(8192);
        struct scram_final f = {.nonce = STR("untouched")};
        enum status e = scram_final_read(finals[i].message, a, &f);

        ROW(i, e == (finals[i].good ? OK : ERR_SYNTAX));
        ROW(i, e == OK || str_eq(f.nonce, STR("untouched")));
        if (e != OK)
            continue;
        ROW(i, str_eq(f.binding, str_of(finals[i].binding)));
        ROW(i, str_eq(f.nonce, str_of(finals[i].nonce)));
        ROW(i, str_eq(f.proof, str_of(finals[i].proof)));
        ROW(i, str_eq(f.unproved, str_sub(finals[i].message, 0, finals[i].unproved)));
    }
}

/* The longest nonce and the longest message, and one byte more. */
static void
test_limits(void **state)
{
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        AUTO_ARENA *a = arena_new(65536);
        AUTO_BUF nonce = BUF(4096);
        AUTO_BUF name = BUF(4096);
        struct scram_first f;

        buf_add(&nonce, STR("n,,n=u,r="));
        for (size_t i = 0; i < LIMIT_SCRAM_NONCE_BYTES + more; i++)
            buf_add_char(&nonce, 'x');
        ROW(more, (scram_first_read(buf_str(&nonce), a, &f) == OK) == (more == 0));
        buf_add(&name, STR("n,,n="));
        while (name.len < LIMIT_SASL_BYTES - 4 + more)
            buf_add_char(&name, 'u');
        buf_add(&name, STR(",r=x"));
        ROW(more, (scram_first_read(buf_str(&name), a, &f) == OK) == (more == 0));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first),
        cmocka_unit_test(test_final),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
