/* xclient.h - what XCLIENT says: for whom a mail program of ours speaks.
 *
 * Text:      attribute "=" value, with blanks between; values are xtext, "[UNAVAILABLE]" or "[TEMPUNAVAIL]".
 *            Attributes are NAME ADDR PORT PROTO HELO DESTADDR DESTPORT, and LOGIN without a value: who has not
 *            shown a password here is nobody.
 * Promises:  no attribute came twice; a name has only letters, digits and "-._[]:".
 * Never:     suspends.
 * Source:    Postfix, XCLIENT_README.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_XCLIENT_H
#define SMTP_XCLIENT_H

#include <netinet/in.h>

#include "base/arena.h"
#include "base/status.h"

enum xclient_has { XCLIENT_ADDR = 1, XCLIENT_PORT = 2, XCLIENT_PROTO = 4, XCLIENT_HELO = 8 };
struct xclient {
    unsigned has; /* enum xclient_has: which were given a value */
    struct sockaddr_storage addr;
    uint16_t port;
    bool esmtp;
    struct str helo;
};
/* Strings live in a.  On failure *out is untouched. */
MUST_USE enum status xclient_read(struct str args, struct arena *a, struct xclient *out);

#endif
