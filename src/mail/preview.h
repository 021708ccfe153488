/* preview.h - the first words of a message, for lists of messages (RFC 8970).
 *
 * Promises:  at most PREVIEW_MAX bytes of valid UTF-8 on one line, white space collapsed, no markup, no quoted
 *            lines.  Looks at a bounded number of bytes, whatever the message.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_PREVIEW_H
#define MAIL_PREVIEW_H

#include "mail/mime.h"

#define PREVIEW_MAX 256u

/* Nothing is added when the message has no text. */
void preview_write(struct str message, const struct mime_tree *t, struct arena *a, struct buf *out);
/* Text without tags, styles and scripts, entities decoded; valid UTF-8 in, valid UTF-8 out. */
void html_to_text(struct str html, struct buf *out);

#endif
