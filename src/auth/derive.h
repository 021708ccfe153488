/* derive.h - argon2 and SCRAM keys of a password, with whatever salt and cost is asked for.
 *
 * Owns:      nothing.
 * Promises:  no threads of their own, whatever the number of lanes; what lay in memory is wiped.
 * Blocks:    as long as the cost says, which the caller bounds.
 * RFC:       9106 (argon2), 5802 and 7677 (SCRAM).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_DERIVE_H
#define AUTH_DERIVE_H

#include "base/mem.h"

#define DERIVE_SCRAM_KEY 32u

struct derive_argon2 {
    bool id; /* argon2id, else argon2i */
    uint32_t version, memory_kib, passes, lanes;
    struct str salt;
};
/* Length n of the result is part of what is hashed. */
MUST_USE bool derive_argon2(const struct secret *p, const struct derive_argon2 *how,
                            unsigned char *hash_out, size_t n);
/* StoredKey and ServerKey, DERIVE_SCRAM_KEY each. */
struct derive_scram {
    struct str salt;
    uint32_t iterations;
};
MUST_USE bool derive_scram(const struct secret *p, const struct derive_scram *how,
                           unsigned char *stored_out, unsigned char *server_out);

#endif
