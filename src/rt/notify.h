/* notify.h - tells the service manager that started us how we are: the datagrams of sd_notify(3).
 *
 * Promises:  notify_open() takes its variables out of the environment: no child speaks in our name.  Nothing
 *            blocks, and without a manager nothing is sent.
 * Never:     needs a library of the manager.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_NOTIFY_H
#define RT_NOTIFY_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/str.h"

#define NOTIFY_BYTES_MAX 512u
struct notify {
    int fd; /* -1: nobody listens */
    struct sockaddr_un to;
    socklen_t to_len;
    uint64_t watchdog_us; /* WATCHDOG=1 is expected within this time, each time; 0: never */
};
/* of NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID */
void notify_open(struct notify *n);
void notify_close(struct notify *n);
/* Into the environment again, for a program that takes our place; and out of it, when it does not. */
void notify_pass(const struct notify *n);
void notify_take_back(void);
/* Lines such as "READY=1". */
void notify_say(const struct notify *n, const char *lines);
/* "STATUS=" and one line, whatever bytes text has; cut at NOTIFY_BYTES_MAX. */
void notify_status(const struct notify *n, struct str text);
/* RELOADING=1; READY=1 ends it. */
void notify_reloading(const struct notify *n);

#endif
