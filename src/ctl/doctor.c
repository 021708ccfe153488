/* doctor.c - what `godwit doctor` looks at beyond `godwit check`: services as a client meets them, relaying, the
 * disk, and who the clients seem to be.
 *
 * Blocks for some seconds at worst; nothing else runs in this process.  All it changes is a file of its own in the data
 * directory, which is gone at the end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/size.h"
#include "base/subnet.h"
#include "ctl/check.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "setup/machine.h"
#include "trace/folder.h"

enum {
    SYNCS = 15,
    SYNC_BYTES = 4096,
    SLOW_US = 50000, /* a disk that spins takes 10 to 20 ms */
    SPACE_PERCENT = 5,
    CLIENTS_LEAST = 50, /* lines of the trace, before they say anything */
    TRACE_BYTES = 64 << 20
};

/* ---- services ---- */

bool
ctl_doctor_takes_us(const struct config_listen *l)
{
    struct sockaddr_storage own;
    socklen_t len;
    const struct config_address any = {.host =
                                           str_find(l->at.host, ':') >= 0 ? STR("::1") : STR("*")};

    return l->from_count == 0 ||
           (ctl_doctor_address(&any, &own, &len) && subnet_has(l->from, l->from_count, &own));
}

static struct str
greeting_of(enum service s)
{
    switch (s) {
    case SERVICE_SMTP:
    case SERVICE_SUBMISSION:
    case SERVICE_LMTP:
    case SERVICE_SENDMAIL: return STR("220 ");
    case SERVICE_IMAP: return STR("* OK");
    case SERVICE_POP3: return STR("+OK");
    case SERVICE_SUBMISSIONS:
    case SERVICE_IMAPS:
    case SERVICE_POP3S:
    case SERVICE_API:
    case SERVICE_METRICS: return STR("");
    }
    UNREACHABLE();
}

static bool
answers(const struct config *c, const struct config_listen *l)
{
    char line[DOCTOR_LINE];
    AUTO(fd_close) int fd = ctl_doctor_dial(c, l);

    if (fd < 0 || service_is_tls(l->service) || service_of_api(l->service))
        return fd >= 0;
    return str_starts(ctl_doctor_hear(fd, line), greeting_of(l->service));
}

const char *
ctl_doctor_place(struct ctl_check *k, const struct config_listen *l)
{
    if (l->socket.path.len > 0)
        return arena_z(k->a, l->socket.path);
    return arena_printf(k->a, "%.*s:%u", STR_FMT(l->at.host), l->at.port).ptr;
}

/* True when all do. */
static bool
check_services(struct ctl_check *k)
{
    const struct config *c = k->ctl.config;
    size_t good = 0, others = 0;

    for (size_t i = 0; i < c->listen_count; i++) {
        const struct config_listen *l = &c->listen[i];
        if (!ctl_doctor_takes_us(l))
            others++;
        else if (answers(c, l))
            good++;
        else
            finding_add(&k->findings, FINDING_MEND, "services",
                        "%s at %s does not answer from this machine: godwit log --level warn "
                        "says what happened to it; a firewall for the loopback interface is the "
                        "other cause.",
                        service_name(l->service), ctl_doctor_place(k, l));
    }
    if (good + others == c->listen_count)
        finding_add(&k->findings, FINDING_OK, "services", "All %zu services answer%s.", good,
                    others > 0 ? " that this machine may ask" : "");
    return good + others == c->listen_count;
}

/* ---- relaying ---- */

/* Names of RFC 2606: nobody has them, whatever the answer. */
static void
judge_relay(struct ctl_check *k, struct str answer)
{
    if (answer.len >= 3 && answer.ptr[0] == '5')
        finding_add(&k->findings, FINDING_OK, "relay",
                    "Strangers cannot send to others through this server.");
    else if (answer.len >= 3 && answer.ptr[0] == '2')
        finding_add(&k->findings, FINDING_MEND, "relay",
                    "What answers at the port of smtp takes mail of strangers for strangers (an "
                    "open relay), so it will be on every block list soon: it is not godwit, which "
                    "never does; find it with ss -ltnp and stop it.");
    else
        finding_add(&k->findings, FINDING_NOTE, "relay",
                    "Whether strangers can send through this server could not be asked now: %.*s",
                    STR_FMT(answer.len > 0 ? str_sub(answer, 0, 100) : STR("no answer.")));
}

static void
check_relay(struct ctl_check *k)
{
    const struct config *c = k->ctl.config;
    char line[DOCTOR_LINE];
    size_t i = 0;

    while (i < c->listen_count && c->listen[i].service != SERVICE_SMTP)
        i++;
    if (i == c->listen_count)
        return;
    AUTO(fd_close) int fd = ctl_doctor_dial(c, &c->listen[i]);
    if (fd < 0 || !str_starts(ctl_doctor_hear(fd, line), STR("220 ")))
        return; /* said already */
    struct str answer = ctl_doctor_say(fd, "EHLO doctor.invalid\r\n", line);
    if (str_starts(answer, STR("250")))
        answer = ctl_doctor_say(fd, "MAIL FROM:<doctor@sender.invalid>\r\n", line);
    if (str_starts(answer, STR("250")))
        answer = ctl_doctor_say(fd, "RCPT TO:<doctor@recipient.invalid>\r\n", line);
    judge_relay(k, answer);
    (void)ctl_doctor_say(fd, "QUIT\r\n", line);
}

/* ---- the disk ---- */

static int
ascending(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Microseconds of the middle one of some syncs; -1: not possible. */
static int64_t
sync_time(struct ctl_check *k)
{
    const char *path = arena_printf(k->a, "%.*s/doctor.tmp", STR_FMT(k->ctl.config->data_dir)).ptr;
    struct iovec part = {arena_alloc(k->a, SYNC_BYTES), SYNC_BYTES};
    int64_t took[SYNCS];
    AUTO(fd_close) int fd = -1;
    bool well = disk_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600, &fd) == OK;
    bool made = well;

    for (size_t i = 0; well && i < SYNCS; i++) {
        int64_t began = clock_mono_us();
        well = disk_write_at(fd, &part, 1, i * SYNC_BYTES) == OK && disk_sync(fd) == OK;
        took[i] = clock_mono_us() - began;
    }
    if (made && disk_unlink(path) != OK)
        return -1;
    if (!well)
        return -1;
    qsort(took, SYNCS, sizeof(took[0]), ascending);
    return took[SYNCS / 2];
}

static void
check_space(struct ctl_check *k)
{
    const char *path = arena_z(k->a, k->ctl.config->data_dir);
    char left[32];
    uint64_t room, total;

    if (disk_free_space(path, &room, &total) != OK || total == 0)
        return; /* the folder is not there: said already */
    ctl_size_text(room, left, sizeof(left));
    if (room / (total / 100 + 1) < SPACE_PERCENT)
        finding_add(&k->findings, FINDING_MEND, "disk",
                    "Only %s are free where %s lies, and mail is refused when it is full: remove "
                    "something, or give it a larger disk.",
                    left, path);
    else
        finding_add(&k->findings, FINDING_OK, "disk", "%s are free where %s lies.", left, path);
}

static void
check_disk(struct ctl_check *k)
{
    check_space(k);
    int64_t us = sync_time(k);
    if (us < 0)
        finding_add(&k->findings, FINDING_NOTE, "disk",
                    "How fast the disk syncs could not be measured: are you root, and is the disk "
                    "writable?");
    else
        finding_add(&k->findings, us > SLOW_US ? FINDING_NOTE : FINDING_OK, "disk",
                    "A sync of the disk takes %lld.%lld ms%s", (long long)us / 1000,
                    (long long)us % 1000 / 100,
                    us > SLOW_US
                        ? ", and every message waits for one: an SSD, or a controller with "
                          "a battery, makes mail faster."
                        : ".");
}

/* ---- clients ---- */

struct clients {
    struct str one; /* of the arena */
    size_t lines;
    bool several;
};

static void
count_clients(struct str text, struct arena *a, struct clients *c)
{
    struct str line;

    while (!c->several && str_split(&text, '\n', &line)) {
        AUTO_ARENA *own = arena_new(65536);
        struct str event = trace_value(line, "ev", own), peer = trace_value(line, "peer", own);
        if (peer.len == 0 || !str_starts(event, STR("smtp.")))
            continue;
        if (c->one.len == 0)
            c->one = arena_str(a, peer);
        c->several = !str_eq(c->one, peer);
        c->lines++;
    }
}

/* A router or a proxy that puts its own address in the place of the client's makes all of them look like one. */
static void
check_clients(struct ctl_check *k)
{
    const char *dir =
        arena_printf(k->a, "%.*s/" TRACE_FOLDER, STR_FMT(k->ctl.config->data_dir)).ptr;
    AUTO_BUF text = BUF(TRACE_BYTES);
    struct trace_segment *list;
    struct clients c = {.one = STR("")};
    char path[TRACE_PATH_MAX];
    size_t n;

    if (trace_folder_list(dir, k->a, &list, &n) != OK || n == 0 ||
        trace_segment_path(dir, &list[n - 1], ".log", path) != OK ||
        trace_file_read(path, &text) != OK)
        return;
    count_clients(buf_str(&text), k->a, &c);
    if (c.several)
        finding_add(&k->findings, FINDING_OK, "clients",
                    "Other servers come from addresses of their own.");
    else if (c.lines >= CLIENTS_LEAST && machine_reach_of(c.one) == REACH_PRIVATE)
        finding_add(&k->findings, FINDING_MEND, "clients",
                    "All %zu mails of late came from %.*s, an address of your own network, so a "
                    "router or proxy hides who sends, and limits meant for one hit all: let it "
                    "forward port 25 with the client's address kept (no masquerading inwards).",
                    c.lines, STR_FMT(c.one));
}

void
ctl_doctor(struct ctl_check *k, bool runs)
{
    bool all = runs && check_services(k);
    if (runs)
        check_relay(k);
    check_disk(k);
    check_clients(k);
    ctl_doctor_machine(k, runs);
    if (runs)
        ctl_doctor_server(k, all);
}
