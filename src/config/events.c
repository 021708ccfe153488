/* events.c - the table of log events as data.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/events.h"

#include "base/size.h"

#define EVENT_AS_INFO(constant, name, level, fields, meaning) {name, level, fields, meaning},
const struct event_info events[EVENT_COUNT] = {EVENTS(EVENT_AS_INFO)};
