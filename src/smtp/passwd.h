/* passwd.h - the machine's table of users: which name has a number, passwd(5).
 *
 * Promises:  takes any bytes; a name that is returned can be the local part of an address as it is.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_PASSWD_H
#define SMTP_PASSWD_H

#include "base/str.h"

/* name ":" password ":" uid ":" ...      The first line with this number counts, as getpwuid() has it.  False: there is
 * none, or its name is none for an address. */
MUST_USE bool passwd_name(struct str table, uint32_t uid, struct str *name_out);

#endif
