/* event_begin.c - begins the log line of an event.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/events.h"
#include "rt/logger.h"

bool
event_begin(struct log_line *l, enum event e)
{
    ASSERT(e < EVENT_COUNT);
    return logger_begin(l, events[e].level, events[e].name);
}
