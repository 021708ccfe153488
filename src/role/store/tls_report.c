/* tls_report.c - reports about TLS with servers of other domains (RFC 8460): sessions are counted, each day of a
 * domain is a report.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store/tls_report.h"

#include "mail/address.h"
#include "mail/domain.h"
#include "policy/gzip.h"
#include "policy/tls_row.h"
#include "rt/clock.h"

enum { ADDRESSES_MAX = 2, REPORT_MAX = LIMIT_TLS_REPORT_BYTES };

/* ---- counting ---- */

void
store_tls_count(struct store *s, const struct store_queue_result *req)
{
    AUTO_BUF domain = BUF(DOMAIN_MAX);

    if (!store_report_is_on(s) || req->facts_count == 0 ||
        domain_normalise(req->domain, &domain) != OK)
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

/* ---- telling ---- */

/* The one report of a domain and day; all of its policies are in it. */
static enum status
write_report(const struct store *s, const struct store_report *r, struct arena *a,
             struct buf *packed)
{
    AUTO_BUF json = BUF(REPORT_MAX);
    struct tls_report report = {
        .organization = store_report_from(s),
        .contact = arena_printf(a, "postmaster@%.*s", STR_FMT(store_report_from(s))),
        .id = r->id,
        .begin_s = r->begin_s,
        .end_s = r->end_s};
    struct tls_fact fact;

    for (size_t i = 0; i < r->row_count; i++)
        if (tls_row_read(r->rows[i].bytes, &fact) == OK)
            tls_row_add(&report, &fact, r->rows[i].count, a);
    TRY(tls_report_write(&json, &report));
    return gzip_pack(buf_str(&json), packed);
}

SUSPENDS static enum status
send_to(struct store *s, const struct store_report *r, struct str packed, struct str uri,
        bool *sent)
{
    AUTO_ARENA *a = arena_new(4 << 20);
    AUTO_BUF to = BUF(PATH_MAX_BYTES);

    if (!tls_rua_address(uri, &to)) {
        store_report_skipped(r, uri,
                             str_starts_nocase(uri, STR("https:"))
                                 ? "it wants them by HTTPS, which is not done here"
                                 : "no such address");
        return OK;
    }
    const struct store_report_letter l = {
        .to = buf_str(&to),
        .what = STR("tls"),
        .extension = STR(".json.gz"),
        .type = STR("application/tlsrpt+gzip"),
        .fields = arena_printf(a,
                               "TLS-Report-Domain: %.*s\r\nTLS-Report-Submitter: %.*s\r\n"
                               "TLS-Required: No\r\n",
                               STR_FMT(r->group.domain), STR_FMT(store_report_from(s))),
        .multipart = STR("report; report-type=\"tlsrpt\""),
        .text = arena_printf(a,
                             "This is a report about TLS with the mail servers of\r\n%.*s"
                             " (RFC 8460). It is for programs.\r\n",
                             STR_FMT(r->group.domain)),
        .packed = packed,
        .tls_optional = true,
    };
    enum status st = store_report_send(s, r, &l, a);
    if (st == ERR_LIMIT || st == ERR_SYNTAX)
        store_report_skipped(r, buf_str(&to), "no such address");
    else if (st == OK)
        *sent = true;
    return st == ERR_LIMIT || st == ERR_SYNTAX ? OK : st;
}

enum status
store_tls_tell(struct store *s, const struct store_report *r, struct arena *a,
               enum store_report_end *out)
{
    AUTO_BUF packed = BUF(REPORT_MAX);
    struct store_report_texts texts;
    struct str rua, uri;
    bool sent = false;

    *out = REPORT_NOBODY;
    enum status st = store_report_ask(
        s, arena_printf(a, "_smtp._tls.%.*s", STR_FMT(r->group.domain)), a, &texts);
    if (st == ERR_NOT_FOUND || (st == OK && !tls_rua_choose(texts.at, texts.count, &rua)))
        return OK; /* most domains */
    if (st == OK)
        st = write_report(s, r, a, &packed);
    for (int i = 0; st == OK && i < ADDRESSES_MAX && tls_rua_next(&rua, &uri); i++)
        st = send_to(s, r, buf_str(&packed), uri, &sent);
    if (sent)
        *out = REPORT_SENT;
    else if (st == ERR_TEMP)
        *out = REPORT_LATER;
    return st == ERR_TEMP || sent ? OK : st;
}
