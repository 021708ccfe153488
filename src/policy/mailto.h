/* mailto.h - the address in a mailto: URI (RFC 6068), as records in DNS name who takes reports.
 *
 * Never:     says that it is an address: whoever asks looks at the bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_MAILTO_H
#define POLICY_MAILTO_H

#include "base/buf.h"

/* Appends its octets, %XX decoded; what follows "?" is left out.  False: another kind of URI, a "%" without two digits,
 * or no room. */
MUST_USE bool mailto_to(struct str uri, struct buf *out);

#endif
