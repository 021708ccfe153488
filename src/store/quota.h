/* quota.h - how full an account is, in words that its owner and others are told.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include <stdint.h>

/* What the owner is told of, in rising order: LIMIT_QUOTA_WARN and LIMIT_QUOTA_URGENT per cent. */
enum quota_level { QUOTA_FINE, QUOTA_WARN, QUOTA_URGENT };
#define QUOTA_LEVELS (QUOTA_URGENT + 1)

/* Whole per cents, rounded down; 0 without a limit.  Above 100 where grace was used, or the quota lowered. */
static inline uint64_t
quota_percent(uint64_t used, uint64_t limit)
{
    if (limit == 0)
        return 0;
    return used <= UINT64_MAX / 100 ? used * 100 / limit : used / (limit / 100 + 1);
}

#endif
