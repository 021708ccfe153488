/* prepare.c - see prepare.h.  ICU has the tables of RFC 3454.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/prepare.h"

#include <unicode/usprep.h>
#include <unicode/ustring.h>

static UStringPrepProfile *profile; /* lives as long as the process */

static bool
is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < 0x20 || s.ptr[i] > 0x7e)
            return false;
    return true;
}

/* RFC 4013; false: cannot be. */
static bool
saslprep(struct str given, struct secret *out)
{
    UChar in[SECRET_MAX], done[SECRET_MAX];
    char text[SECRET_MAX];
    int32_t n = 0, bytes = 0;
    UErrorCode error = U_ZERO_ERROR;

    if (profile == NULL)
        profile = usprep_openByType(USPREP_RFC4013_SASLPREP, &error);
    (void)u_strFromUTF8(in, SECRET_MAX, &n, given.ptr, (int32_t)given.len,
                        &error); /* <= SECRET_MAX */
    n = U_FAILURE(error) ? 0
                         : usprep_prepare(profile, in, n, done, SECRET_MAX, USPREP_ALLOW_UNASSIGNED,
                                          NULL, &error);
    if (n > 0 && U_SUCCESS(error))
        (void)u_strToUTF8(text, SECRET_MAX, &bytes, done, n, &error);
    bool ok = n > 0 && U_SUCCESS(error) && secret_set(out, str_from(text, (size_t)bytes));
    mem_wipe(in, sizeof(in));
    mem_wipe(done, sizeof(done));
    mem_wipe(text, sizeof(text));
    return ok;
}

bool
password_set(struct secret *out, struct str given)
{
    if (given.len > SECRET_MAX)
        return false;
    if (!is_plain(given) && saslprep(given, out))
        return true;
    return secret_set(out, given);
}

void
password_preload(void)
{
    AUTO_SECRET unused = {0};

    /* Normalisation and the rule for right-to-left text have tables of their own. */
    if (!password_set(&unused, STR("a\xcc\x88\xef\xac\x81")) ||
        !password_set(&unused, STR("\xd7\x90")))
        return;
}
