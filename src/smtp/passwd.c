/* passwd.c - names of the machine's users.  See passwd.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/passwd.h"

#include "base/limits.h"
#include "base/scan.h"

static bool
is_name(struct str name)
{
    if (name.len == 0 || name.len > LIMIT_LOGIN_NAME_BYTES || name.ptr[0] == '.' ||
        name.ptr[name.len - 1] == '.' || str_find_str(name, STR("..")) >= 0)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

static bool
has_number(struct str field, uint32_t uid)
{
    struct scan s = scan_of(field);
    uint32_t number;

    return scan_u32(&s, UINT32_MAX, &number) && scan_at_end(&s) && number == uid;
}

bool
passwd_name(struct str table, uint32_t uid, struct str *name_out)
{
    struct str rest = table, line;

    while (str_split(&rest, '\n', &line)) {
        struct str name, password, number;
        if (!str_split(&line, ':', &name) || !str_split(&line, ':', &password) ||
            !str_split(&line, ':', &number) || !has_number(number, uid))
            continue;
        if (!is_name(name))
            return false;
        *name_out = name;
        return true;
    }
    return false;
}
