/* sendmail_options.c - the command line of sendmail, as it grew over forty years: what matters is done, what is
 * harmless is passed over, what would be misunderstood is refused.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <string.h>

#include "base/encode.h"
#include "ctl/sendmail.h"
#include "mail/address.h"

/* The first word that is no option ends them ("+"): addresses of strangers must not become options. */
static const char letters[] = "+:A:B:C:F:GIL:M:N:O:R:UV:X:b:cd::e:f:h:imno:p:q::r:stvx";

static const struct {
    char letter;
    enum sendmail_mode mode;
} modes[] = {
    {'m', SENDMAIL_DELIVER}, {'s', SENDMAIL_SMTP},    {'p', SENDMAIL_LIST},
    {'i', SENDMAIL_ALIASES}, {'I', SENDMAIL_ALIASES},
};

static bool
read_mode(const char *word, struct sendmail_options *o, struct problem *why)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (word[0] == modes[i].letter && word[1] == '\0') {
            o->mode = modes[i].mode;
            return true;
        }
    }
    problem_set(why, 0, "", "-b%s is not served; the server is started by godwit serve", word);
    return false;
}

/* NOTIFY of RFC 3461 section 4.1. */
static bool
read_notify(struct str word, struct arena *a, struct sendmail_options *o, struct problem *why)
{
    struct str rest = word, one;
    bool never = str_eq_nocase(word, STR("never"));

    while (!never && str_split(&rest, ',', &one)) {
        if (str_eq_nocase(one, STR("success")) || str_eq_nocase(one, STR("failure")) ||
            str_eq_nocase(one, STR("delay")))
            continue;
        problem_set(why, 0, "", "-N wants never, or some of success,failure,delay");
        return false;
    }
    o->notify = arena_printf(a, " NOTIFY=%.*s", STR_FMT(word));
    return true;
}

static bool
read_ret(struct str word, struct sendmail_options *o, struct problem *why)
{
    bool full = str_eq_nocase(word, STR("full"));

    if (!full && !str_eq_nocase(word, STR("hdrs"))) {
        problem_set(why, 0, "", "-R wants full or hdrs");
        return false;
    }
    o->ret = full ? STR(" RET=FULL") : STR(" RET=HDRS");
    return true;
}

static bool
read_envid(struct str word, struct arena *a, struct sendmail_options *o, struct problem *why)
{
    AUTO_BUF b = BUF(128);

    buf_add_z(&b, " ENVID=");
    xtext_write(&b, word);
    if (word.len == 0 || buf_status(&b) != OK || !str_is_ascii(word)) {
        problem_set(why, 0, "", "-V wants at most 100 characters of ASCII");
        return false;
    }
    o->envid = arena_str(a, buf_str(&b));
    return true;
}

/* One option; those that nobody misses when they do nothing are named at the end. */
static bool
read_option(int letter, struct arena *a, struct sendmail_options *o, struct problem *why)
{
    switch (letter) {
    case 't': o->find_rcpts = true; return true;
    case 'i': o->keep_dots = true; return true;
    case 'v': o->verbose = true; return true;
    case 'F': o->name = str_of(optarg); return true;
    case 'C': o->config = optarg; return true;
    case 'f':
    case 'r':
        o->sender = str_of(optarg);
        o->has_sender = true;
        return true;
    case 'b': return read_mode(optarg, o, why);
    case 'N': return read_notify(str_of(optarg), a, o, why);
    case 'R': return read_ret(str_of(optarg), o, why);
    case 'V': return read_envid(str_of(optarg), a, o, why);
    case 'q': o->mode = SENDMAIL_RUN; return true;
    case 'o': /* -oi is -i; -oem, -odb and others say how a sendmail is to work */
        o->keep_dots = o->keep_dots || optarg[0] == 'i';
        return true;
    case ':': problem_set(why, 0, "", "-%c wants a value", optopt); return false;
    case '?': problem_set(why, 0, "", "there is no option -%c", optopt); return false;
    default: return true; /* A B G I L M O U X c d e h m n p s x */
    }
}

bool
sendmail_read_options(int argc, char **argv, struct arena *a, struct sendmail_options *out,
                      struct problem *why)
{
    struct sendmail_options o = {0};
    int letter;

    if (strcmp(argv[0], "mailq") == 0)
        o.mode = SENDMAIL_LIST;
    if (strcmp(argv[0], "newaliases") == 0)
        o.mode = SENDMAIL_ALIASES;
    optind = 0; /* of the GNU C library: begin anew */
    opterr = 0;
    while ((letter = getopt(argc, argv, letters)) != -1)
        if (!read_option(letter, a, &o, why))
            return false;
    o.rcpts = argv + optind;
    o.rcpt_count = argc - optind;
    if (o.mode == SENDMAIL_DELIVER && !o.find_rcpts && o.rcpt_count == 0) {
        problem_set(why, 0, "", "to whom? Name recipients, or say -t to take them from the header");
        return false;
    }
    *out = o;
    return true;
}
