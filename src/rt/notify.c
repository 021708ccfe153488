/* notify.c - see notify.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scan.h"
#include "rt/disk.h"

static bool read_address(struct str name, struct notify *n);
static uint64_t read_watchdog(void);
static void forget(const char *name);

void
notify_open(struct notify *n)
{
    const char *name = getenv("NOTIFY_SOCKET");

    *n = (struct notify){.fd = -1};
    if (name != NULL && read_address(str_of(name), n))
        n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (n->fd >= 0)
        n->watchdog_us = read_watchdog();
    notify_take_back();
}

void
notify_take_back(void)
{
    forget("NOTIFY_SOCKET");
    forget("WATCHDOG_USEC");
    forget("WATCHDOG_PID");
}

void
notify_close(struct notify *n)
{
    fd_close(&n->fd);
    n->watchdog_us = 0;
}

/* A path, or "@" and a name that is no path.  There are managers elsewhere (vsock): not for us. */
static bool
read_address(struct str name, struct notify *n)
{
    n->to = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (name.len < 2 || (name.ptr[0] != '/' && name.ptr[0] != '@') ||
        !str_to_z(name, n->to.sun_path, sizeof(n->to.sun_path)))
        return false;
    n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.len); /* <= 110 */
    if (name.ptr[0] == '@')
        n->to.sun_path[0] = '\0';
    else
        n->to_len++; /* the NUL */
    return true;
}

static bool
read_number(const char *name, uint64_t *out)
{
    const char *value = getenv(name);
    struct scan s = scan_of(str_of(value != NULL ? value : ""));

    return scan_u64(&s, UINT64_MAX, out) && scan_at_end(&s);
}

/* 0 unless it is for this process: a parent of ours may have kept it to itself. */
static uint64_t
read_watchdog(void)
{
    uint64_t us = 0, pid = 0;

    if (!read_number("WATCHDOG_USEC", &us))
        return 0;
    if (getenv("WATCHDOG_PID") != NULL &&
        (!read_number("WATCHDOG_PID", &pid) || pid != (uint64_t)getpid())) /* pids are positive */
        return 0;
    return us;
}

/* Before any thread. */
static void
forget(const char *name)
{
    (void)unsetenv(name); /* NOLINT(concurrency-mt-unsafe) */
}

/* Before the program changes, when there is one thread. */
void
notify_pass(const struct notify *n)
{
    char text[sizeof(n->to.sun_path) + 1];

    if (n->fd < 0)
        return;
    size_t len = n->to_len - offsetof(struct sockaddr_un, sun_path);
    mem_copy(text, n->to.sun_path, len);
    text[len] = '\0';
    if (text[0] == '\0')
        text[0] = '@';
    (void)setenv("NOTIFY_SOCKET", text, 1); /* NOLINT(concurrency-mt-unsafe) */
    if (n->watchdog_us == 0)
        return;
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n->watchdog_us);
    (void)setenv("WATCHDOG_USEC", text, 1); /* NOLINT(concurrency-mt-unsafe) */
}

/* A manager that is away or does not read misses a message: there is nothing better to do. */
void
notify_say(const struct notify *n, const char *lines)
{
    if (n->fd >= 0)
        (void)sendto(n->fd, lines, strlen(lines), MSG_NOSIGNAL | MSG_DONTWAIT,
                     (const struct sockaddr *)&n->to, n->to_len);
}

void
notify_status(const struct notify *n, struct str text)
{
    char line[NOTIFY_BYTES_MAX];

    (void)snprintf(line, sizeof(line), "STATUS=%.*s", STR_FMT(text));
    for (char *c = line; *c != '\0'; c++)
        if ((*c >= '\0' && *c < ' ') || *c == '\x7f')
            *c = '?';
    notify_say(n, line);
}

void
notify_reloading(const struct notify *n)
{
    char lines[80];
    struct timespec t;

    ASSERT(clock_gettime(CLOCK_MONOTONIC, &t) ==
           0); /* the manager's clock, not that of our timers */
    (void)snprintf(lines, sizeof(lines), "RELOADING=1\nMONOTONIC_USEC=%lld",
                   (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
    notify_say(n, lines);
}
