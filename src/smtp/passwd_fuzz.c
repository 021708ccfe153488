/* passwd_fuzz.c - any bytes as a table of users: a name found is one for an address, and stands before its number.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/limits.h"
#include "base/status.h"
#include "smtp/passwd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str table = str_from((const char *)data, size), name;

    for (uint32_t uid = 0; uid < 12; uid++) {
        if (!passwd_name(table, uid, &name))
            continue;
        ASSERT(name.len > 0 && name.len <= LIMIT_LOGIN_NAME_BYTES && str_is_ascii(name));
        ASSERT(name.ptr >= table.ptr && name.ptr + name.len < table.ptr + table.len);
        ASSERT(name.ptr[name.len] == ':' && str_find(name, '@') < 0 && str_find(name, ' ') < 0);
    }
    return 0;
}
