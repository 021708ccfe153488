/* network.h - what the rest of the world sees of this server: port 25, names, DNS records.
 *
 * Owns:      the resolver that it found to work, until the process ends (a question may be under way).
 * Promises:  whatever cannot be asked now becomes a note that says so; nothing here fails.
 * Never:     sends mail: it greets a server and leaves.
 * Suspends:  wherever it says so.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_NETWORK_H
#define SETUP_NETWORK_H

#include "config/config.h"
#include "dns/resolver.h"
#include "setup/findings.h"
#include "setup/records.h"

struct network {
    struct arena *a;
    struct findings *f;
    struct resolver *resolver; /* NULL: no DNS, everything below says so in a note */
    const struct config *config;
    const struct str *addresses; /* of this server as the world sees them, numeric */
    size_t address_count;
    bool deep; /* of domains also what is not needed, but wrong when it is half there */
};

/* Looks for a resolver that works; wanted: "ADDRESS:PORT", or empty for the best there is.  The words for the setting
 * "resolver", and why. */
struct network_resolver {
    struct str words, why;
};
SUSPENDS void network_find_resolver(struct network *n, struct str wanted,
                                    struct network_resolver *out);
/* The resolver of the configuration; says whether it answers. */
SUSPENDS void network_use_config(struct network *n);

enum network_mail { MAIL_LEAVES, MAIL_BLOCKED, MAIL_UNKNOWN };
/* probe: "HOST:PORT", or empty for the mail servers of big providers. */
SUSPENDS enum network_mail network_check_outbound(struct network *n, struct str probe);
/* The host name leads to us. */
SUSPENDS void network_check_host(struct network *n);
/* The reverse name of every address is the host name; true when IPv6 lacks it and IPv4 has not: send by IPv4. */
SUSPENDS bool network_check_reverse(struct network *n);
/* MX, SPF, DKIM (when it has a key) and DMARC; what is not needed when deep: network_domain.c */
SUSPENDS void network_check_domain(struct network *n, const struct records_domain *d);

/* What DNS has in the place of one record. */
enum record_state {
    RECORD_FINE,      /* that, or what is as good */
    RECORD_MISSING,   /* nothing */
    RECORD_DIFFERENT, /* something else */
    RECORD_UNKNOWN,   /* cannot be looked up now */
    RECORD_WAITS,     /* nothing, and it is for later */
};
#define RECORD_STATES (RECORD_WAITS + 1)
const char *record_state_name(enum record_state s); /* "ok", "missing" ... */
struct record_seen {
    enum record_state state;
    struct str seen; /* as far as it is known; several with commas between */
};
/* Looks one record up, and says in n->f by one finding what that means. */
SUSPENDS struct record_seen network_check_record(struct network *n, const struct record *r);

/* network_services.c.  "3 1 1 HEX" of each certificate of the configuration that can be read; at most max.  Returns how
 * many. */
size_t network_own_tlsas(const struct config *c, struct arena *a, struct str *out, size_t max);
/* The TLSA records of this host, if it has some, name a certificate of the configuration. */
SUSPENDS void network_check_tlsa(struct network *n);
/* SRV records (RFC 6186) lead mail programs here; what else they and other servers look for is named when it is
 * missing. */
SUSPENDS void network_check_services(struct network *n, const struct records *all);
/* The configuration asks, by /etc/resolv.conf or itself, a resolver that everybody asks. */
void network_judge_resolvers(const struct config *c, struct str resolv_conf, struct findings *f);
/* network_time.c.  server: "HOST:PORT", or empty for pool.ntp.org. */
SUSPENDS void network_check_time(struct network *n, struct str server);

#endif
