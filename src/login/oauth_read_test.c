/* oauth_read_test.c - what OAUTHBEARER and XOAUTH2 may say.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/size.h"
#include "login/oauth_read.h"

#define NONE "(none)"

struct row {
    struct str message;
    const char *name, *token; /* token NONE: it is refused */
};

static const struct row bearer[] = {
    {STR("n,a=user@example.com,\1host=server.example.com\1port=143\1auth=Bearer vF9dft4qmT\1\1"),
     "user@example.com", "vF9dft4qmT"},
    {STR("n,,\1auth=Bearer a.b-c_d~e+f/g==\1\1"), "", "a.b-c_d~e+f/g=="},
    {STR("y,,\1auth=bearer  t\1\1"), "", "t"},
    {STR("n,a=a=2Cb=3D,\1auth=Bearer t\1\1"), "a,b=", "t"},
    {STR("n,a=u,\1auth=\1\1"), "u", ""},
    {STR("n,,\1x=\1auth=Bearer t\1y=a b\t\r\n\1\1"), "", "t"},
    {STR(""), "", NONE},
    {STR("\1"), "", NONE},
    {STR("n,,"), "", NONE},
    {STR("n,,\1"), "", NONE},
    {STR("n,,\1\1"), "", NONE}, /* no auth */
    {STR("n,,\1host=x\1\1"), "", NONE},
    {STR("n,\1auth=Bearer t\1\1"), "", NONE},
    {STR("p=tls-exporter,,\1auth=Bearer t\1\1"), "", NONE},
    {STR("n,a=,\1auth=Bearer t\1\1"), "", NONE},
    {STR("n,a=u=2D,\1auth=Bearer t\1\1"), "", NONE},
    {STR("n,,\1auth=Bearer t\1"), "", NONE},
    {STR("n,,\1auth=Bearer t"), "", NONE},
    {STR("n,,\1auth=Bearer t\1\1x"), "", NONE},
    {STR("n,,\1auth=Bearer t\1auth=Bearer t\1\1"), "", NONE},
    {STR("n,,\1auth=Bearert\1\1"), "", NONE},
    {STR("n,,\1auth=Bearer \1\1"), "", NONE},
    {STR("n,,\1auth=Bearer t t\1\1"), "", NONE},
    {STR("n,,\1auth=Bearer \"t\"\1\1"), "", NONE},
    {STR("n,,\1auth=Basic dDp0\1\1"), "", NONE},
    {STR("n,,\1=x\1auth=Bearer t\1\1"), "", NONE},
    {STR("n,,\1x\1auth=Bearer t\1\1"), "", NONE},
    {STR("n,,\1x1=y\1auth=Bearer t\1\1"), "", NONE},
    {STR("n,,\1x=\0\1auth=Bearer t\1\1"), "", NONE},
    {STR("n,,\1x=\xff\1auth=Bearer t\1\1"), "", NONE},
    {STR("n,a=\xff,\1auth=Bearer t\1\1"), "", NONE},
};
static const struct row xoauth2[] = {
    {STR("user=someuser@example.com\1auth=Bearer "
         "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\1\1"),
     "someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"},
    {STR("user=u\1auth=Bearer t\1\1"), "u", "t"},
    {STR("user=u\1auth=\1\1"), "u", ""},
    {STR("user=\1auth=Bearer t\1\1"), "", NONE},
    {STR("user=u\1auth=Bearer t\1"), "", NONE},
    {STR("user=u\1auth=Bearer t\1\1\1"), "", NONE},
    {STR("user=u\1\1auth=Bearer t\1\1"), "", NONE},
    {STR("auth=Bearer t\1user=u\1\1"), "", NONE},
    {STR("user=u\0\1auth=Bearer t\1\1"), "", NONE},
    {STR("user=\xff\1auth=Bearer t\1\1"), "", NONE},
    {STR("user=u\1auth=Bearer t,\1\1"), "", NONE},
    {STR("user=u"), "", NONE},
    {STR(""), "", NONE},
};

static void
check(size_t i, const struct row *r, enum status e, const struct oauth_first *f)
{
    ROW(i, e == (strcmp(r->token, NONE) == 0 ? ERR_SYNTAX : OK));
    if (e == OK)
        ROW(i, str_eq(f->name, str_of(r->name)) && str_eq(f->token, str_of(r->token)));
}

static void
test_both(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bearer); i++) {
        struct oauth_first f = {0};
        enum status e = oauth_bearer_read(bearer[i].message, a, &f);
        check(i, &bearer[i], e, &f);
        for (size_t n = 0; e == OK && n < bearer[i].message.len; n++)
            ROW(i, oauth_bearer_read(str_sub(bearer[i].message, 0, n), a, &f) == ERR_SYNTAX);
    }
    for (size_t i = 0; i < COUNT_OF(xoauth2); i++) {
        struct oauth_first f = {0};
        enum status e = oauth_x_read(xoauth2[i].message, &f);
        check(i, &xoauth2[i], e, &f);
        for (size_t n = 0; e == OK && n < xoauth2[i].message.len; n++)
            ROW(i, oauth_x_read(str_sub(xoauth2[i].message, 0, n), &f) == ERR_SYNTAX);
    }
}

static void
test_length(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);

    (void)state;
    for (size_t more = 0; more < 2; more++) {
        AUTO_BUF b = BUF(LIMIT_OAUTH_BYTES + 10);
        struct oauth_first f;
        buf_add(&b, STR("n,,\1auth=Bearer "));
        while (b.len < LIMIT_OAUTH_BYTES - 2 + more)
            buf_add_char(&b, 't');
        buf_add(&b, STR("\1\1"));
        ROW(more, oauth_bearer_read(buf_str(&b), a, &f) == (more == 0 ? OK : ERR_SYNTAX));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_both), cmocka_unit_test(test_length)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
