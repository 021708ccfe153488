/* view_trace.h - lines of the log and of the trace as JSON, for the godwit command and for the API.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef API_VIEW_TRACE_H
#define API_VIEW_TRACE_H

#include <jansson.h>

#include "trace/life.h"

/* The fields of a line of the log; bytes that are no UTF-8 stay as the log wrote them. */
json_t *view_line(struct str line);
/* The same, and what it says in words. */
json_t *view_trace_step(struct str line);
json_t *view_trace_summary(struct str id, const struct trace_summary *s);

#endif
