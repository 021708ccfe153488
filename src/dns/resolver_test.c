/* resolver_test.c - questions to a real name server (knotd) on loopback, with zones written here.
 *
 * The names end in "example", since libunbound answers for "test" by itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/size.h"
#include "dns/resolver.h"
#include "rt/loop.h"

#define HEAD "@ 60 SOA ns hostmaster 1 60 60 60 60\n@ 60 NS ns\nns 60 A 127.0.0.1\n"

static const char zone[] =
    HEAD "one 60 MX 10 MX1.Zone.EXAMPLE.\n"
         "order 60 MX 30 c\norder 60 MX 10 a\norder 60 MX 20 b\n"
         "equal 60 MX 10 a\nequal 60 MX 10 b\nequal 60 MX 5 c\n"
         "null 60 MX 0 .\n"
         "nulls 60 MX 0 .\nnulls 60 MX 5 .\n"
         "nullplus 60 MX 0 .\nnullplus 60 MX 10 mx1\n"
         "many 60 MX 14 h14\nmany 60 MX 13 h13\nmany 60 MX 12 h12\nmany 60 MX 11 h11\n"
         "many 60 MX 10 h10\nmany 60 MX 9 h9\nmany 60 MX 8 h8\nmany 60 MX 7 h7\nmany 60 MX 6 h6\n"
         "many 60 MX 5 h5\nmany 60 MX 4 h4\nmany 60 MX 3 h3\nmany 60 MX 2 h2\nmany 60 MX 1 h1\n"
         "alias 60 CNAME order\n"
         "dangling 60 CNAME nowhere\n"
         "strange 60 MX 10 a\\013\\010b\nstrange 60 MX 15 a\\.b\nstrange 60 MX 20 mx1\n"
         "strangeonly 60 MX 10 a\\032b\n"
         "nomx 60 A 192.0.2.9\n"
         "text 60 TXT \"x\"\n"
         "mx1 60 A 192.0.2.1\nmx1 60 AAAA 2001:db8::1\n"
         "mxalias 60 CNAME mx1\n"
         "odd 60 MX 10 foo\\:bar/baz\n"
         "foo\\:bar/baz 60 A 192.0.2.3\n"
         "macro\\%\\032space\\\\ 60 A 192.0.2.4\n"
         "parts 60 TXT \"v=spf1 \" \"-all\"\n"
         "four 60 A 192.0.2.4\n"
         "six 60 AAAA 2001:db8::6\n"
         "two 60 A 192.0.2.1\ntwo 60 A 192.0.2.2\ntwo 60 AAAA 2001:db8::1\n";

struct place {
    char folder[64];
    pid_t knotd;
    int silent; /* a port that takes questions and never answers */
    uint16_t port, silent_port;
};
static struct place place;

PRINTF(2, 3) static void write_file(const char *name, const char *format, ...)
{
    char path[256];
    va_list args;

    snprintf(path, sizeof(path), "%s/%s", place.folder, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    va_start(args, format);
    vfprintf(f, format, args);
    va_end(args);
    assert_int_equal(fclose(f), 0);
}

static int
open_port(uint16_t *port_out)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port_out = ntohs(at.sin_port);
    return fd;
}

/* Runs a program to its end with its output in a file of the folder. */
static void
run(const char *output, char *const argv[])
{
    char path[256];
    int result = 0;

    snprintf(path, sizeof(path), "%s/%s", place.folder, output);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
            _exit(126);
        execv(argv[0], argv);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
}

/* A key of the zone that is signed, and its DS as trust anchor; one for a zone that is not signed at all. */
static void
make_keys(void)
{
    char config[128], ds[512] = "";
    char keymgr[] = "/usr/sbin/keymgr", c[] = "-c", name[] = "signed.example.",
         generate[] = "generate";
    char ksk[] = "ksk=yes", zsk[] = "zsk=yes", algorithm[] = "algorithm=ECDSAP256SHA256";
    char show[] = "ds", path[128];

    snprintf(config, sizeof(config), "%s/knot.conf", place.folder);
    run("key", (char *[]){keymgr, c, config, name, generate, algorithm, ksk, zsk, NULL});
    run("ds", (char *[]){keymgr, c, config, name, show, NULL});
    snprintf(path, sizeof(path), "%s/ds", place.folder);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    assert_non_null(fgets(ds, sizeof(ds), f));
    assert_int_equal(fclose(f), 0);
    for (char *p = ds; *p != '\0'; p++)
        if (*p == '\n')
            *p = '\0';
    /* "signed.example. DS 123 13 2 HASH": a zone file wants the class. */
    char *rest = strstr(ds, "DS ");
    assert_non_null(rest);
    write_file("anchors",
               "signed.example. 3600 IN %s\nbogus.example. 3600 IN DS 12345 13 2 %064d\n", rest, 1);
}

static void
start_knotd(void)
{
    char config[128];
    int fd = open_port(&place.port);

    close(fd); /* for knotd; nobody else on this machine picks it in between, but for bad luck */
    write_file("example.zone", "$ORIGIN zone.example.\n%s", zone);
    write_file("signed.zone",
               "$ORIGIN signed.example.\n" HEAD "one 60 MX 10 mx\nmx 60 A 192.0.2.1\n");
    write_file("bogus.zone",
               "$ORIGIN bogus.example.\n" HEAD "one 60 MX 10 mx\nmx 60 A 192.0.2.1\n");
    write_file("knot.conf",
               "server:\n  listen: 127.0.0.1@%u\n  rundir: \"%s\"\n"
               "database:\n  storage: \"%s\"\n"
               "log:\n  - target: stderr\n    any: error\n"
               "policy:\n  - id: ours\n    manual: on\n"
               "template:\n  - id: default\n    storage: \"%s\"\n    file: \"%%s.zone\"\n"
               "zone:\n  - domain: zone.example\n    file: example.zone\n"
               "  - domain: bogus.example\n    file: bogus.zone\n"
               "  - domain: signed.example\n    file: signed.zone\n    dnssec-signing: on\n"
               "    dnssec-policy: ours\n    zonefile-sync: -1\n    zonefile-load: difference\n"
               "    journal-content: all\n",
               place.port, place.folder, place.folder, place.folder);
    make_keys();
    snprintf(config, sizeof(config), "%s/knot.conf", place.folder);
    place.knotd = fork();
    if (place.knotd == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when this test crashes */
        execl("/usr/sbin/knotd", "knotd", "-c", config, (char *)NULL);
        _exit(127);
    }
    assert_true(place.knotd > 0);
}

/* ---- asking ---- */

struct asking {
    void (*body)(struct resolver *r, struct arena *a);
    const struct resolver_options *options;
    struct resolver *resolver;
};

FIBER_ENTRY static void
ask_entry(void *arg)
{
    struct asking *q = arg;
    AUTO_ARENA *a = arena_new(1u << 20);
    struct problem why = {0};

    assert_int_equal(resolver_new(q->options, &q->resolver, &why), OK);
    q->body(q->resolver, a);
    resolver_free(&q->resolver);
    assert_int_equal(fiber_sleep(1), OK); /* its pump ends */
    loop_stop();
}

static void
with_resolver(uint16_t port, bool dnssec, void (*body)(struct resolver *r, struct arena *a))
{
    char address[32], anchors[128];

    snprintf(address, sizeof(address), "127.0.0.1@%u", port);
    snprintf(anchors, sizeof(anchors), "%s/anchors", place.folder);
    struct str forward = str_of(address);
    struct resolver_options o = {
        .forward = &forward, .forward_count = 1, .dnssec = dnssec, .anchor_file = anchors};
    struct asking q = {.body = body, .options = &o};

    loop_init();
    assert_int_equal(fiber_go(ask_entry, &q), OK);
    loop_run();
    loop_release();
}

/* Until knotd answers: the first questions may come too early. */
FIBER_ENTRY static void
wait_for_knotd(struct resolver *r, struct arena *a)
{
    struct dns_mx mx;
    enum status e = ERR_TEMP;

    for (int i = 0; i < 300 && e != OK; i++) {
        arena_reset(a);
        e = resolver_mx(r, STR("one.signed.example"), a, &mx);
        if (e != OK && fiber_sleep(100) != OK)
            break;
    }
    assert_int_equal(e, OK);
}

static int
begin(void **state)
{
    (void)state;
    snprintf(place.folder, sizeof(place.folder), "/tmp/godwit-dns-XXXXXX");
    if (mkdtemp(place.folder) == NULL)
        return -1;
    place.silent = open_port(&place.silent_port);
    start_knotd();
    with_resolver(place.port, false, wait_for_knotd);
    return 0;
}

static int
end(void **state)
{
    char remove[] = "/bin/rm", how[] = "-rf";
    char *const argv[] = {remove, how, place.folder, NULL};
    int result;

    (void)state;
    close(place.silent);
    kill(place.knotd, SIGTERM);
    waitpid(place.knotd, &result, 0);
    pid_t child = fork();
    if (child == 0) {
        execv(argv[0], argv);
        _exit(127);
    }
    return waitpid(child, &result, 0) == child ? 0 : -1;
}

/* ---- MX ---- */

static const struct {
    const char *domain;
    enum status status;
    const char *hosts; /* "PREFERENCE NAME, ..." with ".zone.example" taken away; "~": as text */
    bool null_mx, implicit;
} mx_rows[] = {
    {"one.zone.example", OK, "10 mx1", false, false},
    {"ONE.zone.EXAMPLE", OK, "10 mx1", false, false},
    {"order.zone.example", OK, "10 a, 20 b, 30 c", false, false},
    {"alias.zone.example", OK, "10 a, 20 b, 30 c", false, false},
    {"null.zone.example", OK, "", true, false},
    {"nulls.zone.example", OK, "", true, false},
    {"nullplus.zone.example", OK, "10 mx1", false, false},
    /* the best ones, whatever order they came in */
    {"many.zone.example", OK, "1 h1, 2 h2, 3 h3, 4 h4, 5 h5, 6 h6, 7 h7, 8 h8, 9 h9, 10 h10", false,
     false},
    {"strange.zone.example", OK, "20 mx1", false, false},
    {"strangeonly.zone.example", ERR_NOT_FOUND, NULL, false, false},
    {"nomx.zone.example", OK, "0 nomx", false, true},
    {"text.zone.example", OK, "0 text", false, true},
    {"nowhere.zone.example", ERR_NOT_FOUND, NULL, false, false},
    {"dangling.zone.example", ERR_NOT_FOUND, NULL, false, false},
    {"refused.elsewhere.example", ERR_TEMP, NULL, false, false}, /* knotd does not serve it */
};

static void
write_hosts(const struct dns_mx *mx, struct buf *b)
{
    for (size_t i = 0; i < mx->count; i++) {
        struct str name = mx->hosts[i].name;
        if (str_ends(name, STR(".zone.example")))
            name.len -= strlen(".zone.example");
        buf_addf(b, "%s%u %.*s", i == 0 ? "" : ", ", mx->hosts[i].preference, STR_FMT(name));
    }
}

FIBER_ENTRY static void
ask_mx(struct resolver *r, struct arena *a)
{
    for (size_t i = 0; i < COUNT_OF(mx_rows); i++) {
        AUTO_BUF text = BUF(4096);
        struct dns_mx mx = {.count = 77};
        enum status e = resolver_mx(r, str_of(mx_rows[i].domain), a, &mx);

        ROW(i, e == mx_rows[i].status);
        ROW(i, e == OK || mx.count == 77);
        if (e != OK)
            continue;
        write_hosts(&mx, &text);
        ROW(i, str_eq(buf_str(&text), str_of(mx_rows[i].hosts)));
        ROW(i, mx.null_mx == mx_rows[i].null_mx && mx.implicit == mx_rows[i].implicit);
        ROW(i, !mx.secure);
    }
}

static void
test_mx(void **state)
{
    (void)state;
    with_resolver(place.port, false, ask_mx);
}

/* Equal ones come first now and again, the better one always. */
FIBER_ENTRY static void
ask_equal(struct resolver *r, struct arena *a)
{
    unsigned first[2] = {0, 0};

    for (int i = 0; i < 100; i++) {
        struct dns_mx mx;
        assert_int_equal(resolver_mx(r, STR("equal.zone.example"), a, &mx), OK);
        assert_int_equal(mx.count, 3);
        assert_str(mx.hosts[0].name, STR("c.zone.example"));
        first[str_starts(mx.hosts[1].name, STR("b."))]++;
    }
    assert_true(first[0] > 0 && first[1] > 0); /* fails once in 2^99 */
}

static void
test_equal_preferences_are_shuffled(void **state)
{
    (void)state;
    with_resolver(place.port, false, ask_equal);
}

/* ---- addresses ---- */

static const struct {
    const char *host;
    unsigned families;
    enum status status;
    const char *addresses;
} address_rows[] = {
    {"mx1.zone.example", DNS_IPV4 | DNS_IPV6, OK, "2001:db8::1 192.0.2.1 "},
    {"mx1.zone.example", DNS_IPV4, OK, "192.0.2.1 "},
    {"mx1.zone.example", DNS_IPV6, OK, "2001:db8::1 "},
    {"mxalias.zone.example", DNS_IPV4 | DNS_IPV6, OK, "2001:db8::1 192.0.2.1 "},
    {"four.zone.example", DNS_IPV4 | DNS_IPV6, OK, "192.0.2.4 "},
    {"six.zone.example", DNS_IPV4 | DNS_IPV6, OK, "2001:db8::6 "},
    {"four.zone.example", DNS_IPV6, ERR_NOT_FOUND, NULL},
    {"six.zone.example", DNS_IPV4, ERR_NOT_FOUND, NULL},
    {"mx1.zone.example", 0, ERR_NOT_FOUND, NULL},
    {"text.zone.example", DNS_IPV4 | DNS_IPV6, ERR_NOT_FOUND, NULL},
    {"nowhere.zone.example", DNS_IPV4 | DNS_IPV6, ERR_NOT_FOUND, NULL},
    {"refused.elsewhere.example", DNS_IPV4 | DNS_IPV6, ERR_TEMP, NULL},
    {"192.0.2.7", DNS_IPV4 | DNS_IPV6, OK, "192.0.2.7 "},
    {"2001:db8::7", DNS_IPV4 | DNS_IPV6, OK, "2001:db8::7 "},
};

FIBER_ENTRY static void
ask_addresses(struct resolver *r, struct arena *a)
{
    for (size_t i = 0; i < COUNT_OF(address_rows); i++) {
        AUTO_BUF text = BUF(4096);
        struct dns_addresses found;
        enum status e = resolver_addresses(r, str_of(address_rows[i].host),
                                           address_rows[i].families, a, &found);

        ROW(i, e == address_rows[i].status);
        for (size_t k = 0; e == OK && k < found.count; k++) {
            const struct sockaddr_storage *at = &found.at[k];
            char z[INET6_ADDRSTRLEN];
            const void *bytes =
                at->ss_family == AF_INET
                    ? (const void *)&((const struct sockaddr_in *)(const void *)at)->sin_addr
                    : &((const struct sockaddr_in6 *)(const void *)at)->sin6_addr;
            ROW(i, inet_ntop(at->ss_family, bytes, z, sizeof(z)) != NULL);
            buf_addf(&text, "%s ", z);
        }
        ROW(i, e != OK || str_eq(buf_str(&text), str_of(address_rows[i].addresses)));
    }
    struct dns_addresses two;
    assert_int_equal(resolver_addresses(r, STR("two.zone.example"), DNS_IPV4 | DNS_IPV6, a, &two),
                     OK);
    assert_int_equal(two.count, 3);
    assert_int_equal(two.at[0].ss_family, AF_INET6);
    assert_int_equal(two.at[1].ss_family, AF_INET);
    assert_int_equal(two.at[2].ss_family, AF_INET);
    for (int i = 0; i < 2; i++) { /* the second time it is in the cache */
        assert_int_equal(resolver_addresses(r, STR("mxalias.zone.example"), DNS_IPV4, a, &two), OK);
        assert_str(two.canonical, STR("mx1.zone.example"));
    }
}

static void
test_addresses(void **state)
{
    (void)state;
    with_resolver(place.port, false, ask_addresses);
}

/* ---- records as they are ---- */

static const struct {
    struct str name;
    enum dns_type type;
    enum status status;
    size_t count;
    struct str first;
} records[] = {
    {STR("odd.zone.example"), DNS_TYPE_MX, OK, 1, STR("foo:bar/baz.zone.example")},
    {STR("foo:bar/baz.zone.example"), DNS_TYPE_A, OK, 1, STR("\xc0\0\2\3")},
    {STR("macro% space\\.zone.example"), DNS_TYPE_A, OK, 1, STR("\xc0\0\2\4")},
    {STR("parts.zone.example."), DNS_TYPE_TXT, OK, 1, STR("v=spf1 -all")},
    {STR("null.zone.example"), DNS_TYPE_MX, OK, 1, STR("")},
    {STR("nomx.zone.example"), DNS_TYPE_MX, OK, 0, STR_NONE},
    {STR("none.zone.example"), DNS_TYPE_A, OK, 0, STR_NONE},
    {STR("a..zone.example"), DNS_TYPE_A, ERR_NOT_FOUND, 0, STR_NONE},
    {STR(""), DNS_TYPE_A, ERR_NOT_FOUND, 0, STR_NONE},
};

FIBER_ENTRY static void
ask_records(struct resolver *r, struct arena *a)
{
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        struct dns_query q = {.name = records[i].name, .type = records[i].type};
        struct dns_records got = {0};
        ROW(i, resolver_records(r, &q, a, &got) == records[i].status);
        ROW(i, got.count == records[i].count && !got.secure);
        if (got.count > 0)
            ROW(i, str_eq(got.data[0], records[i].first));
    }
}

static void
test_records(void **state)
{
    (void)state;
    with_resolver(place.port, false, ask_records);
}

/* ---- DNSSEC, and no answer ---- */

FIBER_ENTRY static void
ask_signed(struct resolver *r, struct arena *a)
{
    struct dns_mx mx;
    struct dns_addresses found;

    assert_int_equal(resolver_mx(r, STR("one.signed.example"), a, &mx), OK);
    assert_true(mx.secure);
    assert_int_equal(resolver_addresses(r, mx.hosts[0].name, DNS_IPV4 | DNS_IPV6, a, &found), OK);
    assert_true(found.count == 1 && found.secure);
    assert_int_equal(resolver_mx(r, STR("none.signed.example"), a, &mx), ERR_NOT_FOUND);
    /* That there is nothing is proven as well. */
    struct dns_query q = {.name = STR("none.signed.example"), .type = DNS_TYPE_TXT};
    struct dns_records none;
    assert_int_equal(resolver_records(r, &q, a, &none), OK);
    assert_true(none.count == 0 && none.secure);
    /* No anchor, no claim. */
    assert_int_equal(resolver_mx(r, STR("one.zone.example"), a, &mx), OK);
    assert_false(mx.secure);
    /* Its anchor says that it is signed, and it is not: for now nothing is known of it. */
    assert_int_equal(resolver_mx(r, STR("one.bogus.example"), a, &mx), ERR_TEMP);
    assert_int_equal(resolver_mx(r, STR("none.bogus.example"), a, &mx), ERR_TEMP);
    assert_int_equal(resolver_addresses(r, STR("mx.bogus.example"), DNS_IPV4, a, &found), ERR_TEMP);
}

static void
test_dnssec(void **state)
{
    (void)state;
    with_resolver(place.port, true, ask_signed);
}

/* What is kept says the same as what came, and is proven or not as that was. */
FIBER_ENTRY static void
ask_twice(struct resolver *r, struct arena *a)
{
    for (int turn = 0; turn < 2; turn++) {
        arena_reset(a);
        ask_mx(r, a);
        ask_addresses(r, a);
        ask_records(r, a);
    }
}

FIBER_ENTRY static void
ask_signed_twice(struct resolver *r, struct arena *a)
{
    ask_signed(r, a);
    ask_signed(r, a);
}

static void
test_kept_answers(void **state)
{
    (void)state;
    with_resolver(place.port, false, ask_twice);
    with_resolver(place.port, true, ask_signed_twice);
}

FIBER_ENTRY static void
ask_silent(struct resolver *r, struct arena *a)
{
    struct dns_mx mx;

    assert_int_equal(resolver_mx(r, STR("one.zone.example"), a, &mx), ERR_TEMP);
}

static void
test_no_answer(void **state)
{
    (void)state;
    with_resolver(place.silent_port, false, ask_silent);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mx),           cmocka_unit_test(test_equal_preferences_are_shuffled),
        cmocka_unit_test(test_addresses),    cmocka_unit_test(test_dnssec),
        cmocka_unit_test(test_no_answer),    cmocka_unit_test(test_records),
        cmocka_unit_test(test_kept_answers),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
