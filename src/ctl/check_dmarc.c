/* check_dmarc.c - godwit check dmarc: may this message say From: that domain, and what does the domain ask for if not?
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ctl/check_mail.h"
#include "mail/domain.h"
#include "mail/header.h"
#include "policy/dkim.h"
#include "policy/dmarc.h"
#include "policy/spf.h"
#include "policy/suffixes.h"
#include "rt/clock.h"

enum { IDENTITIES_MAX = 32 };

static const char *const options[] = {"--from-domain", "--spf",       "--dkim", "--ip",
                                      "--helo",        "--mail-from", NULL};

/* A question that has been read. */
struct facts {
    struct dmarc_facts f;
    struct dmarc_identity identities[IDENTITIES_MAX];
};

static int
exit_of(enum dmarc_result result)
{
    switch (result) {
    case DMARC_PASS: return CHECK_GOOD;
    case DMARC_NONE: return CHECK_NOTHING;
    case DMARC_TEMPERROR: return CHECK_LATER;
    default: return CHECK_BAD;
    }
}

static SUSPENDS void
ask_name(struct check_mail *m, struct str name, struct dmarc_answer *out)
{
    struct dns_texts texts;

    *out = (struct dmarc_answer){.name = name, .kind = DMARC_ANSWER_TEMPERROR};
    switch (resolver_texts(m->resolver, name, m->a, &texts)) {
    case OK:
        out->kind = DMARC_ANSWER_FOUND;
        out->texts = texts.text;
        out->text_count = texts.count;
        break;
    case ERR_NOT_FOUND: out->kind = DMARC_ANSWER_NONE; break;
    default: break;
    }
}

/* ---- the question ---- */

static bool
read_result(struct str word, enum dmarc_auth *out)
{
    static const struct str failed[] = {{"fail", 4},     {"none", 4},   {"neutral", 7},
                                        {"softfail", 8}, {"policy", 6}, {"permerror", 9}};

    *out = DMARC_AUTH_FAIL;
    if (str_eq(word, STR("pass")))
        *out = DMARC_AUTH_PASS;
    else if (str_eq(word, STR("temperror")))
        *out = DMARC_AUTH_TEMPERROR;
    for (size_t i = 0; i < sizeof(failed) / sizeof(failed[0]); i++)
        if (str_eq(word, failed[i]))
            return true;
    return *out != DMARC_AUTH_FAIL;
}

/* "pass:example.com,fail:example.net" */
static bool
read_identities(struct facts *in, struct str list, bool dkim, struct arena *a)
{
    struct str one, word;

    while (list.len > 0 && str_split(&list, ',', &one)) {
        AUTO_BUF normal = BUF(DOMAIN_MAX);
        struct dmarc_identity *id = &in->identities[in->f.identity_count];
        if (in->f.identity_count == IDENTITIES_MAX || !str_split(&one, ':', &word) ||
            !read_result(word, &id->result) || domain_normalise(one, &normal) != OK)
            return false;
        id->dkim = dkim;
        id->domain = arena_str(a, buf_str(&normal));
        in->f.identity_count++;
    }
    return true;
}

/* The result of SPF for the client, if the question names one. */
static SUSPENDS int
ask_spf(struct check_mail *m, const json_t *question, struct facts *in, json_t *answer)
{
    AUTO_BUF normal = BUF(DOMAIN_MAX);
    struct spf_question q = {.helo = check_text(question, "helo"),
                             .from = check_text(question, "mail-from"),
                             .now_s = clock_now().us / 1000000};
    struct str ip = check_text(question, "ip");
    struct spf_answer got;

    if (ip.len == 0)
        return CHECK_GOOD;
    if (!subnet_read_around(ip, &q.client) || !subnet_is_address(&q.client))
        return check_refuse(answer, "\"ip\" must be an address, such as 192.0.2.1 or 2001:db8::1");
    if (spf_check(m->resolver, &q, m->a, &got) != OK)
        return check_refuse(answer, "cancelled");
    json_object_set_new(answer, "spf", json_string(spf_result_name(got.result)));
    check_put(answer, "spf_domain", got.domain);
    if (domain_normalise(got.domain, &normal) != OK || in->f.identity_count == IDENTITIES_MAX)
        return CHECK_GOOD;
    struct dmarc_identity *id = &in->identities[in->f.identity_count++];
    id->domain = arena_str(m->a, buf_str(&normal));
    (void)read_result(str_of(spf_result_name(got.result)), &id->result);
    return CHECK_GOOD;
}

/* The message with CRLF at the end of each line, as it was when it was signed. */
static struct str
with_crlf(struct str message, struct arena *a)
{
    AUTO_BUF text = BUF(2 * (size_t)LIMIT_MESSAGE_BYTES);

    for (size_t i = 0; i < message.len; i++) {
        if (message.ptr[i] == '\n' && (i == 0 || message.ptr[i - 1] != '\r'))
            buf_add_char(&text, '\r');
        buf_add_char(&text, message.ptr[i]);
    }
    return arena_str(a, buf_str(&text));
}

static SUSPENDS void
ask_key(struct check_mail *m, struct str name, struct key_answer *out)
{
    struct dmarc_answer answer;

    ask_name(m, name, &answer);
    *out = (struct key_answer){KEY_UNKNOWN, answer.texts, answer.text_count};
    if (answer.kind == DMARC_ANSWER_FOUND)
        out->found = KEY_FOUND;
    else if (answer.kind == DMARC_ANSWER_NONE)
        out->found = KEY_ABSENT;
}

/* The signatures of a message. */
static SUSPENDS void
verify(struct check_mail *m, struct str message, struct facts *in, json_t *answer)
{
    struct key_answer keys[LIMIT_DKIM_NAMES]; /* those of ARC are among them */
    struct dkim_verdict v;
    const struct str *names;
    size_t header = header_block_len(message);
    AUTO_ARENA *a = arena_new(DKIM_ARENA);
    AUTO(dkim_free) struct dkim *d = dkim_new(str_sub(message, 0, header), SIG_RULES_NOW, a);

    dkim_body(d, str_skip(message, header));
    dkim_body_end(d);
    uint32_t count = dkim_names(d, &names);
    ASSERT(count <= LIMIT_DKIM_NAMES);
    for (uint32_t i = 0; i < count; i++)
        ask_key(m, names[i], &keys[i]);
    json_t *list = json_array();
    for (uint32_t i = 0; i < dkim_count(d) && in->f.identity_count < IDENTITIES_MAX; i++) {
        struct dmarc_identity *id = &in->identities[in->f.identity_count];
        dkim_verdict(d, i, keys, clock_now().us / 1000000, &v);
        json_array_append_new(list, json_pack("{s:s,s:s#}", "result", dkim_result_name(v.result),
                                              "domain", v.domain.len > 0 ? v.domain.ptr : "",
                                              (int)v.domain.len)); /* at most DOMAIN_MAX */
        if (v.domain.len == 0)
            continue;
        id->dkim = true;
        id->domain = arena_str(m->a, v.domain);
        (void)read_result(str_of(dkim_result_name(v.result)), &id->result);
        in->f.identity_count++;
    }
    json_object_set_new(answer, "dkim", list);
}

static SUSPENDS int
read_question(struct check_mail *m, const json_t *question, struct facts *in, json_t *answer)
{
    struct str domains = check_text(question, "from-domain"), one, message;

    if (json_object_get(question, "file") != NULL) {
        if (!check_read_file(m, question, &message, answer))
            return CHECK_USAGE;
        message = with_crlf(message, m->a);
        dmarc_from_header(str_sub(message, 0, header_block_len(message)), m->a, &in->f.from);
        verify(m, message, in, answer);
    } else if (domains.len == 0) {
        return check_refuse(answer, "\"from-domain\" or a message must say whose mail it is");
    }
    while (domains.len > 0 && str_split(&domains, ',', &one))
        dmarc_from_add(&in->f.from, one, m->a);
    if (!read_identities(in, check_text(question, "spf"), false, m->a) ||
        !read_identities(in, check_text(question, "dkim"), true, m->a))
        return check_refuse(answer, "\"spf\" and \"dkim\" are written as pass:example.org");
    return ask_spf(m, question, in, answer);
}

/* ---- DNS ---- */

/* A domain without A, AAAA and MX does not exist, and np= may speak of it. */
static SUSPENDS enum dmarc_existence
existence_of(struct check_mail *m, struct str domain)
{
    struct dns_mx mx;
    struct dns_addresses addresses;

    enum status st = resolver_mx(m->resolver, domain, m->a, &mx);
    if (st == OK && !mx.implicit)
        return DMARC_EXISTS;
    if (st == OK)
        st = resolver_addresses(m->resolver, domain, DNS_IPV4 | DNS_IPV6, m->a, &addresses);
    if (st == OK)
        return DMARC_EXISTS;
    return st == ERR_NOT_FOUND ? DMARC_EXISTS_NOT : DMARC_MAY_EXIST;
}

/* ---- the answer ---- */

static void
put_word(json_t *answer, const char *name, const char *word)
{
    if (word[0] != '\0')
        json_object_set_new(answer, name, json_string(word));
}

static void
put_domain(json_t *answer, const char *name, struct str domain)
{
    if (domain.len > 0)
        check_put(answer, name, domain);
}

static void
fill(const struct dmarc_verdict *v, json_t *answer)
{
    json_object_set_new(answer, "result", json_string(dmarc_result_name(v->result)));
    json_object_set_new(answer, "reason", json_string(dmarc_reason_name(v->reason)));
    json_object_set_new(answer, "disposition", json_string(dmarc_policy_name(v->disposition)));
    put_word(answer, "policy", dmarc_policy_name(v->policy));
    put_word(answer, "policy_tag", v->policy_tag);
    put_domain(answer, "author", v->author);
    put_domain(answer, "policy_domain", v->policy_domain);
    put_domain(answer, "organization", v->organization);
    json_object_set_new(answer, "testing", json_boolean(v->record.testing));
    json_object_set_new(answer, "spf_aligned", json_boolean(v->spf_aligned));
    json_object_set_new(answer, "dkim_aligned", json_boolean(v->dkim_aligned));
}

static SUSPENDS int
judge(struct check_mail *m, const json_t *question, json_t *answer)
{
    struct facts in = {.f = {.list = suffixes_built_in()}};
    struct dmarc_answer answers[LIMIT_DMARC_NAMES];
    struct dmarc_names names;
    struct dmarc_verdict v;

    int exit = read_question(m, question, &in, answer);
    if (exit != CHECK_GOOD)
        return exit;
    in.f.identities = in.identities;
    dmarc_names(&in.f, m->a, &names);
    json_t *asked = json_array();
    for (size_t i = 0; i < names.count; i++) {
        ask_name(m, names.names[i], &answers[i]);
        json_array_append_new(asked, json_stringn(names.names[i].ptr, names.names[i].len));
    }
    for (size_t i = 0; i < in.f.from.count; i++) {
        struct dmarc_author *author = &in.f.from.authors[i];
        author->existence = existence_of(m, author->domain);
    }
    dmarc_judge(&in.f, &(struct dmarc_answers){answers, names.count}, &v);
    fill(&v, answer);
    json_object_set_new(answer, "asked", asked);
    return exit_of(v.result);
}

static void
tell(const json_t *answer)
{
    check_print(answer, "result", "result");
    check_print(answer, "reason", "reason");
    check_print(answer, "author", "author");
    check_print(answer, "policy_domain", "record of");
    check_print(answer, "policy", "policy");
    check_print(answer, "policy_tag", "from tag");
    check_print(answer, "disposition", "to be done");
    check_print(answer, "organization", "organization");
    check_print(answer, "spf", "spf");
    check_print(answer, "spf_domain", "spf domain");
    for (size_t i = 0; i < json_array_size(json_object_get(answer, "dkim")); i++) {
        const json_t *signature = json_array_get(json_object_get(answer, "dkim"), i);
        check_print(signature, "result", "dkim");
        check_print(signature, "domain", "dkim domain");
    }
    if (json_is_true(json_object_get(answer, "spf_aligned")))
        printf("%-12s %s\n", "aligned", "spf");
    if (json_is_true(json_object_get(answer, "dkim_aligned")))
        printf("%-12s %s\n", "aligned", "dkim");
}

const struct check_verb check_dmarc_verb = {
    .name = "dmarc",
    .usage =
        "FILE | --from-domain DOMAIN[,...] [--spf RESULT:DOMAIN] [--dkim RESULT:DOMAIN[,...]]\n"
        "                          [--ip ADDRESS [--helo NAME] [--mail-from ADDRESS]]\n"
        "                          [--dns-file FILE] [-c FILE] [--json]",
    .about = "May a message with these authors and identities say so? What does the domain ask for",
    .options = options,
    .takes_file = true,
    .asks = true,
    .answer = judge,
    .tell = tell,
};
