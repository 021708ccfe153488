/* services_fuzz.c - what was read of SRV and TLSA lies within the record, and a target is a name in text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/services.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct str wire = str_from((const char *)data, size);
    struct dns_service s;
    struct dns_tlsa t;

    if (size > 65535)
        return 0;
    if (dns_service_read(wire, a, &s)) {
        ASSERT(size >= 7 && s.port == (uint16_t)(data[4] << 8 | data[5]));
        ASSERT(s.target.len <= 1024 && (s.target.len == 0) == (data[6] == 0));
        ASSERT(str_find(s.target, '\n') < 0 && str_find(s.target, ' ') < 0);
    }
    if (dns_tlsa_read(wire, a, &t))
        ASSERT(t.data.len == size - 3 && t.usage == data[0] && t.data.len > 0);
    return 0;
}
