/* check_dkim.c - godwit check dkim and check arc: the signatures and the chain of a message, and what is left of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/limits.h"
#include "base/size.h"
#include "ctl/check_mail.h"
#include "policy/arc.h"
#include "rt/clock.h"

enum { SIGNATURE_SHOWN = 8 }; /* characters of b=, as RFC 6008 has it */

/* A file that was edited here has lines of LF; what was signed had CRLF. */
static struct str
with_crlf(struct str text, struct arena *a)
{
    AUTO_BUF b = BUF(2 * text.len + 1);
    struct str rest = text, line = STR_NONE;

    while (str_split(&rest, '\n', &line)) {
        buf_add(&b, line);
        if (rest.ptr == NULL)
            break;
        if (line.len == 0 || line.ptr[line.len - 1] != '\r')
            buf_add_char(&b, '\r');
        buf_add_char(&b, '\n');
    }
    return arena_str(a, buf_str(&b));
}

static SUSPENDS enum status
ask_keys(struct check_mail *m, const struct dkim *d, struct key_answer *answers)
{
    const struct str *names;
    uint32_t n = dkim_names(d, &names);

    for (uint32_t i = 0; i < n; i++) {
        const struct dns_query q = {.name = names[i], .type = DNS_TYPE_TXT};
        struct dns_records got = {0};
        enum status e = resolver_records(m->resolver, &q, m->a, &got);

        if (e == ERR_CANCELLED)
            return e;
        answers[i] = (struct key_answer){.found = KEY_UNKNOWN};
        if (e == OK || e == ERR_NOT_FOUND)
            answers[i] = (struct key_answer){.found = got.count > 0 ? KEY_FOUND : KEY_ABSENT,
                                             .texts = got.data,
                                             .count = got.count};
    }
    return OK;
}

/* The message of the question with the answers about its keys; NULL: check_refuse() was called. */
static SUSPENDS struct dkim *
read_message(struct check_mail *m, const json_t *question, struct key_answer *answers,
             json_t *answer)
{
    struct str text;

    if (!check_read_file(m, question, &text, answer))
        return NULL;
    text = with_crlf(text, m->a);
    size_t header = header_block_len(text);
    struct dkim *d = dkim_new(str_sub(text, 0, header), SIG_RULES_NOW, m->a);
    dkim_body(d, str_skip(text, header));
    dkim_body_end(d);
    if (ask_keys(m, d, answers) == OK)
        return d;
    dkim_free(&d);
    (void)check_refuse(answer, "cancelled");
    return NULL;
}

/* ---- dkim ---- */

static json_t *
show_signature(const struct dkim_verdict *v)
{
    json_t *o = json_object();

    json_object_set_new(o, "result", json_string(dkim_result_name(v->result)));
    if (v->reason[0] != '\0')
        json_object_set_new(o, "reason", json_string(v->reason));
    check_put(o, "domain", v->domain);
    check_put(o, "selector", v->selector);
    check_put(o, "identity", v->identity);
    check_put(o, "signature", str_sub(v->signature, 0, SIGNATURE_SHOWN));
    json_object_set_new(o, "algorithm", json_string(v->algorithm));
    json_object_set_new(o, "key_bits", json_integer(v->key_bits));
    json_object_set_new(o, "testing", json_boolean(v->testing));
    return o;
}

/* One signature that passes is enough. */
static int
exit_of(const struct dkim *d, bool passed, bool later)
{
    if (dkim_count(d) == 0)
        return CHECK_NOTHING;
    return passed ? CHECK_GOOD : later ? CHECK_LATER : CHECK_BAD;
}

static SUSPENDS int
judge_dkim(struct check_mail *m, const json_t *question, json_t *answer)
{
    struct key_answer answers[LIMIT_DKIM_NAMES];
    AUTO(dkim_free) struct dkim *d = read_message(m, question, answers, answer);
    json_t *list = json_array();
    bool passed = false, later = false;

    if (d == NULL) {
        json_decref(list);
        return CHECK_USAGE;
    }
    for (uint32_t i = 0; i < dkim_count(d); i++) {
        struct dkim_verdict v;
        dkim_verdict(d, i, answers, clock_now().us / 1000000, &v);
        passed = passed || v.result == DKIM_PASS;
        later = later || v.result == DKIM_TEMPERROR;
        json_array_append_new(list, show_signature(&v));
    }
    json_object_set_new(answer, "signatures", list);
    json_object_set_new(answer, "not_looked_at", json_integer(dkim_beyond(d)));
    return exit_of(d, passed, later);
}

static void
tell_dkim(const json_t *answer)
{
    static const char *const names[] = {"result",   "reason",    "domain",   "selector",
                                        "identity", "algorithm", "signature"};
    const json_t *list = json_object_get(answer, "signatures");
    long long beyond = json_integer_value(json_object_get(answer, "not_looked_at"));

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (i > 0)
            printf("\n");
        for (size_t k = 0; k < COUNT_OF(names); k++)
            check_print(one, names[k], names[k]);
        if (json_is_true(json_object_get(one, "testing")))
            printf("%-12s the domain is trying DKIM out\n", "testing");
    }
    if (json_array_size(list) == 0)
        printf("There is no DKIM signature.\n");
    if (beyond > 0)
        printf("\nFurther signatures that were not looked at: %lld\n", beyond);
}

const struct check_verb check_dkim_verb = {
    .name = "dkim",
    .usage = "FILE [--dns-file FILE] [-c FILE] [--json]",
    .about = "Do the DKIM signatures of a message fit it? FILE \"-\" is standard input",
    .takes_file = true,
    .asks = true,
    .answer = judge_dkim,
    .tell = tell_dkim,
};

/* ---- arc ---- */

static void
put_sets(const struct dkim *d, json_t *answer)
{
    json_t *list = json_array();

    for (uint32_t n = 1; n <= arc_sets(d); n++) {
        json_t *o = json_object();
        json_object_set_new(o, "instance", json_integer(n));
        check_put(o, "sealer", arc_sealer(d, n));
        check_put(o, "results", arc_results(d, n));
        json_array_append_new(list, o);
    }
    json_object_set_new(answer, "sets", list);
}

static SUSPENDS int
judge_arc(struct check_mail *m, const json_t *question, json_t *answer)
{
    struct key_answer answers[LIMIT_DKIM_NAMES];
    AUTO(dkim_free) struct dkim *d = read_message(m, question, answers, answer);
    struct arc_verdict v;

    if (d == NULL)
        return CHECK_USAGE;
    arc_verdict(d, answers, clock_now().us / 1000000, &v);
    json_object_set_new(answer, "result", json_string(arc_result_name(v.result)));
    if (v.result == ARC_FAIL) {
        json_object_set_new(answer, "reason", json_string(v.reason));
        json_object_set_new(answer, "failed_at", json_integer(v.failed));
    }
    if (v.result == ARC_PASS)
        json_object_set_new(answer, "oldest_pass", json_integer(v.oldest_pass));
    put_sets(d, answer);
    if (v.result == ARC_NONE)
        return CHECK_NOTHING;
    return v.result == ARC_PASS ? CHECK_GOOD : v.temporary ? CHECK_LATER : CHECK_BAD;
}

static void
tell_arc(const json_t *answer)
{
    const json_t *list = json_object_get(answer, "sets");
    long long failed = json_integer_value(json_object_get(answer, "failed_at"));

    check_print(answer, "result", "result");
    check_print(answer, "reason", "reason");
    if (failed > 0)
        printf("%-12s %lld\n", "in set", failed);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *set = json_array_get(list, i);
        printf("\n%-12s %zu\n", "set", i + 1);
        check_print(set, "sealer", "sealer");
        check_print(set, "results", "results");
    }
}

const struct check_verb check_arc_verb = {
    .name = "arc",
    .usage = "FILE [--dns-file FILE] [-c FILE] [--json]",
    .about = "Is the chain of ARC of a message whole? FILE \"-\" is standard input",
    .takes_file = true,
    .asks = true,
    .answer = judge_arc,
    .tell = tell_arc,
};
