/* sts.h - the policies of MTA-STS of the domains that mail goes to.
 *
 * Owns:      what is known of LIMIT_STS_DOMAINS domains; what was fetched is also kept by the store, so that a restart
 *            forgets no policy.
 * Promises:  a policy holds for its max_age whatever DNS or its server say meanwhile, until a newer one was fetched
 *            from a server that proved its name; what was kept and is no policy counts as nothing kept.  Who asks
 *            about a domain that is being asked about waits for that.
 * Suspends:  while names are looked up and a policy is fetched, LIMIT_STS_FETCH_S.
 * RFC:       8461 sections 3 and 5.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_OUT_STS_H
#define ROLE_OUT_STS_H

#include "dns/resolver.h"
#include "policy/tls_report.h"
#include "rt/tls.h"
#include "smtp/sts.h"

struct out_sts_ask {
    struct resolver *resolver;
    struct tls_client *tls; /* of TLS_VERIFY_NAME */
    struct str domain;
    uint16_t port; /* of the web server; 0 = 443 */
};
void out_sts_begin(void);
/* OK: *out is the policy that holds, in a; NULL: there is none.  Else that cannot be told now. */
MUST_USE SUSPENDS enum status out_sts_find(const struct out_sts_ask *ask, struct arena *a,
                                           const struct sts_policy **out);
/* Why the newest policy could not be had, when that is so: for reports.  *why_out is a constant. */
enum tls_result out_sts_trouble(struct str domain, const char **why_out);

#endif
