/* logger.h - sends structured log lines (base/log.h) to the descriptor that boss gave this role.
 *
 * Promises:  one write per line or batch, never blocks the loop (a full pipe drops lines and counts them),
 *            adds the fiber's context (sid, user) and the role.
 * Use:       the event table of config/events.h gives name and level:
 *                AUTO(logger_send) struct log_line l;
 *                if (event_begin(&l, EVENT_SMTP_RCPT))
 *                    log_str(&l, "to", address);
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_LOGGER_H
#define RT_LOGGER_H

#include <stdbool.h>

#include "base/log.h"

void logger_init(int fd, enum log_level threshold, const char *role);
/* Lines go to this file from now on, also those that wait.  fd stays the caller's. */
void logger_move(int fd);
void logger_level(enum log_level threshold);
bool logger_begin(struct log_line *l, enum log_level lvl, const char *event);
/* sends what logger_begin() started; nothing when it said false */
void logger_send(struct log_line *l);

/* Some lines are kept apart as well, whatever the level of the log: those that this begins, once somebody keeps them.
 * keep() gets whole lines, with their LF, on the loop. */
void logger_keep(void (*keep)(struct str line));
bool logger_begin_kept(struct log_line *l, enum log_level lvl, const char *event);

#endif
