/* check_spf.c - godwit check spf: may this client send mail for this domain?
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/limits.h"
#include "ctl/check_mail.h"
#include "policy/spf.h"
#include "rt/clock.h"

static const char *const options[] = {"--ip", "--helo", "--from", "--host", NULL};

static int
exit_of(enum spf_result result)
{
    switch (result) {
    case SPF_PASS: return CHECK_GOOD;
    case SPF_NONE:
    case SPF_NEUTRAL: return CHECK_NOTHING;
    case SPF_TEMPERROR: return CHECK_LATER;
    default: return CHECK_BAD;
    }
}

static void
put_text(json_t *answer, const char *name, struct str value)
{
    if (value.len > 0)
        check_put(answer, name, value);
}

static void
fill(const struct spf_question *q, const struct spf_answer *got, json_t *answer)
{
    json_object_set_new(answer, "result", json_string(spf_result_name(got->result)));
    json_object_set_new(answer, "identity", json_string(q->from.len > 0 ? "mailfrom" : "helo"));
    check_put(answer, "domain", got->domain);
    put_text(answer, "mechanism", got->mechanism);
    put_text(answer, "decided_by", got->decided_by);
    put_text(answer, "explanation", got->explanation);
    put_text(answer, "problem", got->problem);
    json_object_set_new(answer, "lookups", json_integer(got->terms));
    json_object_set_new(answer, "dnssec", json_boolean(got->secure));
}

static SUSPENDS int
judge(struct check_mail *m, const json_t *question, json_t *answer)
{
    struct spf_question q = {.helo = check_text(question, "helo"),
                             .from = check_text(question, "from"),
                             .host = check_text(question, "host"),
                             .now_s = clock_now().us / 1000000};
    struct str ip = check_text(question, "ip");
    struct spf_answer got;

    if (!subnet_read_around(ip, &q.client) || !subnet_is_address(&q.client))
        return check_refuse(answer, "\"ip\" must be an address, such as 192.0.2.1 or 2001:db8::1");
    if (q.helo.len == 0 && q.from.len == 0)
        return check_refuse(answer, "\"from\" or \"helo\" must say whose mail it is");
    if (spf_check(m->resolver, &q, m->a, &got) != OK)
        return check_refuse(answer, "cancelled");
    fill(&q, &got, answer);
    return exit_of(got.result);
}

static void
tell(const json_t *answer)
{
    check_print(answer, "result", "result");
    check_print(answer, "domain", "domain");
    check_print(answer, "identity", "identity");
    check_print(answer, "mechanism", "mechanism");
    check_print(answer, "decided_by", "decided by");
    check_print(answer, "explanation", "explanation");
    check_print(answer, "problem", "problem");
    printf("%-12s %lld of %u\n", "look-ups",
           (long long)json_integer_value(json_object_get(answer, "lookups")),
           (unsigned)LIMIT_SPF_TERMS);
    printf("%-12s %s\n", "dnssec",
           json_is_true(json_object_get(answer, "dnssec")) ? "validated" : "not validated");
}

const struct check_verb check_spf_verb = {
    .name = "spf",
    .usage = "--ip ADDRESS [--helo NAME] [--from ADDRESS] [--host OUR-NAME] [--dns-file FILE] [-c "
             "FILE]\n"
             "                        [--json]",
    .about = "May a client at this address send mail for this sender? Without --from, for its HELO",
    .options = options,
    .asks = true,
    .answer = judge,
    .tell = tell,
};
