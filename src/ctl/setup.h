/* setup.h - between the parts of `godwit setup`: what was decided, what was made, what goes with it.
 *
 * Order:     setup.c runs the steps: plan (setup_plan.c) decides and asks, look (setup_look.c) finds out
 *            what the machine can do, make (setup_make.c) writes keys, certificate and configuration, fill
 *            (setup_fill.c) has a server make domain, DKIM key and account, tell (setup_tell.c) says what
 *            to do next.
 * Promises:  a step that fails has its sentence in `why`; everything made so far is taken back.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_SETUP_H
#define CTL_SETUP_H

#include "ctl/ctl.h"
#include "ipc/admin_ipc.h"
#include "setup/conf.h"
#include "setup/network.h"
#include "setup/options.h"
#include "setup/undo.h"

struct ctl_setup {
    struct setup_options o;
    struct ctl ctl; /* configuration, arena, channel to the server */
    struct arena *a;
    struct findings findings;
    struct undo undo;
    struct problem why;
    bool interactive, colour;
    /* plan */
    bool fresh; /* there was no configuration */
    struct str config_path, config_dir, master_key_path;
    struct str text, first_text; /* of the configuration, and as it was found */
    struct str domain, admin;
    struct owner owner; /* of the data */
    struct str user;
    bool make_user; /* it is not there yet, and owner not known */
    struct conf_first first;
    struct secret password;
    bool password_given, password_made;
    /* look */
    struct network net;
    /* fill */
    bool own_server; /* we started one; false: a running one was used */
    bool domain_added, account_added;
    struct admin_domain dns; /* of the domain; lives in a */
    struct admin_domain_keys_reply keys;
    /* tell */
    struct str self_signed; /* fingerprint; empty: a given certificate */
};

MUST_USE enum status ctl_setup_plan(struct ctl_setup *s);
SUSPENDS void ctl_setup_look(struct ctl_setup *s);
MUST_USE enum status ctl_setup_make(struct ctl_setup *s);
MUST_USE SUSPENDS enum status ctl_setup_fill(struct ctl_setup *s);
void ctl_setup_tell(const struct ctl_setup *s);

/* The text with the options of this run in it, read; into s->text and s->ctl.config. */
MUST_USE enum status ctl_setup_compose(struct ctl_setup *s);
/* A line of the answer when asking is allowed; fallback otherwise, and for an empty line. */
struct str ctl_setup_ask(const struct ctl_setup *s, const char *question, struct str fallback);
/* "made  PATH  what it is" */
void ctl_setup_did(const char *what, struct str object, const char *about);
bool ctl_setup_interrupted(void);

#endif
