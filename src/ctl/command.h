/* command.h - the verbs of the program: `godwit VERB ...`.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#define COMMAND_CONFIG "/etc/godwit/godwit.conf"
const char *command_config(void); /* $GODWIT_CONFIG, else the usual one; -c names another */

/* run() gets argv from the verb on (argv[0] is the verb) and returns the exit status; NULL: the program godwit-server
 * has the verb. */
struct command {
    const char *name;
    const char *usage; /* what follows the verb */
    const char *about; /* one line */
    int (*run)(int argc, char **argv);
};
extern const struct command commands[]; /* ctl/commands.c; ended by name = NULL */

int setup_command(int argc, char **argv);   /* setup.c */
int check_command(int argc, char **argv);   /* check.c */
int log_command(int argc, char **argv);     /* log.c */
int trace_command(int argc, char **argv);   /* trace.c */
int explain_command(int argc, char **argv); /* explain.c */
int stats_command(int argc, char **argv);   /* stats.c */
int serve_command(int argc, char **argv);   /* serve.c */
int account_command(int argc, char **argv); /* directory.c */
int alias_command(int argc, char **argv);
int domain_command(int argc, char **argv);      /* domain.c */
int export_command(int argc, char **argv);      /* export.c */
int import_command(int argc, char **argv);      /* import.c */
int block_command(int argc, char **argv);       /* block.c */
int dmarc_command(int argc, char **argv);       /* dmarc.c */
int tls_reports_command(int argc, char **argv); /* dmarc.c */
int queue_command(int argc, char **argv);       /* queue.c */
int status_command(int argc, char **argv);
int reload_command(int argc, char **argv);  /* reload.c */
int upgrade_command(int argc, char **argv); /* upgrade.c */
int rollback_command(int argc, char **argv);
int who_command(int argc, char **argv); /* who.c */
int kick_command(int argc, char **argv);
int sendmail_command(int argc,
                     char **argv); /* sendmail.c; argv[0]: sendmail, mailq or newaliases */

#endif
