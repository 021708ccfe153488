/* jwt_testkit.h - for tests: tokens made of JSON.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_JWT_TESTKIT_H
#define AUTH_JWT_TESTKIT_H

#include "base/buf.h"

void test_add_base64url(struct buf *b, struct str s);
/* header "." payload "." signature; signature: the bytes, encoded here. */
void test_add_token(struct buf *b, struct str header, struct str payload, struct str signature);

#endif
