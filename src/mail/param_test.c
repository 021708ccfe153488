/* param_test.c - content types and parameters as they are and as they should be.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/size.h"
#include "mail/charset.h"
#include "mail/param.h"

static const struct {
    const char *in;
    bool ok;
    const char *out; /* type/subtype|name=value|... */
} types[] = {
    {" text/plain; charset=us-ascii (Plain text)", true, "text/plain|charset=us-ascii"},
    {"text/plain; charset=\"us-ascii\"", true, "text/plain|charset=us-ascii"},
    {"Text/HTML", true, "Text/HTML"},
    {"multipart/mixed;\r\n boundary=\"a b;\\\"c\\\\\"", true, "multipart/mixed|boundary=a b;\"c\\"},
    {"multipart/mixed; boundary=a=b/c", true, "multipart/mixed|boundary=a=b/c"},
    {"multipart/mixed; boundary=\"un\r\n folded\"", true, "multipart/mixed|boundary=un folded"},
    {"a/b;; ; c=d;", true, "a/b|c=d"},
    {"a/b; c = d ; e=\"f\" g=h", true, "a/b|c=d|e=f|g=h"},
    {"a/b; name=two words.pdf; x=y", true, "a/b|name=two words.pdf|x=y"},
    {"a/b; name=a(1).pdf", true, "a/b|name=a(1).pdf"},
    {"a/b; c=d\r\n e=f", true, "a/b|c=d|e=f"},
    {"a/b; =d; e=f", true, "a/b|e=f"},
    {"a/b; c; e=f", true, "a/b|e=f"},
    {"a/b; c=", true, "a/b|c="},
    {"a/b; c=\"d", true, "a/b|c=d"},
    {"a/b; c=\"d\\", true, "a/b|c=d\\"},
    {"(c) a (d) / (e) b (f) ; (g) h (i) = (j) k", true, "a/b|h=k"},
    {"a/b; f*0*=utf-8''%41; f*1=B", true, "a/b|f*0*=utf-8''%41|f*1=B"},
    {"text; charset=utf-8", false, "text/plain|charset=utf-8"},
    {"text/; charset=utf-8", false, "text/plain"},
    {"/plain", false, "text/plain"},
    {"", false, "text/plain"},
    {"((((((((((((((((((((((((((((((((((", false, "text/plain"},
};

static void
test_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        AUTO_ARENA *a = arena_new(1 << 16);
        AUTO_BUF b = BUF(1000);
        struct content c;
        bool ok = content_type_parse(str_of(types[i].in), a, &c);

        buf_add(&b, c.type);
        buf_add_char(&b, '/');
        buf_add(&b, c.subtype);
        for (uint32_t k = 0; k < c.params.count; k++) {
            buf_add_char(&b, '|');
            buf_add(&b, c.params.at[k].name);
            buf_add_char(&b, '=');
            buf_add(&b, c.params.at[k].value);
        }
        if (ok != types[i].ok || !str_eq(buf_str(&b), str_of(types[i].out)))
            fail_msg("\"%s\": %d \"%.*s\"", types[i].in, ok, STR_FMT(buf_str(&b)));
    }
}

static const struct {
    const char *in;
    const char *name;
    const char *value; /* NULL: absent */
} values[] = {
    {"a; filename=x.pdf", "filename", "x.pdf"},
    {"a; filename=x.pdf", "FileName", "x.pdf"},
    {"a; filename=x.pdf", "name", NULL},
    {"a; f*0=\"a b\"; f*1=c", "f", "a bc"},
    {"a; f*1=c; f*0=ab", "f", "abc"},
    {"a; f*0=ab; f*2=c", "f", "ab"},
    {"a; f*1=c", "f", NULL},
    {"a; f*=utf-8'en'%e2%82%ac%20rates", "f", "\xe2\x82\xac rates"},
    {"a; f*=iso-8859-1''%A3", "f", "\xc2\xa3"},
    {"a; f*0*=utf-8''%e2%82; f*1*=%ac; f*2=%41", "f", "\xe2\x82\xac%41"},
    {"a; f*=no quotes%41", "f", "no quotesA"},
    {"a; f*=utf-8''%4", "f", "%4"},
    {"a; f=x; f*=utf-8''y", "f", "y"},
    {"a; f=\"=?utf-8?Q?=C3=BC.txt?=\"", "f", "\xc3\xbc.txt"},
    {"a; f=\"\xc3\xbc.txt\"", "f", "\xc3\xbc.txt"},
    {"a; f=\"\xfc.txt\"", "f", "\xc3\xbc.txt"},
    {"a; f*=utf-8''a%0d%0ab%00c", "f",
     "a  b\xef\xbf\xbd"
     "c"},
    {"a; f=", "f", ""},
};

static void
test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        AUTO_ARENA *a = arena_new(1 << 16);
        AUTO_BUF b = BUF(1000);
        struct content c;

        assert_true(content_disposition_parse(str_of(values[i].in), a, &c));
        bool found = param_value(&c.params, str_of(values[i].name), &b);
        if (found != (values[i].value != NULL))
            fail_msg("\"%s\": found %d", values[i].in, found);
        if (found && !str_eq(buf_str(&b), str_of(values[i].value)))
            fail_msg("\"%s\": \"%.*s\"", values[i].in, STR_FMT(buf_str(&b)));
    }
    charset_unload();
}

static void
test_limit(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF b = BUF(100000);
    struct content c;
    struct str v = STR_NONE;
    (void)state;

    buf_add(&b, STR("a/b"));
    for (unsigned i = 0; i < PARAMS_MAX; i++)
        buf_addf(&b, "; p%u=%u", i, i);
    assert_true(content_type_parse(buf_str(&b), a, &c));
    assert_int_equal(c.params.count, PARAMS_MAX);
    assert_false(c.params.cut);
    buf_add(&b, STR("; q=1"));
    assert_true(content_type_parse(buf_str(&b), a, &c));
    assert_true(c.params.cut && c.params.count == PARAMS_MAX);
    assert_false(param_raw(&c.params, STR("q"), &v));
    assert_true(param_raw(&c.params, STR("P63"), &v) && str_eq(v, STR("63")));
    assert_false(content_disposition_parse(STR(" ; x=y"), a, &c));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
