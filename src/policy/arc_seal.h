/* arc_seal.h - one more set of ARC on a message that is sent on (RFC 8617 section 5.1): what it is made of, and its
 * texts around two signatures made elsewhere.
 *
 * Sealing:   arc_to_seal() reads the message.  arc_results_write(); arc_message_write(), which is signed over the
 *            fields of arc_to_seal and completed by dkim_header_finish() (mail/canon.h); arc_seal_write(), signed over
 *            arc_seal_input() and completed likewise.  All three stand before the message: seal, message signature,
 *            results.
 * Promises:  what is written verifies by arc.h for as long as nobody changes the message.
 * Never:     signs, or says anything of its own about a message: it repeats the results field that stands on top of
 *            it.  A chain that failed is sealed as failed once, over the new set alone; whoever finds that adds
 *            nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_ARC_SEAL_H
#define POLICY_ARC_SEAL_H

#include "base/time.h"
#include "policy/arc.h"

enum {
    ARC_RESULTS_MAX = 8192,
    ARC_NAMES_MAX = 2048,
    ARC_HEADERS_MAX = 65536,
    ARC_SETS_MAX = 262144,
    ARC_TO_SEAL_ARENA = DKIM_ARENA + 2 * 1048576,
};

struct arc_to_seal {
    uint32_t
        instance; /* of the new set; 0: the message must not be sealed, or says nothing that could be */
    enum sig_chain chain;
    struct str results;   /* of the top field, with the name of who says so; still folded */
    struct str names;     /* for h=: as mail/canon.h, and the DKIM signatures */
    struct str headers;   /* these fields, canonical */
    struct str body_hash; /* bytes, of the relaxed form */
    struct str sets;      /* the sets before, canonical, as the seal covers them */
};
/* The arena gives at most ARC_TO_SEAL_ARENA.  authserv_id: whose results are ours. */
void arc_to_seal(struct str message, struct str authserv_id, struct arena *a,
                 struct arc_to_seal *out);

struct arc_sealing {
    uint32_t instance;
    enum sig_chain chain;
    struct str algorithm; /* "rsa-sha256" */
    struct str domain;    /* d=, in normal form */
    struct str selector;  /* s= */
    struct instant time;  /* t= */
};
/* Can this be the value of a field, and nothing besides? */
bool arc_results_fit(struct str results);
/* The whole field. */
void arc_results_write(struct buf *b, uint32_t instance, struct str results);
/* With an empty b=, without the line end. */
void arc_message_write(struct buf *b, const struct arc_sealing *s, struct str names,
                       struct str body_hash);
void arc_seal_write(struct buf *b, const struct arc_sealing *s);
/* What stands before the seal itself in what it signs; results and message are whole fields of the new set. */
struct arc_new_set {
    struct str sets, results, message;
};
void arc_seal_input(const struct arc_sealing *s, const struct arc_new_set *set, struct buf *out);

#endif
