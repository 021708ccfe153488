/* check.h - between the parts of `godwit check`.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_CHECK_H
#define CTL_CHECK_H

#include <sys/socket.h>

#include "ctl/ctl.h"
#include "setup/network.h"

#define CHECK_ADDRESSES_MAX 16u
struct ctl_check {
    struct ctl ctl; /* store: NULL when no server answers */
    struct arena *a;
    struct findings findings;
    const char *config_path;
    struct str addresses[CHECK_ADDRESSES_MAX];
    size_t address_count;
    bool json, offline, deep; /* deep: godwit doctor */
    struct str time_server;   /* "HOST:PORT"; empty: the usual one */
    int exit;
};
/* Everything on this machine that the configuration names: check_files.c.  runs: the server has them open. */
void ctl_check_files(struct ctl_check *k, bool runs);
/* What takes longer, talks to the server, or writes to its disk: doctor.c. */
SUSPENDS void ctl_doctor(struct ctl_check *k, bool runs);
/* What is there to be seen without asking anybody: doctor_machine.c. */
void ctl_doctor_machine(struct ctl_check *k, bool runs);
/* What the running server is and does: doctor_server.c.  answers: every service does. */
SUSPENDS void ctl_doctor_server(struct ctl_check *k, bool answers);

/* May this machine ask the service?  doctor.c */
bool ctl_doctor_takes_us(const struct config_listen *l);
/* "127.0.0.1:993", or the path of the socket. */
const char *ctl_doctor_place(struct ctl_check *k, const struct config_listen *l);

/* ---- doctor_dial.c: blocks for some seconds at worst ---- */
#define DOCTOR_LINE 2048
bool ctl_doctor_address(const struct config_address *at, struct sockaddr_storage *to,
                        socklen_t *len);
/* -1: nobody takes the connection. */
int ctl_doctor_dial(const struct config *c, const struct config_listen *l);
/* The last line of an answer, without its end; empty when none comes. */
struct str ctl_doctor_hear(int fd, char line[DOCTOR_LINE]);
struct str ctl_doctor_say(int fd, const char *say, char line[DOCTOR_LINE]);
/* The first process of the running server. */
bool ctl_doctor_boss(struct ctl_check *k, pid_t *out);

#endif
