/* homograph.c - see homograph.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/homograph.h"

#include <idn2.h>
#include <unicode/uspoof.h>

#include "base/encode.h"
#include "base/hash.h"
#include "base/limits.h"
#include "mail/domain.h"

enum { NAME_BYTES = 4 * DOMAIN_MAX, SKELETON_BYTES = 16 * NAME_BYTES };

static USpoofChecker *checker;

static bool read_name(struct str domain, struct buf *out);
static bool skeleton_of(struct str text, struct buf *out);
static bool is_mixed(struct str label);

const char *
homograph_name(enum homograph h)
{
    static const char *const names[] = {"none", "mixed", "latin"};

    ASSERT(h <= HOMOGRAPH_LATIN);
    return names[h];
}

bool
homograph_open(void)
{
    UErrorCode e = U_ZERO_ERROR;

    if (checker != NULL)
        return true;
    USpoofChecker *c = uspoof_open(&e);
    if (U_FAILURE(e))
        return false;
    uspoof_setRestrictionLevel(c, USPOOF_HIGHLY_RESTRICTIVE);
    uspoof_setChecks(c, USPOOF_RESTRICTION_LEVEL, &e);
    if (U_FAILURE(e)) {
        uspoof_close(c);
        return false;
    }
    checker = c;
    return true;
}

enum homograph
homograph_of(struct str domain)
{
    AUTO_BUF looks = BUF(SKELETON_BYTES);
    AUTO_BUF name = BUF(NAME_BYTES);
    struct str label;

    if (!homograph_open() || !read_name(domain, &name))
        return HOMOGRAPH_NONE;
    struct str rest = buf_str(&name);
    bool latin_top = str_is_ascii(str_skip(rest, (size_t)(str_rfind(rest, '.') + 1)));
    bool latin = false;
    while (rest.len > 0 && str_split(&rest, '.', &label)) {
        if (str_is_ascii(label))
            continue;
        if (is_mixed(label))
            return HOMOGRAPH_MIXED;
        latin = latin || (latin_top && skeleton_of(label, &looks) && str_is_ascii(buf_str(&looks)));
    }
    return latin ? HOMOGRAPH_LATIN : HOMOGRAPH_NONE;
}

bool
homograph_alike(struct str a, struct str b)
{
    AUTO_BUF x = BUF(SKELETON_BYTES);
    AUTO_BUF y = BUF(SKELETON_BYTES);
    AUTO_BUF one = BUF(NAME_BYTES);
    AUTO_BUF other = BUF(NAME_BYTES);

    if (!homograph_open() || !read_name(a, &one) || !read_name(b, &other))
        return false;
    return !str_eq(buf_str(&one), buf_str(&other)) && skeleton_of(buf_str(&one), &x) &&
           skeleton_of(buf_str(&other), &y) && str_eq(buf_str(&x), buf_str(&y));
}

uint64_t
homograph_look(struct str domain)
{
    AUTO_BUF looks = BUF(SKELETON_BYTES);
    AUTO_BUF name = BUF(NAME_BYTES);

    if (!homograph_open() || !read_name(domain, &name) || !skeleton_of(buf_str(&name), &looks))
        return 0;
    for (size_t i = 0; i < looks.len; i++) /* a zero looks like an O, for libicu not like an o */
        looks.ptr[i] = ascii_lower(looks.ptr[i]);
    return hash_stable(buf_str(&looks));
}

bool
homograph_word(struct str word)
{
    AUTO_BUF looks = BUF(SKELETON_BYTES);

    if (word.len > NAME_BYTES || str_is_ascii(word) || !homograph_open())
        return false;
    return is_mixed(word) && skeleton_of(word, &looks) && str_is_ascii(buf_str(&looks));
}

/* In U-labels, lower case. */
static bool
read_name(struct str domain, struct buf *out)
{
    AUTO_BUF normal = BUF(DOMAIN_MAX + 1);
    char z[DOMAIN_MAX + 2];
    char *text = NULL;

    if (domain_normalise(domain, &normal) != OK || !str_to_z(buf_str(&normal), z, sizeof(z)) ||
        idn2_to_unicode_8z8z(z, &text, 0) != IDN2_OK)
        return false;
    buf_add(out, str_of(text));
    idn2_free(text);
    return buf_status(out) == OK && out->len > 0;
}

static bool
skeleton_of(struct str text, struct buf *out)
{
    UErrorCode e = U_ZERO_ERROR;

    buf_reset(out);
    char *to = buf_tail(out, SKELETON_BYTES);
    ASSERT(to != NULL);
    int32_t n =
        uspoof_getSkeletonUTF8(checker, 0, text.ptr, (int32_t)text.len, to, SKELETON_BYTES, &e);
    if (U_FAILURE(e) || n < 0 || n > SKELETON_BYTES)
        return false;
    buf_grew(out, (size_t)n);
    return true;
}

static bool
is_mixed(struct str label)
{
    UErrorCode e = U_ZERO_ERROR;
    int32_t found = uspoof_check2UTF8(checker, label.ptr, (int32_t)label.len, NULL, &e);

    return U_SUCCESS(e) && (found & USPOOF_RESTRICTION_LEVEL) != 0;
}
