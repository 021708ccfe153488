/* import.h - what the files of `godwit import` share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_IMPORT_H
#define CTL_IMPORT_H

#include "base/buf.h"
#include "base/map.h"
#include "ctl/ctl.h"
#include "setup/alias_file.h"

/* What was typed; import.c has the table. */
struct import_options {
    const char *domain; /* NULL = the first */
    bool dry_run, update;
};
extern struct import_options import_options;

enum import_result { IMPORT_SAME, IMPORT_SET, IMPORT_LEFT_OUT };
struct import {
    struct ctl *c;
    const char *path;
    enum alias_syntax syntax;
    struct str account;                       /* of a .forward */
    struct map *aliases, *accounts, *domains; /* what is there */
    json_t *all;
    size_t counts[IMPORT_LEFT_OUT + 1];
};
struct import_wish { /* of one address */
    struct str address;
    uint32_t line;
    struct str targets[LIMIT_ALIAS_TARGETS];
    size_t count;
    bool self; /* its own mailbox as well */
};

/* The file of the first word; said on stderr when it cannot be read. */
MUST_USE enum status ctl_import_read(struct import *im, struct buf *text);
/* Asks what is there.  ctl_import_end() must follow. */
MUST_USE SUSPENDS enum status ctl_import_begin(struct import *im);
/* The last line, and the exit status. */
int ctl_import_end(struct import *im, enum status e);
/* Of a virtual map, and of rows that mean the same. */
SUSPENDS void ctl_import_alias(struct import *im, const struct alias_entry *e);
/* As the directory keeps it: in lower case, with a domain. */
struct str ctl_import_address(const struct import *im, struct str text);
bool ctl_import_is_address(struct str text);
/* What came of a line; why: may be NULL. */
void ctl_import_tell(struct import *im, const struct import_wish *w, enum import_result r,
                     const char *why);

/* ---- import_accounts.c ---- */
SUSPENDS int ctl_import_accounts(struct ctl *c);

#endif
