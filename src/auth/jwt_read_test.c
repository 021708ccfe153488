/* jwt_read_test.c - what is a token, and what is read of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "auth/jwt_read.h"
#include "auth/jwt_testkit.h"
#include "base/limits.h"
#include "base/size.h"

#define RS     "{\"alg\":\"RS256\"}"
#define CLAIMS "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":5}"

static enum status
read_parts(const char *header, const char *payload, struct arena *a, struct jwt *out)
{
    AUTO_BUF token = BUF(1 << 16);

    test_add_token(&token, str_of(header), str_of(payload), STR("signature"));
    enum status e = jwt_read(buf_str(&token), a, out);
    if (e == OK) /* what it points to in the token goes with it */
        assert_true(out->signed_part.len == token.len - 1 - 12);
    out->signed_part = STR_NONE;
    return e;
}

static void
test_what_is_none(void **state)
{
    static const struct {
        const char *header, *payload;
        enum status status;
    } rows[] = {
        {RS, CLAIMS, OK},
        {"{\"alg\":\"ES256\"}", CLAIMS, OK},
        {"{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"x\":[1,{\"y\":null}]}", CLAIMS, OK},
        {"{\"alg\":\"none\"}", CLAIMS, ERR_SYNTAX},
        {"{\"alg\":\"HS256\"}", CLAIMS, ERR_SYNTAX},
        {"{\"alg\":\"rs256\"}", CLAIMS, ERR_SYNTAX},
        {"{\"alg\":\"RS256\\u0000\"}", CLAIMS, ERR_SYNTAX},
        {"{\"alg\":1}", CLAIMS, ERR_SYNTAX},
        {"{}", CLAIMS, ERR_SYNTAX},
        {"[]", CLAIMS, ERR_SYNTAX},
        {"", CLAIMS, ERR_SYNTAX},
        {"{\"alg\":\"none\",\"alg\":\"RS256\"}", CLAIMS, ERR_SYNTAX},
        {"{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", CLAIMS, ERR_SYNTAX},
        {"{\"alg\":\"RS256\"} ", CLAIMS, OK},
        {"{\"alg\":\"RS256\"}x", CLAIMS, ERR_SYNTAX},
        {RS, "", ERR_SYNTAX},
        {RS, "null", ERR_SYNTAX},
        {RS, "{}", OK}, /* empty of claims: jwt_check() refuses it */
        {RS, "{\"exp\":1,\"exp\":2}", ERR_SYNTAX},
        {RS, "{\"exp\":\"1\"}", ERR_SYNTAX},
        {RS, "{\"exp\":-1}", ERR_SYNTAX},
        {RS, "{\"exp\":1e300}", ERR_SYNTAX},
        {RS, "{\"exp\":null}", ERR_SYNTAX},
        {RS, "{\"nbf\":true}", ERR_SYNTAX},
        {RS, "{\"exp\":1.5,\"nbf\":0}", OK},
        {RS, "{\"aud\":[]}", OK},
        {RS, "{\"aud\":[\"a\",1]}", ERR_SYNTAX},
        {RS, "{\"aud\":{}}", ERR_SYNTAX},
        {RS,
         "{\"aud\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\","
         "\"13\","
         "\"14\",\"15\",\"16\"]}",
         OK},
        {RS,
         "{\"aud\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\","
         "\"13\","
         "\"14\",\"15\",\"16\",\"17\"]}",
         ERR_SYNTAX},
        {RS, "{\"x\":[[[[[[[]]]]]]]}", OK},
        {RS, "{\"x\":[[[[[[[[]]]]]]]]}", ERR_SYNTAX},
        {RS, "{\"x\":\"[[[[[[[[[[\\\"[[[[\"}", OK},
        {RS, "{\"x\":\"\xff\"}", ERR_SYNTAX},
    };
    AUTO_ARENA *a = arena_new(1 << 20);
    struct jwt t;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ROW(i, read_parts(rows[i].header, rows[i].payload, a, &t) == rows[i].status);
}

static void
test_what_is_read(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct jwt t;

    (void)state;
    assert_int_equal(
        read_parts("{\"alg\":\"ES256\",\"kid\":\"k1\"}",
                   "{\"iss\":\"https://i\",\"aud\":[\"a\",\"b\"],\"sub\":\"s\",\"exp\":12.9,"
                   "\"nbf\":3,\"email\":\"u@e\",\"email_verified\":true}",
                   a, &t),
        OK);
    assert_int_equal(t.alg, JWT_ES256);
    assert_str(t.kid, STR("k1"));
    assert_str(t.issuer, STR("https://i"));
    assert_str(t.subject, STR("s"));
    assert_str(t.email, STR("u@e"));
    assert_int_equal(t.audience_count, 2);
    assert_str(t.audiences[1], STR("b"));
    assert_true(t.has_expiry && t.expires_s == 12 && t.has_not_before && t.not_before_s == 3);
    assert_str(t.signature, STR("signature"));
    assert_int_equal(
        read_parts(RS, "{\"email\":\"u@e\",\"email_verified\":false,\"iss\":1}", a, &t), OK);
    assert_true(t.email.len == 0 && t.issuer.len == 0 && t.kid.len == 0 && !t.has_expiry);
    assert_int_equal(read_parts(RS, "{\"email\":\"u@e\",\"email_verified\":\"true\"}", a, &t), OK);
    assert_int_equal(t.email.len, 0);
    assert_int_equal(read_parts(RS, "{\"email\":\"a@b\\u0000c\"}", a, &t), OK);
    assert_int_equal(t.email.len, 0);
}

static void
test_the_three_parts(void **state)
{
    static const struct str rows[] = {
        STR(""),
        STR("."),
        STR(".."),
        STR("..."),
        STR("eyJhbGciOiJSUzI1NiJ9"),
        STR("eyJhbGciOiJSUzI1NiJ9.e30"),
        STR("eyJhbGciOiJSUzI1NiJ9.e30."),
        STR("eyJhbGciOiJSUzI1NiJ9.e30.eA.eA"),
        STR("eyJhbGciOiJSUzI1NiJ9.e30.eA=="),
        STR("eyJhbGciOiJSUzI1NiJ9.e30.eB"), /* bits left over */
        STR("eyJhbGciOiJSUzI1NiJ9.e30.e"),
        STR("eyJhbGciOiJSUzI1NiJ9.e30.e+A"),
        STR("eyJhbGciOiJSUzI1NiJ9.e3 0.eA"),
        STR("eyJhbGciOiJSUzI1NiJ9.e30\0.eA"),
    };
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF b = BUF(16);
    struct jwt t;

    (void)state;
    assert_int_equal(jwt_read(STR("eyJhbGciOiJSUzI1NiJ9.e30.eA"), a, &t), OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ROW(i, jwt_read(rows[i], a, &t) == ERR_SYNTAX);
    assert_int_equal(base64url_decode(STR("-_-_"), &b), OK);
    assert_str(buf_str(&b), STR("\xfb\xff\xbf"));
    for (size_t more = 0; more < 2; more++) {
        AUTO_BUF token = BUF(2 * LIMIT_OAUTH_BYTES);
        buf_add(&token, STR("eyJhbGciOiJSUzI1NiJ9.e30."));
        while (token.len < LIMIT_OAUTH_BYTES + 4 * more || (token.len - 25) % 4 != 0)
            buf_add_char(&token, 'A');
        if (more == 0)
            token.len -= 4;
        ROW(more, jwt_read(buf_str(&token), a, &t) == (more == 0 ? OK : ERR_SYNTAX));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_what_is_read),
        cmocka_unit_test(test_the_three_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
