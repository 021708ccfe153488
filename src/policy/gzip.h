/* gzip.h - bytes out of gzip and of bare deflate streams, within the bound of the buffer.
 *
 * Promises:  one stream, and nothing behind it.  What does not fit into the buffer ends it at once, so that nothing
 *            can expand; what is in the buffer after a failure is of no use.
 * RFC:       1951, 1952.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_GZIP_H
#define POLICY_GZIP_H

#include "base/buf.h"

bool gzip_is(struct str packed);
/* Appends.  ERR_SYNTAX: damaged, or more than one; ERR_LIMIT: it does not fit. */
MUST_USE enum status gzip_unpack(struct str packed, struct buf *out);
MUST_USE enum status deflate_unpack(struct str packed, struct buf *out);
/* Appends one stream without name and time: the same bytes each time.  At most 1 GiB. */
MUST_USE enum status gzip_pack(struct str bytes, struct buf *out);

#endif
