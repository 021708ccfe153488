/* invitation.c - see invitation.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/invitation.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/letters.h"
#include "base/mem.h"
#include "base/size.h"

static_assert(LETTERS_TEXT(INVITATION_LETTERS) == INVITATION_TEXT, "as it is shown");
static_assert(INVITATION_LETTERS * 5 >= 128, "random bits");

void
invitation_make(char *text_out)
{
    letters_make(INVITATION_LETTERS, text_out);
}

bool
invitation_read(struct str given, char *letters_out)
{
    return letters_read(given, INVITATION_LETTERS, letters_out);
}

enum status
invitation_hash(const unsigned char *key, uint64_t account, const char *letters,
                unsigned char *hash_out)
{
    unsigned char text[8 + INVITATION_LETTERS];
    unsigned n = 0;

    be64_put(text, account);
    mem_copy(text + 8, letters, INVITATION_LETTERS);
    bool ok = HMAC(EVP_sha256(), key, INVITATION_HASH, text, sizeof(text), hash_out, &n) != NULL;
    mem_wipe(text, sizeof(text));
    return ok && n == INVITATION_HASH ? OK : ERR_TEMP;
}
