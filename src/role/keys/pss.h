/* pss.h - is a block what RSA-PSS makes of a digest (RFC 8017 section 9.1.1)?
 *
 * A handshake brings such blocks padded already, so that the bare RSA operation is all that is left to do.  Bare,
 * it would also decrypt what somebody encrypted for this key, and make signatures of any other form: so nothing
 * else is let in.
 * Never:     suspends, looks at a private key.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_KEYS_PSS_H
#define ROLE_KEYS_PSS_H

#include "base/str.h"

/* SHA-256, -384 or -512 as hash and in the mask, salt as long as the hash: what TLS 1.3 has (RFC 8446 section 4.2.3).
 * The size of the key is a multiple of 8 bits. */
bool keys_is_pss(struct str block);

#endif
