/* signature.h - one signature of a header: the fields of DKIM (RFC 6376) and ARC (RFC 8617) as values, their hashes.
 *
 * Promises:  what is not exactly as the RFC wants it has `wrong` set and is not looked at further: nothing here is
 *            liberal in what it accepts (RFC 6376 section 6.1.1).
 * Never:     sees a key.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SIGNATURE_H
#define POLICY_SIGNATURE_H

#include "mail/canon.h"
#include "policy/field_table.h"
#include "policy/tags.h"

enum { SIG_DIGEST = 32 }; /* bytes of SHA-256 */

enum sig_kind { SIG_DKIM, SIG_ARC_MESSAGE, SIG_ARC_SEAL };
enum sig_cipher { SIG_RSA, SIG_ED25519 };
enum sig_chain { SIG_CHAIN_NONE, SIG_CHAIN_FAIL, SIG_CHAIN_PASS }; /* cv= of a seal */

/* What is required of signatures and keys.  The old ones are RFC 4871's: rsa-sha1, short keys, no v=. */
enum sig_rules { SIG_RULES_NOW, SIG_RULES_OLD };
struct sig_form {
    enum sig_kind kind;
    enum sig_rules rules;
};

struct sig {
    enum sig_kind kind;
    const char *wrong;   /* NULL, or in a few words why it can never be verified */
    struct str domain;   /* d= in normal form; empty when it is none */
    struct str selector; /* s= in normal form; empty when it is none */
    struct str key_name; /* where its key stands in DNS */
    struct str identity; /* i= of DKIM, decoded; "@" and d= when absent */
    bool subdomain;      /* i= names a subdomain of d= */
    enum sig_cipher cipher;
    bool sha1;
    enum canon_kind header_canon, body_canon;
    bool has_length, has_expiry;
    uint64_t length;      /* l= */
    int64_t expires_s;    /* x= */
    struct str names;     /* h= */
    struct str body_hash; /* bh=, bytes */
    struct str bytes;     /* b=, bytes */
    struct str text;      /* b= as it stands there, for people */
    uint32_t instance;    /* i= of ARC */
    enum sig_chain chain;
    uint32_t at;    /* the field's place in the table */
    struct str cut; /* the part of the field that does not cover itself: what follows "b=" */
};
/* The field number `at` of the table as a signature of that form. */
void sig_parse(const struct field_table *t, uint32_t at, struct sig_form form, struct arena *a,
               struct sig *out);
/* "rsa-sha256": its a=, as far as it is known. */
const char *sig_algorithm(const struct sig *s);

/* The digest that was signed: of the fields in h=, from the bottom up, and of its own without b=. */
void sig_header_digest(const struct field_table *t, const struct sig *s,
                       unsigned char digest[SIG_DIGEST]);

#endif
