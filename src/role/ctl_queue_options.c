/* ctl_queue_options.c - which messages `godwit queue` is about, and watching them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scan.h"
#include "base/size.h"
#include "role/ctl_queue.h"
#include "role/names.h"
#include "rt/clock.h"

enum { WATCH_MS = 2000, STEP_MS = 50 };

static volatile sig_atomic_t interrupted;

static struct str address_of(const struct ctl *c, const char *text);
static void on_signal(int sig);

bool
ctl_queue_option(struct ctl *c, int argc, char **argv, int *i)
{
    struct ctl_queue_options *o = &c->queue;
    const char *name = argv[*i], *value = *i + 1 < argc ? argv[*i + 1] : NULL;

    if (strcmp(name, "--all") == 0) {
        o->all = true;
        return true;
    }
    if (strcmp(name, "--watch") == 0) {
        o->watch = true;
        return true;
    }
    if (value == NULL)
        return false;
    if (strcmp(name, "--domain") == 0)
        o->domain = value;
    else if (strcmp(name, "--sender") == 0)
        o->sender = value;
    else if (strcmp(name, "--recipient") == 0 || strcmp(name, "--account") == 0)
        o->recipient = value;
    else if (strcmp(name, "--older") != 0 || !ctl_read_duration(value, &o->older_us))
        return false;
    (*i)++;
    return true;
}

/* duration = 1*DIGIT ( "s" / "m" / "h" / "d" / "w" ) */
bool
ctl_read_duration(const char *text, int64_t *us_out)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    struct scan s = scan_of(str_of(text));
    uint64_t n;

    if (!scan_u64(&s, 10000000, &n))
        return false;
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (!scan_char(&s, units[i].unit))
            continue;
        if (!scan_at_end(&s) || n == 0)
            return false;
        *us_out = (int64_t)n * units[i].seconds * INT64_C(1000000); /* n is bounded above */
        return true;
    }
    return false;
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
ctl_queue_selects(const struct ctl *c)
{
    const struct ctl_queue_options *o = &c->queue;

    return o->domain != NULL || o->sender != NULL || o->recipient != NULL || o->older_us != 0;
}

struct admin_selection
ctl_queue_selection(const struct ctl *c)
{
    const struct ctl_queue_options *o = &c->queue;
    bool nobody = o->sender != NULL && strcmp(o->sender, "<>") == 0;

    return (struct admin_selection){
        .domain = o->domain == NULL ? STR("") : name_domain(str_of(o->domain), c->arena),
        .sender = nobody ? STR("<>") : address_of(c, o->sender),
        .recipient = address_of(c, o->recipient),
        .before = o->older_us == 0 ? 0 : clock_now().us - o->older_us,
    };
}

bool
ctl_queue_again(struct ctl *c)
{
    if (!c->queue.watch)
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

    if (!c->queue.watch)
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
