/* mailto.c - see mailto.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/mailto.h"

#include "base/encode.h"

#define SCHEME STR("mailto:")

/* mailtoURI = "mailto:" [ to ] [ hfields ]; addr-specs are percent-encoded. */
bool
mailto_to(struct str uri, struct buf *out)
{
    struct str rest = str_skip(uri, SCHEME.len), to;

    if (!str_starts_nocase(uri, SCHEME) || !str_split(&rest, '?', &to))
        return false;
    while (to.len > 0) {
        if (to.ptr[0] != '%') {
            buf_add_char(out, to.ptr[0]);
            to = str_skip(to, 1);
            continue;
        }
        if (to.len < 3 || hex_decode(str_sub(to, 1, 2), out) != OK)
            return false;
        to = str_skip(to, 3);
    }
    return buf_status(out) == OK;
}
