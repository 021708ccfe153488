/* public_key.h - keys of DKIM and ARC as they stand in DNS, and what they say to a signature (RFC 6376, 8301, 8463).
 *
 * Promises:  a key is read by hand, byte by byte: what is not exactly an RSA or Ed25519 key never reaches OpenSSL.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_PUBLIC_KEY_H
#define POLICY_PUBLIC_KEY_H

#include "policy/signature.h"

enum {
    KEY_RSA_BITS_MIN = 1024, /* RFC 8301 section 3.2 */
    KEY_RSA_BITS_MAX = 4096,
    KEY_ED25519 = 32, /* bytes */
};

struct public_key {
    enum sig_cipher cipher;
    uint32_t bits;
    struct str modulus, exponent; /* of RSA: big-endian, no zeros in front */
    struct str point;             /* of Ed25519 */
    bool testing;                 /* t=y */
    bool strict;                  /* t=s: i= must be in d= itself */
    bool sha1, sha256;            /* h=: for these hashes */
};
/* A text of DNS.  NULL, or in a few words why it is no key for mail. */
const char *public_key_parse(struct str text, struct arena *a, struct public_key *out);
/* Two texts of one key, whatever else they say; the arena is as for public_key_parse(). */
bool public_key_same(struct str text, struct str other, struct arena *a);

enum key_says { KEY_GOOD, KEY_BAD, KEY_SHORT, KEY_LONG, KEY_OTHER };
/* Does the signature of the digest come from this key?  KEY_OTHER: it is for something else. */
enum key_says public_key_check(const struct public_key *k, const struct sig *s,
                               const unsigned char digest[SIG_DIGEST], enum sig_rules rules);

#endif
