/* foreign.h - passwords as other mail servers keep them: {SCHEME} of Dovecot, crypt(3), PHC strings.
 *
 * Owns:      nothing; everything that was read lies in struct foreign.
 * Promises:  foreign_read() takes nothing that would cost more than about a second or 256 MiB to check
 *            (LIMIT_FOREIGN_*), and nothing that no password can ever match.
 * Blocks:    foreign_check(): up to that second, so only on auth's own threads.
 * Schemes:   PLAIN CLEAR CLEARTEXT; CRYPT and its kinds by name (SHA512-CRYPT ...), which are checked by crypt(3);
 *            MD5, SHA, SHA256, SHA512 with salt or without; PBKDF2, ARGON2I, ARGON2ID, SCRAM-SHA-256.  ".b64",
 *            ".base64" and ".hex" behind the name say how the rest is written.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_FOREIGN_H
#define AUTH_FOREIGN_H

#include "auth/scram.h"
#include "base/mem.h"
#include "base/status.h"

#define FOREIGN_MAX      500u /* bytes of the text */
#define FOREIGN_HASH_MAX 64u
#define FOREIGN_SALT_MAX 128u

enum foreign_kind {
    FOREIGN_PLAIN,  /* the password itself */
    FOREIGN_CRYPT,  /* by crypt(3) */
    FOREIGN_DIGEST, /* of password and salt */
    FOREIGN_PBKDF2,
    FOREIGN_ARGON2,
    FOREIGN_SCRAM,
};
enum foreign_digest { FOREIGN_MD5, FOREIGN_SHA1, FOREIGN_SHA256, FOREIGN_SHA512 };
struct foreign {
    enum foreign_kind kind;
    enum foreign_digest digest; /* of DIGEST and PBKDF2 */
    bool argon2id;              /* else argon2i */
    uint32_t version, memory_kib, lanes;
    uint32_t rounds; /* of PBKDF2 and SCRAM; passes of ARGON2 */
    size_t text_len, salt_len, hash_len;
    char text[FOREIGN_MAX + 1]; /* of PLAIN, and what crypt(3) takes; zero-ended */
    char salt[FOREIGN_SALT_MAX];
    unsigned char hash[FOREIGN_HASH_MAX];  /* StoredKey of SCRAM */
    unsigned char server[SCRAM_KEY_BYTES]; /* ServerKey */
};
/* NULL; or why it cannot be used, in a few words, and out is untouched. */
const char *foreign_read(struct str text, struct foreign *out);
/* ERR_DENIED: another password.  The password as it came: other servers do not prepare it. */
MUST_USE enum status foreign_check(const struct foreign *f, const struct secret *password);
/* How many bytes of a password count; any may follow them.  SIZE_MAX = all. */
size_t foreign_looks_at(const struct foreign *f);
void foreign_wipe(struct foreign *f);
#define AUTO_FOREIGN AUTO(foreign_wipe) struct foreign

#endif
