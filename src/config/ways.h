/* ways.h - of the configuration: routes to other servers, and programs that are asked about mail.
 *
 * Owns:      nothing; strings are of the configuration that they are part of.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_WAYS_H
#define CONFIG_WAYS_H

#include "base/str.h"

struct config_address {
    struct str host; /* numeric address without brackets, or "*" for all, IPv6 and IPv4 */
    uint16_t port;
};
enum route_tls {                    /* rising */
                 ROUTE_TLS_OFFERED, /* where it is offered, with any certificate */
                 ROUTE_TLS_REQUIRED,
                 ROUTE_TLS_VERIFIED, /* and a certificate for the host's name */
};
struct config_socks {
    struct str host; /* empty = none */
    uint16_t port;
    struct str user, password_file;
    bool names; /* it looks names up, instead of us */
};
/* What is set must all fit. */
struct config_route {
    struct str domain;                 /* "*" = every other, "-" = none: chosen by name alone */
    struct str sender;                 /* an address, a domain, "<>"; empty = any */
    uint32_t after_tries, after_hours; /* one of them, when there is any */
    struct str name;                   /* empty = none */
    struct str host;                   /* name or numeric address; "mx": */
    bool by_mx;                        /* the hosts of the domain, at this port */
    uint16_t port;
    struct str user, password_file; /* empty = none */
    enum route_tls tls;
    bool tls_never;
    struct config_socks socks;
    struct str source4, source6; /* as in struct config; empty = as there */
    struct str ehlo;             /* empty = our host's name */
};
/* Another program that is asked about mail: a policy server (the protocol of Postfix), a milter, or a scanner that is
 * shown whole messages. */
enum filter_kind { FILTER_POLICY, FILTER_MILTER, FILTER_SPAMD, FILTER_CLAMD, FILTER_RSPAMD };
#define FILTER_KINDS (FILTER_RSPAMD + 1)
enum filter_otherwise { FILTER_TEMPFAIL, FILTER_ACCEPT, FILTER_REJECT };
struct config_filter {
    enum filter_kind kind;
    struct str where;         /* "unix PATH" or "ADDRESS:PORT" */
    struct str path;          /* empty: by TCP */
    struct config_address at; /* of TCP */
    bool on_mx, on_submission;
    bool at_data;    /* a policy server: asked at the end of the message, not at RCPT */
    struct str name; /* of a policy server its context, of others for people; may be empty */
    bool has_junk_at, has_refuse_at;
    int32_t junk_at, refuse_at; /* of a scanner: from so many hundredths of a point on */
    uint64_t up_to;             /* of a scanner: larger messages are not shown; 0 = all are */
    uint32_t timeout_s;
    enum filter_otherwise otherwise; /* what becomes of mail while it cannot be asked */
};
/* The most that may follow from what the verdicts about a stranger's message say (cook/verdict.h). */
enum dmarc_mode {                     /* order of enum<2> dmarc in cook.ipc; from strict to mild */
                  DMARC_MODE_ENFORCE, /* refused, or put into Junk */
                  DMARC_MODE_JUNK,    /* put into Junk */
                  DMARC_MODE_OFF,     /* told in the message alone */
};
struct config_dmarc { /* for mail to one domain */
    struct str domain;
    enum dmarc_mode mode;
};
struct config;
/* What holds for mail to this domain, which is in normal form. */
enum dmarc_mode config_dmarc_of(const struct config *c, struct str domain);

struct config_spam { /* for mail to one domain */
    struct str domain;
    bool off;
};
struct config_spam_filter {
    bool off; /* where no line names the domain */
    const struct config_spam *domains;
    size_t domain_count;
};
/* Has the spam score a say in mail to this domain? */
bool config_spam_of(const struct config *c, struct str domain);

/* Whose envelope senders are signed. */
struct config_bounce {
    struct str who; /* an address, or "@domain" */
    bool require;   /* and reports to the bare address refused */
};

#endif
