/* verdict_fuzz.c - of any message and any answers: bounded names, a field that we can read ourselves, nothing refused
 * that could not be judged.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/size.h"
#include "cook/verdict.h"
#include "mail/domain.h"
#include "policy/auth_results.h"
#include "policy/dkim.h"
#include "policy/dmarc.h"
#include "policy/suffixes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 4 };

static void
check_names(const struct cook_look_reply *rep)
{
    ASSERT(rep->names_count <= COOK_LOOK_REPLY_NAMES_MAX);
    ASSERT(rep->exists_count <= COOK_LOOK_REPLY_EXISTS_MAX);
    for (size_t i = 0; i < rep->names_count; i++) {
        bool policy = str_starts(rep->names[i], STR("_dmarc."));
        ASSERT(policy || str_find_str(rep->names[i], STR("._domainkey.")) > 0);
        ASSERT(domain_is_normal(policy ? str_skip(rep->names[i], 7) : rep->names[i]));
    }
    for (size_t i = 0; i < rep->exists_count; i++)
        ASSERT(domain_is_normal(rep->exists[i]));
}

static void
check_field(struct str field, struct arena *a)
{
    ssize_t warning = str_find_str(field, STR("\r\nX-Godwit-Warning: "));
    struct str value = str_skip(str_sub(field, 0, warning < 0 ? field.len : (size_t)warning + 2),
                                sizeof(AUTH_RESULTS_FIELD));
    struct auth_reader r;
    struct auth_result one;
    enum status st;
    size_t n = 0;

    ASSERT(field.len <= COOK_JUDGE_REPLY_FIELD_MAX && str_ends(field, STR("\r\n")));
    ASSERT(str_starts(field, STR(AUTH_RESULTS_FIELD ":")));
    ASSERT(auth_results_claims(value, STR("mail.example")));
    ASSERT(auth_results_open(value, false, a, &r) == OK);
    while ((st = auth_results_next(&r, &one)) == OK)
        n++;
    ASSERT(st == ERR_NOT_FOUND && n >= 4);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str texts[] = {STR("v=DMARC1; p=reject"), STR("v=DKIM1; p=")};
    const struct verdict_host host = {.name = STR("mail.example"), .now_s = 1700000000};
    struct cook_dns_answer answers[COOK_LOOK_REPLY_NAMES_MAX];
    uint8_t existence[COOK_LOOK_REPLY_EXISTS_MAX];
    struct cook_look_reply asked;
    struct cook_judge_reply rep;

    if (size < HEAD || size > 65536)
        return 0;
    AUTO_ARENA *a = arena_new(4u << 20);
    struct str message = str_from((const char *)data + HEAD, size - HEAD);
    struct str some = str_sub(message, 0, data[3]);
    const struct cook_stranger who = {.client = STR("192.0.2.1"),
                                      .helo = some,
                                      .sender = some,
                                      .spf = data[0] % 7,
                                      .spf_helo = data[1] & 1,
                                      .smtputf8 = data[1] & 2,
                                      .spf_domain = some,
                                      .spf_problem = some,
                                      .iprev = data[1] / 4 % 4,
                                      .iprev_name = some};
    AUTO(verdict_look_free)
    struct verdict_look *l = verdict_look(message, &who, suffixes_built_in(), &asked);
    check_names(&asked);
    const struct cook_imitated imitated[] = {{.which = data[2] % 10, .like = STR("")},
                                             {.which = 1, .like = STR("here.example")}};
    for (size_t i = 0; i < asked.names_count; i++)
        answers[i] = (struct cook_dns_answer){.found = (uint8_t)(((size_t)data[2] + i) % 3),
                                              .texts = texts,
                                              .texts_count = 1 + i % 2};
    for (size_t i = 0; i < asked.exists_count; i++)
        existence[i] = (uint8_t)((data[2] + i) % 4);
    const struct cook_judge req = {.answers = answers,
                                   .answers_count = asked.names_count,
                                   .existence = existence,
                                   .existence_count = asked.exists_count,
                                   .dmarc = data[2] / 3 % 3,
                                   .imitates = imitated,
                                   .imitates_count = data[1] / 16 % 3};
    verdict_judge(l, &req, &host, a, &rep);
    check_field(rep.field, a);
    ASSERT(rep.verdict.disposition <= VERDICT_REFUSE - req.dmarc);
    ASSERT((rep.verdict.disposition == VERDICT_TAKE) == (rep.verdict.reason.len == 0));
    ASSERT(rep.verdict.disposition != VERDICT_REFUSE || rep.verdict.asked == DMARC_POLICY_REJECT);
    ASSERT(rep.verdict.reason.len <= 255 && rep.verdict.signatures_count <= LIMIT_DKIM_SIGNATURES);
    return 0;
}
