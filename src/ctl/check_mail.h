/* check_mail.h - godwit check WHAT: what Godwit's judges say of a question, without a server and without root.
 *
 * A judge is one function from a question to an answer, both JSON objects.  The frame makes the question of the options
 * ("--from A" is {"from": "A"}) or takes it from a line of --batch, and prints what the judge says.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_CHECK_MAIL_H
#define CTL_CHECK_MAIL_H

#include <jansson.h>

#include "base/arena.h"
#include "dns/resolver.h"

/* Of the command; of --batch it is CHECK_GOOD, or CHECK_USAGE when a question could not be read. */
enum check_exit {
    CHECK_GOOD = 0,    /* the mail passes, or was shown */
    CHECK_BAD = 1,     /* it does not */
    CHECK_USAGE = 2,   /* wrong options, question or file */
    CHECK_NOTHING = 3, /* nothing is published or signed that could be judged */
    CHECK_LATER = 4,   /* cannot be told now */
};
struct check_mail {
    struct arena *a;           /* ends with the question */
    struct resolver *resolver; /* NULL unless the verb asks */
};
/* What the arena of a question may hold besides a message and what is made of it. */
#define CHECK_ARENA_MAX ((size_t)256 << 20)

struct check_verb {
    const char *name, *usage, *about;
    const char *const *options; /* "--from": those that take a value; ended by NULL */
    bool takes_file;            /* a word of its own: "file" of the question */
    bool asks;                  /* takes --dns-file and -c, and has a resolver */
    /* SUSPENDS.  CHECK_USAGE goes with "error" in the answer. */
    int (*answer)(struct check_mail *m, const json_t *question, json_t *answer);
    void (*tell)(const json_t *answer); /* for people; not called for CHECK_USAGE */
};
extern const struct check_verb check_arc_verb;   /* check_dkim.c */
extern const struct check_verb check_dkim_verb;  /* check_dkim.c */
extern const struct check_verb check_dmarc_verb; /* check_dmarc.c */
extern const struct check_verb check_mime_verb;  /* check_mime.c */
extern const struct check_verb check_spam_verb;  /* check_spam.c */
extern const struct check_verb check_spf_verb;   /* check_spf.c */

/* argv[0] is one of those verbs.  The whole of `godwit check WHAT ...`. */
bool check_mail_has(const char *name);
int check_mail_command(int argc, char **argv);
void check_mail_usage(void); /* a line for each, on standard output */

/* ---- for judges ---- */

/* A text of the question; empty when it is not there. */
struct str check_text(const json_t *question, const char *name);
/* CHECK_USAGE, with what is wrong in the answer. */
int check_refuse(json_t *answer, const char *format, ...) PRINTF(2, 3);
/* The file that the question names, "-" = standard input; at most LIMIT_MESSAGE_BYTES.  False: check_refuse() was
 * called. */
MUST_USE bool check_read_file(struct check_mail *m, const json_t *question, struct str *out,
                              json_t *answer);
/* Puts a text that strangers wrote; bytes that are no UTF-8 become U+FFFD. */
void check_put(json_t *answer, const char *name, struct str value);
/* Prints "name: value" when there is one, without control characters. */
void check_print(const json_t *answer, const char *name, const char *label);

#endif
