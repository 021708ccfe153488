/* scram_read.h - the two messages of a SCRAM client, taken apart; the arithmetic is auth's (auth/scram.h).
 *
 * Promises:  strings of what was read lie in the message or in the arena; *out is written only on OK.
 * RFC:       5802 section 7; 9266 for the one channel binding that is known.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LOGIN_SCRAM_READ_H
#define LOGIN_SCRAM_READ_H

#include "base/arena.h"
#include "base/status.h"

enum scram_flag {
    SCRAM_CANNOT_BIND, /* "n": the client knows no channel binding */
    SCRAM_NOT_OFFERED, /* "y": it does, and thinks that we do not */
    SCRAM_BINDS,       /* "p=tls-exporter" */
    SCRAM_BINDS_ELSE,  /* "p=" and a type that we do not have */
};
struct scram_first {
    struct str gs2; /* gs2-header, with its last comma */
    enum scram_flag flag;
    struct str authzid, name; /* decoded; authzid may be empty */
    struct str bare;          /* client-first-message-bare */
    struct str nonce;
};
MUST_USE enum status scram_first_read(struct str message, struct arena *a, struct scram_first *out);

struct scram_final {
    struct str binding;  /* decoded: gs2-header and channel-binding data */
    struct str nonce;    /* ours behind the client's */
    struct str unproved; /* client-final-message-without-proof */
    struct str proof;    /* decoded */
};
MUST_USE enum status scram_final_read(struct str message, struct arena *a, struct scram_final *out);

/* saslname = 1*(value-safe-char / "=2C" / "=3D"), decoded; for other mechanisms with a gs2-header. */
struct scan;
MUST_USE bool scan_saslname(struct scan *s, struct arena *a, struct str *out);

#endif
