/* directory_explain.h - the way of an address through the directory, step by step.
 *
 * Promises:  the same look-ups as directory_resolve(), and nothing is changed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_DIRECTORY_EXPLAIN_H
#define STORE_DIRECTORY_EXPLAIN_H

#include "store/directory.h"

/* directory_resolve(), with every address that was looked at, in order. */
enum directory_found { /* order of enum<7> found in admin.ipc */
                       DIRECTORY_FOUND_FOREIGN,
                       DIRECTORY_FOUND_NOBODY,
                       DIRECTORY_FOUND_ACCOUNT,
                       DIRECTORY_FOUND_DISABLED, /* an account that takes no mail */
                       DIRECTORY_FOUND_ALIAS,
                       DIRECTORY_FOUND_TOO_DEEP, /* leads on past LIMIT_ALIAS_DEPTH */
                       DIRECTORY_FOUND_FORWARD,  /* an account whose mail is sent on */
                       DIRECTORY_FOUND_KEEP,     /* the same, and it keeps a copy */
};
struct directory_step {
    struct str address;
    struct str
        entry; /* what answers for it: itself, itself without its tag, or "@domain"; empty = nothing */
    enum directory_found found;
    uint64_t account;
    uint32_t depth;
};
struct directory_steps {
    struct directory_step *list; /* at most LIMIT_ALIAS_EXPANSION */
    size_t count, room;
    bool cut; /* the expansion is too large: the address is undeliverable */
};
MUST_USE SUSPENDS enum status directory_explain(struct directory *d, struct str address,
                                                struct arena *a, struct directory_resolution *out,
                                                struct directory_steps *steps_out);

#endif
