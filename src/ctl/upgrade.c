/* upgrade.c - godwit upgrade and rollback: another program takes over, and what came of it.
 *
 * The answer comes from a file of boss (role/boss/boss.h), not from the store: that ends meanwhile, and the one that
 * runs may be of another version than this command.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "base/scan.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "role/boss/boss.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "rt/fiber.h"

enum { WAIT_MS = 600000, LOOK_MS = 50, STATE_BYTES = 4096 };

struct state {
    uint32_t number;
    struct str result, from, to, said;
};

/* Unknown lines are of a newer server. */
static void
read_state_line(struct str line, struct state *out)
{
    struct str word;

    if (!str_split(&line, ' ', &word) || line.ptr == NULL)
        return;
    struct scan s = scan_of(line);
    if (str_eq(word, STR("number")))
        (void)scan_u32(&s, UINT32_MAX, &out->number);
    else if (str_eq(word, STR("result")))
        out->result = line;
    else if (str_eq(word, STR("from")))
        out->from = line;
    else if (str_eq(word, STR("to")))
        out->to = line;
    else if (str_eq(word, STR("said")))
        out->said = line;
}

/* Number 0: there is none yet. */
static struct state
read_state(struct ctl *c)
{
    const struct str path =
        arena_printf(c->arena, "%.*s/" BOSS_UPGRADE_STATE, STR_FMT(c->config->run_dir));
    struct state st = {0};
    AUTO_BUF text = BUF(STATE_BYTES);
    AUTO(fd_close) int fd = open(path.ptr, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct str line;

    if (fd < 0 || role_fd_read(fd, &text) != OK)
        return st;
    struct str rest = arena_str(c->arena, buf_str(&text));
    while (str_split(&rest, '\n', &line))
        read_state_line(line, &st);
    return st;
}

static int
say(const struct ctl *c, const char *what)
{
    fprintf(stderr, "godwit %s: %s\n", c->noun, what);
    return CTL_FAILED;
}

static int
tell(struct ctl *c, const struct state *st)
{
    bool taken = str_eq(st->result, STR("taken"));

    if (c->json) {
        int shown = ctl_print_json(json_pack(
            "{s:b, s:o, s:o, s:o, s:o}", "taken", (int)taken, "result", view_str(st->result),
            "from", view_str(st->from), "to", view_str(st->to), "said", view_str(st->said)));
        return taken ? shown : CTL_FAILED;
    }
    if (taken && str_eq(st->from, st->to))
        printf("%s was started anew\n", ctl_text(c, st->to));
    else if (taken)
        printf("%s runs now, and not %s any more\n", ctl_text(c, st->to), ctl_text(c, st->from));
    if (taken)
        return CTL_OK;
    fprintf(stderr, "godwit %s: %s%s\n", c->noun,
            str_eq(st->result, STR("refused")) ? "nothing was changed: " : "",
            ctl_text(c, st->said));
    return CTL_FAILED;
}

static SUSPENDS int
change(struct ctl *c, int sig)
{
    struct state before = read_state(c), now = before;
    int64_t end_ms = clock_mono_ms() + WAIT_MS;
    pid_t boss;

    int told = ctl_signal_boss(c, sig, &boss);
    if (told != CTL_OK)
        return told;
    while (now.number == before.number && clock_mono_ms() < end_ms) {
        if (kill(boss, 0) != 0 && errno == ESRCH)
            return say(c, "the server has ended; see godwit log");
        if (fiber_sleep(LOOK_MS) != OK)
            return CTL_FAILED;
        arena_reset(c->arena);
        now = read_state(c);
    }
    if (now.number == before.number)
        return say(c, "the server was told and does not say what came of it; see godwit log");
    return tell(c, &now);
}

static SUSPENDS int
upgrade(struct ctl *c)
{
    return change(c, SIGUSR2);
}

static SUSPENDS int
rollback(struct ctl *c)
{
    return change(c, SIGUSR1);
}

static const struct ctl_verb upgrade_verbs[] = {
    {"now", 0, 0, "", upgrade, "the program that is installed now takes over"},
    {0},
};
static const struct ctl_verb rollback_verbs[] = {
    {"now", 0, 0, "", rollback, "the program that ran before takes over again"},
    {0},
};

int
upgrade_command(int argc, char **argv)
{
    return ctl_one_verb(argc, argv, upgrade_verbs, NULL, "[--json]");
}

int
rollback_command(int argc, char **argv)
{
    return ctl_one_verb(argc, argv, rollback_verbs, NULL, "[--json]");
}
