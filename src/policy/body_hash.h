/* body_hash.h - the hashes of a body that signatures speak of, made in one pass over it.
 *
 * Promises:  each canonical form is made once, each distinct pair of form, hash and length is hashed once, whatever the
 *            number of signatures.  The split of the body into chunks does not matter.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_BODY_HASH_H
#define POLICY_BODY_HASH_H

#include "policy/signature.h"

enum { BODY_HASHES_MAX = 2 * LIMIT_DKIM_SIGNATURES };
#define BODY_WHOLE UINT64_MAX

struct body_hash {
    enum canon_kind kind;
    bool sha1;
    uint64_t length; /* bytes of the canonical body that count, or BODY_WHOLE */
    uint64_t hashed;
    void *context; /* of OpenSSL, until the end */
    unsigned char digest[SIG_DIGEST];
};
struct body_hashes {
    struct body_hash at[BODY_HASHES_MAX];
    uint32_t count;
    struct canon_body canon[2]; /* by kind */
};
void body_hashes_init(struct body_hashes *b);
void body_hashes_release(struct body_hashes *b);
/* Before the body: the number of the hash, which may be an earlier one.  ERR_LIMIT: too many different ones. */
MUST_USE enum status body_hashes_want(struct body_hashes *b, const struct sig *s,
                                      uint32_t *number_out);
void body_hashes_add(struct body_hashes *b, struct str chunk);
void body_hashes_end(struct body_hashes *b);
/* The whole body in the relaxed form: what our own signatures say of it. */
void body_hash_relaxed(struct str body, unsigned char digest[SIG_DIGEST]);
/* After the end: bytes of the canonical body. */
uint64_t body_hashes_size(const struct body_hashes *b, enum canon_kind kind);

#endif
