/* enhanced.c - see enhanced.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/enhanced.h"

#include <stdio.h>

/* "." 1*3digit */
static bool
scan_part(struct scan *s, uint32_t *out)
{
    struct str digits;

    return scan_char(s, '.') && scan_while(s, ascii_is_digit, 3, &digits) &&
           scan_u32(&(struct scan){digits.ptr, digits.ptr + digits.len}, 999, out);
}

bool
scan_enhanced(struct scan *s, char out[ENHANCED_BYTES])
{
    struct scan t = *s;
    uint32_t subject = 0, detail = 0;
    char class;

    if (!scan_peek(&t, &class) || (class != '2' && class != '4' && class != '5'))
        return false;
    t.pos++;
    if (!scan_part(&t, &subject) || !scan_part(&t, &detail))
        return false;
    snprintf(out, ENHANCED_BYTES, "%c.%u.%u", class, subject % 1000,
             detail % 1000); /* which tells the compiler that it fits */
    *s = t;
    return true;
}

bool
enhanced_take(struct str *text, int code, char out[ENHANCED_BYTES])
{
    struct scan s = scan_of(*text);
    char got[ENHANCED_BYTES];

    if (!scan_enhanced(&s, got) || got[0] - '0' != code / 100)
        return false;
    if (!scan_at_end(&s) && !scan_spaces(&s))
        return false;
    *text = scan_rest(&s);
    for (size_t i = 0; i < sizeof(got); i++)
        out[i] = got[i];
    return true;
}
