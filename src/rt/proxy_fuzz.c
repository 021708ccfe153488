/* proxy_fuzz.c - a header is the same however much follows it; its beginning is never taken for more, nor refused.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = str_from((const char *)data, size);
    struct proxy_header h = {.size = 0}, again;
    enum status e = proxy_read(all, &h);

    if (e != OK) {
        ASSERT(h.size == 0 && (e == ERR_TEMP || e == ERR_SYNTAX || e == ERR_LIMIT));
        ASSERT(e != ERR_TEMP || size < PROXY_BYTES_MAX);
        return 0;
    }
    ASSERT(h.size > 0 && h.size <= size && h.size <= PROXY_BYTES_MAX);
    if (h.known) {
        ASSERT(h.client.ss_family == AF_INET || h.client.ss_family == AF_INET6);
        ASSERT(h.server.ss_family == AF_INET || h.server.ss_family == AF_INET6);
    }
    ASSERT(proxy_read(str_sub(all, 0, h.size), &again) == OK && again.size == h.size);
    for (size_t n = 0; n < h.size; n++)
        ASSERT(proxy_read(str_sub(all, 0, n), &again) == ERR_TEMP);
    return 0;
}
