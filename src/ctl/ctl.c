/* ctl.c - arguments, the channel to the server, and small words for the verbs of the godwit command.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "base/scan.h"
#include "base/size.h"
#include "ctl/command.h"
#include "mail/names.h"
#include "role/role.h"
#include "rt/disk.h"
#include "rt/loop.h"

enum {
    ARENA_BYTES = 1 << 30 /* an import keeps some hundred bytes of each account */,
    WORDS_MAX = 128,
    ONE_VERB_WORDS = 8
};

static int usage(FILE *to, const char *noun, const struct ctl_verb *verbs);
static int usage_of(const char *noun, const struct ctl_verb *verb);
static bool asks_for_help(int argc, char **argv);
static bool read_options(struct ctl *c, const struct ctl_option *own, int argc, char **argv);
static bool read_config(struct ctl *c);
static enum status connect_store(struct ctl *c);
static void run_verb(void *arg);

int
ctl_main(int argc, char **argv, const struct ctl_verb *verbs, const struct ctl_option *options)
{
    char *words[WORDS_MAX];
    struct ctl c = {.noun = argv[0], .argv = words, .exit = CTL_FAILED};

    if (asks_for_help(argc, argv)) {
        (void)usage(stdout, argv[0], verbs);
        return CTL_OK;
    }
    if (!read_options(&c, options, argc, argv))
        return CTL_USAGE;
    if (c.argc == 0)
        return usage(stderr, argv[0], verbs);
    for (c.verb = verbs; c.verb->name != NULL; c.verb++)
        if (strcmp(c.verb->name, words[0]) == 0)
            break;
    c.argv++;
    c.argc--;
    if (c.verb->name == NULL) {
        fprintf(stderr, "godwit %s: there is no verb \"%s\"\n", argv[0], words[0]);
        return usage(stderr, argv[0], verbs);
    }
    bool instead = c.argc == 0 && c.verb->instead != NULL && *c.verb->instead != NULL;
    if ((c.argc < c.verb->args_min && !instead) || c.argc > c.verb->args_max)
        return usage_of(argv[0], c.verb);
    if (!read_config(&c))
        return CTL_FAILED;
    loop_init();
    c.arena = arena_new(ARENA_BYTES);
    if (c.verb->exit_unreached != 0)
        c.exit = c.verb->exit_unreached;
    if (connect_store(&c) == OK && fiber_go(run_verb, &c) == OK)
        loop_run();
    arena_free(&c.arena);
    config_free(&c.config);
    return c.exit;
}

int
ctl_one_verb(int argc, char **argv, const struct ctl_verb *verbs, const struct ctl_option *options,
             const char *usage)
{
    char verb[16];
    char *words[ONE_VERB_WORDS] = {argv[0], verb};
    int n = 2;

    ASSERT(str_to_z(str_of(verbs->name), verb, sizeof(verb)));
    for (int i = 1; i < argc && n < ONE_VERB_WORDS; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            printf("usage: godwit %s [-c FILE] %s\n", argv[0], usage);
            return CTL_OK;
        }
        if (strcmp(argv[i], verb) != 0)
            words[n++] = argv[i];
    }
    return ctl_main(n, words, verbs, options);
}

static FIBER_ENTRY void
run_verb(void *arg)
{
    struct ctl *c = arg;

    c->exit = c->verb->run(c);
    fflush(stdout);
    loop_stop();
}

static bool
asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return argc == 2 && strcmp(argv[1], "help") == 0;
}

static int
usage(FILE *to, const char *noun, const struct ctl_verb *verbs)
{
    fprintf(to, "usage: godwit %s VERB ...\n", noun);
    for (; verbs->name != NULL; verbs++)
        fprintf(to, "  %-9s %-24s %s\n", verbs->name, verbs->usage,
                verbs->about != NULL ? verbs->about : "");
    fprintf(to, "options: -c FILE (another configuration), --json (for programs)\n");
    return CTL_USAGE;
}

static int
usage_of(const char *noun, const struct ctl_verb *verb)
{
    fprintf(stderr, "usage: godwit %s %s %s\n", noun, verb->name, verb->usage);
    return CTL_USAGE;
}

static const struct ctl_option *
find_option(const struct ctl_option *o, const char *word)
{
    for (; o != NULL && o->name != NULL; o++)
        if (strcmp(o->name, word) == 0)
            return o;
    return NULL;
}

/* value: what follows, or NULL.  What is wrong is said. */
static bool
read_option(const struct ctl_option *o, const char *value)
{
    const char *expected = NULL;

    if (o->kind == CTL_FLAG) {
        *(bool *)o->to = true;
        return true;
    }
    if (value == NULL) {
        fprintf(stderr, "godwit: option %s lacks its value\n", o->name);
        return false;
    }
    if (o->kind == CTL_TEXT)
        *(const char **)o->to = value;
    else if (o->kind == CTL_SIZE && !ctl_read_size(value, o->to))
        expected = "a size such as 5G, or none";
    else if (o->kind == CTL_DURATION && !ctl_read_duration(value, o->to))
        expected = "a duration such as 90s, 10m, 24h or 7d";
    if (expected != NULL)
        fprintf(stderr, "godwit: %s: read \"%s\", expected %s\n", o->name, value, expected);
    return expected == NULL;
}

static bool
read_options(struct ctl *c, const struct ctl_option *own, int argc, char **argv)
{
    const struct ctl_option common[] = {
        {"-c", CTL_TEXT, &c->config_path}, {"--json", CTL_FLAG, &c->json}, {0}};

    c->config_path = command_config();
    for (int i = 1; i < argc; i++) {
        const struct ctl_option *o = find_option(own, argv[i]);

        if (o == NULL)
            o = find_option(common, argv[i]);
        if (o != NULL) {
            if (!read_option(o, i + 1 < argc ? argv[i + 1] : NULL))
                return false;
            i += o->kind == CTL_FLAG ? 0 : 1;
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            fprintf(stderr, "godwit: option %s is unknown here\n", argv[i]);
            return false;
        } else if (c->argc == WORDS_MAX) {
            fprintf(stderr, "godwit: more than %d words\n", WORDS_MAX);
            return false;
        } else {
            c->argv[c->argc++] = argv[i];
        }
    }
    return true;
}

static bool
read_config(struct ctl *c)
{
    struct problem why = {0};

    enum status st = role_config_load(c->config_path, &c->config, &why);
    if (st == OK)
        return true;
    if (st == ERR_IO) {
        fprintf(stderr,
                "godwit: %s: cannot be read; godwit setup writes it, -c FILE names another\n",
                c->config_path);
        return false;
    }
    fprintf(stderr, "godwit: %s\n", why.text);
    return false;
}

static void
lost(struct ipc_peer *p)
{
    struct ctl *c = ipc_state(p);

    c->store = NULL; /* a call under way says ERR_CLOSED */
}

bool
ctl_socket_path(const struct ctl *c, struct sockaddr_un *to)
{
    int n = snprintf(to->sun_path, sizeof(to->sun_path), "%.*s/%s", STR_FMT(c->config->run_dir),
                     ROLE_ADMIN_SOCKET);

    to->sun_family = AF_UNIX;
    return n > 0 && (size_t)n < sizeof(to->sun_path);
}

enum status
ctl_connect(struct ctl *c)
{
    struct sockaddr_un to = {0};
    struct ipc_channel_end end = {.ring_fd = -1, .first = true};

    end.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (end.fd < 0 || !ctl_socket_path(c, &to) ||
        connect(end.fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        fd_close(&end.fd);
        return ERR_CLOSED;
    }
    struct ipc_options o = {
        .own_role = ROLE_ADMIN, .peer_role = ROLE_STORE, .gone = lost, .state = c};
    return ipc_attach(&end, &o, &c->store);
}

static enum status
connect_store(struct ctl *c)
{
    struct sockaddr_un to = {0};
    enum status e = ctl_connect(c);

    if (e == ERR_CLOSED) {
        (void)ctl_socket_path(c, &to); /* cut when too long: good enough to be read */
        fprintf(stderr,
                "godwit: the server does not answer at %s; is it running, and are you root or its "
                "user?\n",
                to.sun_path);
    }
    return e;
}

/* ---- words ---- */

int
ctl_fail(const struct ctl *c, enum status e)
{
    const struct problem *p = ipc_problem();
    static const char *const words[STATUS_COUNT] = {
        [ERR_SYNTAX] = "that is not a valid name, address or number",
        [ERR_LIMIT] = "a limit was reached",
        [ERR_NOT_FOUND] = "there is no such thing",
        [ERR_EXISTS] = "it is there already",
        [ERR_DENIED] = "not allowed",
        [ERR_TEMP] = "not possible now, try again",
        [ERR_CLOSED] = "the server ended the conversation",
        [ERR_NO_SPACE] = "the disk is full",
        [ERR_QUOTA] = "the account's quota is reached",
    };
    const char *text = p->text[0] != '\0' ? p->text : words[e] != NULL ? words[e] : status_name(e);

    fprintf(stderr, "godwit %s %s: %s\n", c->noun, c->verb->name, text);
    return CTL_FAILED;
}

struct str
ctl_arg(const struct ctl *c, int i)
{
    return i < c->argc ? str_of(c->argv[i]) : STR("");
}

struct str
ctl_address(const struct ctl *c, int i)
{
    return name_address(ctl_arg(c, i), c->arena);
}

struct str
ctl_domain(const struct ctl *c, int i)
{
    return name_domain(ctl_arg(c, i), c->arena);
}

static bool
read_line(struct secret *out)
{
    char line[SECRET_MAX + 2];
    bool ok = fgets(line, sizeof(line), stdin) != NULL;
    size_t n = ok ? strlen(line) : 0;

    while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
        n--;
    ok = ok && n > 0 && secret_set(out, str_from(line, n));
    mem_wipe(line, sizeof(line));
    return ok;
}

static bool
prompt(const char *text, struct secret *out)
{
    struct termios was, silent;

    if (tcgetattr(STDIN_FILENO, &was) != 0)
        return false;
    silent = was;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent); /* first: who sees the question may type at once */
    fprintf(stderr, "%s", text);
    bool ok = read_line(out);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
    fprintf(stderr, "\n");
    return ok;
}

bool
ctl_read_secret(const char *question, struct secret *out)
{
    return isatty(STDIN_FILENO) ? prompt(question, out) : read_line(out);
}

bool
ctl_read_password(struct secret *out)
{
    AUTO_SECRET again = {0};

    if (!isatty(STDIN_FILENO)) {
        if (read_line(out))
            return true;
        fprintf(stderr, "godwit: the password is expected as the first line of standard input\n");
        return false;
    }
    if (!prompt("Password: ", out) || !prompt("Once more: ", &again))
        return false;
    if (str_eq(secret_str(out), secret_str(&again)))
        return true;
    fprintf(stderr, "godwit: the two differ\n");
    return false;
}

bool
ctl_read_size(const char *text, uint64_t *out)
{
    struct scan s = scan_of(str_of(text));
    uint64_t n;
    size_t unit = 1, bytes;

    if (strcmp(text, "none") == 0) {
        *out = 0;
        return true;
    }
    if (!scan_u64(&s, INT64_MAX, &n))
        return false;
    if (scan_char(&s, 'K'))
        unit = 1ull << 10;
    else if (scan_char(&s, 'M'))
        unit = 1ull << 20;
    else if (scan_char(&s, 'G'))
        unit = 1ull << 30;
    else if (scan_char(&s, 'T'))
        unit = 1ull << 40;
    if (!scan_at_end(&s) || !size_mul(n, unit, &bytes) || bytes > INT64_MAX)
        return false;
    *out = bytes;
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

const char *
ctl_size_text(uint64_t bytes, char *text, size_t size)
{
    static const char *const units[] = {" bytes", "K", "M", "G", "T"};
    size_t unit = 0;
    double v = (double)bytes;

    while (v >= 1024 && unit < COUNT_OF(units) - 1) {
        v /= 1024;
        unit++;
    }
    snprintf(text, size, unit == 0 ? "%.0f%s" : "%.1f%s", v, units[unit]);
    return text;
}

const char *
ctl_time_text(int64_t us, char *text, size_t size)
{
    struct civil c = civil_from_unix(us / 1000000);

    if (us == 0)
        snprintf(text, size, "-");
    else
        snprintf(text, size, "%04d-%02d-%02d %02d:%02d:%02d UTC", c.year, c.month, c.day, c.hour,
                 c.minute, c.second);
    return text;
}
