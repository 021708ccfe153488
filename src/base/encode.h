/* encode.h - base64 (RFC 4648), hex and UTF-8 checks over bounded buffers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/buf.h"

void buf_add_base64(struct buf *b, struct str s); /* padded, one line */
/* Strict: padding required, no white space, no bits left over.  Appends to b, all or nothing. */
MUST_USE enum status base64_decode(struct str s, struct buf *b);
void buf_add_hex(struct buf *b, struct str s);
MUST_USE enum status hex_decode(struct str s, struct buf *b);
/* shortest form, no surrogates, <= U+10FFFF */
bool utf8_valid(struct str s);
/* Next code point; false at the end or on an invalid sequence (consumes nothing). */
struct scan;
bool scan_utf8(struct scan *s, uint32_t *out);
void buf_add_utf8(struct buf *b, uint32_t code_point); /* U+FFFD for what is no scalar value */
bool str_is_ascii(struct str s);                       /* no byte over 0x7f */

#endif
