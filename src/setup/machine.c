/* machine.c - see machine.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/machine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/scan.h"
#include "base/size.h"
#include "rt/clock.h"
#include "rt/disk.h"

enum { DAY_S = 86400, READ_PIECE = 4096, GROUP_BYTES = 1 << 18, MAP_BYTES = 65536 };

/* ---- addresses ---- */

static enum machine_reach
reach_of_v4(const unsigned char *p)
{
    if (p[0] == 127 || p[0] == 0 || p[0] >= 224 || (p[0] == 169 && p[1] == 254))
        return REACH_NONE;
    if (p[0] == 10 || (p[0] == 172 && (p[1] & 0xf0) == 16) || (p[0] == 192 && p[1] == 168) ||
        (p[0] == 100 && (p[1] & 0xc0) == 64)) /* RFC 1918, and RFC 6598 for carriers */
        return REACH_PRIVATE;
    return REACH_WORLD;
}

static enum machine_reach
reach_of_v6(const unsigned char *p)
{
    if ((p[0] & 0xfe) == 0xfc)
        return REACH_PRIVATE;                                /* unique local, RFC 4193 */
    return (p[0] & 0xe0) == 0x20 ? REACH_WORLD : REACH_NONE; /* global unicast is 2000::/3 */
}

enum machine_reach
machine_reach_of(struct str address)
{
    unsigned char raw[16];
    char z[INET6_ADDRSTRLEN];

    if (!str_to_z(address, z, sizeof(z)))
        return REACH_NONE;
    if (inet_pton(AF_INET, z, raw) == 1)
        return reach_of_v4(raw);
    return inet_pton(AF_INET6, z, raw) == 1 ? reach_of_v6(raw) : REACH_NONE;
}

static bool
address_text(const struct sockaddr *sa, char *z)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)sa;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)sa;

    if (sa == NULL || (sa->sa_family != AF_INET && sa->sa_family != AF_INET6))
        return false;
    return inet_ntop(sa->sa_family,
                     sa->sa_family == AF_INET ? (const void *)&v4->sin_addr
                                              : (const void *)&v6->sin6_addr,
                     z, INET6_ADDRSTRLEN) != NULL;
}

void
machine_addresses(struct arena *a, struct machine_addresses *out)
{
    struct ifaddrs *all = NULL;

    *out = (struct machine_addresses){.private_one = STR("")};
    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        char z[INET6_ADDRSTRLEN];
        if ((i->ifa_flags & IFF_UP) == 0 || !address_text(i->ifa_addr, z))
            continue;
        enum machine_reach reach = machine_reach_of(str_of(z));
        if (reach == REACH_WORLD && out->count < MACHINE_ADDRESSES_MAX)
            out->at[out->count++] = arena_str(a, str_of(z));
        else if (reach == REACH_PRIVATE && out->private_one.len == 0)
            out->private_one = arena_str(a, str_of(z));
    }
    freeifaddrs(all);
}

void
machine_judge_addresses(const struct machine_addresses *m, struct findings *f)
{
    bool v4 = false;

    for (size_t i = 0; i < m->count; i++)
        v4 = v4 || str_find(m->at[i], ':') < 0;
    if (m->count == 0 && m->private_one.len == 0)
        finding_add(f, FINDING_MEND, "address",
                    "No network interface has an address, so no mail can come or leave: connect "
                    "the machine, or name its address with --address.");
    else if (!v4 && m->private_one.len > 0)
        finding_add(
            f, FINDING_NOTE, "address",
            "This machine has the private address %.*s, so it is behind a router (NAT): let "
            "the router forward the ports below to it, and name the address that the world "
            "sees with --address.",
            STR_FMT(m->private_one));
    else if (!v4)
        finding_add(
            f, FINDING_MEND, "address",
            "This machine has IPv6 only, and many mail servers have none: they cannot reach "
            "it; give it an IPv4 address too.");
    else
        for (size_t i = 0; i < m->count; i++)
            finding_add(f, FINDING_OK, "address", "The world reaches this machine at %.*s.",
                        STR_FMT(m->at[i]));
}

/* ---- clock, name ---- */

void
machine_judge_clock(int64_t now, int64_t built, bool synchronized, struct findings *f)
{
    if (now < built - DAY_S)
        finding_add(
            f, FINDING_MEND, "clock",
            "The clock shows a time before this program was made, so certificates and dates "
            "of mail will be wrong: set it, and let systemd-timesyncd or chrony keep it.");
    else if (!synchronized)
        finding_add(
            f, FINDING_NOTE, "clock",
            "Nothing keeps the clock right, and one that is minutes off breaks certificates "
            "and dates of mail: apt install systemd-timesyncd, or chrony.");
    else
        finding_add(f, FINDING_OK, "clock", "The clock is right, and something keeps it so.");
}

void
machine_check_clock(struct findings *f)
{
    struct timex t = {0};
    struct stat st;
    int state = adjtimex(&t); /* without a mode bit it only asks */
    int64_t built = stat("/proc/self/exe", &st) == 0 ? (int64_t)st.st_mtime : 0;

    machine_judge_clock(clock_now().us / 1000000, built,
                        state >= 0 && state != TIME_ERROR && (t.status & STA_UNSYNC) == 0, f);
}

bool
machine_user(struct str name, uid_t *uid_out, gid_t *gid_out)
{
    char room[2048], z[64];
    struct passwd entry;
    struct passwd *found = NULL;

    if (!str_to_z(name, z, sizeof(z)) || getpwnam_r(z, &entry, room, sizeof(room), &found) != 0 ||
        found == NULL)
        return false;
    *uid_out = entry.pw_uid;
    *gid_out = entry.pw_gid;
    return true;
}

bool
machine_group(struct str name, gid_t *gid_out)
{
    AUTO_ARENA *a = arena_new(2 * GROUP_BYTES);
    char *room = ARENA_ARRAY(a, char, GROUP_BYTES); /* its members may be many */
    struct group entry;
    struct group *found = NULL;
    char z[64];

    if (!str_to_z(name, z, sizeof(z)) || getgrnam_r(z, &entry, room, GROUP_BYTES, &found) != 0 ||
        found == NULL)
        return false;
    *gid_out = entry.gr_gid;
    return true;
}

bool
machine_map_has(struct str map, uint32_t id)
{
    struct str line;

    while (str_split(&map, '\n', &line)) {
        struct scan s = scan_of(line);
        uint64_t part[3] = {0};
        for (size_t i = 0; i < COUNT_OF(part); i++) {
            scan_skip_spaces(&s);
            if (!scan_u64(&s, UINT32_MAX, &part[i]))
                return false;
        }
        if (id >= part[0] && id - part[0] < part[2])
            return true;
    }
    return false;
}

bool
machine_has_ids(uid_t uid, gid_t gid)
{
    AUTO_BUF users = BUF(MAP_BYTES);
    AUTO_BUF groups = BUF(MAP_BYTES);

    if (machine_read_file(STR("/proc/self/uid_map"), &users) != OK ||
        machine_read_file(STR("/proc/self/gid_map"), &groups) != OK)
        return true; /* there is no /proc: the kernel says it in the end */
    return machine_map_has(buf_str(&users), uid) && machine_map_has(buf_str(&groups), gid);
}

struct str
machine_host(struct arena *a)
{
    char name[256] = "";

    if (gethostname(name, sizeof(name) - 1) != 0 || str_find(str_of(name), '.') <= 0)
        return STR("");
    return arena_str(a, str_of(name));
}

/* ---- ports ---- */

static enum machine_port
try_port(const struct sockaddr *addr, socklen_t len)
{
    AUTO(fd_close) int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0)
        return PORT_FREE; /* a family that this machine does not have */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (addr->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    /* Two sockets with SO_REUSEADDR may bind alike as long as none listens. */
    if (bind(fd, addr, len) == 0 && listen(fd, 1) == 0)
        return PORT_FREE;
    switch (errno) {
    case EADDRINUSE: return PORT_TAKEN;
    case EACCES: return PORT_NEEDS_ROOT;
    default: return PORT_NO_ADDRESS;
    }
}

enum machine_port
machine_port_state(struct str host, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool all = str_eq(host, STR("*"));
    char z[INET6_ADDRSTRLEN];
    enum machine_port state = PORT_FREE;

    if (!str_to_z(host, z, sizeof(z)))
        return PORT_NO_ADDRESS;
    if (all || inet_pton(AF_INET, z, &v4.sin_addr) == 1)
        state = try_port((const struct sockaddr *)&v4, sizeof(v4));
    if (state != PORT_FREE || (!all && inet_pton(AF_INET6, z, &v6.sin6_addr) != 1))
        return state;
    enum machine_port six = try_port((const struct sockaddr *)&v6, sizeof(v6));
    return all && six == PORT_NO_ADDRESS ? PORT_FREE : six;
}

enum machine_socket
machine_socket_state(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct stat st;

    if (lstat(path, &st) != 0)
        return SOCKET_FREE; /* or out of reach, which bind() then says */
    if (!S_ISSOCK(st.st_mode) || !str_to_z(str_of(path), addr.sun_path, sizeof(addr.sun_path)))
        return SOCKET_OTHER;
    AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&addr, (socklen_t)sizeof(addr)) != 0 &&
        errno == ECONNREFUSED)
        return SOCKET_STALE;
    return SOCKET_TAKEN;
}

/* True when it stands in the way. */
static bool
judge_socket(const struct config_listen *l, bool ours, struct findings *f)
{
    const struct config_socket *s = &l->socket;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    enum machine_socket state = SOCKET_OTHER;
    uid_t uid;
    gid_t gid;

    if (str_to_z(s->path, path, sizeof(path)))
        state = machine_socket_state(path);
    if ((s->owner.len > 0 && !machine_user(s->owner, &uid, &gid)) ||
        (s->group.len > 0 && !machine_group(s->group, &gid)))
        finding_add(f, FINDING_MEND, "ports",
                    "The socket %.*s (%s) is for a user or group that this machine does not have: "
                    "correct the listen line.",
                    STR_FMT(s->path), service_name(l->service));
    else if (state == SOCKET_OTHER || (state == SOCKET_TAKEN && !ours))
        finding_add(f, FINDING_MEND, "ports",
                    "The place of the socket %.*s (%s) is taken by %s, so Godwit cannot start: "
                    "remove that, or correct the listen line.",
                    STR_FMT(s->path), service_name(l->service),
                    state == SOCKET_OTHER ? "something that is no socket" : "another program");
    else
        return false;
    return true;
}

static void
judge_port(const struct config_listen *l, enum machine_port state, struct findings *f)
{
    const char *name = service_name(l->service);

    if (state == PORT_TAKEN)
        finding_add(f, FINDING_MEND, "ports",
                    "Port %u (%s) at %.*s is held by another program, so Godwit cannot start: stop "
                    "that one (ss -ltnp 'sport = %u' names it).",
                    l->at.port, name, STR_FMT(l->at.host), l->at.port);
    else if (state == PORT_NEEDS_ROOT)
        finding_add(f, FINDING_MEND, "ports",
                    "Port %u (%s) is one of those below 1024 that only root may open: start godwit "
                    "serve as root, it gives its rights up.",
                    l->at.port, name);
    else if (state == PORT_NO_ADDRESS)
        finding_add(f, FINDING_MEND, "ports",
                    "This machine has no address %.*s for port %u (%s): correct the listen line.",
                    STR_FMT(l->at.host), l->at.port, name);
}

void
machine_check_ports(const struct config *c, bool ours, struct findings *f)
{
    size_t wrong = 0;

    for (size_t i = 0; i < c->listen_count; i++) {
        if (c->listen[i].socket.path.len > 0) {
            wrong += judge_socket(&c->listen[i], ours, f);
            continue;
        }
        enum machine_port state = machine_port_state(c->listen[i].at.host, c->listen[i].at.port);
        if (state == PORT_FREE || (ours && state == PORT_TAKEN))
            continue;
        if (ours && state == PORT_NEEDS_ROOT)
            continue; /* the one who asks is not root; the server was */
        judge_port(&c->listen[i], state, f);
        wrong++;
    }
    if (wrong == 0)
        finding_add(f, FINDING_OK, "ports",
                    ours ? "The running server holds all its ports." : "All ports are free.");
}

void
machine_judge_relay(const struct config *c, struct findings *f)
{
    for (size_t i = 0; i < c->relay_from_count; i++) {
        const struct subnet *n = &c->relay_from[i];
        AUTO_BUF text = BUF(SUBNET_TEXT_MAX);
        subnet_write(n, &text);
        if (n->bits >= (n->size == 16 ? 64 : 24))
            finding_add(f, FINDING_NOTE, "relay",
                        "Whoever is at %.*s may send mail to anywhere without a log-in "
                        "(relay-from).",
                        STR_FMT(buf_str(&text)));
        else
            finding_add(f, FINDING_MEND, "relay",
                        "Every machine in %.*s may send mail to anywhere without a log-in, which "
                        "one with a virus will do: list those that must, in relay-from.",
                        STR_FMT(buf_str(&text)));
    }
}

enum status
machine_read_file(struct str path, struct buf *b)
{
    char z[1024];

    if (!str_to_z(path, z, sizeof(z)))
        return ERR_LIMIT;
    AUTO(fd_close) int fd = open(z, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_DENIED;
    for (;;) {
        char *to = buf_tail(b, READ_PIECE);
        if (to == NULL)
            return ERR_LIMIT;
        ssize_t n = read(fd, to, READ_PIECE);
        if (n < 0 && errno != EINTR)
            return ERR_IO;
        if (n == 0)
            return OK;
        if (n > 0)
            buf_grew(b, (size_t)n);
    }
}
