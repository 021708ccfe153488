/* dkim.h - verifying DKIM signatures (RFC 6376, 8301, 8463) without asking anyone.
 *
 * Use:       dkim_new() with the header block, dkim_body() with the body in chunks of any size, dkim_body_end();
 *            then dkim_names() says which TXT records are needed, and dkim_verdict() judges each signature by them.
 * Promises:  reads header and body once each, in linear time, and checks at most LIMIT_DKIM_SIGNATURES signatures, the
 *            uppermost ones; dkim_beyond() counts the others.
 * Strict:    rsa-sha1 and RSA keys below 1024 bits never pass.  A signature whose l= leaves a part of the body
 *            unsigned does not pass either: whoever appends there speaks in the signer's name.
 * Never:     decides what a verdict means for the message; asks, waits, logs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_DKIM_H
#define POLICY_DKIM_H

#include "policy/signature.h"

struct dkim;

/* The words of RFC 8601 section 2.7.1. */
enum dkim_result {
    DKIM_PASS,
    DKIM_FAIL,      /* the message or its signature was changed */
    DKIM_POLICY,    /* not acceptable here: expired, a short key, a body that is not signed whole */
    DKIM_TEMPERROR, /* the key could not be asked for now */
    DKIM_PERMERROR, /* no signature, or no key, that anyone could verify */
};
const char *dkim_result_name(enum dkim_result r); /* "pass" */

/* What DNS said to one name. */
enum key_found { KEY_FOUND, KEY_ABSENT, KEY_UNKNOWN /* a failure that may pass */ };
struct key_answer {
    enum key_found found;
    const struct str *texts; /* TXT records, each with its parts joined */
    size_t count;
};

struct dkim_verdict {
    enum dkim_result result;
    const char *reason;    /* a few words without quotes; empty when it passes */
    struct str domain;     /* d= in normal form, empty when it has none; the others likewise */
    struct str selector;   /* s= */
    struct str identity;   /* i=, decoded: bytes of a stranger */
    struct str signature;  /* b= as written; the first bytes tell signatures of one domain apart */
    const char *algorithm; /* "rsa-sha256" */
    uint32_t key_bits;     /* 0: no key was looked at */
    bool testing; /* the domain is trying DKIM out: the verdict should not count against it */
};

/* The header block must outlive it, as must the arena, which gives at most DKIM_ARENA bytes.  Lines end in CRLF. */
enum { DKIM_ARENA = FIELD_TABLE_ARENA + 4 * 1048576 };
struct dkim *dkim_new(struct str header, enum sig_rules rules, struct arena *a);
void dkim_free(struct dkim **d);
void dkim_body(struct dkim *d, struct str chunk);
void dkim_body_end(struct dkim *d);

uint32_t dkim_count(const struct dkim *d);  /* signatures that are looked at */
uint32_t dkim_beyond(const struct dkim *d); /* those that are not */
/* The names whose TXT records are needed, for the chain of ARC as well (arc.h), each once; at most LIMIT_DKIM_NAMES. */
uint32_t dkim_names(const struct dkim *d, const struct str **names_out);
/* After dkim_body_end().  answers: one for each of dkim_names(), in that order. */
void dkim_verdict(const struct dkim *d, uint32_t i, const struct key_answer *answers, int64_t now_s,
                  struct dkim_verdict *out);

#endif
