/* app_password.c - see app_password.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/app_password.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/mem.h"
#include "base/size.h"
#include "rt/random.h"

enum { GROUP = 4, BLANKS_MAX = 64 };

/* Without l, o, 0 and 1, which look alike. */
static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
static_assert(sizeof(letters) - 1 == 32, "five bits each");

void
app_password_make(char *text_out)
{
    unsigned char bytes[APP_PASSWORD_LETTERS];
    char *p = text_out;

    random_fill(bytes, sizeof(bytes));
    for (size_t i = 0; i < APP_PASSWORD_LETTERS; i++) {
        if (i > 0 && i % GROUP == 0)
            *p++ = '-';
        *p++ = letters[bytes[i] & 31];
    }
    ASSERT(p == text_out + APP_PASSWORD_TEXT);
    mem_wipe(bytes, sizeof(bytes));
}

bool
app_password_read(struct str given, char *letters_out)
{
    size_t n = 0;

    if (given.len > APP_PASSWORD_LETTERS + BLANKS_MAX)
        return false;
    for (size_t i = 0; i < given.len; i++) {
        char c = ascii_lower(given.ptr[i]);
        if (c == ' ' || c == '-')
            continue;
        if (n == APP_PASSWORD_LETTERS || str_find(str_of(letters), c) < 0)
            return false;
        letters_out[n++] = c;
    }
    return n == APP_PASSWORD_LETTERS;
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
