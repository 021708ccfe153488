/* app_password_fuzz.c - what is read has the letters of the input in their order, and is read again as itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/app_password.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char letters[APP_PASSWORD_LETTERS], again[APP_PASSWORD_LETTERS];

    if (!app_password_read(str_from((const char *)data, size), letters))
        return 0;
    ASSERT(size >= sizeof(letters));
    ASSERT(app_password_read(str_from(letters, sizeof(letters)), again));
    ASSERT(memcmp(letters, again, sizeof(letters)) == 0);
    return 0;
}
