/* names.c - see names.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/names.h"

#include "mail/domain.h"

struct str
name_domain(struct str domain, struct arena *a)
{
    AUTO_BUF normal = BUF(DOMAIN_MAX);

    return domain_normalise(domain, &normal) == OK ? arena_str(a, buf_str(&normal)) : domain;
}

struct str
name_address(struct str address, struct arena *a)
{
    ssize_t at = str_rfind(address, '@');

    if (at < 0)
        return address;
    struct str local = str_sub(address, 0, (size_t)at + 1);
    struct str domain = name_domain(str_skip(address, (size_t)at + 1), a);
    return arena_printf(a, "%.*s%.*s", STR_FMT(local), STR_FMT(domain));
}
