/* dmarc.c - aggregate reports of DMARC (RFC 9990): each judged message is a row, each day of a domain a report.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc.h"
#include "base/mem.h"
#include "base/size.h"
#include "config/version.h"
#include "cook/verdict.h"
#include "mail/domain.h"
#include "policy/arc.h"
#include "policy/dkim.h"
#include "policy/dmarc_row.h"
#include "policy/gzip.h"
#include "policy/spf_record.h"
#include "policy/suffixes.h"
#include "role/store/report.h"
#include "rt/clock.h"

enum {
    ADDRESSES_MAX = 2, /* of rua: RFC 9990 wants at least two to be served */
    PACKED_MAX = LIMIT_REPORT_PACKED_BYTES,
    COUNT_ARENA = 16384,
};

static void policy_of(const struct cook_verdict *v, struct arena *a, struct dmarc_report *out);
static void row_of(const struct store_deliver *req, const struct cook_verdict *v, struct arena *a,
                   struct report_record *out);
static struct str reason_of(const struct cook_verdict *v);
SUSPENDS static enum status find_record(struct store *s, struct str domain, struct arena *a,
                                        struct dmarc_record *out);
SUSPENDS static enum status consents(struct store *s, struct str domain, struct arena *a,
                                     struct dmarc_mailto *to, bool *out);
static enum status write_report(const struct store *s, const struct store_report *r,
                                struct arena *a, struct buf *packed);
SUSPENDS static enum status tell(struct store *s, const struct store_report *r, struct str packed,
                                 struct dmarc_mailto *to, bool *sent);

/* ---- counting ---- */

void
store_dmarc_count(struct store *s, const struct store_deliver *req, const struct cook_verdict *v)
{
    AUTO_ARENA *a = arena_new(COUNT_ARENA);
    AUTO_BUF row = BUF(LIMIT_TALLY_ROW_BYTES);
    struct dmarc_report policy = {0};
    struct report_record r = {0};

    if (!store_report_is_on(s) || !v->published.rua || v->report || v->policy_domain.len == 0 ||
        req->checks.client.len == 0 || (v->dmarc != DMARC_PASS && v->dmarc != DMARC_FAIL))
        return;
    policy_of(v, a, &policy);
    row_of(req, v, a, &r);
    dmarc_row_write(&policy, &r, &row);
    const struct tally_group g = {
        .kind = TALLY_DMARC, .day = tally_day(clock_now()), .domain = v->policy_domain};
    const struct tally_row counted = {.bytes = buf_str(&row), .count = 1};
    if (buf_status(&row) == OK)
        tally_count(s->tally, &g, &counted);
}

static struct str
policy_name(unsigned p)
{
    return str_of(dmarc_policy_name((enum dmarc_policy)p)); /* enum<3> */
}

static struct str
failure_text(uint32_t failure, struct arena *a)
{
    static const char letters[] = {'0', '1', 'd', 's'};
    AUTO_BUF b = BUF(16);

    for (size_t i = 0; i < sizeof(letters); i++)
        if ((failure >> i & 1) != 0)
            buf_addf(&b, "%s%c", b.len > 0 ? ":" : "", letters[i]);
    return arena_str(a, buf_str(&b));
}

static void
policy_of(const struct cook_verdict *v, struct arena *a, struct dmarc_report *out)
{
    const struct cook_published *p = &v->published;

    out->domain = v->policy_domain;
    out->p = policy_name(p->p);
    out->sp = policy_name(p->sp);
    out->np = policy_name(p->np);
    out->adkim = p->strict_dkim ? STR("s") : STR("r");
    out->aspf = p->strict_spf ? STR("s") : STR("r");
    out->fo = failure_text(p->failure, a);
    out->testing = p->testing ? STR("y") : STR("n");
}

static struct str
lower(struct str text, struct arena *a)
{
    char *copy = arena_z(a, text);

    for (size_t i = 0; i < text.len; i++)
        copy[i] = ascii_lower(copy[i]);
    return str_from(copy, text.len);
}

static struct report_signature *
signatures_of(const struct cook_verdict *v, struct arena *a)
{
    struct report_signature *first = NULL, **last = &first;

    for (size_t i = 0; i < v->signatures_count; i++) {
        const struct cook_signature *from = &v->signatures[i];
        if (from->domain.len == 0)
            continue;
        struct report_signature *to = ARENA_NEW(a, struct report_signature);
        to->domain = from->domain;
        to->selector = from->selector;
        to->result = str_of(dkim_result_name((enum dkim_result)from->result)); /* enum<4> */
        *last = to;
        last = &to->next;
    }
    return first;
}

static void
row_of(const struct store_deliver *req, const struct cook_verdict *v, struct arena *a,
       struct report_record *out)
{
    static const char *const done[] = {
        [VERDICT_TAKE] = "none", [VERDICT_JUNK] = "quarantine", [VERDICT_REFUSE] = "reject"};

    out->source_ip = req->checks.client;
    out->disposition = v->dmarc == DMARC_PASS ? STR("none") : str_of(done[v->disposition]);
    out->dkim = v->dkim_aligned ? STR("pass") : STR("fail");
    out->spf = v->spf_aligned ? STR("pass") : STR("fail");
    out->reason = reason_of(v);
    out->header_from = v->author;
    out->envelope_from = req->sender.len > 0 ? lower(store_domain_of(req->sender), a) : STR("");
    out->signatures = signatures_of(v, a);
    out->spf_domain = req->checks.spf_domain;
    out->spf_result = str_of(spf_result_name((enum spf_result)req->checks.spf)); /* enum<6> */
}

/* Why was less done than the domain asks for? */
static struct str
reason_of(const struct cook_verdict *v)
{
    static const enum verdict_disposition asked[] = {[DMARC_POLICY_UNSAID] = VERDICT_TAKE,
                                                     [DMARC_POLICY_NONE] = VERDICT_TAKE,
                                                     [DMARC_POLICY_QUARANTINE] = VERDICT_JUNK,
                                                     [DMARC_POLICY_REJECT] = VERDICT_REFUSE};

    if (v->dmarc == DMARC_PASS)
        return STR("");
    if (v->disposition < asked[v->asked])
        return STR("local_policy");
    return v->asked < v->policy && v->published.testing ? STR("policy_test_mode") : STR("");
}

/* ---- telling ---- */

enum status
store_dmarc_tell(struct store *s, const struct store_report *r, struct arena *a,
                 enum store_report_end *out)
{
    AUTO_BUF packed = BUF(PACKED_MAX);
    struct dmarc_record record;
    struct dmarc_mailto to;
    bool sent = false;

    *out = REPORT_NOBODY;
    enum status st = find_record(s, r->group.domain, a, &record);
    if (st == OK)
        st = write_report(s, r, a, &packed);
    for (int i = 0; st == OK && i < ADDRESSES_MAX && dmarc_mailto_next(&record.rua, &to); i++)
        st = tell(s, r, buf_str(&packed), &to, &sent);
    if (sent)
        *out =
            REPORT_SENT; /* and the other address does not get it: better than twice to this one */
    else if (st == ERR_TEMP)
        *out = REPORT_LATER;
    else if (st == ERR_NOT_FOUND)
        store_report_skipped(r, STR(""), "it publishes no record any more");
    return st == ERR_TEMP || st == ERR_NOT_FOUND || (sent && st == ERR_LIMIT) ? OK : st;
}

SUSPENDS static enum status
tell(struct store *s, const struct store_report *r, struct str packed, struct dmarc_mailto *to,
     bool *sent)
{
    AUTO_ARENA *a = arena_new(4 << 20);
    bool may = false;

    TRY(consents(s, r->group.domain, a, to, &may));
    if (!may) {
        store_report_skipped(r, to->address, "its domain does not say that it takes them");
        return OK;
    }
    const struct store_report_letter l = {
        .to = to->address,
        .what = STR("dmarc"),
        .extension = STR(".xml.gz"),
        .type = STR("application/gzip"),
        .multipart = STR("mixed"),
        .text =
            arena_printf(a,
                         "This is an aggregate report of DMARC about mail that said to be from\r\n"
                         "%.*s. It is for programs.\r\n",
                         STR_FMT(r->group.domain)),
        .packed = packed,
        .bytes_max = to->bytes_max,
    };
    enum status st = store_report_send(s, r, &l, a);
    if (st == ERR_LIMIT || st == ERR_SYNTAX)
        store_report_skipped(r, to->address,
                             st == ERR_LIMIT ? "larger than they want it" : "no such address");
    else if (st == OK)
        *sent = true;
    return st == ERR_LIMIT || st == ERR_SYNTAX ? OK : st;
}

/* ERR_NOT_FOUND: there is none, or several. */
static enum status
record_among(const struct store_report_texts *texts, struct dmarc_record *out)
{
    size_t n = 0;

    for (size_t i = 0; i < texts->count; i++)
        n += dmarc_record_parse(texts->at[i], out) == OK;
    return n == 1 ? OK : ERR_NOT_FOUND;
}

SUSPENDS static enum status
find_record(struct store *s, struct str domain, struct arena *a, struct dmarc_record *out)
{
    struct store_report_texts texts;

    TRY(store_report_ask(s, arena_printf(a, "_dmarc.%.*s", STR_FMT(domain)), a, &texts));
    TRY(record_among(&texts, out));
    return out->rua.len > 0 ? OK : ERR_NOT_FOUND;
}

static bool
same_organization(struct str one, struct str other)
{
    const struct psl_ctx_st *list = suffixes_built_in();

    if (str_eq(one, other))
        return true;
    if (list == NULL)
        return false;
    struct str a = suffixes_registered(list, one), b = suffixes_registered(list, other);
    return a.len > 0 && str_eq(a, b);
}

/* RFC 9990 section 4: who is elsewhere says that it takes reports about this domain, and may name another address
 * there; else anybody could have floods sent to anybody. */
SUSPENDS static enum status
consents(struct store *s, struct str domain, struct arena *a, struct dmarc_mailto *to, bool *out)
{
    AUTO_BUF host = BUF(DOMAIN_MAX);
    struct store_report_texts texts;
    struct dmarc_record record;
    struct dmarc_mailto other;

    if (domain_normalise(store_domain_of(to->address), &host) != OK)
        return OK;
    *out = same_organization(domain, buf_str(&host));
    if (*out)
        return OK;
    struct str name =
        arena_printf(a, "%.*s._report._dmarc.%.*s", STR_FMT(domain), STR_FMT(buf_str(&host)));
    enum status st = store_report_ask(s, name, a, &texts);
    if (st == OK)
        st = record_among(&texts, &record);
    *out = st == OK;
    if (st == OK && dmarc_mailto_next(&record.rua, &other) &&
        str_eq_nocase(store_domain_of(other.address), buf_str(&host))) {
        mem_copy(to->room, other.room, other.address.len);
        to->address = str_from(to->room, other.address.len);
    }
    return st == ERR_NOT_FOUND ? OK : st;
}

/* Of a policy that changed within the day, that of the most messages is named. */
static enum status
write_report(const struct store *s, const struct store_report *r, struct arena *a,
             struct buf *packed)
{
    AUTO_BUF xml = BUF(LIMIT_REPORT_BYTES);
    struct dmarc_report report = {0}, policy;
    struct report_record *first = NULL, **last = &first;
    uint64_t most = 0;

    for (size_t i = 0; i < r->row_count; i++) {
        struct report_record *record = ARENA_NEW(a, struct report_record);
        if (dmarc_row_read(r->rows[i].bytes, a, &policy, record) != OK)
            continue;
        if (r->rows[i].count > most)
            report = policy;
        most = MAX(most, r->rows[i].count);
        record->count = r->rows[i].count;
        *last = record;
        last = &record->next;
    }
    report.records = first;
    struct str from = store_report_from(s);
    report.org_name = from;
    report.email = arena_printf(a, "postmaster@%.*s", STR_FMT(from));
    report.report_id = r->id;
    report.begin_s = (uint64_t)r->begin_s; /* after 1970 */
    report.end_s = (uint64_t)r->end_s;
    report.generator = arena_printf(a, "Godwit %s", godwit_version);
    report.domain = r->group.domain;
    dmarc_report_write(&xml, &report);
    TRY(buf_status(&xml));
    return gzip_pack(buf_str(&xml), packed);
}
