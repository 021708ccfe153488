/* config.h - godwit.conf as structs: small, checked as a whole before anything starts.
 *
 * Text:      one setting a line, words separated by blanks, "double quotes" for blanks inside, # starts a comment.
 *                host mail.example.org
 *                domain example.org                     # the default domain of log-ins
 *                data /var/lib/godwit
 *                engine rocks
 *                listen smtp *:25                       # smtp submission submissions imap imaps pop3 pop3s sendmail
 *                listen submission unix /run/godwit/submit.sock mode 660 group mail
 *                listen lmtp 192.0.2.1:24 from 192.0.2.7
 *                listen api unix /run/godwit/api.sock group adm mode 660  # this, without group, is there anyway
 *                listen api 127.0.0.1:8025 token-file FILE                # or: listen api none
 *                listen metrics 127.0.0.1:9025
 *                tls cert FILE key FILE                 # several times; names come from the certificate
 *                workers mx 1                           # mx, user, cook, out: 1 to 10
 *                resolver 127.0.0.1:53                  # or: resolver system, resolver recursive
 *                smarthost mail.isp.example:587 user NAME password-file FILE
 *                policy unix /run/postgrey.sock         # asked at RCPT, or with `at data` at the end of the message
 *                milter 127.0.0.1:8891 on all           # several, in order
 *                checks on                              # who strangers are is found out: or off
 *                dnsbl list.example answer 127.0.0.2    # lists in DNS; dnswl is one of good senders
 *                oauth-issuer https://id.example.org audience mail keys FILE
 *                oauth-introspection https://id.example.org/introspect client NAME secret FILE
 *                client-certificates FILE               # authorities of whom logs in by SASL EXTERNAL
 *                plaintext-login loopback               # tests and benchmarks only
 *                relay-from 192.0.2.7 192.0.2.32/28     # printers: may send to anywhere without a log-in
 *                proxy-from 192.0.2.9                   # HAProxy: the PROXY protocol comes first
 *                xclient-from 192.0.2.10                # a mail proxy that says for whom it speaks
 *                reports on                             # others are told about their mail: or off
 *                dmarc enforce                          # or junk, off; for mail to some: dmarc junk domain example.net
 *                outbound-limits messages 1000 recipients 200  # of an account a day; or: outbound-limits none
 *                greylist doubtful wait 300             # or: greylist off
 *                inbound-limits network 20000 domain 50000 recipient 2000  # an hour; or: inbound-limits none
 *                bounce-signing sign anna@example.org @example.net
 *                outbound none                          # the demonstration: leave for no other host than `route`
 *                route elsewhere.example 127.0.0.1:2599 # send this domain (or * for all) there, see route.c
 *                message-size 50M                       cache 16M
 *                source ipv4 192.0.2.25                 # or: source ipv6 none
 *                log FILE | stderr                      log-level info
 *                trace-days 30                          trace-size 2G
 *                user godwit                            run-dir /run/godwit
 * Owns:      everything it points to, in one arena, until config_free().
 * Promises:  unknown, double or wrong settings are refused with file, line, what was read, what was expected.
 *            config_write() gives text that config_read() turns into an equal struct (boss hands it to roles so).
 * Never:     opens sockets or resolves names.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/status.h"
#include "base/subnet.h"
#include "config/ways.h"

#define CONFIG_API_SOCKET  "api.sock" /* in run-dir */
#define CONFIG_SOCKET_MAX  107u       /* bytes of a path */
#define CONFIG_TRUSTED_MAX 64u
#define CONFIG_WORKERS_MAX 10u /* of one role: its index is one digit */

enum service {
    SERVICE_SMTP,        /* 25: STARTTLS offered */
    SERVICE_SUBMISSION,  /* 587: STARTTLS before AUTH */
    SERVICE_SUBMISSIONS, /* 465: TLS from the start */
    SERVICE_IMAP,        /* 143: STARTTLS before login */
    SERVICE_IMAPS,       /* 993 */
    SERVICE_POP3,        /* 110: STLS before login */
    SERVICE_POP3S,       /* 995 */
    SERVICE_LMTP,        /* RFC 2033: mail for here from a mail server of ours; no usual port */
    SERVICE_SENDMAIL,    /* a Unix socket alone: who calls is known, and need not log in */
    SERVICE_API,     /* the JSON API of administrators: a Unix socket, or loopback with a token */
    SERVICE_METRICS, /* figures for Prometheus */
};
#define SERVICE_COUNT (SERVICE_METRICS + 1)
const char *service_name(enum service s); /* "smtp", "submission" ... as in the text */
bool service_is_tls(enum service s);      /* TLS from the first byte */
bool service_is_unix(enum service s);     /* on Unix sockets alone */
bool service_of_mx(enum service s);       /* served by role mx */
bool service_of_api(enum service s);      /* by role api; those of neither by role user */

/* A Unix socket; no path: none. */
struct config_socket {
    struct str path;
    uint32_t mode;           /* permission bits */
    struct str owner, group; /* empty: of who starts the server */
};
struct config_listen {
    enum service service;
    struct config_address at;    /* of TCP: port 0 when it is a Unix socket */
    struct config_socket socket; /* which then has a path */
    const struct subnet *from;   /* who may connect; none: everybody */
    size_t from_count;
    struct str token_file; /* of the API by TCP: who knows what is in it may do all */
};
struct config_tls {
    struct str cert_file, key_file;
};
enum resolver_kind { RESOLVER_SYSTEM, RESOLVER_RECURSIVE, RESOLVER_FORWARD };
struct config_resolver {
    enum resolver_kind kind;
    const struct config_address *forward;
    size_t forward_count;
    bool dnssec;
};

/* A list in DNS that strangers are looked up in. */
struct config_list {
    struct str zone;              /* lower case */
    bool good;                    /* of those who send nothing bad */
    const struct subnet *answers; /* what counts; none: every answer that lists do give */
    size_t answer_count;
};

/* Whose tokens are log-ins. */
struct config_oauth {
    struct str issuer; /* a URL, as tokens name it; empty = none */
    struct str audience;
    struct str keys_file; /* a JWKS, or public keys in PEM; empty = none: the issuer is asked */
    bool usernames; /* who has no e-mail address is known by the name that the endpoint tells */
};

/* Whom to ask about tokens (RFC 7662). */
struct config_introspection {
    struct str
        url; /* as it was written; empty = nobody.  All that follows but the files is of it */
    struct str host;      /* a name, or a loopback address without brackets */
    struct str authority; /* host, and port if one was written: for the field Host */
    struct str path;      /* and the query */
    uint16_t port;
    bool tls; /* else it is on this machine */
    struct str client, secret_file;
    struct str
        authority_file; /* a certificate to trust besides those of the system; empty = none */
};

struct config {
    struct str host;   /* name in greetings, EHLO, Received */
    struct str domain; /* default domain */
    struct str data_dir, run_dir, user, engine;
    const struct config_listen *listen;
    size_t listen_count;
    bool api_none; /* listen api none: else there is its Unix socket in run_dir */
    const struct config_tls *tls;
    size_t tls_count;
    uint32_t mx_workers, user_workers, cook_workers, out_workers;
    struct config_resolver resolver;
    const struct config_route *routes; /* the first that matches; smarthost is "*" */
    size_t route_count;
    const struct subnet *relay_from; /* who may send to anywhere, by SMTP without a log-in */
    size_t relay_from_count;
    const struct subnet *proxy_from; /* proxies of ours: the PROXY protocol comes first */
    size_t proxy_from_count;
    const struct subnet *xclient_from; /* mail programs of ours that may say XCLIENT */
    size_t xclient_from_count;
    const struct config_filter *filters; /* in the order of the text */
    size_t filter_count;
    bool reports; /* other domains are told how their mail fared here */
    bool checks;  /* strangers are looked at before their mail is taken */
    const struct config_list *lists;
    size_t list_count;
    const struct str
        *trusted; /* logins of the machine that may send as anybody by the sendmail command */
    size_t trusted_count;
    uint32_t greylist_s; /* for so long doubtful first contacts wait; 0 = they do not */
    uint32_t inbound_network, inbound_domain, inbound_recipient; /* an hour; 0 = no limit */
    enum dmarc_mode dmarc; /* where no line names the domain */
    const struct config_dmarc *dmarc_domains;
    size_t dmarc_domain_count;
    const struct config_bounce *bounces;
    size_t bounce_count;
    bool outbound_none;                              /* nothing leaves but by routes */
    uint32_t outbound_messages, outbound_recipients; /* of an account a day; 0 = no limit */
    struct str source4, source6; /* addresses to send from; "none" switches a family off */
    struct config_oauth oauth;
    struct config_introspection introspection;
    struct str client_certificates; /* file with their authorities; empty = none */
    bool plaintext_loopback;        /* logins without TLS from 127.0.0.0/8 and ::1 */
    uint32_t pop3_login_delay_s;    /* 0 = none */
    uint64_t message_bytes_max;
    uint64_t cache_bytes; /* of the engine */
    struct str log_file;  /* "stderr" or a path */
    enum log_level log_level;
    uint32_t trace_days; /* 0 = no trace */
    uint64_t trace_bytes;
};

/* Has role api anything to do? */
bool config_has_api(const struct config *c);
/* name: what to call the text in messages.  why: "godwit.conf:12: read \"imapz\", expected one of smtp, ..." */
MUST_USE enum status config_read(struct str text, const char *name, struct config **out,
                                 struct problem *why);
void config_free(struct config **c);
void config_write(const struct config *c, struct buf *b);

#endif
