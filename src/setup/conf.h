/* conf.h - the text of godwit.conf: a first one from what set-up found, and later changes of single lines.
 *
 * Promises:  a change keeps every other line, comment and order of the operator; what is written is read by
 *            config_read().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_CONF_H
#define SETUP_CONF_H

#include "base/arena.h"
#include "base/buf.h"
#include "config/config.h"

struct conf_first {
    struct str host, domain, data_dir, run_dir, user, log_file;
    struct str cert_file, key_file;
    struct str listen;       /* address of the listen lines: "*", "127.0.0.1", "::1" */
    uint32_t port_base;      /* added to the usual ports */
    struct str resolver;     /* the words after "resolver" */
    struct str resolver_why; /* a comment */
    struct str smarthost;    /* the words after "smarthost", or empty */
    bool ipv4_only;
};
void conf_write_first(const struct conf_first *f, struct buf *b);
/* Replaces the first line of this setting and removes its others; line = "SETTING ...", appended when there was none.
 * The new text lives in a.  Equal text comes back when nothing changes. */
struct str conf_set(struct str text, struct str line, struct arena *a);
/* Adds the line unless it is there. */
struct str conf_add(struct str text, struct str line, struct arena *a);
/* May this setting stand on several lines (listen, route ...)?  tls counts as single here. */
bool conf_repeats(struct str setting);
/* A value as a word of the configuration: quoted where it must be. */
void conf_word(struct str value, struct buf *b);
/* The address that "listen" and "--port-base" give a service. */
uint16_t conf_usual_port(enum service s);

#endif
