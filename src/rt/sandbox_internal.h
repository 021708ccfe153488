/* sandbox_internal.h - between sandbox.c and the tables of sandbox_filter.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_SANDBOX_INTERNAL_H
#define RT_SANDBOX_INTERNAL_H

#include "rt/sandbox.h"

/* Loads the filter of these groups into this thread and all that it will start. */
MUST_USE enum status sandbox_filter_load(unsigned groups, struct problem *why);

#endif
