/* dmarc_fuzz.c - whatever header, identities and zone there are, a verdict is one that its facts allow.
 *
 * Input:     lines "f" and a header line, "s" or "d" and a mode and a domain, "z" and a domain, a space and a record.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc.h"

#include "mail/domain.h"
#include "policy/suffixes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES_MAX = 32 };

struct input {
    struct dmarc_facts facts;
    struct dmarc_identity identities[LINES_MAX];
    struct str zone[LINES_MAX];
    size_t zone_lines;
};

static void
read_identity(struct input *in, struct str line)
{
    struct str domain = str_skip(line, 2);

    if (line.len < 3 || !domain_is_normal(domain) || in->facts.identity_count == LINES_MAX)
        return;
    in->identities[in->facts.identity_count++] = (struct dmarc_identity){
        .dkim = line.ptr[0] == 'd', .result = (unsigned char)line.ptr[1] % 3, .domain = domain};
}

static void
read_input(struct input *in, struct str text, struct arena *a)
{
    AUTO_BUF header = BUF(1 << 16);
    struct str line;

    while (str_split(&text, '\n', &line)) {
        if (str_starts(line, STR("f"))) {
            buf_add(&header, str_skip(line, 1));
            buf_add(&header, STR("\r\n"));
        } else if (str_starts(line, STR("s")) || str_starts(line, STR("d"))) {
            read_identity(in, line);
        } else if (str_starts(line, STR("z")) && in->zone_lines < LINES_MAX) {
            in->zone[in->zone_lines++] = str_skip(line, 1);
        }
    }
    dmarc_from_header(arena_str(a, buf_str(&header)), a, &in->facts.from);
    in->facts.identities = in->identities;
}

static void
answer(const struct input *in, struct str name, struct str *text, struct dmarc_answer *out)
{
    ASSERT(str_starts(name, STR("_dmarc.")) && domain_is_normal(str_skip(name, 7)));
    *out = (struct dmarc_answer){.name = name};
    for (size_t i = 0; i < in->zone_lines; i++) {
        struct str line = in->zone[i], domain;
        bool cut = str_split(&line, ' ', &domain);
        if (!cut || !str_eq(domain, str_skip(name, 7)))
            continue;
        *text = line;
        out->texts = text;
        out->text_count = 1;
        out->kind = str_eq(line, STR("?")) ? DMARC_ANSWER_TEMPERROR : DMARC_ANSWER_FOUND;
    }
}

static bool
below_both(struct str organization, struct str author, struct str domain)
{
    return str_ends(author, organization) && str_ends(domain, organization);
}

static void
check(const struct dmarc_facts *f, const struct dmarc_verdict *v)
{
    bool could = false;

    ASSERT(v->disposition != DMARC_POLICY_UNSAID && v->disposition <= DMARC_POLICY_REJECT);
    ASSERT(v->disposition == DMARC_POLICY_NONE || v->result == DMARC_FAIL ||
           v->result == DMARC_PERMERROR);
    bool aligned = v->spf_aligned || v->dkim_aligned;
    ASSERT(v->result != DMARC_PASS || (aligned && !f->from.bad));
    ASSERT(!aligned || v->result == DMARC_PASS || v->reason == DMARC_BAD_AUTHOR);
    for (size_t i = 0; i < f->identity_count; i++)
        could = could || (f->identities[i].result == DMARC_AUTH_PASS &&
                          (str_eq(v->author, f->identities[i].domain) ||
                           below_both(v->organization, v->author, f->identities[i].domain)));
    ASSERT(v->result != DMARC_PASS || could);
    ASSERT(v->result != DMARC_FAIL || v->disposition <= v->policy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct input in = {.zone_lines = 0};
    struct str texts[LIMIT_DMARC_NAMES];
    struct dmarc_answer answers[LIMIT_DMARC_NAMES];
    struct dmarc_names names;
    struct dmarc_verdict v;

    if (size > 8192)
        return 0;
    read_input(&in, str_from((const char *)data, size), a);
    for (int with_list = 0; with_list < 2; with_list++) {
        in.facts.list = with_list ? suffixes_built_in() : NULL;
        dmarc_names(&in.facts, a, &names);
        ASSERT(names.count <= LIMIT_DMARC_NAMES);
        for (size_t i = 0; i < names.count; i++)
            answer(&in, names.names[i], &texts[i], &answers[i]);
        dmarc_judge(&in.facts, &(struct dmarc_answers){answers, names.count}, &v);
        check(&in.facts, &v);
    }
    return 0;
}
