/* machine_test.c - which addresses the world reaches, what a clock means, ports that are held.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/size.h"
#include "setup/machine.h"

static const struct {
    struct str address;
    enum machine_reach reach;
} reaches[] = {
    {STR("127.0.0.1"), REACH_NONE},
    {STR("0.0.0.0"), REACH_NONE},
    {STR("169.254.3.4"), REACH_NONE},
    {STR("224.0.0.1"), REACH_NONE},
    {STR("10.1.2.3"), REACH_PRIVATE},
    {STR("172.16.0.1"), REACH_PRIVATE},
    {STR("172.31.255.1"), REACH_PRIVATE},
    {STR("172.32.0.1"), REACH_WORLD},
    {STR("192.168.0.1"), REACH_PRIVATE},
    {STR("192.169.0.1"), REACH_WORLD},
    {STR("100.64.0.1"), REACH_PRIVATE},
    {STR("100.128.0.1"), REACH_WORLD},
    {STR("8.8.8.8"), REACH_WORLD},
    {STR("::1"), REACH_NONE},
    {STR("fe80::1"), REACH_NONE},
    {STR("fd00::1"), REACH_PRIVATE},
    {STR("fc00::1"), REACH_PRIVATE},
    {STR("2a00::1"), REACH_WORLD},
    {STR("ff02::1"), REACH_NONE},
    {STR("*"), REACH_NONE},
    {STR(""), REACH_NONE},
    {STR("mail.example.org"), REACH_NONE},
};

static void
test_reach(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(reaches); i++)
        if (machine_reach_of(reaches[i].address) != reaches[i].reach)
            fail_msg("%.*s", STR_FMT(reaches[i].address));
}

static const struct {
    struct machine_addresses m;
    enum finding_level level;
    const char *says;
} addressed[] = {
    {{{{0}}, 0, STR("")}, FINDING_MEND, "No network interface"},
    {{{{0}}, 0, STR("10.0.0.5")}, FINDING_NOTE, "10.0.0.5, so it is behind a router"},
    {{{STR("2a00::1")}, 1, STR("10.0.0.5")}, FINDING_NOTE, "behind a router"},
    {{{STR("2a00::1")}, 1, STR("")}, FINDING_MEND, "IPv6 only"},
    {{{STR("8.8.8.8")}, 1, STR("10.0.0.5")}, FINDING_OK, "reaches this machine at 8.8.8.8"},
};

static void
test_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(addressed); i++) {
        AUTO_ARENA *a = arena_new(1 << 20);
        struct findings f = findings_new(a);

        machine_judge_addresses(&addressed[i].m, &f);
        assert_int_equal(f.count, 1);
        assert_int_equal(f.at[0].level, addressed[i].level);
        assert_true(str_find_str(f.at[0].text, str_of(addressed[i].says)) >= 0);
    }
}

static const struct {
    int64_t now, built;
    bool synchronized;
    enum finding_level level;
} clocks[] = {
    {1000000, 900000, true, FINDING_OK},    {1000000, 900000, false, FINDING_NOTE},
    {1000000, 1050000, true, FINDING_OK}, /* less than a day: a zone, not the clock */
    {1000000, 1090000, true, FINDING_MEND}, {1000000, 1090000, false, FINDING_MEND},
};

static void
test_clock(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(clocks); i++) {
        AUTO_ARENA *a = arena_new(1 << 20);
        struct findings f = findings_new(a);

        machine_judge_clock(clocks[i].now, clocks[i].built, clocks[i].synchronized, &f);
        assert_int_equal(f.count, 1);
        assert_int_equal(f.at[0].level, clocks[i].level);
    }
}

static void
test_ports(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    uint16_t port = ntohs(at.sin_port);
    assert_int_equal(machine_port_state(STR("127.0.0.1"), port), PORT_TAKEN);
    assert_int_equal(machine_port_state(STR("*"), port), PORT_TAKEN);
    assert_int_equal(machine_port_state(STR("127.0.0.2"), port), PORT_FREE);
    assert_int_equal(machine_port_state(STR("8.8.8.8"), port), PORT_NO_ADDRESS);
    close(fd);
    assert_int_equal(machine_port_state(STR("127.0.0.1"), port), PORT_FREE);
}

static void
test_sockets(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char dir[] = "/tmp/machine-test-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/s", dir);
    assert_int_equal(machine_socket_state(at.sun_path), SOCKET_FREE);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(machine_socket_state(at.sun_path), SOCKET_TAKEN);
    close(fd);
    assert_int_equal(machine_socket_state(at.sun_path), SOCKET_STALE);
    assert_int_equal(unlink(at.sun_path), 0);
    assert_int_equal(symlink(dir, at.sun_path), 0);
    assert_int_equal(machine_socket_state(at.sun_path), SOCKET_OTHER);
    assert_int_equal(unlink(at.sun_path), 0);
    close(creat(at.sun_path, 0600));
    assert_int_equal(machine_socket_state(at.sun_path), SOCKET_OTHER);
    assert_int_equal(unlink(at.sun_path), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void
test_groups(void **state)
{
    gid_t gid = 7;

    (void)state;
    assert_true(machine_group(STR("root"), &gid));
    assert_int_equal(gid, 0);
    assert_false(machine_group(STR("nobody has this"), &gid));
    assert_false(machine_group(STR(""), &gid));
}

static void
test_relay(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct findings f = findings_new(a);
    struct subnet list[4];
    struct config c = {.relay_from = list, .relay_from_count = COUNT_OF(list)};

    (void)state;
    assert_true(subnet_read(STR("192.0.2.0/24"), &list[0]));
    assert_true(subnet_read(STR("192.0.2.0/23"), &list[1]));
    assert_true(subnet_read(STR("2001:db8::/64"), &list[2]));
    assert_true(subnet_read(STR("2001:db8::/63"), &list[3]));
    machine_judge_relay(&c, &f);
    assert_int_equal(findings_count(&f, FINDING_NOTE), 2);
    assert_int_equal(findings_count(&f, FINDING_MEND), 2);
}

static void
test_findings_are_wrapped_and_harmless(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct findings f = findings_new(a);
    AUTO_BUF b = BUF(10000);
    struct str rest, row;

    (void)state;
    finding_add(&f, FINDING_MEND, "MX", "%s \x1b[2J %0200d", "one two", 1);
    finding_add(
        &f, FINDING_OK, "MX",
        "a sentence that is long enough to be broken once at some blank between its many words, "
        "for sure");
    finding_write(&f.at[0], false, &b);
    assert_true(str_find(buf_str(&b), '\x1b') < 0);
    buf_reset(&b);
    finding_write(&f.at[1], false, &b);
    rest = buf_str(&b);
    for (size_t n = 0; str_split(&rest, '\n', &row) && row.len > 0; n++) {
        assert_true(row.len <= 96);
        if (n > 0)
            assert_true(str_starts(row, STR("                      ")));
    }
    assert_int_equal(findings_count(&f, FINDING_MEND), 1);
}

static const struct {
    struct str map;
    uint32_t id;
    bool has;
} mapped[] = {
    {STR("         0          0 4294967295\n"), 0, true},
    {STR("         0          0 4294967295\n"), 998, true},
    {STR("         0          0 4294967295\n"), UINT32_MAX, false}, /* nobody at all */
    {STR("0 1000 1\n"), 0, true},
    {STR("0 1000 1\n"), 1, false},
    {STR("0 1000 1\n"), 1000, false},
    {STR("0 1000 1\n1 100000 65536\n"), 65536, true},
    {STR("0 1000 1\n1 100000 65536\n"), 65537, false},
    {STR("998 1000 1\n"), 997, false},
    {STR("998 1000 1"), 998, true},
    {STR(""), 0, false},
    {STR("0 0\n"), 0, false},
    {STR("0 0 99999999999\n"), 0, false},
};

static void
test_ids_of_a_namespace(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(mapped); i++)
        if (machine_map_has(mapped[i].map, mapped[i].id) != mapped[i].has)
            fail_msg("row %zu", i);
    assert_true(machine_has_ids(geteuid(), getegid()));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reach),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_sockets),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_relay),
        cmocka_unit_test(test_findings_are_wrapped_and_harmless),
        cmocka_unit_test(test_ids_of_a_namespace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
