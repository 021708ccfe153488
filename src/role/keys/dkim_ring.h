/* dkim_ring.h - the DKIM keys of one domain: which there are, which sign, which are to be published (RFC 6376, 8463).
 *
 * Owns:      the keys and their names.
 * Promises:  of each algorithm at most one key signs and at most one waits.  A key that waits signs once its record
 *            was seen in DNS, for a signature whose key nobody can find is worth less than none; only the first RSA
 *            key of a domain signs at once, since without it nothing would.  The private half of a key that another
 *            one followed is forgotten at once; its name stays until nobody needs the record.
 * Never:     suspends, asks, keeps: role/keys/dkim.c does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_KEYS_DKIM_RING_H
#define ROLE_KEYS_DKIM_RING_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/limits.h"

/* Both as keys.ipc and the sealed record have them. */
enum ring_algorithm { RING_RSA, RING_ED25519, RING_ALGORITHMS };
enum ring_state { RING_WAITS, RING_SIGNS, RING_OLD };
enum { RING_SELECTOR_MAX = 63, RING_DER_MAX = 2048, RING_BYTES_MAX = 12000 };

struct ring_key {
    struct str selector; /* owned */
    enum ring_algorithm algorithm;
    enum ring_state state;
    bool seen;       /* its record was in DNS when it was last looked for */
    int64_t since_s; /* it has this state since then */
    EVP_PKEY *key;   /* NULL: old */
};
struct dkim_ring {
    struct ring_key at[LIMIT_DKIM_KEYS];
    size_t count;
};

/* NULL is fine. */
void ring_free(struct dkim_ring **r);
struct dkim_ring *ring_copy(const struct dkim_ring *r);

/* As it is sealed; the text holds private keys, and whoever has it wipes it. */
MUST_USE enum status ring_write(const struct dkim_ring *r, struct buf *plain);
MUST_USE enum status ring_read(struct str plain, struct dkim_ring **out);
/* What there was of a domain before there were rings: one RSA key, which signs.  It is still written beside the ring,
 * so that a program from before can take over again. */
MUST_USE enum status ring_write_single(const struct dkim_ring *r, struct buf *plain);
MUST_USE enum status ring_read_single(struct str plain, struct dkim_ring **out);

/* NULL: there is none. */
struct ring_key *ring_find(struct dkim_ring *r, enum ring_algorithm algorithm,
                           enum ring_state state);
/* Takes the key; its name is of the day (RFC 6376 section 3.1) and was not used here before.  Nothing of that
 * algorithm may wait. */
void ring_add(struct dkim_ring *r, enum ring_algorithm algorithm, EVP_PKEY *key, int64_t now_s);
/* What DNS says of a key: its record is there, or it is not.  True: that changes something. */
bool ring_tell(struct dkim_ring *r, struct str selector, bool there, int64_t now_s);
/* The value of its TXT record; nothing of an old one. */
MUST_USE enum status ring_record(const struct ring_key *k, struct buf *b);

#endif
