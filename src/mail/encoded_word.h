/* encoded_word.h - text of header fields in other alphabets (RFC 2047).
 *
 * Promises:  decoding never fails and gives valid UTF-8 on one line: folding is undone, what is not a valid
 *            encoded word stays as it is, raw 8-bit text is guessed (charset.h).  Linear time.
 *            Characters torn between neighbouring words of one charset are put together again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_ENCODED_WORD_H
#define MAIL_ENCODED_WORD_H

#include "base/buf.h"

void encoded_word_decode(struct str text, struct buf *out);
/* Valid UTF-8 text as it may stand in an unstructured field or a phrase: unchanged when it is plain ASCII,
 * else encoded words of at most 75 bytes with spaces between. */
void encoded_word_write(struct buf *b, struct str text);

#endif
