/* app_password_fuzz.c - what is read has the letters of the input in their order, and is read again as itself; nothing
 * is an app password and an invitation as well.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/app_password.h"
#include "auth/invitation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char letters[INVITATION_LETTERS], again[INVITATION_LETTERS];
    struct str given = str_from((const char *)data, size);
    bool app = app_password_read(given, letters);
    bool invites = !app && invitation_read(given, letters);
    size_t n = app ? APP_PASSWORD_LETTERS : INVITATION_LETTERS;

    if (!app && !invites)
        return 0;
    ASSERT(size >= n);
    bool same = app ? app_password_read(str_from(letters, n), again)
                    : invitation_read(str_from(letters, n), again);
    ASSERT(same && memcmp(letters, again, n) == 0);
    bool both = app && invitation_read(given, again);
    ASSERT(!both);
    return 0;
}
