/* commands.c - every verb of the program.  `role` is not listed: boss says it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "role/command.h"

const struct command commands[] = {
    {"serve", "[-c FILE]", "run the mail server in the foreground", serve_command},
    {NULL, NULL, NULL, NULL},
};
