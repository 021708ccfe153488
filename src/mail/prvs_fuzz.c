/* prvs_fuzz.c - an address that is wrapped comes back, and what is read has all its parts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/prvs.h"

#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char mac[32] = "0123456789abcdefghijklmnopqrstuv";
    AUTO_ARENA *a = arena_new(65536);
    AUTO_BUF text = BUF(PRVS_SIGNED_MAX);
    struct str in = str_from((const char *)data, size);
    struct prvs p, back;

    if (size > 900)
        return 0;
    if (prvs_read(in, a, &p) == OK) {
        ASSERT(prvs_is(in) && p.tag.len == PRVS_TAG_CHARS && p.address.len < in.len);
        prvs_signed(&p, &text);
        ASSERT(buf_status(&text) == OK);
        (void)prvs_is_fresh(&p, 20000);
    }
    if (prvs_wrap(in, 20000, a, &p) != OK)
        return 0;
    struct str address = prvs_write(&p, str_from(mac, sizeof(mac)), a);
    ASSERT(address.len <= LIMIT_SRS_BYTES && prvs_read(address, a, &back) == OK);
    ASSERT(str_eq(back.address, in) && prvs_is_fresh(&back, 20000 + LIMIT_PRVS_DAYS));
    ASSERT(prvs_is_signed(&back, str_from(mac, sizeof(mac))));
    return 0;
}
