/* resolver.h - DNS for mail: libunbound, or a zone file, behind questions that a fiber can ask.
 *
 * Owns:      the unbound context with its cache and thread; answers live in the caller's arena.
 * Promises:  every answer carries its DNSSEC state; a bogus one is ERR_TEMP, as RFC 7672 asks.  At most
 *            LIMIT_DNS_TIMEOUT_S a question.  Host lists are in the order to try them.
 *            ERR_NOT_FOUND: the name, or that kind of data, does not exist, or cannot: it is too long or has an empty
 *            label.  ERR_TEMP: cannot tell now.
 *            With a zone file (zone.h) nothing is asked from the network, and no call waits.
 * Never:     sends mail, follows addresses anywhere.
 * RFC:       5321 section 5.1 (MX), 7505 (null MX).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_RESOLVER_H
#define DNS_RESOLVER_H

#include <netinet/in.h>

#include "base/arena.h"
#include "dns/types.h"
#include "rt/fiber.h"

struct resolver;

#define RESOLVER_ANCHOR_FILE "/usr/share/dns/root.key" /* of the package dns-root-data */
struct resolver_options {
    const struct str
        *forward; /* "ADDRESS@PORT", as unbound writes it; none = system or recursive */
    size_t forward_count;
    bool recursive;          /* ask the root servers; else /etc/resolv.conf */
    bool dnssec;             /* validate */
    const char *anchor_file; /* root trust anchor, NULL = Debian's */
    struct str zone;         /* the text of a zone file, which alone answers; STR_NONE = none */
};
/* Reads its files and starts its thread, inside the jail: both are libunbound's, which parses what strangers send. */
MUST_USE SUSPENDS enum status resolver_new(const struct resolver_options *o, struct resolver **out,
                                           struct problem *why);
/* Nobody waits for an answer any more.  In a loop that goes on: a fiber of its own ends with it. */
void resolver_free(struct resolver **r);

struct dns_host {
    struct str name; /* without final dot, lower case */
    uint16_t preference;
};
struct dns_mx {
    const struct dns_host
        *hosts; /* the LIMIT_MX_HOSTS best; letters, digits, "-", "_" and dots only */
    size_t count;
    bool null_mx;  /* the domain takes no mail, RFC 7505 */
    bool implicit; /* no MX at all: the domain itself is the host */
    bool secure;   /* DNSSEC-validated */
};
/* ERR_NOT_FOUND: the domain does not exist, or its MX name no host. */
MUST_USE SUSPENDS enum status resolver_mx(struct resolver *r, struct str domain, struct arena *a,
                                          struct dns_mx *out);
struct dns_addresses {
    const struct sockaddr_storage *at; /* IPv6 and IPv4 in turn; port 0 */
    size_t count;
    bool secure;          /* all of them, and what leads there, are DNSSEC-validated */
    struct str canonical; /* where aliases lead, lower case; empty: the name is no alias */
};
enum dns_family { DNS_IPV4 = 1, DNS_IPV6 = 2 };
/* A numeric address is taken as it is.  families: bits of enum dns_family. */
MUST_USE SUSPENDS enum status resolver_addresses(struct resolver *r, struct str host,
                                                 unsigned families, struct arena *a,
                                                 struct dns_addresses *out);

/* For set-up and checks, not for mail's way: texts of TXT records with their parts joined, and the names that an
 * address has in reverse (numeric text, IPv4 or IPv6). */
struct dns_texts {
    const struct str *text; /* at most RESOLVER_TEXTS_MAX */
    size_t count;
    bool secure;
};
#define RESOLVER_TEXTS_MAX 32u
MUST_USE SUSPENDS enum status resolver_texts(struct resolver *r, struct str name, struct arena *a,
                                             struct dns_texts *out);
MUST_USE SUSPENDS enum status resolver_reverse(struct resolver *r, struct str address,
                                               struct arena *a, struct dns_texts *out);

/* For judging mail: the records of one type as they are.  Names may have what no host's name has. */
struct dns_query {
    struct str name; /* dots between labels; every other byte stands for itself */
    enum dns_type type;
    int64_t timeout_ms; /* 0 = LIMIT_DNS_TIMEOUT_S */
};
struct dns_records {
    const struct str
        *data;    /* A and AAAA: 4 or 16 bytes; TXT: parts joined; MX and PTR: the name, lower case,
                             * without final dot, empty for the root; other types: as on the wire */
    size_t count; /* 0: no such name, or nothing of this type there */
    bool secure;  /* that, or that there is nothing, is DNSSEC-validated */
};
/* What the records of one question can take from an arena. */
#define RESOLVER_RECORDS_ARENA (160u << 10)
/* ERR_LIMIT: more than LIMIT_DNS_RECORDS.  ERR_NOT_FOUND: there cannot be such a name. */
MUST_USE SUSPENDS enum status resolver_records(struct resolver *r, const struct dns_query *q,
                                               struct arena *a, struct dns_records *out);

/* Does the root answer, and was the answer validated?  OK also when it was not. */
MUST_USE SUSPENDS enum status resolver_probe(struct resolver *r, bool *secure_out);

#endif
