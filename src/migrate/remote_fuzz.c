/* remote_fuzz.c - files of accounts: every line once, in order, what is read lies within it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "migrate/remote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    struct remote_accounts l = {.in = scan_of(in)};
    struct remote_account x;
    uint32_t before = 0;

    while (remote_account_next(&l, &x)) {
        ASSERT(x.line > before && x.line <= size + 1);
        before = x.line;
        ASSERT(str_find(x.address, '\n') < 0 && str_find(x.user, '\n') < 0 &&
               str_find(x.password, '\n') < 0);
        ASSERT(x.address.len + x.user.len + x.password.len <= size);
        ASSERT(x.password.len == 0 ||
               (x.password.ptr >= in.ptr && x.password.ptr + x.password.len <= in.ptr + in.len));
    }
    ASSERT(scan_at_end(&l.in) || size == 0);
    return 0;
}
