/* foreign_fuzz.c - what is taken over is bounded in size and cost; what is not leaves nothing behind.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/foreign.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_cost(const struct foreign *f)
{
    switch (f->kind) {
    case FOREIGN_PLAIN:
    case FOREIGN_CRYPT: ASSERT(f->text_len > 0 && f->text_len <= FOREIGN_MAX); return;
    case FOREIGN_DIGEST: ASSERT(f->hash_len >= 16); return;
    case FOREIGN_PBKDF2:
    case FOREIGN_SCRAM: ASSERT(f->rounds > 0 && f->rounds <= LIMIT_FOREIGN_PBKDF2_ROUNDS); return;
    case FOREIGN_ARGON2:
        ASSERT(f->memory_kib <= LIMIT_FOREIGN_ARGON2_KIB && f->memory_kib >= 8 * f->lanes);
        ASSERT(f->rounds > 0 && f->rounds <= LIMIT_FOREIGN_ARGON2_WORK_KIB / f->memory_kib);
        return;
    }
    UNREACHABLE();
}

/* A refused text leaves the zeros it found. */
static void
check_untouched(const struct foreign *f)
{
    ASSERT(f->kind == FOREIGN_PLAIN && f->digest == FOREIGN_MD5 && !f->argon2id);
    ASSERT(f->version == 0 && f->memory_kib == 0 && f->lanes == 0 && f->rounds == 0);
    ASSERT(f->text_len == 0 && f->salt_len == 0 && f->hash_len == 0);
    for (size_t i = 0; i < sizeof(f->text); i++)
        ASSERT(f->text[i] == '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FOREIGN f = {0};
    AUTO_SECRET password = {0};

    if (foreign_read(str_from((const char *)data, size), &f) != NULL) {
        check_untouched(&f);
        return 0;
    }
    ASSERT(size <= FOREIGN_MAX && f.text_len <= FOREIGN_MAX && f.text[f.text_len] == '\0');
    ASSERT(f.salt_len <= FOREIGN_SALT_MAX && f.hash_len <= FOREIGN_HASH_MAX);
    check_cost(&f);
    ASSERT(secret_set(&password, STR("no")));
    if (f.kind <= FOREIGN_DIGEST && f.kind != FOREIGN_CRYPT)
        ASSERT(foreign_check(&f, &password) == ERR_DENIED ||
               (f.kind == FOREIGN_PLAIN && str_eq(str_from(f.text, f.text_len), STR("no"))));
    return 0;
}
