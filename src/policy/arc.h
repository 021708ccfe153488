/* arc.h - chains of ARC: what those say through whose hands a message went (RFC 8617).
 *
 * Use:       with the same struct dkim that verifies DKIM: its names include the keys of the chain, its one pass over the
 *            body makes the hashes; arc_verdict() judges by the same answers.
 * Promises:  the newest ARC-Message-Signature and every seal verify, or the chain fails; every failure is final,
 *            also that of DNS (section 5.2.1).  The hashes of all seals together cost one pass over the chain.
 * Never:     says whether a sealer is to be believed: a chain that passes is only as good as those who made it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_ARC_H
#define POLICY_ARC_H

#include "policy/dkim.h"

enum arc_result { ARC_NONE, ARC_PASS, ARC_FAIL };
const char *arc_result_name(enum arc_result r); /* "pass" */

struct arc_verdict {
    enum arc_result result;
    const char *reason; /* a few words without quotes; empty unless it fails */
    uint32_t failed;    /* the set that made it fail, 0: its form as a whole */
    uint32_t sets;      /* how many there are, of a chain whose form is good */
    uint32_t
        oldest_pass; /* of a chain that passes: section 5.2 step 5; 0: the message was never changed */
    bool temporary; /* it failed since a key could not be asked for now */
};
/* After dkim_body_end(); answers as for dkim_verdict(). */
void arc_verdict(const struct dkim *d, const struct key_answer *answers, int64_t now_s,
                 struct arc_verdict *out);

/* Of a chain whose form is good, sets 1 to arc_sets(): 0 when it is not, or when there is none. */
uint32_t arc_sets(const struct dkim *d);
/* What a set's sealer found out about the message: authserv-id and results, as in Authentication-Results.  Believe it
 * only from a chain that passes, and from sealers that are trusted. */
struct str arc_results(const struct dkim *d, uint32_t set);
struct str arc_sealer(const struct dkim *d, uint32_t set); /* d= of its seal, in normal form */

#endif
