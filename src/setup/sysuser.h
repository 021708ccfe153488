/* sysuser.h - the system user that the server runs as, made and removed by the machine's own tools.
 *
 * Promises:  the user has a group of its own name, no shell, no home and no password.  A failure has its sentence in
 *            why, and leaves no user behind.
 * Needs:     root; blocks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_SYSUSER_H
#define SETUP_SYSUSER_H

#include <stdbool.h>

#include "base/status.h"
#include "base/str.h"

bool sysuser_can(void); /* this machine has the tools */
MUST_USE enum status sysuser_add(const char *name, struct problem *why);
bool sysuser_remove(const char *name);

#endif
