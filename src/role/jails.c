/* jails.c - what each role may touch.  The escape test stands in the same table (escape_test.c).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "role/topology.h"

static const unsigned groups[ROLE_COUNT] = {
    [ROLE_MX] = SANDBOX_BASE | SANDBOX_ACCEPT,
    [ROLE_USER] = SANDBOX_BASE | SANDBOX_ACCEPT,
    [ROLE_KEYS] = SANDBOX_BASE | SANDBOX_THREADS,
    [ROLE_AUTH] = SANDBOX_BASE | SANDBOX_THREADS,
    /* accept: the socket of the godwit command */
    [ROLE_STORE] = SANDBOX_BASE | SANDBOX_THREADS | SANDBOX_FILES | SANDBOX_ACCEPT,
    [ROLE_COOK] = SANDBOX_BASE,
    [ROLE_API] = SANDBOX_BASE | SANDBOX_ACCEPT,
    [ROLE_OUT] = SANDBOX_BASE | SANDBOX_THREADS | SANDBOX_CONNECT | SANDBOX_READ_FILES,
    [ROLE_ASK] = SANDBOX_BASE | SANDBOX_THREADS | SANDBOX_CONNECT | SANDBOX_READ_FILES,
};

/* What the resolver and TLS of `out` and `ask` read. */
static const char *const out_reads[] = {
    "/etc/resolv.conf", "/etc/hosts",        "/etc/ssl",       "/etc/services",
    "/etc/protocols",   "/usr/lib/ssl",      "/usr/share/dns", "/usr/share/ca-certificates",
    "/etc/gai.conf",    "/etc/nsswitch.conf"};
/* What the engine asks of the machine. */
static const char *const store_reads[] = {"/sys/devices/system/cpu", "/proc/meminfo", "/proc/self",
                                          "/dev/null"};

unsigned
jail_groups(enum role r)
{
    ASSERT(r < ROLE_COUNT);
    return groups[r];
}

static void
fill(struct jail *room, const char *const *paths, size_t n)
{
    ASSERT(n < COUNT_OF(room->read_paths));
    for (size_t i = 0; i < n; i++)
        room->read_paths[i] = paths[i];
}

struct sandbox
jail_of(enum role r, const char *data_dir, struct jail *room)
{
    *room = (struct jail){0};
    if (r == ROLE_STORE) {
        room->write_dirs[0] = data_dir;
        fill(room, store_reads, COUNT_OF(store_reads));
    }
    if (r == ROLE_OUT || r == ROLE_ASK)
        fill(room, out_reads, COUNT_OF(out_reads));
    return (struct sandbox){
        .groups = jail_groups(r), .write_dirs = room->write_dirs, .read_paths = room->read_paths};
}
