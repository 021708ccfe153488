/* subject.h - the base subject of RFC 5256 section 2.1, and the ids that tie threads together.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_SUBJECT_H
#define MAIL_SUBJECT_H

#include "base/buf.h"
#include "base/scan.h"

#define SUBJECT_BASE_MAX 512u /* bytes of decoded subject that are looked at */

/* Decodes the raw value of a Subject field and strips "Re:", "Fwd:", "[list]" and "(fwd)".  True when
 * something was stripped that makes it a reply or a forward. */
bool subject_base(struct str value, struct buf *out);

/* The next message id in In-Reply-To or References, without its angle brackets; false at the end. */
bool scan_message_id(struct scan *s, struct str *out);
/* The id of a Message-ID field: as above, or the whole value when it has no brackets. */
struct str message_id_of(struct str value);

#endif
