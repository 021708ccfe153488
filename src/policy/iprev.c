/* iprev.c - names of addresses that lead back.  See iprev.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/iprev.h"

static bool leads_to(const struct iprev_host *host, const struct subnet *address);

void
address_labels(const struct subnet *address, struct buf *out)
{
    static const char hex[] = "0123456789abcdef";

    ASSERT(address != NULL && out != NULL);
    for (size_t i = address->size; i-- > 0;) {
        unsigned char byte = (unsigned char)address->bytes[i];
        if (address->size == 4)
            buf_addf(out, "%u.", byte);
        else
            buf_addf(out, "%c.%c.", hex[byte & 15], hex[byte >> 4]);
    }
}

void
iprev_name(const struct subnet *address, struct buf *out)
{
    address_labels(address, out);
    buf_add_z(out, address->size == 4 ? "in-addr.arpa" : "ip6.arpa");
}

const char *
iprev_result_name(enum iprev_result r)
{
    static const char *const names[] = {"pass", "fail", "temperror", "permerror"};

    ASSERT((size_t)r < sizeof(names) / sizeof(names[0]));
    return names[r];
}

enum iprev_result
iprev_judge(const struct subnet *address, enum iprev_found names, const struct iprev_host *hosts,
            size_t count, struct str *name_out)
{
    bool unknown = names == IPREV_UNKNOWN;

    ASSERT(address != NULL && name_out != NULL);
    *name_out = count > 0 ? hosts[0].name : STR_NONE;
    for (size_t i = 0; i < count && i < LIMIT_IPREV_NAMES; i++) {
        if (leads_to(&hosts[i], address)) {
            *name_out = hosts[i].name;
            return IPREV_PASS;
        }
        unknown = unknown || hosts[i].found == IPREV_UNKNOWN;
    }
    if (unknown)
        return IPREV_TEMPERROR;
    return count == 0 ? IPREV_PERMERROR : IPREV_FAIL;
}

static bool
leads_to(const struct iprev_host *host, const struct subnet *address)
{
    for (size_t i = 0; host->found == IPREV_FOUND && i < host->count; i++)
        if (subnet_is_address(&host->addresses[i]) && subnet_covers(&host->addresses[i], address))
            return true;
    return false;
}
