/* top.h - where TOP cuts a message: its header, the empty line, and so many lines of its body (RFC 1939 section 7).
 *
 * Promises:  how the message is cut into pieces changes nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POP3_TOP_H
#define POP3_TOP_H

#include "base/str.h"

struct pop3_top {
    uint64_t lines_left; /* of the body; set it, the rest begins as zeroes */
    bool in_body;
    bool in_line;  /* something of the line stands in an earlier piece */
    bool after_cr; /* and that is a CR alone */
    bool done;
};
/* How much of the next piece goes out. */
size_t pop3_top_take(struct pop3_top *t, struct str piece);

#endif
