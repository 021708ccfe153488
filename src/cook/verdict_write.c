/* verdict_write.c - what was found out, as the field Authentication-Results (RFC 8601).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "cook/verdict_internal.h"
#include "policy/auth_results.h"
#include "policy/iprev.h"
#include "policy/spf_record.h"

enum {
    RESULTS_MAX = LIMIT_DKIM_SIGNATURES + 4,
    FIELD_MAX = 16384,
    PREFIX_BYTES = 8 /* of b=: RFC 6008 */
};
static_assert((int)RESULTS_MAX <= (int)LIMIT_AUTH_RESULTS, "we can read what we write");

static void add_spf(const struct verdict_parts *p, struct auth_result *r);
static void add_iprev(const struct verdict_parts *p, struct auth_result *r);
static size_t add_dkim(const struct verdict_parts *p, struct auth_result *list);
static void add_dmarc(const struct verdict_parts *p, struct arena *a, struct auth_result *r);
static void add_arc(const struct verdict_parts *p, struct arena *a, struct auth_result *r);

struct str
verdict_field(const struct verdict_parts *p, struct arena *a)
{
    struct auth_result *list = ARENA_ARRAY(a, struct auth_result, RESULTS_MAX);
    AUTO_BUF b = BUF(FIELD_MAX);
    size_t n = 0;

    add_dmarc(p, a, &list[n++]);
    add_spf(p, &list[n++]);
    n += add_dkim(p, &list[n]);
    if (p->arc.result != ARC_NONE)
        add_arc(p, a, &list[n++]);
    add_iprev(p, &list[n++]);
    struct auth_results all = {
        .authserv_id = p->host->name, .utf8 = p->look->who.smtputf8, .at = list, .count = n};
    auth_results_write(&b, &all);
    while (buf_status(&b) !=
           OK) { /* cannot be, by the bounds of what stands in it; the last go first */
        ASSERT(all.count > 1);
        buf_reset(&b);
        all.count--;
        auth_results_write(&b, &all);
    }
    return arena_str(a, buf_str(&b));
}

/* RFC 8601 section 2.7.2 */
static void
add_spf(const struct verdict_parts *p, struct auth_result *r)
{
    const struct cook_stranger *who = &p->look->who;

    r->method = STR("spf");
    r->result = str_of(spf_result_name((enum spf_result)who->spf)); /* enum<6> */
    r->reason = who->spf_problem;
    if (who->spf_helo)
        auth_result_add(r, STR("smtp"), STR("helo"), who->helo);
    else
        auth_result_add(r, STR("smtp"), STR("mailfrom"), who->sender);
}

/* Section 2.7.3 */
static void
add_iprev(const struct verdict_parts *p, struct auth_result *r)
{
    const struct cook_stranger *who = &p->look->who;

    r->method = STR("iprev");
    r->result = str_of(iprev_result_name((enum iprev_result)who->iprev)); /* enum<3> */
    r->comment = who->iprev_name;
    auth_result_add(r, STR("policy"), STR("iprev"), who->client);
}

/* Section 2.7.1, and RFC 6008 */
static size_t
add_dkim(const struct verdict_parts *p, struct auth_result *list)
{
    if (p->dkim_count == 0) {
        list->method = STR("dkim");
        list->result = STR("none");
        return 1;
    }
    for (uint32_t i = 0; i < p->dkim_count; i++) {
        const struct dkim_verdict *v = &p->dkim[i];
        struct auth_result *r = &list[i];
        r->method = STR("dkim");
        r->result = str_of(dkim_result_name(v->result));
        r->reason = str_of(v->reason);
        if (v->testing)
            r->comment = STR("the domain is testing");
        auth_result_add(r, STR("header"), STR("d"), v->domain);
        auth_result_add(r, STR("header"), STR("s"), v->selector);
        auth_result_add(r, STR("header"), STR("a"), str_of(v->algorithm));
        auth_result_add(r, STR("header"), STR("b"), str_sub(v->signature, 0, PREFIX_BYTES));
    }
    return p->dkim_count;
}

static void
add_dmarc(const struct verdict_parts *p, struct arena *a, struct auth_result *r)
{
    static const char *const done[] = {
        [VERDICT_TAKE] = "none", [VERDICT_JUNK] = "quarantine", [VERDICT_REFUSE] = "reject"};
    const struct dmarc_verdict *v = &p->dmarc;

    r->method = STR("dmarc");
    r->result = str_of(dmarc_result_name(v->result));
    if (v->policy != DMARC_POLICY_UNSAID)
        r->comment = arena_printf(a, "%s=%s dis=%s", v->policy_tag, dmarc_policy_name(v->policy),
                                  done[p->disposition]);
    if (v->result > DMARC_NONE)
        r->reason = str_of(dmarc_reason_name(v->reason));
    auth_result_add(r, STR("header"), STR("from"), v->author);
}

/* RFC 8617 section 10.2 */
static void
add_arc(const struct verdict_parts *p, struct arena *a, struct auth_result *r)
{
    const struct arc_verdict *v = &p->arc;

    r->method = STR("arc");
    r->result = str_of(arc_result_name(v->result));
    if (v->result == ARC_PASS) {
        r->comment = arena_printf(a, "i=%u", v->sets);
        auth_result_add(r, STR("header"), STR("oldest-pass"),
                        arena_printf(a, "%u", v->oldest_pass));
    } else {
        r->reason = str_of(v->reason);
    }
    auth_result_add(r, STR("smtp"), STR("remote-ip"), p->look->who.client);
}
