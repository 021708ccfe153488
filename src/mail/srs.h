/* srs.h - envelope senders rewritten for mail that is sent on (Sender Rewriting Scheme).
 *
 * The next host checks SPF against the domain of the envelope sender, so that of a forwarded message must be ours; and
 * what comes back to it must find its way to who wrote first.  All of that stands in the local part:
 *
 *     SRS0=HASH=TT=domain=local@ours    TT: the day, two characters of base32
 *     SRS1=HASH=host=rest@ours          SRS0 + rest @ host: what another forwarder has made already
 *
 * Promises:  what srs_wrap() makes and srs_write() writes is read back by srs_read() and leads to the same mailbox, in
 *            whatever case a host returned it.  At most LIMIT_SRS_BYTES with domain; a local part may pass the 64
 *            octets of RFC 5321 section 4.5.3.1.1, as those of mailing lists do every day.
 * Never:     computes a MAC: who calls has SHA-256 bytes over srs_signed() from role keys.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_SRS_H
#define MAIL_SRS_H

#include "base/arena.h"
#include "base/buf.h"

#define SRS_HASH_CHARS  8u /* 40 bits of the MAC */
#define SRS_SIGNED_MAX  1024u
#define SRS_MAC_BYTES   32u
#define SRS_ADDRESS_MAX 512u

enum srs_kind { SRS_FIRST, SRS_SECOND };
struct srs {
    enum srs_kind kind;
    struct str hash;  /* as it was found; empty in what is being made */
    struct str stamp; /* two characters; of SRS_FIRST alone */
    struct str host;  /* domain of the first sender, or of the host that wrote the SRS0 */
    struct str
        local; /* of the first sender, unquoted; of SRS_SECOND: what follows "SRS0", separator included */
};

/* Has its local part one of the two forms, be it forged or cut off? */
bool srs_is(struct str address);
/* Strings live in a.  ERR_NOT_FOUND: not of this scheme.  ERR_SYNTAX: it is, and a part is missing. */
MUST_USE enum status srs_read(struct str address, struct arena *a, struct srs *out);
/* The parts for a foreign sender; day: since 1970.  ERR_NOT_FOUND: it has no domain to wrap. */
MUST_USE enum status srs_wrap(struct str sender, int64_t day, struct arena *a, struct srs *out);

/* What the MAC is made over, without regard to case. */
void srs_signed(const struct srs *s, struct buf *b);
/* Is the hash that was found the beginning of this MAC? */
bool srs_is_signed(const struct srs *s, struct str mac);
/* Not older than LIMIT_SRS_DAYS; what SRS_SECOND holds is dated by its host. */
bool srs_is_fresh(const struct srs *s, int64_t day);

/* The whole address at one of our domains, in a.  ERR_LIMIT: too long. */
MUST_USE enum status srs_write(const struct srs *s, struct str mac, struct str domain,
                               struct arena *a, struct str *out);
/* Where mail to it goes. */
MUST_USE enum status srs_target(const struct srs *s, struct arena *a, struct str *out);

#endif
