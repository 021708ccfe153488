/* queue_options.c - which messages `godwit queue` is about, and watching them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scan.h"
#include "base/size.h"
#include "ctl/queue.h"
#include "mail/names.h"
#include "rt/clock.h"

enum { WATCH_MS = 2000, STEP_MS = 50 };

static volatile sig_atomic_t interrupted;

static struct str address_of(const struct ctl *c, const char *text);
static void on_signal(int sig);

static struct {
    const char *domain, *sender, *recipient;
    int64_t older_us;
    bool all, watch;
} typed;
const struct ctl_option ctl_queue_options[] = {
    {"--all", CTL_FLAG, &typed.all},
    {"--watch", CTL_FLAG, &typed.watch},
    {"--domain", CTL_TEXT, &typed.domain},
    {"--sender", CTL_TEXT, &typed.sender},
    {"--recipient", CTL_TEXT, &typed.recipient},
    {"--account", CTL_TEXT, &typed.recipient},
    {"--older", CTL_DURATION, &typed.older_us},
    {0},
};

bool
ctl_queue_all(void)
{
    return typed.all;
}

bool
ctl_read_qid(const char *text, uint64_t *out)
{
    struct str s = str_of(text);
    uint64_t qid = 0;

    if (str_eq(s, STR("all"))) {
        *out = 0;
        return true;
    }
    if (s.len == 0 || s.len > 16)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        ssize_t digit = str_find(STR("0123456789abcdef"), ascii_lower(s.ptr[i]));
        if (digit < 0)
            return false;
        qid = qid << 4 | (uint64_t)digit;
    }
    *out = qid;
    return qid != 0;
}

bool
ctl_queue_selects(void)
{
    return typed.domain != NULL || typed.sender != NULL || typed.recipient != NULL ||
           typed.older_us != 0;
}

struct admin_selection
ctl_queue_selection(const struct ctl *c)
{
    bool nobody = typed.sender != NULL && strcmp(typed.sender, "<>") == 0;

    return (struct admin_selection){
        .domain = typed.domain == NULL ? STR("") : name_domain(str_of(typed.domain), c->arena),
        .sender = nobody ? STR("<>") : address_of(c, typed.sender),
        .recipient = address_of(c, typed.recipient),
        .before = typed.older_us == 0 ? 0 : clock_now().us - typed.older_us,
    };
}

bool
ctl_queue_again(struct ctl *c)
{
    if (!typed.watch)
        return false;
    (void)fflush(stdout);
    for (int ms = 0; ms < WATCH_MS && !interrupted; ms += STEP_MS) {
        if (fiber_sleep(STEP_MS) != OK)
            return false;
    }
    if (interrupted && isatty(STDOUT_FILENO))
        printf("\n");
    if (interrupted || ferror(stdout) != 0)
        return false;
    return c->store != NULL ||
           ctl_connect(c) != ERR_CANCELLED; /* when nobody answers, that is said again */
}

void
ctl_queue_draw(const struct ctl *c)
{
    struct sigaction act = {.sa_handler = on_signal};
    char now[40];

    if (!typed.watch)
        return;
    (void)sigaction(SIGINT, &act, NULL);
    (void)sigaction(SIGTERM, &act, NULL);
    if (c->json || !isatty(STDOUT_FILENO))
        return;
    printf("\033[H\033[J%s   every 2 s, ctrl-C ends\n\n",
           ctl_time_text(clock_now().us, now, sizeof(now)));
}

const char *
ctl_span_text(int64_t us, char *text, size_t size)
{
    int64_t s = MAX(us, (int64_t)0) / 1000000;

    if (s < 60)
        snprintf(text, size, "%d s", (int)s);
    else if (s < 100 * (int64_t)60)
        snprintf(text, size, "%d min", (int)(s / 60));
    else if (s < 48 * (int64_t)3600)
        snprintf(text, size, "%d h", (int)(s / 3600));
    else
        snprintf(text, size, "%lld d", (long long)(s / 86400));
    return text;
}

static struct str
address_of(const struct ctl *c, const char *text)
{
    return text == NULL ? STR("") : name_address(str_of(text), c->arena);
}

static void
on_signal(int sig)
{
    (void)sig;
    interrupted = 1;
}
