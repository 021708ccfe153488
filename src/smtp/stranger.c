/* stranger.c - see stranger.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/stranger.h"

#include "base/size.h"
#include "ipc/out_ipc.h"
#include "ipc/store_ipc.h"
#include "policy/iprev.h"
#include "policy/spf_record.h"
#include "rt/clock.h"

static void log_checks(const struct smtp_session *s, int64_t took_ms);

bool
smtp_is_stranger(const struct smtp_session *s)
{
    return s->service == SERVICE_SMTP && !conn_is_unix(s->conn) &&
           !conn_peer_is_loopback(s->conn) && !smtp_may_relay(s);
}

/* The strings of the answer live in the transaction. */
void
smtp_look_at_stranger(struct smtp_session *s)
{
    struct out_sender ask = {
        .client = conn_peer(s->conn), .helo = s->helo, .sender = s->mail.said.sender};
    struct out_sender_reply got;
    int64_t began_ms = clock_mono_ms();

    if (!smtp_world->config->checks || !smtp_is_stranger(s))
        return;
    if (out_sender_call(smtp_world->out, &ask, s->mail.arena, &got) != OK)
        got = (struct out_sender_reply){.spf = SPF_TEMPERROR,
                                        .spf_helo = s->mail.said.sender.len == 0,
                                        .spf_problem = STR("the resolver is away"),
                                        .iprev = IPREV_TEMPERROR};
    struct store_checks *c = ARENA_NEW(s->mail.arena, struct store_checks);
    *c = (struct store_checks){.on = true,
                               .client = arena_str(s->mail.arena, conn_peer(s->conn)),
                               .helo = arena_str(s->mail.arena, s->helo),
                               .spf = got.spf,
                               .spf_helo = got.spf_helo,
                               .spf_domain = got.spf_domain,
                               .spf_problem = got.spf_problem,
                               .iprev = got.iprev,
                               .iprev_name = got.iprev_name,
                               .lists = got.lists,
                               .lists_count = got.lists_count,
                               .allowed = got.allowed};
    s->mail.checks = c;
    log_checks(s, clock_mono_ms() - began_ms);
}

bool
smtp_is_doubtful(const struct smtp_session *s)
{
    const struct store_checks *c = s->mail.checks;

    if (c == NULL || c->allowed)
        return false;
    bool no_name = c->iprev == IPREV_FAIL || c->iprev == IPREV_PERMERROR;
    bool no_spf = c->spf != SPF_PASS && c->spf != SPF_TEMPERROR;
    return c->lists_count > 0 || (no_name && no_spf);
}

bool
smtp_is_proven(const struct smtp_session *s)
{
    const struct store_checks *c = s->mail.checks;

    return c != NULL && c->spf == SPF_PASS && !c->spf_helo;
}

static void
log_checks(const struct smtp_session *s, int64_t took_ms)
{
    AUTO(logger_send) struct log_line l;
    const struct store_checks *c = s->mail.checks;
    AUTO_BUF lists = BUF(LOG_VALUE_MAX);

    for (size_t i = 0; i < c->lists_count; i++) {
        if (i > 0)
            buf_add_char(&lists, ' ');
        buf_add(&lists, c->lists[i]);
    }
    if (!event_begin(&l, EVENT_SMTP_CHECKS))
        return;
    log_str(&l, "peer", c->client);
    log_str(&l, "helo", c->helo);
    log_str(&l, "from", s->mail.said.sender);
    log_str(&l, "spf", str_of(spf_result_name((enum spf_result)c->spf))); /* enum<6> */
    log_str(&l, "domain", c->spf_domain);
    log_str(&l, "problem", c->spf_problem);
    log_str(&l, "iprev", str_of(iprev_result_name((enum iprev_result)c->iprev))); /* enum<3> */
    log_str(&l, "name", c->iprev_name);
    log_str(&l, "lists", buf_str(&lists));
    log_str(&l, "allowed", c->allowed ? STR("yes") : STR("no"));
    log_i64(&l, "ms", took_ms);
    log_hex64(&l, "tid", s->mail.tid);
}
