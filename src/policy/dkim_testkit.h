/* dkim_testkit.h - for tests: messages signed as a table says, and the verdicts on them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_DKIM_TESTKIT_H
#define POLICY_DKIM_TESTKIT_H

#include <openssl/evp.h>

#include "policy/arc.h"

/* A name of DNS; found KEY_FOUND with one text. */
struct testkit_record {
    struct str name, text;
    enum key_found found;
};
struct testkit_dns {
    const struct testkit_record *at;
    size_t count;
};
struct key_answer testkit_answer(const struct testkit_dns *dns, struct str name);

/* A new key, and its record. */
EVP_PKEY *testkit_key(enum sig_cipher cipher, unsigned bits);
struct str testkit_record(EVP_PKEY *key, const char *tags, struct arena *a);

/* Appends the signature of a digest, in base64. */
void testkit_sign_digest(EVP_PKEY *key, const struct sig *s, const unsigned char *digest,
                         struct buf *out);

/* The message with "DKIM-Signature: TAGS; bh=...; b=..." before it; where TAGS hold bh= it is not made. */
struct str testkit_sign(EVP_PKEY *key, const char *tags, struct str message, struct arena *a);

/* Reads a message, its body in chunks, and judges it; the number of verdicts. */
struct testkit_reading {
    enum sig_rules rules;
    size_t chunk; /* 0: whole */
    int64_t now_s;
    uint32_t beyond; /* out */
};
uint32_t testkit_judge(struct str message, const struct testkit_dns *dns, struct testkit_reading *r,
                       struct arena *a, struct dkim_verdict *out);

/* The verdict on its chain of ARC. */
void testkit_judge_arc(struct str message, const struct testkit_dns *dns, size_t chunk,
                       struct arena *a, struct arc_verdict *out);

#endif
