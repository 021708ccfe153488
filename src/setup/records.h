/* records.h - what the owner of a domain has to set elsewhere: DNS records, settings of mail programs.
 *
 * The one list of these records: set-up, `godwit domain show` and the API print it, `godwit check`, doctor and
 * `domain check` look up what it says.
 *
 * Promises:  every record that is of its zone and not for later is true as soon as it is set: only what this server
 *            offers is named.
 * Never:     looks anything up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_RECORDS_H
#define SETUP_RECORDS_H

#include "base/arena.h"
#include "base/buf.h"
#include "config/config.h"

enum record_kind {
    RECORD_ADDRESS,
    RECORD_REVERSE,
    RECORD_MX,
    RECORD_SPF,
    RECORD_DKIM,
    RECORD_DMARC,
    RECORD_TLSA,
    RECORD_TLS_RPT,
    RECORD_MTA_STS,
    RECORD_SRV,
    RECORD_WEB, /* where mail programs ask a web server for settings */
};
/* Where and when it is set. */
enum record_place {
    RECORD_HERE,      /* in the zone of the domain */
    RECORD_ELSEWHERE, /* in another zone */
    RECORD_LATER,     /* not before something else is there; about says what */
};
struct record {
    enum record_kind kind;
    enum record_place place;
    struct str name; /* without final dot */
    const char *type;
    struct str value;      /* as in a zone, but that of TXT: the text itself, unquoted */
    struct str about;      /* one sentence */
    bool waits;            /* of RECORD_DKIM: the key does not sign yet */
    enum service service;  /* of RECORD_SRV */
    uint16_t port;         /* of RECORD_SRV */
    struct str of_address; /* of RECORD_ADDRESS and RECORD_REVERSE: numeric */
};
#define RECORDS_MAX 160u
struct records {
    struct str domain;
    const struct record *at;
    size_t count;
    struct str remarks;    /* lines of their own for people, each with its end */
    struct str sts_policy; /* text of the MTA-STS policy (RFC 8461 section 3.2) */
};

#define RECORDS_TLSAS_MAX 8u
/* A DKIM key of the domain. */
enum records_key_state { RECORDS_KEY_WAITS, RECORDS_KEY_SIGNS, RECORDS_KEY_OLD };
struct records_key {
    struct str selector, record; /* the text of its TXT record; none of an old one */
    enum records_key_state state;
    bool first;       /* waits, and nothing of its kind signs yet */
    bool may_go;      /* old, and nobody needs its record any more */
    struct str until; /* old: the day from which on that is so */
};
struct records_domain {
    struct str name;
    const struct records_key *keys; /* of DKIM; none: no key yet */
    size_t key_count;
    const struct str *addresses; /* of the host, as the world sees them; numeric */
    size_t address_count;
    const struct str
        *tlsas; /* "3 1 1 HEX" of its certificates; none: not known here, or none wanted */
    size_t tlsa_count;
};
/* Everything lives in a. */
void records_make(const struct config *c, const struct records_domain *d, struct arena *a,
                  struct records *out);
/* Of a zone file: each with its sentence before it; what is not for this zone, or not yet, is a comment. */
void records_write(const struct records *r, struct buf *b);
/* The value as a zone has it: strings of TXT in quotes. */
void record_write_value(const struct record *r, struct buf *b);

/* The value that the domain's SPF record ought to have (RFC 7208). */
void records_spf(const struct config *c, struct buf *b);
/* "_imaps", as SRV records call it (RFC 6186, RFC 8314); NULL: it has no such name. */
const char *records_service_label(enum service s);
/* Servers, ports and TLS of each protocol, and the user name, for people. */
void records_clients(const struct config *c, struct str user, struct buf *b);

#endif
