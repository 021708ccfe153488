/* log.h - one structured log line per event, built from the event table (config/events.h).
 *
 * Line:      t=2026-11-23T22:31:12.123456Z lvl=info ev=smtp.rcpt sid=8f3a... key=value ...
 *            Values with anything but [A-Za-z0-9._:@<>/+-] are quoted, with \" \\ and \xHH escapes, so
 *            that no peer can forge or break a line.  A value that does not fit is cut, quoted and
 *            followed by three dots outside its quotes; a line that lost a whole field ends in " ...".
 * Never:     writes anywhere: rt/logger.h sends the line.  There is no way to add a struct secret.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/buf.h"
#include "base/time.h"

#define LOG_LINE_MAX  2048u
#define LOG_VALUE_MAX 512u /* as written: one long value does not push the others out */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_line {
    struct buf text; /* at most LOG_LINE_MAX; over means that a field was lost */
    bool urgent;     /* rt/logger.h's: never waits for the end of a turn */
    bool kept;       /* and goes to who keeps such lines */
    bool quiet;      /* and is below the level of the log */
};
void log_line_init(struct log_line *l, struct instant t, enum log_level lvl, const char *event);
void log_line_release(struct log_line *l);
/* Event and keys are names from the program: 1 to 32 of [a-z0-9_.]. */
void log_str(struct log_line *l, const char *key, struct str value);
void log_u64(struct log_line *l, const char *key, uint64_t value);
void log_i64(struct log_line *l, const char *key, int64_t value);
void log_hex64(struct log_line *l, const char *key, uint64_t value);
struct str log_line_end(struct log_line *l); /* with its LF; borrowed from l */

#endif
