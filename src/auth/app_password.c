/* app_password.c - see app_password.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/app_password.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/letters.h"
#include "base/mem.h"
#include "base/size.h"

static_assert(LETTERS_TEXT(APP_PASSWORD_LETTERS) == APP_PASSWORD_TEXT, "as it is shown");

void
app_password_make(char *text_out)
{
    letters_make(APP_PASSWORD_LETTERS, text_out);
}

bool
app_password_read(struct str given, char *letters_out)
{
    return letters_read(given, APP_PASSWORD_LETTERS, letters_out);
}

enum status
app_password_hash(const unsigned char *key, uint64_t account, const char *word,
                  unsigned char *hash_out)
{
    unsigned char text[8 + APP_PASSWORD_LETTERS];
    unsigned n = 0;

    be64_put(text, account);
    mem_copy(text + 8, word, APP_PASSWORD_LETTERS);
    bool ok = HMAC(EVP_sha256(), key, APP_PASSWORD_HASH, text, sizeof(text), hash_out, &n) != NULL;
    mem_wipe(text, sizeof(text));
    return ok && n == APP_PASSWORD_HASH ? OK : ERR_TEMP;
}
