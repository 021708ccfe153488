/* conf_test.c - a first configuration is read back as meant; changes leave the rest alone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/size.h"
#include "setup/conf.h"

static struct conf_first
first(void)
{
    return (struct conf_first){.host = STR("mail.example.org"),
                               .domain = STR("example.org"),
                               .data_dir = STR("/srv/my mail"),
                               .run_dir = STR("/run/godwit"),
                               .user = STR("godwit"),
                               .log_file = STR("/var/log/godwit.log"),
                               .cert_file = STR("/etc/a#b/cert.pem"),
                               .key_file = STR("/etc/a#b/key.pem"),
                               .listen = STR("*"),
                               .resolver = STR("recursive no-dnssec"),
                               .resolver_why = STR("why")};
}

static struct config *
read_first(const struct conf_first *f)
{
    AUTO_BUF b = BUF(65536);
    struct config *c = NULL;
    struct problem why = {0};

    conf_write_first(f, &b);
    if (config_read(buf_str(&b), "t", &c, &why) != OK)
        fail_msg("%s", why.text);
    return c;
}

static void
test_first_is_read_back(void **state)
{
    struct conf_first f = first();
    AUTO(config_free) struct config *c = read_first(&f);

    (void)state;
    assert_true(str_eq(c->host, f.host) && str_eq(c->domain, f.domain));
    assert_true(str_eq(c->data_dir, f.data_dir));
    assert_true(str_eq(c->tls[0].cert_file, f.cert_file) && str_eq(c->tls[0].key_file, f.key_file));
    assert_int_equal(c->listen_count, SERVICE_COUNT - 2); /* all but LMTP and metrics */
    for (size_t i = 0; i < c->listen_count; i++)
        assert_int_equal(c->listen[i].at.port, conf_usual_port(c->listen[i].service));
    assert_int_equal(c->resolver.kind, RESOLVER_RECURSIVE);
    assert_false(c->resolver.dnssec);
    assert_int_equal(c->route_count, 0);
    assert_int_equal(c->source6.len, 0);
}

static void
test_first_with_everything(void **state)
{
    struct conf_first f = first();

    (void)state;
    f.listen = STR("::1");
    f.port_base = 2000;
    f.smarthost = STR("relay.example:587 user \"me\" password-file \"/p w\"");
    f.ipv4_only = true;
    AUTO(config_free) struct config *c = read_first(&f);
    assert_true(str_eq(c->listen[0].at.host, STR("::1")));
    assert_int_equal(c->listen[0].at.port, 2025);
    assert_int_equal(c->route_count, 1);
    assert_true(str_eq(c->routes[0].password_file, STR("/p w")));
    assert_true(str_eq(c->source6, STR("none")));
}

static const struct {
    struct str text, line, result;
} changes[] = {
    {STR("host a.b\n"), STR("host c.d"), STR("host c.d\n")},
    {STR("# host x\nhost a.b # mine\n\ndata /d\n"), STR("host c.d"),
     STR("# host x\nhost c.d\n\ndata /d\n")},
    {STR("host   a.b\n"), STR("host a.b"), STR("host   a.b\n")},
    {STR("hostile a.b\n"), STR("host c.d"), STR("hostile a.b\nhost c.d\n")},
    {STR("\thost a.b"), STR("host c.d"), STR("host c.d\n")},
    {STR("data /d"), STR("host c.d"), STR("data /d\nhost c.d\n")},
    {STR(""), STR("host c.d"), STR("host c.d\n")},
    {STR("tls cert /a key /b\nuser x\ntls cert /c key /d\n"), STR("tls cert /e key /f"),
     STR("tls cert /e key /f\nuser x\n")},
};

static void
test_changes(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        struct str got = conf_set(changes[i].text, changes[i].line, a);
        if (!str_eq(got, changes[i].result))
            fail_msg("row %zu: \"%.*s\"", i, STR_FMT(got));
        assert_true(str_eq(conf_set(got, changes[i].line, a), got)); /* twice is once */
    }
}

static void
test_adds_once(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct str text = STR("listen smtp *:25");

    (void)state;
    text = conf_add(text, STR("listen imaps *:993"), a);
    assert_true(str_eq(text, STR("listen smtp *:25\nlisten imaps *:993\n")));
    assert_true(str_eq(conf_add(text, STR("listen  imaps *:993"), a), text));
    assert_true(conf_repeats(STR("listen")) && conf_repeats(STR("route")));
    assert_false(conf_repeats(STR("host")) || conf_repeats(STR("tls")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_is_read_back),
        cmocka_unit_test(test_first_with_everything),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_adds_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
