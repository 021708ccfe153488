/* date.h - dates of messages (RFC 5322 section 3.3 with the obsolete forms) and of IMAP.
 *
 * Promises:  an accepted date lies in the years 1 to 9999 in its own zone, and writing it gives the same
 *            instant (to the second) and zone when read back.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include "base/buf.h"
#include "base/time.h"

struct mail_date {
    struct instant time;
    int zone_min; /* minutes east of UTC, -5999 to 5999: "+9959" is legal */
};

/* A Date field's value, with comments, folding, two-digit years, a missing day name, missing seconds or
 * zone, and names of zones.  Also takes asctime()'s order and a stray comma, which old software writes. */
MUST_USE enum status date_parse(struct str text, struct mail_date *out);
/* date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
 * RFC 9051 section 9; text is without the quotes. */
MUST_USE enum status date_internal_parse(struct str text, struct mail_date *out);
/* date = date-day "-" date-month "-" date-year of SEARCH, without quotes: midnight UTC of that day. */
MUST_USE enum status date_day_parse(struct str text, struct instant *out);

void date_write(struct buf *b, struct mail_date d); /* Mon, 23 Nov 2026 22:31:12 +0000 */
void date_internal_write(struct buf *b,
                         struct mail_date d); /* "23-Nov-2026 22:31:12 +0000", quoted */

#endif
