/* suffixes.c - the Public Suffix List by libpsl.  See suffixes.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/suffixes.h"

#include <libpsl.h>
#include <stdio.h>

#include "base/limits.h"
#include "mail/domain.h"

const struct psl_ctx_st *
suffixes_built_in(void)
{
    return psl_builtin();
}

enum status
suffixes_read(struct str list, struct psl_ctx_st **out)
{
    ASSERT(out != NULL);
    if (list.len == 0)
        return ERR_SYNTAX;
    if (list.len > LIMIT_SUFFIX_LIST_BYTES)
        return ERR_LIMIT;

    /* libpsl only reads; the cast is for fmemopen(), which would write in other modes. */
    FILE *in = fmemopen((char *)(uintptr_t)list.ptr, list.len, "r");
    if (in == NULL)
        return ERR_IO;
    struct psl_ctx_st *read = psl_load_fp(in);
    (void)fclose(in);
    if (read == NULL)
        return ERR_SYNTAX;
    /* Of a packed list the count is not known, and -1. */
    if (psl_suffix_count(read) == 0) {
        psl_free(read);
        return ERR_SYNTAX;
    }
    *out = read;
    return OK;
}

void
suffixes_free(struct psl_ctx_st **list)
{
    if (list == NULL || *list == NULL)
        return;
    psl_free(*list);
    *list = NULL;
}

struct str
suffixes_registered(const struct psl_ctx_st *list, struct str name)
{
    char z[DOMAIN_MAX + 1];

    ASSERT(list != NULL);
    if (!str_to_z(name, z, sizeof(z)))
        return STR_NONE;
    const char *tail = psl_registrable_domain(list, z);
    if (tail == NULL)
        return STR_NONE;
    return str_skip(name, name.len - strlen(tail));
}
