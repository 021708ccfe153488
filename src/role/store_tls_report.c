/* store_tls_report.c - reports to other domains about TLS with their servers (RFC 8460): what is counted for them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store_tls_report.h"
#include "ipc/store_ipc.h"
#include "mail/domain.h"
#include "policy/tls_row.h"
#include "rt/clock.h"
#include "store/tally.h"

void
store_tls_count(struct store *s, const struct store_queue_result *req)
{
    AUTO_BUF domain = BUF(DOMAIN_MAX);

    if (s->tally == NULL || req->facts_count == 0 || domain_normalise(req->domain, &domain) != OK)
        return;
    const struct tally_group group = {
        .kind = TALLY_TLS, .day = tally_day(clock_now()), .domain = buf_str(&domain)};
    for (size_t i = 0; i < req->facts_count; i++) {
        const struct store_tls_fact *f = &req->facts[i];
        AUTO_BUF row = BUF(TLS_ROW_MAX);
        const struct tls_fact fact = {.policy = (enum tls_policy_type)f->policy, /* enum<2> */
                                      .result = (enum tls_result)f->result,      /* enum<11> */
                                      .domain = f->domain,
                                      .text = f->text,
                                      .host = f->host,
                                      .sending = f->sending,
                                      .receiving = f->receiving,
                                      .reason = f->reason};
        tls_row_write(&fact, &row);
        tally_count(s->tally, &group, &(struct tally_row){buf_str(&row), 1});
    }
}
