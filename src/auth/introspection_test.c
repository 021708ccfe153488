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

#define GOOD "\"active\":true,\"exp\":2000,\"aud\":\"mail\",\"email\":\"anna@a.example\""
#define OURS "{\"active\":true,\"aud\":\"mail\","

static const struct {
    const char *json;
    enum status status; /* of reading it; ERR_DENIED: it is read and does not let in */
    const char *address, *by_username; /* NULL: the same, and let in as well */
} rows[] = {
    {"{" GOOD "}", OK, "anna@a.example", NULL},
    {"{" GOOD ",\"iss\":\"https://i\",\"nbf\":900,\"scope\":\"x y\",\"n\":{\"a\":[1]}}", OK,
     "anna@a.example", NULL},
    {"{\"active\":true,\"aud\":[\"web\",\"mail\"],\"sub\":\"s\"}", OK, "s", NULL},
    {OURS "\"username\":\"u\",\"sub\":\"s\",\"email\":\"e@a.example\"}", OK, "e@a.example", NULL},
    {OURS "\"username\":\"u\",\"sub\":\"s\",\"email\":\"e@a.example\",\"email_verified\":true}", OK,
     "e@a.example", NULL},
    {OURS "\"username\":\"u@a.example\",\"sub\":\"s\"}", OK, "s", "u@a.example"},
    {OURS "\"username\":\"u@a.example\",\"sub\":\"s\",\"email\":\"\"}", OK, "s", "u@a.example"},
    {OURS "\"username\":\"\",\"sub\":\"s\"}", OK, "s", NULL},
    {OURS "\"username\":[\"u\"],\"sub\":\"s\"}", OK, "s", NULL},
    {OURS "\"username\":\"a\\u0000b\",\"sub\":\"s\"}", OK, "s", NULL},
    {OURS "\"username\":\"u@a.example\",\"sub\":\"s\",\"email\":\"e@a.example\","
          "\"email_verified\":false}",
     OK, "s", NULL}, /* the name could be as little proved */
    {OURS "\"username\":\"u@a.example\",\"email_verified\":\"yes\"}", ERR_DENIED, "", NULL},
    {OURS "\"username\":\"u@a.example\"}", ERR_DENIED, "", "u@a.example"},
    {OURS "\"sub\":\"s@a.example\"}", OK, "s@a.example", NULL},
    {"{\"active\":true,\"aud\":\"mail\"}", ERR_DENIED, "", NULL},
    {"{\"active\":true,\"sub\":\"s\"}", ERR_DENIED, "s", NULL}, /* for whom it is, nobody says */
    {"{\"active\":true,\"sub\":\"s\",\"aud\":\"web\"}", ERR_DENIED, "s", NULL},
    {"{\"active\":true,\"sub\":\"s\",\"aud\":\"Mail\"}", ERR_DENIED, "s", NULL},
    {"{\"active\":true,\"sub\":\"s\",\"aud\":\"\"}", ERR_DENIED, "s", NULL},
    {"{\"active\":true,\"sub\":\"s\",\"aud\":[]}", ERR_DENIED, "s", NULL},
    {"{\"active\":false}", ERR_DENIED, "", NULL},
    {"{\"active\":false,\"sub\":\"u\",\"exp\":\"never\"}", ERR_DENIED, "", NULL},
    {"{" GOOD ",\"iss\":\"https://j\"}", ERR_DENIED, "anna@a.example", NULL},
    {"{" GOOD ",\"nbf\":1100}", ERR_DENIED, "anna@a.example", NULL},
    {OURS "\"sub\":\"u\",\"exp\":900}", ERR_DENIED, "u", NULL},
    {OURS "\"sub\":\"u\",\"exp\":1000}", ERR_DENIED, "u", NULL},
    {OURS "\"sub\":\"u\",\"exp\":0}", ERR_DENIED, "u", NULL},
    {OURS "\"sub\":\"u\",\"exp\":1001}", OK, "u", NULL},
    {OURS "\"sub\":\"u\",\"exp\":\"2000\"}", ERR_SYNTAX, NULL, NULL},
    {OURS "\"sub\":\"u\",\"exp\":-1}", ERR_SYNTAX, NULL, NULL},
    {"{\"active\":true,\"sub\":\"u\",\"aud\":7}", ERR_SYNTAX, NULL, NULL},
    {"{\"active\":true,\"sub\":\"u\",\"aud\":[7]}", ERR_SYNTAX, NULL, NULL},
    {"{" GOOD ",\"active\":false}", ERR_SYNTAX, NULL, NULL}, /* twice */
    {"{\"active\":\"true\",\"sub\":\"u\"}", ERR_SYNTAX, NULL, NULL},
    {"{\"active\":1,\"sub\":\"u\"}", ERR_SYNTAX, NULL, NULL},
    {"{\"active\":null}", ERR_SYNTAX, NULL, NULL},
    {"{\"sub\":\"u\"}", ERR_SYNTAX, NULL, NULL},
    {"[{\"active\":true}]", ERR_SYNTAX, NULL, NULL},
    {"true", ERR_SYNTAX, NULL, NULL},
    {"", ERR_SYNTAX, NULL, NULL},
    {"{\"active\":true", ERR_SYNTAX, NULL, NULL},
    {"{\"active\":true}x", ERR_SYNTAX, NULL, NULL},
    {"{\"active\":true,\"x\":[[[[[[[[1]]]]]]]]}", ERR_SYNTAX, NULL, NULL},
};

static void
check(size_t i, bool by_username)
{
    const struct jwt_wanted wanted = {
        .issuer = STR("https://i"), .audience = STR("mail"), .now_s = 1000};
    AUTO_ARENA *a = arena_new(65536);
    struct introspection r = {.expires_s = 77};
    bool other = by_username && rows[i].by_username != NULL;
    enum status e = introspection_read(str_of(rows[i].json), by_username, a, &r);

    ROW(i, e == (rows[i].status == ERR_SYNTAX ? ERR_SYNTAX : OK));
    if (e != OK) {
        ROW(i, r.expires_s == 77);
        return;
    }
    ROW(i, introspection_fits(&r, &wanted) == (rows[i].status == OK || other));
    ROW(i, str_eq(r.address, str_of(other ? rows[i].by_username : rows[i].address)));
}

static void
test_answers(void **state)
{
    const struct jwt_wanted wanted = {
        .issuer = STR("https://i"), .audience = STR("mail"), .now_s = 1000};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check(i, false);
        check(i, true);
    }
    /* Whoever says so without a yes is not let in either. */
    struct introspection no = {.address = STR("u@a.example"),
                               .audiences = {STR("mail")},
                               .audience_count = 1,
                               .has_audience = true};
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
