/* cert.h - certificates for set-up and checks: makes a self-signed one, and says what a given one is good for.
 *
 * Promises:  what cert_make() gives passes cert_read() with its own key.
 * Never:     touches files; asks nobody else whether a certificate is trusted.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_CERT_H
#define SETUP_CERT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

#define CERT_DAYS      825 /* Apple's limit for certificates that a person trusts by hand */
#define CERT_WARN_DAYS 14
#define CERT_FILE_MAX  65536u
#define CERT_NAMES_MAX 100u

struct x509_st;
/* The DNS names of the subject alternative name, wildcards too, at most CERT_NAMES_MAX (RFC 9525: the common name no
 * longer counts); they live in a.  Returns their number. */
size_t cert_dns_names(const struct x509_st *x, struct arena *a, const struct str **names_out);

/* AB:CD: ... of the whole certificate by SHA-256, as clients show it. */
struct str cert_fingerprint(const struct x509_st *x, struct arena *a);

struct cert_request {
    struct str host;
    bool
        loopback; /* also for localhost and 127.0.0.1, for a server that only this machine reaches */
    int64_t now_s;
};
/* ECDSA P-256, as PEM: the certificate and its key.  The caller wipes key_pem. */
MUST_USE enum status cert_make(const struct cert_request *r, struct buf *cert_pem,
                               struct buf *key_pem);

struct cert_facts {
    const struct str *names; /* cert_dns_names() */
    size_t name_count;
    int64_t days_left; /* negative: expired */
    bool not_yet;      /* its time begins later */
    bool self_signed;
    bool chain_broken;    /* its issuer is neither in the file nor trusted here */
    struct str sha256;    /* AB:CD: ... of the whole certificate, as clients show it */
    const char *mismatch; /* why the key cannot be used with it, or NULL */
};
/* ERR_SYNTAX: no certificate in cert_pem. */
MUST_USE enum status cert_read(struct str cert_pem, struct str key_pem, struct arena *a,
                               struct cert_facts *out);
/* One TLSA record (RFC 6698): does it name this certificate (usage 3), or one of the file as an authority (usage 2)?
 * The other usages say nothing to mail servers (RFC 7672 section 3.1.3). */
struct cert_tlsa {
    uint8_t usage, selector, matching;
    struct str data;
};
bool cert_fits_tlsa(struct str cert_pem, const struct cert_tlsa *t);
/* The record that one ought to publish, `3 1 1 HEX`: it lives as long as the key.  Empty: no certificate. */
struct str cert_make_tlsa(struct str cert_pem, struct arena *a);

/* Is the name among the certificate's?  A wildcard stands for one label (RFC 9525 section 6.3). */
bool cert_covers(const struct cert_facts *f, struct str name);

#endif
