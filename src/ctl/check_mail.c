/* check_mail.c - see check_mail.h: the frame around the judges, and the table of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ctl/check_mail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/view.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "ctl/command.h"
#include "role/resolving.h"
#include "rt/loop.h"
#include "setup/machine.h"

static const struct check_verb *const verbs[] = {
    &check_arc_verb,  &check_dkim_verb, &check_dmarc_verb,
    &check_mime_verb, &check_spam_verb, &check_spf_verb,
};

enum { CONFIG_BYTES_MAX = 1 << 20, READ_PIECE = 65536, PRINTED_MAX = 4096 };

/* One run of the command. */
struct run {
    const struct check_verb *verb;
    struct check_mail m;
    json_t *question;
    const char *batch, *dns_file, *config;
    bool json, help;
    int exit;
};

static bool read_words(struct run *r, int argc, char **argv);
static void work(void *arg);
static SUSPENDS bool open_resolver(struct run *r);
static SUSPENDS void answer_one(struct run *r);
static SUSPENDS void answer_batch(struct run *r);

static const struct check_verb *
find_verb(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

bool
check_mail_has(const char *name)
{
    return find_verb(name) != NULL;
}

void
check_mail_usage(void)
{
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        printf("  godwit check %-5s %s\n", verbs[i]->name, verbs[i]->about);
}

static int
usage(const struct check_verb *v, FILE *to)
{
    fprintf(to, "usage: godwit check %s %s\n", v->name, v->usage);
    fprintf(to, "       godwit check %s --batch FILE%s\n\n%s.\n", v->name,
            v->asks ? " [--dns-file FILE] [-c FILE]" : "", v->about);
    fprintf(to,
            "Exit status: 0 passes, 1 does not, 2 wrong usage, 3 nothing to judge by, 4 cannot be "
            "told now.\n");
    return to == stdout ? CHECK_GOOD : CHECK_USAGE;
}

int
check_mail_command(int argc, char **argv)
{
    struct run r = {.verb = find_verb(argv[0]), .exit = CHECK_USAGE};

    ASSERT(r.verb != NULL);
    r.question = json_object();
    if (!read_words(&r, argc, argv)) {
        json_decref(r.question);
        return usage(r.verb, r.help ? stdout : stderr);
    }
    loop_init();
    if (fiber_go(work, &r) == OK)
        loop_run();
    json_decref(r.question);
    return r.exit;
}

/* ---- words ---- */

/* The place of an option of the frame. */
static const char **
frame_option(struct run *r, const char *word)
{
    if (strcmp(word, "--batch") == 0)
        return &r->batch;
    if (r->verb->asks && strcmp(word, "--dns-file") == 0)
        return &r->dns_file;
    if (r->verb->asks && (strcmp(word, "-c") == 0 || strcmp(word, "--config") == 0))
        return &r->config;
    return NULL;
}

static bool
is_option(const struct check_verb *v, const char *word)
{
    for (size_t i = 0; v->options != NULL && v->options[i] != NULL; i++)
        if (strcmp(v->options[i], word) == 0)
            return true;
    return false;
}

static bool
add_word(struct run *r, const char *name, const char *value)
{
    return json_object_get(r->question, name) == NULL && utf8_valid(str_of(value)) &&
           json_object_set_new(r->question, name, json_string(value)) == 0;
}

static bool
read_words(struct run *r, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char **to = frame_option(r, argv[i]);
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            r->help = true;
            return false;
        }
        if (strcmp(argv[i], "--json") == 0) {
            r->json = true;
        } else if (to != NULL && i + 1 < argc) {
            *to = argv[++i];
        } else if (is_option(r->verb, argv[i]) && i + 1 < argc) {
            if (!add_word(r, argv[i] + 2, argv[i + 1]))
                return false;
            i++;
        } else if (!r->verb->takes_file || (argv[i][0] == '-' && argv[i][1] != '\0') ||
                   !add_word(r, "file", argv[i])) {
            return false;
        }
    }
    return (r->batch != NULL) != (json_object_size(r->question) > 0);
}

/* ---- working ---- */

static FIBER_ENTRY void
work(void *arg)
{
    struct run *r = arg;

    if (!r->verb->asks || open_resolver(r)) {
        if (r->batch != NULL)
            answer_batch(r);
        else
            answer_one(r);
    }
    resolver_free(&r->m.resolver);
    fflush(stdout);
    loop_stop();
}

static enum status
read_all(const char *path, struct buf *b)
{
    if (strcmp(path, "-") != 0)
        return machine_read_file(str_of(path), b);
    for (;;) {
        char *to = buf_tail(b, READ_PIECE);
        if (to == NULL)
            return ERR_LIMIT;
        ssize_t n = read(STDIN_FILENO, to, READ_PIECE);
        if (n == 0)
            return OK;
        if (n < 0 && errno != EINTR)
            return ERR_IO;
        if (n > 0)
            buf_grew(b, (size_t)n); /* positive */
    }
}

static const char *
reason(enum status e)
{
    switch (e) {
    case ERR_NOT_FOUND: return "there is no such file";
    case ERR_DENIED: return "may not be read";
    case ERR_LIMIT: return "is too large";
    default: return "cannot be read";
    }
}

/* What the zone file says, else what the configuration names, else what this machine uses. */
static SUSPENDS bool
open_resolver(struct run *r)
{
    AUTO_BUF text = BUF(r->dns_file != NULL ? LIMIT_ZONE_BYTES + READ_PIECE : CONFIG_BYTES_MAX);
    AUTO(config_free) struct config *config = NULL;
    const char *path = r->dns_file != NULL ? r->dns_file : r->config;
    const char *named = path != NULL ? path : command_config();
    struct resolver_options o = {.dnssec = access(RESOLVER_ANCHOR_FILE, R_OK) == 0};
    struct problem why = {0};

    enum status e = read_all(named, &text);
    if (e != OK && path != NULL)
        problem_set(&why, 0, "", "%s", reason(e));
    else if (r->dns_file != NULL) {
        o.zone = text.len > 0 ? buf_str(&text) : STR("");
        e = resolver_new(&o, &r->m.resolver, &why);
    } else if (e == OK) {
        e = config_read(buf_str(&text), named, &config, &why);
        if (e == OK)
            e = role_resolver_new(config, &r->m.resolver, &why);
    } else
        e = resolver_new(&o, &r->m.resolver, &why);
    if (e != OK)
        fprintf(stderr, "godwit: %s: %s\n", named, why.text);
    return e == OK;
}

static SUSPENDS void
answer_one(struct run *r)
{
    json_t *answer = json_object();

    r->m.a = arena_new(CHECK_ARENA_MAX);
    r->exit = r->verb->answer(&r->m, r->question, answer);
    if (r->json) {
        json_dumpf(answer, stdout, JSON_INDENT(2));
        printf("\n");
    } else if (r->exit == CHECK_USAGE) {
        fprintf(stderr, "godwit: %s\n", json_string_value(json_object_get(answer, "error")));
    } else
        r->verb->tell(answer);
    json_decref(answer);
    arena_free(&r->m.a);
}

static SUSPENDS int
answer_line(struct run *r, struct str line)
{
    json_t *answer = json_object();
    json_error_t error;
    json_t *question = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, &error);
    int exit;

    r->m.a = arena_new(CHECK_ARENA_MAX);
    if (json_is_object(question))
        exit = r->verb->answer(&r->m, question, answer);
    else
        exit = check_refuse(answer, "this line is no JSON object");
    json_dumpf(answer, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(question);
    json_decref(answer);
    arena_free(&r->m.a);
    return exit;
}

static SUSPENDS void
answer_batch(struct run *r)
{
    AUTO_BUF text = BUF(LIMIT_CHECK_BATCH_BYTES);
    struct str rest, line;

    enum status e = read_all(r->batch, &text);
    if (e != OK) {
        fprintf(stderr, "godwit: %s: %s\n", r->batch, reason(e));
        return;
    }
    r->exit = CHECK_GOOD;
    rest = buf_str(&text);
    while (str_split(&rest, '\n', &line))
        if (str_trim(line).len > 0 && answer_line(r, line) == CHECK_USAGE)
            r->exit = CHECK_USAGE;
}

/* ---- for judges ---- */

struct str
check_text(const json_t *question, const char *name)
{
    const json_t *v = json_object_get(question, name);

    return json_is_string(v) ? str_from(json_string_value(v), json_string_length(v)) : STR("");
}

int
check_refuse(json_t *answer, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_object_clear(answer);
    check_put(answer, "error", str_of(text));
    return CHECK_USAGE;
}

bool
check_read_file(struct check_mail *m, const json_t *question, struct str *out, json_t *answer)
{
    AUTO_BUF text = BUF(LIMIT_MESSAGE_BYTES + READ_PIECE);
    const char *path = json_string_value(json_object_get(question, "file"));

    if (path == NULL) {
        (void)check_refuse(answer, "which file?");
        return false;
    }
    enum status e = read_all(path, &text);
    if (e == OK && text.len > LIMIT_MESSAGE_BYTES)
        e = ERR_LIMIT;
    if (e != OK) {
        (void)check_refuse(answer, "%s: %s", path, reason(e));
        return false;
    }
    *out = text.len > 0 ? arena_str(m->a, buf_str(&text)) : STR("");
    return true;
}

void
check_put(json_t *answer, const char *name, struct str value)
{
    json_object_set_new(answer, name, view_str(value));
}

void
check_print(const json_t *answer, const char *name, const char *label)
{
    AUTO_BUF clean = BUF(3 * PRINTED_MAX + 1);
    struct str value = check_text(answer, name);

    if (value.len == 0)
        return;
    view_clean(&clean, str_sub(value, 0, PRINTED_MAX), false);
    printf("%-12s %.*s\n", label, STR_FMT(buf_str(&clean)));
}
