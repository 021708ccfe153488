/* tls_report.c - reports about TLS: words, and writing.  See tls_report.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/tls_report.h"

#include "base/json.h"
#include "base/size.h"
#include "base/time.h"

static json_t *policy_json(const struct tls_report_policy *p);
static json_t *failure_json(const struct tls_report_failure *f);
static json_t *list_json(const struct str *texts, size_t n);
static json_t *time_json(int64_t at_s);
static void add(json_t *object, const char *name, json_t *value);
static void add_text(json_t *object, const char *name, struct str text);
static void add_text_if(json_t *object, const char *name, struct str text);
static void add_count(json_t *object, const char *name, uint64_t n);

static const char *const policy_names[] = {
    [TLS_POLICY_NONE] = "no-policy-found",
    [TLS_POLICY_TLSA] = "tlsa",
    [TLS_POLICY_STS] = "sts",
};
static_assert(COUNT_OF(policy_names) == TLS_POLICY_TYPES, "a name for each");

static const struct {
    const char *name, *words;
} results[] = {
    [TLS_RESULT_SUCCESS] = {"", "TLS as the policy wants it"},
    [TLS_RESULT_STARTTLS_NOT_SUPPORTED] = {"starttls-not-supported", "it did not offer STARTTLS"},
    [TLS_RESULT_HOST_MISMATCH] = {"certificate-host-mismatch",
                                  "its certificate is for another name"},
    [TLS_RESULT_EXPIRED] = {"certificate-expired", "its certificate had expired"},
    [TLS_RESULT_NOT_TRUSTED] = {"certificate-not-trusted",
                                "its certificate comes from nobody whom the sender trusts"},
    [TLS_RESULT_VALIDATION_FAILURE] = {"validation-failure",
                                       "TLS failed for another reason, or the certificate is none "
                                       "that the policy means"},
    [TLS_RESULT_TLSA_INVALID] = {"tlsa-invalid", "none of its TLSA records can be used"},
    [TLS_RESULT_DNSSEC_INVALID] = {"dnssec-invalid",
                                   "DNS gave no valid answer about its TLSA records (DNSSEC)"},
    [TLS_RESULT_DANE_REQUIRED] = {"dane-required",
                                  "the sender insists on DANE, and there are no TLSA records"},
    [TLS_RESULT_STS_FETCH_ERROR] = {"sts-policy-fetch-error",
                                    "the policy of MTA-STS could not be fetched"},
    [TLS_RESULT_STS_INVALID] = {"sts-policy-invalid", "the policy of MTA-STS is wrong"},
    [TLS_RESULT_STS_WEBPKI_INVALID] = {"sts-webpki-invalid",
                                       "the web server of the MTA-STS policy has no good "
                                       "certificate"},
};
static_assert(COUNT_OF(results) == TLS_RESULTS, "words for each");

const char *
tls_policy_name(enum tls_policy_type t)
{
    ASSERT(t < TLS_POLICY_TYPES);
    return policy_names[t];
}

const char *
tls_result_name(enum tls_result r)
{
    ASSERT(r < TLS_RESULTS);
    return results[r].name;
}

bool
tls_result_of(struct str name, enum tls_result *out)
{
    for (size_t i = 1; i < TLS_RESULTS; i++)
        if (str_eq_nocase(name, str_of(results[i].name))) {
            *out = (enum tls_result)i;
            return true;
        }
    return false;
}

const char *
tls_result_words(enum tls_result r)
{
    ASSERT(r < TLS_RESULTS);
    return results[r].words;
}

/* Section 4.4. */
enum status
tls_report_write(struct buf *b, const struct tls_report *r)
{
    AUTO(json_drop) json_t *report = json_object();
    json_t *range = json_object(), *policies = json_array();

    ASSERT(b != NULL && r != NULL);
    add_text(report, "organization-name", r->organization);
    add(range, "start-datetime", time_json(r->begin_s));
    add(range, "end-datetime", time_json(r->end_s));
    add(report, "date-range", range);
    add_text(report, "contact-info", r->contact);
    add_text(report, "report-id", r->id);
    for (const struct tls_report_policy *p = r->policies; p != NULL; p = p->next)
        (void)json_array_append_new(policies, policy_json(p));
    add(report, "policies", policies);
    return json_write(report, b);
}

static json_t *
policy_json(const struct tls_report_policy *p)
{
    json_t *entry = json_object(), *policy = json_object(), *summary = json_object();

    add_text(policy, "policy-type", p->type);
    if (p->text_count > 0)
        add(policy, "policy-string", list_json(p->texts, p->text_count));
    add_text(policy, "policy-domain", p->domain);
    if (p->mx_host_count > 0)
        add(policy, "mx-host", list_json(p->mx_hosts, p->mx_host_count));
    add(entry, "policy", policy);
    add_count(summary, "total-successful-session-count", p->successes);
    add_count(summary, "total-failure-session-count", p->failures);
    add(entry, "summary", summary);
    if (p->details == NULL)
        return entry;
    json_t *details = json_array();
    for (const struct tls_report_failure *f = p->details; f != NULL; f = f->next)
        (void)json_array_append_new(details, failure_json(f));
    add(entry, "failure-details", details);
    return entry;
}

static json_t *
failure_json(const struct tls_report_failure *f)
{
    json_t *j = json_object();

    add_text(j, "result-type", f->result);
    add_text_if(j, "sending-mta-ip", f->sending_ip);
    add_text_if(j, "receiving-mx-hostname", f->mx_host);
    add_text_if(j, "receiving-mx-helo", f->mx_helo);
    add_text_if(j, "receiving-ip", f->receiving_ip);
    add_count(j, "failed-session-count", f->count);
    add_text_if(j, "additional-information", f->info);
    add_text_if(j, "failure-reason-code", f->reason);
    return j;
}

static json_t *
list_json(const struct str *texts, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, json_text(texts[i]));
    return list;
}

/* date-time of RFC 3339, in UTC and whole seconds. */
static json_t *
time_json(int64_t at_s)
{
    AUTO_BUF b = BUF(64);
    const struct civil c = civil_from_unix(at_s);

    buf_addf(&b, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour, c.minute,
             c.second);
    return json_text(buf_str(&b));
}

/* Jansson fails for want of memory alone, or for a value that failed for that. */
static void
add(json_t *object, const char *name, json_t *value)
{
    int failed = json_object_set_new(object, name, value);

    ASSERT(failed == 0);
}

static void
add_text(json_t *object, const char *name, struct str text)
{
    add(object, name, json_text(text));
}

static void
add_text_if(json_t *object, const char *name, struct str text)
{
    if (text.len > 0)
        add_text(object, name, text);
}

static void
add_count(json_t *object, const char *name, uint64_t n)
{
    add(object, name, json_integer((json_int_t)MIN(n, (uint64_t)INT64_MAX)));
}
