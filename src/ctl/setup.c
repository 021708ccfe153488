/* setup.c - `godwit setup`: the steps in their order, and the way back when one fails.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ctl/setup.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/size.h"
#include "ctl/command.h"
#include "rt/loop.h"

enum { ARENA_BYTES = 64 << 20, HELP_BYTES = 16384, LINE_BYTES = 1024 };

static volatile sig_atomic_t interrupted;

static void run(void *arg);
static void on_signal(int sig);
static void watch_signals(void);

int
setup_command(int argc, char **argv)
{
    AUTO_BUF help = BUF(HELP_BYTES);
    struct ctl_setup *s = MEM_NEW(struct ctl_setup);
    int status = CTL_USAGE;

    enum status e = options_read(argc, argv, &s->o, &s->why);
    if (e != OK || s->o.help) {
        options_help(&help);
        if (e == OK)
            printf("%.*s", STR_FMT(buf_str(&help)));
        else
            fprintf(stderr, "godwit setup: %s\n", s->why.text);
        status = e == OK ? CTL_OK : CTL_USAGE;
    } else {
        loop_init();
        s->a = arena_new(ARENA_BYTES);
        s->findings = findings_new(s->a);
        s->undo.a = s->a;
        s->ctl = (struct ctl){.noun = argv[0], .arena = s->a, .exit = CTL_FAILED};
        watch_signals();
        if (fiber_go(run, s) == OK)
            loop_run();
        status = s->ctl.exit;
        config_free(&s->ctl.config);
        arena_free(&s->a);
    }
    secret_wipe(&s->password);
    mem_free(s);
    return status;
}

static void
show_findings(const struct ctl_setup *s)
{
    AUTO_BUF text = BUF(1 << 20);

    for (size_t i = 0; i < s->findings.count; i++)
        finding_write(&s->findings.at[i], s->colour, &text);
    printf("%.*s\n", STR_FMT(buf_str(&text)));
}

static SUSPENDS enum status
steps(struct ctl_setup *s)
{
    TRY(ctl_setup_plan(s));
    printf("Godwit %s: mail for %.*s\n\nLooking at this machine%s\n", GODWIT_VERSION,
           STR_FMT(s->domain),
           s->o.offline ? "" : " and what the world sees of it (up to a minute)");
    fflush(stdout);
    ctl_setup_look(s);
    show_findings(s);
    TRY(ctl_setup_compose(s)); /* again: with what was found */
    if (s->interactive &&
        !str_starts_nocase(ctl_setup_ask(s, "Set it up so?", STR("yes")), STR("y"))) {
        problem_set(&s->why, 0, "", "nothing was written, as you wish");
        return ERR_CANCELLED;
    }
    if (interrupted)
        return ERR_CANCELLED;
    printf("Setting up\n");
    TRY(ctl_setup_make(s));
    return ctl_setup_fill(s);
}

static FIBER_ENTRY void
run(void *arg)
{
    struct ctl_setup *s = arg;

    s->interactive = !s->o.yes && isatty(STDIN_FILENO);
    s->colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    enum status e = steps(s);
    fflush(stdout);
    if (e == OK) {
        undo_keep(&s->undo);
        ctl_setup_tell(s);
        s->ctl.exit = CTL_OK;
    } else {
        bool any = s->undo.count > 0;
        size_t left = undo_all(&s->undo);
        fprintf(stderr, "godwit setup: %s\n",
                s->why.text[0] != '\0' ? s->why.text
                : interrupted          ? "interrupted"
                                       : status_name(e));
        if (any)
            fprintf(stderr, left == 0 ? "What was written has been taken back.\n"
                                      : "Not all of what was written could be taken back.\n");
    }
    fflush(stdout);
    loop_stop();
}

/* ---- words ---- */

/* A signal just before a read would not end it: the alarm says it again until it is heard. */
static void
on_signal(int sig)
{
    (void)sig;
    interrupted = 1;
    (void)alarm(1);
}

/* No SA_RESTART: a question that waits for its answer ends too. */
static void
watch_signals(void)
{
    struct sigaction act = {.sa_handler = on_signal};

    sigemptyset(&act.sa_mask);
    (void)sigaction(SIGINT, &act, NULL);
    (void)sigaction(SIGTERM, &act, NULL);
    (void)sigaction(SIGHUP, &act, NULL);
    (void)sigaction(SIGALRM, &act, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

bool
ctl_setup_interrupted(void)
{
    return interrupted != 0;
}

struct str
ctl_setup_ask(const struct ctl_setup *s, const char *question, struct str fallback)
{
    char line[LINE_BYTES];

    if (!s->interactive || interrupted)
        return fallback;
    printf("%s [%.*s] ", question, STR_FMT(fallback));
    fflush(stdout);
    if (fgets(line, sizeof(line), stdin) == NULL)
        return fallback;
    struct str answer = str_trim(str_of(line));
    return answer.len > 0 ? arena_str(s->a, answer) : fallback;
}

void
ctl_setup_did(const char *what, struct str object, const char *about)
{
    printf("  %-8s %.*s%s%s\n", what, STR_FMT(object), about[0] != '\0' ? "   " : "", about);
    fflush(stdout);
}
