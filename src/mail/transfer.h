/* transfer.h - content transfer encodings (RFC 2045 section 6), streaming.
 *
 * Promises:  decoding never fails: what is no base64 is skipped, a broken "=" in quoted-printable stays as
 *            it is.  Output is never longer than input plus 2 bytes; chunk borders do not matter.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_TRANSFER_H
#define MAIL_TRANSFER_H

#include "base/buf.h"
#include "base/scan.h"

enum transfer {
    TRANSFER_IDENTITY, /* 7bit, 8bit, binary, absent */
    TRANSFER_BASE64,
    TRANSFER_QUOTED_PRINTABLE,
    TRANSFER_UNKNOWN, /* x-uuencode and others: not decoded */
};
/* Of a Content-Transfer-Encoding value, comments and folding included. */
enum transfer transfer_of(struct str value);

#define TRANSFER_HOLD_MAX 80u

struct transfer_decoder {
    enum transfer kind;
    uint32_t bits; /* base64: what is not a whole byte yet */
    uint32_t held; /* base64: sextets in bits; quoted-printable: bytes in hold */
    char hold[TRANSFER_HOLD_MAX];
};
void transfer_decoder_init(struct transfer_decoder *d, enum transfer kind);
void transfer_decode(struct transfer_decoder *d, struct str chunk, struct buf *out);
void transfer_decode_end(struct transfer_decoder *d, struct buf *out);

/* base64 in lines of 76 with CRLF after each. */
void transfer_write_base64(struct buf *b, struct str bytes);
/* Quoted-printable of text with CRLF line ends; lines of at most 76. */
void transfer_write_quoted_printable(struct buf *b, struct str text);

#endif
