/* tls_row.c - see tls_row.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/tls_row.h"

#include "base/scan.h"
#include "base/size.h"

enum { VERSION = 1, NAME_BYTES = 253, ADDRESS_BYTES = 45, REASON_BYTES = 120 };

static struct str
cut(struct str text, size_t max)
{
    return str_sub(text, 0, max);
}

/* Whole lines alone: half a record of TLSA would be another one. */
static struct str
cut_lines(struct str text)
{
    struct str whole = text;

    if (text.len <= LIMIT_TLS_FACT_TEXT_BYTES)
        return text;
    ssize_t end = str_rfind(cut(text, LIMIT_TLS_FACT_TEXT_BYTES), '\n');
    whole.len = end > 0 ? (size_t)end : 0;
    return whole;
}

void
tls_row_write(const struct tls_fact *f, struct buf *b)
{
    bool good = f->result == TLS_RESULT_SUCCESS;

    buf_add_char(b, VERSION);
    buf_add_char(b, (char)f->policy);
    buf_add_char(b, (char)f->result);
    buf_add_bytes(b, cut(f->domain, NAME_BYTES));
    buf_add_bytes(b, cut_lines(f->text));
    if (good)
        return;
    buf_add_bytes(b, cut(f->host, NAME_BYTES));
    buf_add_bytes(b, cut(f->sending, ADDRESS_BYTES));
    buf_add_bytes(b, cut(f->receiving, ADDRESS_BYTES));
    buf_add_bytes(b, cut(f->reason, REASON_BYTES));
}

enum status
tls_row_read(struct str row, struct tls_fact *out)
{
    struct scan s = scan_of(row);
    struct tls_fact f = {0};
    uint8_t version, policy, result;

    if (!scan_u8(&s, &version) || version != VERSION || !scan_u8(&s, &policy) ||
        policy >= TLS_POLICY_TYPES || !scan_u8(&s, &result) || result >= TLS_RESULTS ||
        !scan_bytes(&s, NAME_BYTES, &f.domain) ||
        !scan_bytes(&s, LIMIT_TLS_FACT_TEXT_BYTES, &f.text))
        return ERR_CORRUPT;
    f.policy = (enum tls_policy_type)policy; /* checked above, as the next */
    f.result = (enum tls_result)result;
    if (f.result != TLS_RESULT_SUCCESS &&
        (!scan_bytes(&s, NAME_BYTES, &f.host) || !scan_bytes(&s, ADDRESS_BYTES, &f.sending) ||
         !scan_bytes(&s, ADDRESS_BYTES, &f.receiving) || !scan_bytes(&s, REASON_BYTES, &f.reason)))
        return ERR_CORRUPT;
    if (!scan_at_end(&s))
        return ERR_CORRUPT;
    *out = f;
    return OK;
}

/* ---- a report of them ---- */

static bool
is_of(const struct tls_report_policy *p, const struct tls_fact *f)
{
    struct str rest = f->text, line;
    size_t n = 0;

    if (!str_eq(p->type, str_of(tls_policy_name(f->policy))) || !str_eq(p->domain, f->domain))
        return false;
    while (f->text.len > 0 && str_split(&rest, '\n', &line)) {
        if (n == p->text_count || !str_eq(p->texts[n], line))
            return false;
        n++;
    }
    return n == p->text_count;
}

static struct tls_report_policy *
new_policy(const struct tls_fact *f, struct arena *a)
{
    struct tls_report_policy *p = ARENA_NEW(a, struct tls_report_policy);
    struct str *texts = ARENA_ARRAY(a, struct str, LIMIT_TLS_FACT_TEXT_BYTES);
    struct str *hosts = ARENA_ARRAY(a, struct str, LIMIT_TLS_FACT_TEXT_BYTES);
    struct str rest = arena_str(a, f->text), line;

    *p = (struct tls_report_policy){.type = str_of(tls_policy_name(f->policy)),
                                    .domain = arena_str(a, f->domain),
                                    .texts = texts,
                                    .mx_hosts = hosts};
    while (f->text.len > 0 && p->text_count < LIMIT_TLS_FACT_TEXT_BYTES &&
           str_split(&rest, '\n', &line)) {
        texts[p->text_count++] = line;
        if (f->policy == TLS_POLICY_STS && str_starts(line, STR("mx: ")))
            hosts[p->mx_host_count++] = str_skip(line, 4);
    }
    return p;
}

static void
add_detail(struct tls_report_policy *p, const struct tls_fact *f, uint64_t count, struct arena *a)
{
    struct tls_report_failure **at = &p->details;
    size_t n = 0;

    for (; *at != NULL; at = &(*at)->next)
        n++;
    if (n == LIMIT_TLS_REPORT_POLICY_DETAILS)
        return;
    *at = ARENA_NEW(a, struct tls_report_failure);
    **at = (struct tls_report_failure){.result = str_of(tls_result_name(f->result)),
                                       .sending_ip = arena_str(a, f->sending),
                                       .mx_host = arena_str(a, f->host),
                                       .receiving_ip = arena_str(a, f->receiving),
                                       .count = count,
                                       .reason = arena_str(a, f->reason)};
}

void
tls_row_add(struct tls_report *r, const struct tls_fact *f, uint64_t count, struct arena *a)
{
    struct tls_report_policy **at = &r->policies;

    while (*at != NULL && !is_of(*at, f))
        at = &(*at)->next;
    if (*at == NULL) {
        if (r->policy_count == LIMIT_TLS_REPORT_OWN_POLICIES)
            return;
        *at = new_policy(f, a);
        r->policy_count++;
    }
    if (f->result == TLS_RESULT_SUCCESS) {
        (*at)->successes += count;
    } else {
        (*at)->failures += count;
        add_detail(*at, f, count, a);
    }
}
