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

struct records_domain {
    struct str name;
    struct str selector, dkim_record; /* empty: no key yet */
    const struct str *addresses;      /* of the host, as the world sees them; numeric */
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
