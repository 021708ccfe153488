/* homograph.h - domains that look like another one to people: mixed alphabets, and letters that look alike.
 *
 * By Unicode Technical Standard 39 as libicu has it.  Names in one alphabet of their own, such as a Russian name below
 * .rf, are none.
 *
 * Promises:  a pure function, in time linear in the name; a name that is no domain is none.
 * Use:       homograph_open() before a role's jail, once; it loads the tables.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_HOMOGRAPH_H
#define POLICY_HOMOGRAPH_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

enum homograph {
    HOMOGRAPH_NONE,
    HOMOGRAPH_MIXED, /* a label mixes alphabets as no language does */
    HOMOGRAPH_LATIN, /* below a Latin top level a label of another alphabet has Latin look-alikes alone */
};
const char *homograph_name(enum homograph h);
/* False: libicu has no tables. */
MUST_USE bool homograph_open(void);
/* domain: in A-labels or U-labels. */
enum homograph homograph_of(struct str domain);
/* Two different names that look the same: one of ours, and that of a stranger's From. */
bool homograph_alike(struct str a, struct str b);
/* What a domain looks like, as a number: the same for all names that look the same.  0: it is no domain. */
uint64_t homograph_look(struct str domain);
/* Does a word of a name, in UTF-8, mix Latin with letters of other alphabets that all look Latin?  Words that mix
 * alphabets as people do ("SMS" with a Russian ending) have letters that look like none, and do not. */
bool homograph_word(struct str word);

#endif
