/* alias_file.h - aliases as other mail servers write them down: /etc/aliases, virtual maps of Postfix, ~/.forward.
 *
 * Promises:  every line of the text belongs to exactly one entry, is empty, or is a comment; a line that cannot be read
 *            is an entry that says why, and the next one is read all the same.  Linear time.
 * Never:     looks into a file that a line names, or decides whether an address is any good.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_ALIAS_FILE_H
#define SETUP_ALIAS_FILE_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/scan.h"

enum alias_syntax {
    ALIAS_SENDMAIL, /* name: target, target       aliases(5) */
    ALIAS_VIRTUAL,  /* address target, target     virtual(5); "@domain" and a bare domain as well */
    ALIAS_FORWARD,  /* target, target             of one account */
};
enum alias_kind {
    ALIAS_ADDRESS,
    ALIAS_SELF,    /* \name: its own mailbox, past any forward */
    ALIAS_INCLUDE, /* :include:/file */
    ALIAS_COMMAND, /* |command */
    ALIAS_FILE,    /* /file */
    ALIAS_ERROR,   /* error:text, or another word of Postfix for a transport */
};
struct alias_target {
    enum alias_kind kind;
    struct str text; /* without what says its kind */
};
struct alias_entry {
    uint32_t line;     /* where it begins, from 1 */
    struct str name;   /* as written, unquoted; empty in ALIAS_FORWARD */
    const char *fault; /* NULL; else a few words, and nothing else is set */
    const struct alias_target *targets;
    size_t count;
};
struct alias_cursor {
    struct scan in;
    enum alias_syntax syntax;
    uint32_t line;
};
struct alias_cursor alias_cursor_of(struct str text, enum alias_syntax syntax);
/* The next entry; false at the end.  It lives in a, which may be emptied before the next one: ALIAS_ENTRY_BYTES are
 * enough. */
#define ALIAS_ENTRY_BYTES (8 * (size_t)LIMIT_ALIAS_LINE_BYTES)
bool alias_next(struct alias_cursor *c, struct arena *a, struct alias_entry *out);

#endif
