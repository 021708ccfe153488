/* zone_fuzz.c - the first line is the name that is asked about, the rest the zone.
 *
 * Contract:  what is found of a type has the form of that type; what does not read says why.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "dns/types.h"
#include "dns/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(struct str data)
{
    ASSERT(data.len > 0);
    while (data.len > 0) {
        size_t part = (unsigned char)data.ptr[0];
        ASSERT(part < data.len);
        data = str_skip(data, part + 1);
    }
}

static void
check_record(unsigned type, struct str data)
{
    struct dns_name name;
    bool is_name;

    switch (type) {
    case DNS_TYPE_A: ASSERT(data.len == 4); break;
    case DNS_TYPE_AAAA: ASSERT(data.len == 16); break;
    case DNS_TYPE_TXT: check_text(data); break;
    case DNS_TYPE_TLSA: ASSERT(data.len > 3); break;
    case DNS_TYPE_MX:
        ASSERT(data.len > 2);
        is_name = dns_name_read_wire(str_skip(data, 2), &name);
        ASSERT(is_name);
        break;
    default: is_name = dns_name_read_wire(data, &name); ASSERT(is_name);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned types[] = {DNS_TYPE_A,   DNS_TYPE_CNAME, DNS_TYPE_PTR, DNS_TYPE_MX,
                                     DNS_TYPE_TXT, DNS_TYPE_AAAA,  DNS_TYPE_TLSA};
    struct str rest = str_from((const char *)data, size), first = STR("");
    AUTO(zone_free) struct zone *z = NULL;
    struct problem why = {0};
    struct dns_name name;

    if (size == 0)
        return 0;
    (void)str_split(&rest, '\n', &first);
    enum status e = zone_read(rest, &z, &why);
    if (e != OK) {
        ASSERT(z == NULL && why.text[0] != '\0');
        return 0;
    }
    if (!dns_name_read(first, &name))
        return 0;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const struct zone_record *r = NULL;
        enum status found = zone_find(z, &name, types[i], &r);
        ASSERT(found == OK || found == ERR_NOT_FOUND || found == ERR_TEMP);
        for (; r != NULL; r = zone_next(r))
            check_record(types[i], zone_data(r));
    }
    return 0;
}
