#include "config/events.h"

#include "base/size.h"

#define EVENT_AS_INFO(constant, name, level, fields, meaning) {name, level, fields, meaning},
const struct event_info events[EVENT_COUNT] = {EVENTS(EVENT_AS_INFO)};
