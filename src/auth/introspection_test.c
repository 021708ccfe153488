/* introspection_test.c - the question, the answers, and which of them let somebody in.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/introspection.h"

#include "base/encode.h"
#include "base/size.h"
#include "base/testing.h"

static void
test_the_question(void **state)
{
    const struct introspection_request r = {.host = STR("id.example:8443"),
                                            .path = STR("/introspect?realm=a"),
                                            .client = STR("mail:1"),
                                            .secret = STR("p w/\xc3\xa4+"),
                                            .token = STR("a.b-c_d~e+f/g==")};
    AUTO_BUF out = BUF(4096), basic = BUF(256), want = BUF(4096);

    (void)state;
    introspection_request_write(&r, &out);
    buf_add_base64(&basic, STR("mail%3A1:p%20w%2F%C3%A4%2B"));
    buf_addf(&want,
             "POST /introspect?realm=a HTTP/1.1\r\nHost: id.example:8443\r\nAuthorization: Basic "
             "%.*s\r\n"
             "Accept: application/json\r\nConnection: close\r\n"
             "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60\r\n\r\n"
             "token=a.b-c_d%%7Ee%%2Bf%%2Fg%%3D%%3D&token_type_hint=access_token",
             STR_FMT(buf_str(&basic)));
    assert_int_equal(buf_status(&out), OK);
    assert_str(buf_str(&out), buf_str(&want));
}

#define GOOD "\"active\":true,\"exp\":2000,\"username\":\"anna@a.example\""

static const struct {
    const char *json;
    enum status status; /* of reading it; ERR_DENIED: it is read and does not let in */
    const char *address;
} rows[] = {
    {"{" GOOD "}", OK, "anna@a.example"},
    {"{" GOOD
     ",\"aud\":\"mail\",\"iss\":\"https://i\",\"nbf\":900,\"scope\":\"x y\",\"n\":{\"a\":[1]}}",
     OK, "anna@a.example"},
    {"{" GOOD ",\"aud\":[\"web\",\"mail\"]}", OK, "anna@a.example"},
    {"{\"active\":true,\"username\":\"u\",\"sub\":\"s\",\"email\":\"e@a.example\"}", OK,
     "e@a.example"},
    {"{\"active\":true,\"username\":\"u\",\"sub\":\"s\",\"email\":\"e@a.example\",\"email_"
     "verified\":true}",
     OK, "e@a.example"},
    {"{\"active\":true,\"username\":\"u@a.example\",\"sub\":\"s\",\"email\":\"e@a.example\","
     "\"email_verified\":false}",
     OK, "s"}, /* the name could be as little proved */
    {"{\"active\":true,\"username\":\"u@a.example\",\"email_verified\":\"yes\"}", ERR_DENIED, NULL},
    {"{\"active\":true,\"sub\":\"s@a.example\"}", OK, "s@a.example"},
    {"{\"active\":true}", ERR_DENIED, NULL},
    {"{\"active\":true,\"username\":\"\"}", ERR_DENIED, NULL},
    {"{\"active\":true,\"username\":\"a\\u0000b\"}", ERR_DENIED, NULL},
    {"{\"active\":true,\"username\":[\"u\"]}", ERR_DENIED, NULL},
    {"{\"active\":false}", ERR_DENIED, NULL},
    {"{\"active\":false,\"username\":\"u\",\"exp\":\"never\"}", ERR_DENIED, NULL},
    {"{" GOOD ",\"aud\":\"web\"}", ERR_DENIED, NULL},
    {"{" GOOD ",\"aud\":[]}", ERR_DENIED, NULL},
    {"{" GOOD ",\"iss\":\"https://j\"}", ERR_DENIED, NULL},
    {"{" GOOD ",\"nbf\":1100}", ERR_DENIED, NULL},
    {"{\"active\":true,\"username\":\"u\",\"exp\":900}", ERR_DENIED, NULL},
    {"{\"active\":true,\"username\":\"u\",\"exp\":1000}", ERR_DENIED, NULL},
    {"{\"active\":true,\"username\":\"u\",\"exp\":0}", ERR_DENIED, NULL},
    {"{\"active\":true,\"username\":\"u\",\"exp\":1001}", OK, "u"},
    {"{\"active\":true,\"username\":\"u\",\"exp\":\"2000\"}", ERR_SYNTAX, NULL},
    {"{\"active\":true,\"username\":\"u\",\"exp\":-1}", ERR_SYNTAX, NULL},
    {"{" GOOD ",\"aud\":7}", ERR_SYNTAX, NULL},
    {"{" GOOD ",\"aud\":[7]}", ERR_SYNTAX, NULL},
    {"{" GOOD ",\"active\":false}", ERR_SYNTAX, NULL}, /* twice */
    {"{\"active\":\"true\",\"username\":\"u\"}", ERR_SYNTAX, NULL},
    {"{\"active\":1,\"username\":\"u\"}", ERR_SYNTAX, NULL},
    {"{\"active\":null}", ERR_SYNTAX, NULL},
    {"{\"username\":\"u\"}", ERR_SYNTAX, NULL},
    {"[{\"active\":true}]", ERR_SYNTAX, NULL},
    {"true", ERR_SYNTAX, NULL},
    {"", ERR_SYNTAX, NULL},
    {"{\"active\":true", ERR_SYNTAX, NULL},
    {"{\"active\":true}x", ERR_SYNTAX, NULL},
    {"{\"active\":true,\"x\":[[[[[[[[1]]]]]]]]}", ERR_SYNTAX, NULL},
};

static void
test_answers(void **state)
{
    const struct jwt_wanted wanted = {
        .issuer = STR("https://i"), .audience = STR("mail"), .now_s = 1000};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct introspection r = {.expires_s = 77};
        enum status e = introspection_read(str_of(rows[i].json), a, &r);
        ROW(i, e == (rows[i].status == ERR_SYNTAX ? ERR_SYNTAX : OK));
        if (e != OK) {
            ROW(i, r.expires_s == 77);
            continue;
        }
        ROW(i, introspection_fits(&r, &wanted) == (rows[i].status == OK));
        ROW(i, rows[i].status != OK || str_eq(r.address, str_of(rows[i].address)));
    }
    /* Whoever says so without a yes is not let in either. */
    struct introspection no = {.address = STR("u@a.example")};
    assert_false(introspection_fits(&no, &wanted));
    no.active = true;
    assert_true(introspection_fits(&no, &wanted));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_question),
        cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
