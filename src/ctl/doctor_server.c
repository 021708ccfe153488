/* doctor_server.c - what `godwit doctor` finds about the running server itself: the TLS that it offers at each port,
 * whether it is the program that is installed, mail that waits for long.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/size.h"
#include "ctl/check.h"
#include "ctl/queue.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "setup/cert.h"
#include "setup/machine.h"
#include "setup/served.h"

#define DAY_US INT64_C(86400000000)

/* ---- TLS as it is offered ---- */

/* How TLS begins at a service whose connection is in the clear; NULL: it does not. */
struct upgrade {
    const char *hello, *begin; /* hello may be NULL */
    struct str yes;
};
static const struct upgrade *
upgrade_of(enum service s)
{
    static const struct upgrade smtp = {"EHLO doctor.invalid\r\n", "STARTTLS\r\n", STR("220")};
    static const struct upgrade imap = {NULL, "a STARTTLS\r\n", STR("a OK")};
    static const struct upgrade pop3 = {NULL, "STLS\r\n", STR("+OK")};

    switch (s) {
    case SERVICE_SMTP:
    case SERVICE_SUBMISSION: return &smtp;
    case SERVICE_IMAP: return &imap;
    case SERVICE_POP3: return &pop3;
    case SERVICE_LMTP:
    case SERVICE_SENDMAIL:
    case SERVICE_SUBMISSIONS:
    case SERVICE_IMAPS:
    case SERVICE_POP3S:
    case SERVICE_API:
    case SERVICE_METRICS: return NULL;
    }
    UNREACHABLE();
}

static bool
offers_tls(const struct config_listen *l)
{
    return l->socket.path.len == 0 &&
           (service_is_tls(l->service) || upgrade_of(l->service) != NULL);
}

/* ERR_TEMP: the service itself does not answer, which was said already. */
static enum status
look_at_tls(struct ctl_check *k, const struct config_listen *l, struct served *out)
{
    const struct config *c = k->ctl.config;
    const struct upgrade *u = upgrade_of(l->service);
    char line[DOCTOR_LINE];
    AUTO(fd_close) int fd = ctl_doctor_dial(c, l);

    if (fd < 0 || (u != NULL && ctl_doctor_hear(fd, line).len == 0))
        return ERR_TEMP;
    if (u != NULL && u->hello != NULL)
        (void)ctl_doctor_say(fd, u->hello, line);
    if (u != NULL && !str_starts(ctl_doctor_say(fd, u->begin, line), u->yes))
        return ERR_CLOSED;
    return served_look(fd, c->host, k->a, out);
}

static bool
is_of_a_file(struct ctl_check *k, struct str sha256)
{
    const struct config *c = k->ctl.config;
    size_t readable = 0;

    for (size_t i = 0; i < c->tls_count; i++) {
        AUTO_BUF pem = BUF(2 * CERT_FILE_MAX);
        struct cert_facts f;
        if (machine_read_file(c->tls[i].cert_file, &pem) != OK ||
            cert_read(buf_str(&pem), STR(""), k->a, &f) != OK)
            continue;
        readable++;
        if (str_eq(f.sha256, sha256))
            return true;
    }
    return readable < c->tls_count; /* a file that cannot be read was named already */
}

/* True when nothing is wrong with it. */
static bool
check_one_tls(struct ctl_check *k, const struct config_listen *l)
{
    const char *name = service_name(l->service), *place = ctl_doctor_place(k, l);
    struct served s;
    enum status e = look_at_tls(k, l, &s);

    if (e == ERR_TEMP)
        return false;
    if (e != OK)
        finding_add(
            &k->findings, FINDING_MEND, "TLS",
            "%s at %s offers no TLS, so nobody logs in there: godwit log tls.fail says why; "
            "another program at that port is the other cause.",
            name, place);
    else if (s.old)
        finding_add(
            &k->findings, FINDING_MEND, "TLS",
            "%s at %s offers %.*s only, which clients refuse: it is not godwit that answers, "
            "so find it with ss -ltnp and stop it.",
            name, place, STR_FMT(s.version));
    else if (!is_of_a_file(k, s.sha256))
        finding_add(
            &k->findings, FINDING_MEND, "TLS",
            "%s at %s shows a certificate that is in no file of the lines tls: if one was "
            "renewed, godwit reload takes it; else another program has the port (ss -ltnp).",
            name, place);
    else
        return true;
    return false;
}

static void
check_tls(struct ctl_check *k)
{
    const struct config *c = k->ctl.config;
    size_t good = 0, all = 0;

    for (size_t i = 0; i < c->listen_count && c->tls_count > 0; i++) {
        if (!offers_tls(&c->listen[i]) || !ctl_doctor_takes_us(&c->listen[i]))
            continue;
        all++;
        good += check_one_tls(k, &c->listen[i]) ? 1 : 0;
    }
    if (all > 0 && good == all)
        finding_add(&k->findings, FINDING_OK, "TLS",
                    "All %zu ports offer TLS 1.2 or newer, with the certificate of the files.",
                    all);
}

/* ---- the program ---- */

/* We are of the installed one. */
static void
check_program(struct ctl_check *k)
{
    struct stat ours, theirs;
    pid_t boss;

    if (!ctl_doctor_boss(k, &boss) || stat("/proc/self/exe", &ours) != 0 ||
        stat(arena_printf(k->a, "/proc/%d/exe", (int)boss).ptr, &theirs) != 0)
        return;
    if (ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino)
        finding_add(
            &k->findings, FINDING_MEND, "program",
            "The server runs another program than the one that is installed: godwit upgrade "
            "has that one take over, and no client is refused.");
    else
        finding_add(&k->findings, FINDING_OK, "program",
                    "The server runs the program that is installed.");
}

/* ---- the queue ---- */

static SUSPENDS void
check_queue(struct ctl_check *k)
{
    struct admin_queue_summary req = {.max = 1};
    struct admin_queue_summary_reply rep;
    char since[40];

    if (admin_queue_summary_call(k->ctl.store, &req, k->a, &rep) != OK)
        return;
    int64_t age = rep.all.messages > 0 ? clock_now().us - rep.all.oldest : 0;
    if (age > DAY_US)
        finding_add(&k->findings, FINDING_NOTE, "queue",
                    "Mail waits in the queue for %s: godwit queue summary says for which servers, "
                    "godwit queue list why.",
                    ctl_span_text(age, since, sizeof(since)));
    else
        finding_add(&k->findings, FINDING_OK, "queue", "No mail waits for longer than a day.");
}

void
ctl_doctor_server(struct ctl_check *k, bool answers)
{
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to whoever may have gone */
    if (answers)                    /* else each would be waited for once more */
        check_tls(k);
    check_program(k);
    check_queue(k);
}
