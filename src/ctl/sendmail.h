/* sendmail.h - the sendmail command: its words, its conversation with the server, its exit status.
 *
 * Owns:      nothing that lasts: there is no spool.  Mail is with the server, or the command fails and says so.
 * Promises:  a message goes to all of its recipients or to none.  Every failure is one sentence on stderr and a status
 *            of sysexits.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_SENDMAIL_H
#define CTL_SENDMAIL_H

#include "base/arena.h"
#include "base/buf.h"

/* Where the server listens for it when the configuration cannot be read. */
#define SENDMAIL_SOCKET "/run/godwit/sendmail.sock"

enum sendmail_mode {
    SENDMAIL_DELIVER, /* -bm: a message on standard input */
    SENDMAIL_SMTP,    /* -bs: SMTP on standard input and output */
    SENDMAIL_LIST,    /* -bp, mailq */
    SENDMAIL_RUN,     /* -q: try what waits now */
    SENDMAIL_ALIASES, /* -bi, newaliases */
};
struct sendmail_options {
    enum sendmail_mode mode;
    bool find_rcpts; /* -t */
    bool keep_dots;  /* -i, -oi */
    bool verbose;    /* -v: the conversation on stderr */
    struct str sender;
    bool has_sender;               /* -f, -r; the sender may be empty */
    struct str name;               /* -F */
    struct str notify, ret, envid; /* as parameters of SMTP want them; empty: not said */
    const char *config;            /* -C, or NULL */
    char **rcpts;
    int rcpt_count;
};
/* argv[0] is the name it was called by.  False, and why: the words cannot be understood. */
MUST_USE bool sendmail_read_options(int argc, char **argv, struct arena *a,
                                    struct sendmail_options *out, struct problem *why);

/* ---- sendmail_talk.c ---- */

/* The exit status that a reply of the server means to whoever called. */
int sendmail_exit_of(int code, struct str enhanced);
/* Hands the message on; the exit status. */
int sendmail_deliver(const char *socket_path, const struct sendmail_options *o, struct str message);
/* -bs */
int sendmail_shuttle(const char *socket_path);

#endif
