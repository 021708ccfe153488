/* commands.c - every verb of the program.  `role` is not listed: boss says it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "role/command.h"

const struct command commands[] = {
    {"serve", "", "run the mail server in the foreground", serve_command},
    {"account", "add, list, password ...", "accounts and their passwords", account_command},
    {"alias", "set, remove, list", "addresses that lead to others", alias_command},
    {"domain", "add, list, show, remove", "domains and their DNS records", domain_command},
    {"queue", "list, retry, hold, drop ...", "mail on its way to other servers", queue_command},
    {"status", "", "what runs, and what waits", status_command},
    {NULL, NULL, NULL, NULL},
};
