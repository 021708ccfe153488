/* forged.h - fields of a header that only this server may write, taken out of mail as it streams past (RFC 8601
 * section 5): Authentication-Results in our name, and our own words about spam and whom an author looks like.
 *
 * Promises:  whole fields go, with their continuations; every other byte comes out as it went in and in its place,
 *            however the input is cut.  For us the header ends at its first empty line, as for header_next(): a line
 *            before that which is no field ends nothing.
 *            At most FORGED_HOLD_MAX bytes are held.  A field that is longer cannot be read, and goes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_FORGED_H
#define SMTP_FORGED_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/scan.h"

#define FORGED_HOLD_MAX (LIMIT_AUTH_RESULTS_BYTES + 256u)

struct forged {
    struct str host; /* our authserv-id, of the caller */
    uint32_t fields; /* that went */
    uint64_t bytes;  /* of them */
    /* Below: private. */
    int state, next; /* next: when what is held has been given */
    struct buf held; /* the beginning of a line, or a field that may be one of those */
    size_t name_len;
};

void forged_init(struct forged *f, struct str host);
void forged_release(struct forged *f);
/* True: *run_out has bytes to keep, valid until the next call.  False: the input is used up. */
bool forged_next(struct forged *f, struct scan *in, struct str *run_out);
/* After the last of the input: true as long as there is a run. */
bool forged_end(struct forged *f, struct str *run_out);

#endif
