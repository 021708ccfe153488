/* input.c - members of a body and words of a query, with a sentence for what is wrong.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "api/api_internal.h"
#include "base/scan.h"
#include "base/size.h"
#include "http/path.h"
#include "mail/names.h"

enum { PAGE_USUAL = 100, PAGE_MAX = 1000 };

struct str
api_address(const struct api_call *c, struct str typed)
{
    return name_address(typed, c->a);
}

SUSPENDS bool
api_take(struct api_call *c, const struct api_member *members, size_t n)
{
    const char *wrong = api_read(c->in, members, n, c->a);

    if (wrong != NULL)
        api_problem(c->x, 422, "syntax", str_of(wrong));
    return wrong == NULL;
}

SUSPENDS bool
api_query(struct api_call *c, const char *name, struct str *out)
{
    struct str value = STR("");
    enum status e = http_query_get(c->x->head->query, str_of(name), c->a, &value);

    if (e == OK || e == ERR_NOT_FOUND) {
        *out = value;
        return true;
    }
    api_problem(c->x, 400, "syntax",
                arena_printf(c->a, "\"%s\" is twice in the query, or has a wrong escape", name));
    return false;
}

SUSPENDS bool
api_query_u64(struct api_call *c, const char *name, uint64_t max, uint64_t *out)
{
    struct str value;

    if (!api_query(c, name, &value))
        return false;
    struct scan s = scan_of(value);
    if (value.len == 0 || (scan_u64(&s, max, out) && scan_at_end(&s)))
        return true;
    api_problem(
        c->x, 422, "syntax",
        arena_printf(c->a, "\"%s\" is a number of at most %llu", name, (unsigned long long)max));
    return false;
}

SUSPENDS bool
api_query_bool(struct api_call *c, const char *name, bool *out)
{
    struct str value;

    if (!api_query(c, name, &value))
        return false;
    *out = str_eq(value, STR("true"));
    if (*out || value.len == 0 || str_eq(value, STR("false")))
        return true;
    api_problem(c->x, 422, "syntax", arena_printf(c->a, "\"%s\" is true or false", name));
    return false;
}

SUSPENDS bool
api_limit(struct api_call *c, uint64_t *out)
{
    *out = PAGE_USUAL;
    if (!api_query_u64(c, "limit", PAGE_MAX, out))
        return false;
    if (*out == 0)
        *out = 1;
    return true;
}

bool
api_is_ip(struct str text)
{
    char z[INET6_ADDRSTRLEN];
    unsigned char raw[16];

    return str_to_z(text, z, sizeof(z)) &&
           (inet_pton(AF_INET, z, raw) == 1 || inet_pton(AF_INET6, z, raw) == 1);
}
