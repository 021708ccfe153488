/* records.h - what the owner of a domain has to set elsewhere: DNS records as zone lines, settings of mail programs.
 *
 * Promises:  every line is true as soon as it is set: only what this server offers is named.
 * Never:     looks anything up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_RECORDS_H
#define SETUP_RECORDS_H

#include "base/buf.h"
#include "config/config.h"

/* A DKIM key of the domain. */
enum records_key_state { RECORDS_KEY_WAITS, RECORDS_KEY_SIGNS, RECORDS_KEY_OLD };
struct records_key {
    struct str selector, record; /* no record: old */
    enum records_key_state state;
    bool first;       /* waits, and nothing of its kind signs yet */
    bool may_go;      /* old, and nobody needs its record any more */
    struct str until; /* old: the day from which on that is so */
};
struct records_domain {
    struct str name;
    const struct records_key *keys; /* none yet: no key */
    size_t key_count;
    const struct str *addresses; /* of the host, as the world sees them; numeric */
    size_t address_count;
};
/* The value that the domain's SPF record ought to have (RFC 7208). */
void records_spf(const struct config *c, struct buf *b);
/* MX, SPF, DKIM, DMARC, SRV (RFC 6186, RFC 8314), and the addresses when they are known. */
void records_write(const struct config *c, const struct records_domain *d, struct buf *b);
/* "_imaps", as SRV records call it (RFC 6186, RFC 8314); NULL: it has no such name. */
const char *records_service_label(enum service s);
/* Servers, ports and TLS of each protocol, and the user name, for people. */
void records_clients(const struct config *c, struct str user, struct buf *b);

#endif
