/* options.h - the words after `godwit setup`.
 *
 * Promises:  what is not given is NULL or 0; nothing is judged here but whether the option exists and has its value.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_OPTIONS_H
#define SETUP_OPTIONS_H

#include "base/buf.h"
#include "base/status.h"

#define OPTIONS_LIST_MAX 16u
struct options_list {
    const char *at[OPTIONS_LIST_MAX];
    size_t count;
};
struct setup_options {
    const char *domain;
    const char *host, *admin, *password_file;
    const char *config, *under, *data, *run_dir, *log, *user;
    const char *cert, *key;
    const char *listen, *port_base;
    const char *resolver, *probe;
    const char *smarthost, *smarthost_user, *smarthost_password_file;
    struct options_list addresses, lines;
    bool offline, yes, help;
};
MUST_USE enum status options_read(int argc, char **argv, struct setup_options *out,
                                  struct problem *why);
void options_help(struct buf *b);

/* The number of --port-base, 0 unless given. */
MUST_USE bool options_port_base(const struct setup_options *o, uint32_t *out);
/* A password that can be read aloud: groups of letters and digits that look like no other, 99 bits. */
void options_make_password(struct buf *b);

#endif
