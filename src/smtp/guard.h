/* guard.h - what a host must prove before it gets a message: DANE, MTA-STS, or nothing.
 *
 * Promises:  DANE is asked for only where DNSSEC proves that the host takes the domain's mail, and what its addresses
 *            are; then no failure to look its TLSA records up is ever taken for "there are none".  DANE goes before
 *            MTA-STS, whatever a policy says; records that nobody can use still demand TLS.
 * Never:     connects.
 * Suspends:  while names are looked up.
 * RFC:       7672 section 2.2, 8461 sections 2 and 4.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_GUARD_H
#define SMTP_GUARD_H

#include "dns/resolver.h"
#include "policy/tls_report.h"
#include "rt/tls.h"
#include "smtp/sts.h"

enum guard_kind {
    GUARD_NONE, /* TLS where it is offered, of whoever answers */
    GUARD_TLS,  /* TLS, of whoever answers: its TLSA records cannot be used */
    GUARD_STS,  /* TLS with a certificate for the host's name: a policy in force says so */
    GUARD_DANE, /* TLS with a certificate that its TLSA records prove */
};              /* order of plan_host.guard in out.ipc and admin.ipc */
struct guard {
    enum guard_kind kind;
    bool barred;          /* the host gets nothing now, for the reason in why */
    struct tls_dane dane; /* of GUARD_DANE */
    bool nowhere;         /* barred: it has no address */
    /* For reports: the policy that holds, and what is wrong with it or with the host under it. */
    enum tls_policy_type policy;
    enum tls_result trouble; /* success: nothing yet */
    struct str policy_domain;
    struct str policy_text; /* lines */
    const char *trouble_why;
    struct problem why;
};
struct guard_ask {
    struct resolver *resolver;
    struct str domain; /* whose mail */
    struct str host;
    uint16_t port;
    unsigned families; /* bits of enum dns_family */
    bool by_proxy;     /* one looks its addresses up */
    bool listed;       /* proven to take the domain's mail: by DNSSEC, or by the configuration */
    const struct sts_policy *sts; /* of the domain; NULL: none, or it does not count here */
};
#define GUARD_ARENA ((size_t)256 << 10) /* what one can take of an arena */
/* Strings live in a.  why is filled in any case, in words for people. */
SUSPENDS void guard_find(const struct guard_ask *ask, struct arena *a, struct guard *out);

#endif
