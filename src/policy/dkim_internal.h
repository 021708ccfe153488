/* dkim_internal.h - what is known of a message before the keys are: shared by dkim.c and arc.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_DKIM_INTERNAL_H
#define POLICY_DKIM_INTERNAL_H

#include "policy/body_hash.h"
#include "policy/dkim.h"

/* One signature with its hashes. */
struct proof {
    struct sig sig;
    unsigned char digest[SIG_DIGEST];
    uint32_t body; /* number of its hash; not of a seal */
    uint32_t name; /* number of its key's name */
};

/* Three fields of ARC with one instance. */
struct arc_set {
    struct proof message, seal;
    bool has_message, has_seal, has_results;
    bool looked_at;      /* the message signature has its hashes */
    uint32_t results_at; /* the field's place in the table */
    struct str results;  /* what follows its instance */
};
struct arc_chain {
    struct arc_set *sets; /* set n stands at n - 1; none when the chain cannot even be laid out */
    uint32_t count;
    const char *wrong; /* NULL, or why it fails whatever the keys are */
    uint32_t wrong_set;
};

struct dkim {
    enum sig_rules rules;
    struct field_table fields;
    struct body_hashes bodies;
    struct proof at[LIMIT_DKIM_SIGNATURES];
    uint32_t count, beyond;
    struct str names[LIMIT_DKIM_NAMES];
    uint32_t names_count;
    struct arc_chain chain;
    bool ended;
};

/* The number of the key's name, asked for once however often it is needed.  ERR_LIMIT: too many names. */
MUST_USE enum status dkim_need_key(struct dkim *d, struct str name, uint32_t *number_out);
/* Hashes and key of a signature whose form is good. */
MUST_USE enum status dkim_prepare(struct dkim *d, struct proof *p);
/* The verdict on a signature by the answer about its key. */
void dkim_judge(const struct dkim *d, const struct proof *p, const struct key_answer *answers,
                int64_t now_s, struct dkim_verdict *out);

/* The highest instance that any field of ARC has, chain or none; *failed_out: one is sealed as failed. */
uint32_t arc_highest(const struct dkim *d, struct arena *a, bool *failed_out);

/* Finds the chain of ARC, its hashes and the keys that it needs. */
void arc_prepare(struct dkim *d, struct arena *a);

#endif
