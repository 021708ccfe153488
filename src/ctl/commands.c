/* commands.c - every verb of the program.  `role` is not listed: boss says it; those without a function are
 * godwit-server's.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>

#include "ctl/command.h"

const char *
command_config(void)
{
    const char *env = getenv("GODWIT_CONFIG");

    return env != NULL ? env : COMMAND_CONFIG;
}

const struct command commands[] = {
    {"setup", "DOMAIN [options]", "make this machine a mail server", NULL},
    {"check", "[spf, mime ...]", "what is wrong, and how to mend it; what judges say", NULL},
    {"doctor", "", "the same and more: as clients meet the server", NULL},
    {"serve", "", "run the mail server in the foreground", NULL},
    {"account", "add, list, password ...", "accounts and their passwords", account_command},
    {"alias", "set, remove, list", "addresses that lead to others", alias_command},
    {"import", "accounts, imap, maildir, mbox ...", "what another mail server had", NULL},
    {"export", "maildir, mbox", "the mail of an account, as files", export_command},
    {"domain", "add, list, show, check ...", "domains and their DNS records", NULL},
    {"block", "list, add, remove", "who may not connect, and who is slowed", block_command},
    {"dmarc", "send", "reports about mail in somebody's name", dmarc_command},
    {"tls-reports", "send", "reports about TLS with servers", tls_reports_command},
    {"queue", "list, summary, retry, pause ...", "mail on its way to other servers", queue_command},
    {"log", "[--follow] [TEXT ...]", "what happened, filtered", log_command},
    {"trace", "ADDRESS | MESSAGE-ID | QID", "what happened to a message", trace_command},
    {"explain", "rcpt, route, login", "what would happen, and why", explain_command},
    {"stats", "[--prometheus]", "what was counted, since the start and lately", stats_command},
    {"reload", "", "take the configuration anew, nobody disconnected", reload_command},
    {"upgrade", "", "the installed program takes over, no client refused", upgrade_command},
    {"rollback", "", "the program before takes over again", rollback_command},
    {"who", "[ADDRESS]", "who is logged in", who_command},
    {"kick", "ADDRESS|SESSION", "end sessions", kick_command},
    {"sendmail", "[options] RECIPIENT ...", "take a message from a program", sendmail_command},
    {"status", "", "what runs, and what waits", status_command},
    {NULL, NULL, NULL, NULL},
};
