/* jwt_testkit.c - see jwt_testkit.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/jwt_testkit.h"

#include "base/encode.h"

void
test_add_base64url(struct buf *b, struct str s)
{
    AUTO_BUF usual = BUF(1 << 16);

    buf_add_base64(&usual, s);
    for (size_t i = 0; i < usual.len && usual.ptr[i] != '='; i++) {
        char c = usual.ptr[i];
        buf_add_char(b, (char)(c == '+' ? '-' : c == '/' ? '_' : c));
    }
}

void
test_add_token(struct buf *b, struct str header, struct str payload, struct str signature)
{
    test_add_base64url(b, header);
    buf_add_char(b, '.');
    test_add_base64url(b, payload);
    buf_add_char(b, '.');
    test_add_base64url(b, signature);
}
