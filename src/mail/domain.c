/* domain.c - domain names in normal form.  See domain.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <idn2.h>

#include "base/encode.h"
#include "base/mem.h"
#include "mail/domain.h"

/* U-labels are shorter than their A-labels in characters but longer in bytes; this holds any name. */
enum { DOMAIN_INPUT_MAX = 1020 };

/* sub-domain = Let-dig [Ldh-str]       RFC 5321 section 4.1.2, and "_" */
static bool
label_ok(struct str label)
{
    if (label.len == 0 || label.len > LABEL_MAX)
        return false;
    if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];

        if (!ascii_is_alnum(c) && c != '-' && c != '_')
            return false;
    }
    return true;
}

/* Letters, digits, "-" and "_" in labels of 1 to 63; not a dotted number. */
static bool
ascii_name_ok(struct str name)
{
    struct str rest = name;
    struct str label = STR_NONE;
    bool numeric = true;

    if (name.len == 0 || name.ptr[name.len - 1] == '.')
        return false;
    while (str_split(&rest, '.', &label)) {
        if (!label_ok(label))
            return false;
        numeric = true;
        for (size_t i = 0; i < label.len; i++)
            numeric = numeric && ascii_is_digit(label.ptr[i]);
    }
    return !numeric;
}

static bool
needs_idna(struct str name)
{
    return !str_is_ascii(name) || str_find_nocase(name, STR("xn--")) >= 0;
}

/* IDNA 2008 with the mapping and the transitional rules of UTS 46; libidn2 checks the A-labels too. */
static enum status
add_idna(struct str name, struct buf *b)
{
    char z[DOMAIN_INPUT_MAX + 1];
    char *ascii = NULL;

    if (!utf8_valid(name) || !str_to_z(name, z, sizeof(z)))
        return ERR_SYNTAX;
    int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
    int rc = idn2_lookup_u8((const uint8_t *)z, (uint8_t **)&ascii, flags);
    if (rc != IDN2_OK)
        return rc == IDN2_TOO_BIG_DOMAIN || rc == IDN2_TOO_BIG_LABEL ? ERR_LIMIT : ERR_SYNTAX;

    struct str normal = str_of(ascii);
    bool ok = normal.len <= DOMAIN_MAX && ascii_name_ok(normal);
    for (size_t i = 0; ok && i < normal.len; i++)
        buf_add_char(b, ascii_lower(normal.ptr[i]));
    idn2_free(ascii);
    return ok ? buf_status(b) : ERR_SYNTAX;
}

enum status
domain_normalise(struct str name, struct buf *b)
{
    ASSERT(b != NULL);
    if (name.len > DOMAIN_INPUT_MAX)
        return ERR_LIMIT;
    if (name.len > 0 && name.ptr[name.len - 1] == '.')
        name.len--;
    if (needs_idna(name))
        return add_idna(name, b);
    if (name.len > DOMAIN_MAX)
        return ERR_LIMIT;
    if (!ascii_name_ok(name))
        return ERR_SYNTAX;
    for (size_t i = 0; i < name.len; i++)
        buf_add_char(b, ascii_lower(name.ptr[i]));
    return buf_status(b);
}

bool
domain_is_normal(struct str name)
{
    if (name.len > DOMAIN_MAX || !ascii_name_ok(name))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != ascii_lower(name.ptr[i]))
            return false;
    if (!needs_idna(name))
        return true;
    AUTO_BUF again = BUF(DOMAIN_MAX);
    return add_idna(name, &again) == OK && str_eq(buf_str(&again), name);
}

/* libidn2 decodes an A-label and encodes it again; a pair that does not survive is not shown. */
void
domain_write_unicode(struct buf *b, struct str normal)
{
    char z[DOMAIN_MAX + 1];
    char *shown = NULL;

    ASSERT(b != NULL);
    if (!needs_idna(normal) || !str_to_z(normal, z, sizeof(z)) ||
        idn2_to_unicode_8z8z(z, &shown, 0) != IDN2_OK) {
        buf_add(b, normal);
        return;
    }
    buf_add_z(b, shown);
    idn2_free(shown);
}
