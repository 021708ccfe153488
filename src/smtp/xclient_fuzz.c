/* xclient_fuzz.c - what is taken is an address, a port and a harmless name.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "smtp/xclient.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    struct xclient x = {.has = 99};

    if (size > 65536)
        return 0;
    if (xclient_read(str_from((const char *)data, size), a, &x) != OK) {
        ASSERT(x.has == 99);
        return 0;
    }
    ASSERT(x.has <= 15);
    if ((x.has & XCLIENT_ADDR) != 0)
        ASSERT(x.addr.ss_family == AF_INET || x.addr.ss_family == AF_INET6);
    if ((x.has & XCLIENT_HELO) != 0)
        ASSERT(x.helo.len > 0 && x.helo.len <= 255);
    for (size_t i = 0; i < x.helo.len; i++)
        ASSERT((unsigned char)x.helo.ptr[i] > ' ' && (unsigned char)x.helo.ptr[i] < 0x7f);
    return 0;
}
